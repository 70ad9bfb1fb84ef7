/// w −= rate g, rounded as in `update`.
func step(_ w: Target, _ g: Source, _ count: Int, _ rate: Float) {
    for i in 0..<count { w[i] = multiplyAdd(-rate, g[i], w[i]) }
}

/// Σ |x|: infinite or NaN when an element is.
func sumOfMagnitudes(_ x: Source, _ count: Int) -> Float {
    var sums = Vector.zero
    var i = 0
    while i + 16 <= count {
        let bits = unsafeBitCast(load(x + i), to: SIMD16<UInt32>.self) & SIMD16(repeating: 0x7FFF_FFFF)
        sums += unsafeBitCast(bits, to: Vector.self)
        i += 16
    }
    var sum: Float = 0
    for lane in 0..<16 { sum += sums[lane] }
    while i < count {
        sum += x[i].magnitude
        i += 1
    }
    return sum
}
