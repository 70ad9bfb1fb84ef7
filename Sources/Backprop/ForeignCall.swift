import CPlatform

/// The address of a C function, whatever its type.
package typealias ForeignFunction = cp_foreign_function

/// What a C function takes and returns, `R(A[,A…])`: "d(d,i)" is `double f(double z, int32_t)`.
package struct Signature {
    /// Letters: f float, d double, i int32, l int64, u uint32. The first parameter is z, the others are constants.
    let result: UInt8
    let parameters: [UInt8]

    /// Whether it computes in double precision all the way.
    var isDouble: Bool { result == UInt8(ascii: "d") && parameters[0] == UInt8(ascii: "d") }

    func isSame(as text: StaticString) -> Bool {
        guard parameters.count == 1, text.utf8CodeUnitCount == 4 else { return false }
        return result == text.utf8Start[0] && parameters[0] == text.utf8Start[2]
    }

    package init(parsing text: String) throws(BackpropError) {
        var reader = SignatureReader(text)
        result = try reader.letter(of: "fdilu", "the type returned, one of f, d, i, l, u")
        try reader.expect("(")
        var parameters = [try reader.letter(of: "fd", "z, which is f or d")]
        while try reader.isNext(",", or: ")") {
            guard parameters.count < Int(CP_MOST_PARAMETERS) else {
                throw reader.error("the end: a function takes at most \(Int(CP_MOST_PARAMETERS)) numbers")
            }
            parameters.append(try reader.letter(of: "fdilu", "a type, one of f, d, i, l, u"))
        }
        try reader.expectEnd()
        self.parameters = parameters
    }
}

/// Reads a signature from left to right; its errors point at the character they are about.
private struct SignatureReader {
    private let text: String
    private let bytes: [UInt8]
    private var at = 0

    init(_ text: String) {
        self.text = text
        bytes = Array(Array(text.utf8).prefix(4 * Int(CP_MOST_PARAMETERS)))
    }

    private var next: UInt8 { at < bytes.count ? bytes[at] : 0 }

    mutating func letter(of letters: StaticString, _ what: StaticString) throws(BackpropError) -> UInt8 {
        for i in 0..<letters.utf8CodeUnitCount where letters.utf8Start[i] == next {
            at += 1
            return letters.utf8Start[i]
        }
        throw error("\(what)")
    }

    mutating func expect(_ character: StaticString) throws(BackpropError) {
        guard next == character.utf8Start[0] else { throw error("'\(character)'") }
        at += 1
    }

    /// Takes one of two characters; whether it was the first.
    mutating func isNext(_ character: StaticString, or end: StaticString) throws(BackpropError) -> Bool {
        guard next == character.utf8Start[0] || next == end.utf8Start[0] else {
            throw error("'\(character)' or '\(end)'")
        }
        at += 1
        return bytes[at - 1] == character.utf8Start[0]
    }

    func expectEnd() throws(BackpropError) {
        guard next == 0 else { throw error("the end") }
    }

    func error(_ expected: Text) -> BackpropError {
        let found = next == 0 ? "the end" : next >= 0x80 ? "another alphabet" : "'\(Character(UnicodeScalar(next)))'"
        let shown = text.utf8.count <= bytes.count ? text : String(decoding: bytes, as: UTF8.self) + "…"
        return BackpropError(
            .invalidValue, "signature \"\(shown)\", character \(at + 1): expected \(expected), found \(found)")
    }
}

/// A call through libffi, made ready once: several threads may use it at the same time.
package final class ForeignCall {
    private let prepared: OpaquePointer

    private init(_ prepared: OpaquePointer) { self.prepared = prepared }

    static func make(
        _ signature: Signature, constants: [Double]
    ) throws(BackpropError) -> ForeignCall {
        let expected = signature.parameters.count - 1
        guard constants.count == expected else {
            throw BackpropError(.invalidValue, "the signature has \(expected) constants after z, not \(constants.count)")
        }
        for i in 0..<expected { try requireFit(constants[i], signature.parameters[i + 1], number: i + 1) }
        let prepared = signature.parameters.withUnsafeBytes { letters in
            cp_prepare_call(
                CChar(signature.result), letters.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: CChar.self),
                letters.count, constants)
        }
        guard let prepared else { throw BackpropError(.outOfMemory, "out of memory: no room for a call") }
        return ForeignCall(prepared)
    }

    deinit { cp_free(UnsafeMutableRawPointer(prepared)) }

    @inline(__always)
    func callAsFunction(_ function: ForeignFunction, _ z: Double) -> Double { cp_call_foreign(prepared, function, z) }

    /// Whether the type has that number.
    private static func requireFit(_ value: Double, _ letter: UInt8, number: Int) throws(BackpropError) {
        let bounds: (low: Double, high: Double, what: String)
        switch letter {
        case UInt8(ascii: "f"): bounds = (-0x1.fffffep127, 0x1.fffffep127, "a finite float")
        case UInt8(ascii: "d"): bounds = (-.greatestFiniteMagnitude, .greatestFiniteMagnitude, "a finite number")
        case UInt8(ascii: "i"): bounds = (-0x1p31, 0x1p31 - 1, "an integer of 32 bits")
        case UInt8(ascii: "l"): bounds = (-0x1p63, (0x1p63).nextDown, "an integer of 64 bits")
        default: bounds = (0, 0x1p32 - 1, "an integer of 32 bits, 0 or more")
        }
        let isWhole = letter == UInt8(ascii: "f") || letter == UInt8(ascii: "d") || value == value.rounded(.down)
        guard value >= bounds.low, value <= bounds.high, isWhole else {  // false for NaN
            throw BackpropError(.invalidValue, "constant \(number) is \(decimal(value)), not \(bounds.what)")
        }
    }
}
