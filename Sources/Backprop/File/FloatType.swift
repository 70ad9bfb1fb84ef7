/// The types of numbers that weights may have in a safetensors file, little-endian.
enum FloatType: Named {
    case f32, f64, f16, bf16

    var name: String {
        switch self {
        case .f32: "F32"
        case .f64: "F64"
        case .f16: "F16"
        case .bf16: "BF16"
        }
    }

    var size: Int {
        switch self {
        case .f32: 4
        case .f64: 8
        case .f16, .bf16: 2
        }
    }

    /// As Floats: exact, but for F64, which is rounded. The bytes may lie anywhere.
    func convert(_ bytes: UnsafeRawPointer, _ count: Int, to floats: UnsafeMutablePointer<Float>) {
        for i in 0..<count {
            let at = bytes + i * size
            switch self {
            case .f32: floats[i] = Float(bitPattern: at.loadUnaligned(as: UInt32.self).littleEndian)
            case .f64: floats[i] = Float(Double(bitPattern: at.loadUnaligned(as: UInt64.self).littleEndian))
            case .f16: floats[i] = half(at.loadUnaligned(as: UInt16.self).littleEndian)
            case .bf16: floats[i] = Float(bitPattern: UInt32(at.loadUnaligned(as: UInt16.self).littleEndian) << 16)
            }
        }
    }

    /// IEEE 754 binary16: moved to where a Float has its fields, and scaled by the difference of the exponents' biases,
    /// which makes subnormal ones right too. An exponent of all ones stays one.
    private func half(_ bits: UInt16) -> Float {
        let sign = UInt32(bits & 0x8000) << 16
        let magnitude = UInt32(bits & 0x7FFF) << 13
        let value =
            bits & 0x7C00 == 0x7C00
            ? Float(bitPattern: magnitude | 0x7F80_0000) : Float(bitPattern: magnitude) * 0x1p112
        return Float(bitPattern: value.bitPattern | sign)
    }
}
