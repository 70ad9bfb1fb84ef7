/// The number that IEEE 754 binary16 bits represent. The fields are shifted to their places in a Float, and the number is
/// multiplied by 2 to the difference of the exponent biases, which is also right for subnormal numbers. An exponent of all
/// ones (infinity, NaN) stays all ones.
@inline(__always)
func float(half bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let magnitude = UInt32(bits & 0x7FFF) << 13
    let value =
        bits & 0x7C00 == 0x7C00 ? Float(bitPattern: magnitude | 0x7F80_0000) : Float(bitPattern: magnitude) * 0x1p112
    return Float(bitPattern: value.bitPattern | sign)
}
