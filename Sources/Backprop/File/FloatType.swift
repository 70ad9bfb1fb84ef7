/// The number types that weights may have in a safetensors file. All are little-endian.
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

    /// Converts numbers to Floats. The conversion is exact, except for F64, which is rounded. The bytes need no alignment.
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

    /// IEEE 754 binary16. The fields are shifted to their places in a Float, and the number is multiplied by 2 to the
    /// difference of the exponent biases, which is also right for subnormal numbers. An exponent of all ones (infinity, NaN)
    /// stays all ones.
    private func half(_ bits: UInt16) -> Float {
        let sign = UInt32(bits & 0x8000) << 16
        let magnitude = UInt32(bits & 0x7FFF) << 13
        let value =
            bits & 0x7C00 == 0x7C00
            ? Float(bitPattern: magnitude | 0x7F80_0000) : Float(bitPattern: magnitude) * 0x1p112
        return Float(bitPattern: value.bitPattern | sign)
    }
}
