import CPlatform

/// The signature of a C function, `R(A[,A…])`: "d(d,i)" is `double f(double z, int32_t)`.
package struct Signature {
    /// Letters: f float, d double, i int32, l int64, u uint32. The first parameter is z, the others are constants.
    let result: UInt8
    let parameters: [UInt8]

    /// Whether z and the result are double.
    var isDouble: Bool { result == UInt8(ascii: "d") && parameters[0] == UInt8(ascii: "d") }

    func isSame(as text: StaticString) -> Bool {
        guard parameters.count == 1, text.utf8CodeUnitCount == 4 else { return false }
        return result == text.utf8Start[0] && parameters[0] == text.utf8Start[2]
    }

    package init(parsing text: String) throws(BackpropError) {
        var reader = SignatureReader(text)
        result = try reader.letter(of: "fdilu", "the type of the result, one of f, d, i, l, u")
        try reader.expect("(")
        var parameters = [try reader.letter(of: "fd", "the type of z, f or d")]
        while try reader.isNext(",", or: ")") {
            guard parameters.count < Int(CP_MOST_PARAMETERS) else {
                throw reader.error("the end: a function has at most \(Int(CP_MOST_PARAMETERS)) parameters")
            }
            parameters.append(try reader.letter(of: "fdilu", "the type of a constant, one of f, d, i, l, u"))
        }
        try reader.expectEnd()
        self.parameters = parameters
    }
}

/// Reads a signature from left to right. Its errors report the position of the wrong character.
struct SignatureReader {
    private let text: String
    private let bytes: [UInt8]
    private var at = 0

    init(_ text: String) {
        self.text = text
        bytes = Array(Array(text.utf8).prefix(4 * Int(CP_MOST_PARAMETERS)))
    }

    private var next: UInt8 { at < bytes.count ? bytes[at] : 0 }

    mutating func letter(of letters: StaticString, _ expected: StaticString) throws(BackpropError) -> UInt8 {
        for i in 0..<letters.utf8CodeUnitCount where letters.utf8Start[i] == next {
            at += 1
            return letters.utf8Start[i]
        }
        throw error("\(expected)")
    }

    mutating func expect(_ character: StaticString) throws(BackpropError) {
        guard next == character.utf8Start[0] else { throw error("'\(character)'") }
        at += 1
    }

    /// Reads one of two characters. Returns whether it is the first.
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
        let found = next == 0 ? "the end" : next >= 0x80 ? "a character that is not ASCII" : "'\(Character(UnicodeScalar(next)))'"
        let shown = text.utf8.count <= bytes.count ? text : String(decoding: bytes, as: UTF8.self) + "…"
        return BackpropError(
            .invalidValue, "signature \"\(shown)\", character \(at + 1): expected \(expected), found \(found)")
    }
}
