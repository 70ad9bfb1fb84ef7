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
            case .f16: floats[i] = float(half: at.loadUnaligned(as: UInt16.self).littleEndian)
            case .bf16: floats[i] = Float(bitPattern: UInt32(at.loadUnaligned(as: UInt16.self).littleEndian) << 16)
            }
        }
    }
}
