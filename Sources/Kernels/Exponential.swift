/// Exponentials and their relatives for one Float, without branches: loops over them become vector code. Polynomials are
/// minimax fits to the functions named; errors are those measured over all Floats against double precision.

/// x = n ln 2 + r with |r| ≤ ½ ln 2, for |x| < 2¹⁵.
@inline(__always)
private func reduce(_ x: Float) -> (n: Int32, r: Float) {
    let shifted = multiplyAdd(x, 1.442_695_04, 12_582_912)  // 1.5 · 2²³: the sum's low bits are the nearest integer
    let k = shifted - 12_582_912
    // ln 2 in two parts; k times the first is exact.
    let r = multiplyAdd(k, -1.428_606_77e-06, multiplyAdd(k, -0.693_145_752, x))
    return (Int32(bitPattern: shifted.bitPattern) &- 0x4B40_0000, r)
}

/// eʳ − 1 for |r| ≤ ½ ln 2.
@inline(__always)
private func exponentialMinusOneReduced(_ r: Float) -> Float {
    var p = multiplyAdd(r, 0.001_388_251_43, 0.008_366_547_52)
    p = multiplyAdd(r, p, 0.041_667_200_6)
    p = multiplyAdd(r, p, 0.166_665_435)
    p = multiplyAdd(r, p, 0.499_999_970)
    return multiplyAdd(r * r, p, r)
}

/// 2ⁿ for −126 ≤ n ≤ 127.
@inline(__always)
private func powerOfTwo(_ n: Int32) -> Float {
    Float(bitPattern: UInt32(bitPattern: n &+ 127) &<< 23)
}

@inline(__always)
private func clamp(_ x: Float, _ low: Float, _ high: Float) -> Float {
    let raised = x < low ? low : x  // in this order a NaN stays
    return raised > high ? high : raised
}

/// eˣ, for any x: overflows to infinity, goes through the subnormal numbers to 0.
@inline(__always)
func exponential(_ x: Float) -> Float { exponential(x, plus: 0) }

/// eˣ⁺ʸ where y is small beside 1, for arguments known to more digits than a Float has.
@inline(__always)
func exponential(_ x: Float, plus y: Float) -> Float {
    let (n, r) = reduce(clamp(x, -105, 89))
    let half = n &>> 1  // 2ⁿ in two factors: neither overflows
    return (1 + exponentialMinusOneReduced(r + y)) * powerOfTwo(half) * powerOfTwo(n &- half)
}

/// eˣ − 1 without cancellation, for x ≤ 88.
@inline(__always)
func exponentialMinusOne(_ x: Float) -> Float {
    let (n, r) = reduce(clamp(x, -105, 88))
    let scale = powerOfTwo(n < -126 ? -126 : n)
    return multiplyAdd(scale, exponentialMinusOneReduced(r), scale - 1)
}

/// log(1 + u) for 0 ≤ u ≤ 1, as 2 artanh(u / (2 + u)).
@inline(__always)
func logOfOnePlus(_ u: Float) -> Float {
    let s = u / (2 + u)
    let t = s * s
    var p = multiplyAdd(t, 0.121_504_694, 0.107_138_284)
    p = multiplyAdd(t, p, 0.143_084_422)
    p = multiplyAdd(t, p, 0.199_994_385)
    p = multiplyAdd(t, p, 0.333_333_373)
    return 2 * multiplyAdd(s * t, p, s)
}

/// σ(z) = 1 / (1 + e⁻ᶻ)   (notes, introduction)
@inline(__always)
func logistic(_ z: Float) -> Float {
    let e = exponential(-z.magnitude)
    return (z < 0 ? e : 1) / (1 + e)
}

/// (eᶻ − e⁻ᶻ) / (eᶻ + e⁻ᶻ) = e² ᶻ−1 over e² ᶻ+1   (notes, introduction)
@inline(__always)
func hyperbolicTangent(_ z: Float) -> Float {
    let m = z.magnitude
    let e = exponentialMinusOne(2 * (m > 10 ? 10 : m))
    let t = e / (e + 2)
    return z < 0 ? -t : t
}

/// log(1 + eᶻ)
@inline(__always)
func softplus(_ z: Float) -> Float {
    (z < 0 ? 0 : z) + logOfOnePlus(exponential(-z.magnitude))
}

/// The standard normal distribution: Φ(z), and its density φ(z).
///
/// Φ(−t) = e^(−t²/2) q / (1 + 3t/2) for t ≥ 0, with q a polynomial in (t − 4) / (t + 4).
@inline(__always)
func normalDistribution(_ z: Float) -> (probability: Float, density: Float) {
    let m = z.magnitude
    let t: Float = m > 14.5 ? 14.5 : m
    let high = Float(bitPattern: t.bitPattern & 0xFFFF_F000)  // its square is exact
    let e = exponential(-0.5 * high * high, plus: -0.5 * (t - high) * (t + high))
    let v = (t - 4) / (t + 4)
    var q = multiplyAdd(v, -0.000_109_496_454, -5.962_032_81e-05)
    q = multiplyAdd(v, q, 0.001_126_898_10)
    q = multiplyAdd(v, q, -0.000_782_241_812)
    q = multiplyAdd(v, q, -0.007_759_911_01)
    q = multiplyAdd(v, q, 0.031_158_283_4)
    q = multiplyAdd(v, q, -0.063_728_168_6)
    q = multiplyAdd(v, q, 0.078_753_478_8)
    q = multiplyAdd(v, q, -0.041_190_248)
    q = multiplyAdd(v, q, -0.059_856_332_8)
    q = multiplyAdd(v, q, 0.660_874_486)
    let tail = e * q / multiplyAdd(1.5, t, 1)
    let lower = z < 0 ? tail : 1 - tail
    return (z == z ? lower : z, e * 0.398_942_280)
}
