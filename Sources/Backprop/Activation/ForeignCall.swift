import CPlatform

/// The address of a C function, whatever its type.
package typealias ForeignFunction = cp_foreign_function

/// A prepared call through libffi. Several threads may use it at the same time.
package final class ForeignCall {
    private let prepared: OpaquePointer

    private init(_ prepared: OpaquePointer) { self.prepared = prepared }

    static func make(
        _ signature: Signature, constants: [Double]
    ) throws(BackpropError) -> ForeignCall {
        try requirePart(cp_has_foreign_calls, "calls through libffi")
        let expected = signature.parameters.count - 1
        guard constants.count == expected else {
            throw BackpropError(
                .invalidValue, "the signature has \(counted(expected, "constant")) after z, not \(constants.count)")
        }
        let prepared = try inDefaultEnvironment { () throws(BackpropError) in
            for i in 0..<expected { try requireFit(constants[i], signature.parameters[i + 1], number: i + 1) }
            return signature.parameters.withUnsafeBytes { letters in
                cp_prepare_call(
                    CChar(signature.result), letters.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: CChar.self),
                    letters.count, constants)
            }
        }
        guard let prepared else { throw BackpropError(.outOfMemory, "out of memory: cannot allocate a function call") }
        return ForeignCall(prepared)
    }

    deinit { cp_free(UnsafeMutableRawPointer(prepared)) }

    @inline(__always)
    func callAsFunction(_ function: ForeignFunction, _ z: Double) -> Double {
        var result = 0.0
        cp_call_foreign(prepared, function, z, &result)
        return result
    }

    /// Throws unless the type can represent the value.
    private static func requireFit(_ value: Double, _ letter: UInt8, number: Int) throws(BackpropError) {
        let bounds: (low: Double, high: Double, what: String)
        switch letter {
        case UInt8(ascii: "f"): bounds = (-0x1.fffffep127, 0x1.fffffep127, "a finite float")
        case UInt8(ascii: "d"): bounds = (-.greatestFiniteMagnitude, .greatestFiniteMagnitude, "a finite number")
        case UInt8(ascii: "i"): bounds = (-0x1p31, 0x1p31 - 1, "an integer of 32 bits")
        case UInt8(ascii: "l"): bounds = (-0x1p63, (0x1p63).nextDown, "an integer of 64 bits")
        default: bounds = (0, 0x1p32 - 1, "an unsigned integer of 32 bits")
        }
        let isWhole = letter == UInt8(ascii: "f") || letter == UInt8(ascii: "d") || value == value.rounded(.down)
        guard value >= bounds.low, value <= bounds.high, isWhole else {  // false for NaN
            throw BackpropError(.invalidValue, "constant \(number) is \(decimal(value)), not \(bounds.what)")
        }
    }
}
