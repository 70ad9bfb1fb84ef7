import CPlatform

/// Exponentials and their relatives, eight numbers at a time and without branches. Polynomials are minimax fits to the
/// functions named. NaN stays NaN.

/// 1.5 · 2²³: the low bits of a sum with it are the nearest integer.
private var shift: Lanes { lanes(12_582_912) }

/// x = k ln 2 + r with k an integer and |r| ≤ ½ ln 2, for |x| < 2¹⁵.
@_transparent
private func reduce(_ x: Lanes) -> (k: Lanes, r: Lanes) {
    let k = multiplyAdd(x, lanes(1.442_695_04), shift) - shift
    // ln 2 in two parts; k times the first is exact.
    return (k, multiplyAdd(k, lanes(-1.428_606_77e-06), multiplyAdd(k, lanes(-0.693_145_752), x)))
}

/// (eʳ − 1 − r) / r² for |r| ≤ ½ ln 2, in Estrin's order: short chains.
@_transparent
private func tail(_ r: Lanes, _ square: Lanes) -> Lanes {
    let low = multiplyAdd(r, lanes(0.166_665_435), lanes(0.499_999_970))
    let high = multiplyAdd(r, lanes(0.008_366_547_52), lanes(0.041_667_200_6))
    return multiplyAdd(square, multiplyAdd(square, lanes(0.001_388_251_43), high), low)
}

/// 2ᵏ for an integer k, −126 ≤ k ≤ 127.
@_transparent
private func powerOfTwo(_ k: Lanes) -> Lanes {
    cp_to_exponent(k + (shift + lanes(127)))
}

@_transparent
private func atLeast(_ low: Float, _ x: Lanes) -> Lanes { select(x .< lanes(low), lanes(low), x) }

@_transparent
private func atMost(_ high: Float, _ x: Lanes) -> Lanes { select(x .> lanes(high), lanes(high), x) }

/// eˣ⁺ʸ for x ≤ 0, through the subnormal numbers down to 0; y, small beside 1, carries digits that x has no room for.
@_transparent
func exponential(ofNegative x: Lanes, plus y: Lanes) -> Lanes {
    let (k, r) = reduce(atLeast(-105, x))
    return onePlusTail(r + y) * scale(k)
}

@_transparent
func exponential(ofNegative x: Lanes) -> Lanes {
    let (k, r) = reduce(atLeast(-105, x))
    return onePlusTail(r) * scale(k)
}

/// eʳ
@_transparent
private func onePlusTail(_ r: Lanes) -> Lanes {
    let square = r * r
    return lanes(1) + multiplyAdd(square, tail(r, square), r)
}

/// 2ᵏ for an integer k, −252 ≤ k ≤ 127: exact, subnormal ones included.
@_transparent
private func scale(_ k: Lanes) -> Lanes {
    let half = multiplyAdd(k, lanes(0.5), shift) - shift
    return powerOfTwo(half) * powerOfTwo(k - half)
}

/// eˣ − 1 without cancellation, for x ≤ 88.
@_transparent
func exponentialMinusOne(_ x: Lanes) -> Lanes {
    let (k, r) = reduce(atLeast(-80, x))
    let scale = powerOfTwo(k)
    let square = r * r
    return multiplyAdd(scale, multiplyAdd(square, tail(r, square), r), scale - lanes(1))
}

/// log(1 + u) for 0 ≤ u ≤ 1, as 2 artanh(u / (2 + u)).
@_transparent
func logOfOnePlus(_ u: Lanes) -> Lanes {
    let s = u / (lanes(2) + u)
    let t = s * s
    var p = multiplyAdd(t, lanes(0.121_504_694), lanes(0.107_138_284))
    p = multiplyAdd(t, p, lanes(0.143_084_422))
    p = multiplyAdd(t, p, lanes(0.199_994_385))
    p = multiplyAdd(t, p, lanes(0.333_333_373))
    let half = multiplyAdd(s * t, p, s)
    return half + half
}

/// σ(z) = 1 / (1 + e⁻ᶻ)   (notes, introduction)
@_transparent
func logistic(_ z: Lanes) -> Lanes {
    let (k, r) = reduce(atLeast(-105, negativeMagnitude(z)))
    let square = r * r
    let p = multiplyAdd(square, tail(r, square), r)  // eʳ − 1
    let power = scale(k)
    let e = multiplyAdd(p, power, power)
    let sum = multiplyAdd(p, power, lanes(1) + power)
    let quotient = select(z .< .zero, e, lanes(1)) / sum
    return multiplyAdd(quotient, (sum - lanes(1)) - e, quotient)  // what rounding put into the sum, taken out again
}

/// (eᶻ − e⁻ᶻ) / (eᶻ + e⁻ᶻ)   (notes, introduction), as t / (t + 2) with t = e² |ᶻ| − 1.
@_transparent
func hyperbolicTangent(_ z: Lanes) -> Lanes {
    let m = atMost(10, magnitude(z))
    let t = exponentialMinusOne(m + m)
    let result = t / (t + lanes(2))
    return select(z .< .zero, lanes(0) - result, result)
}

/// log(1 + eᶻ)
@_transparent
func softplus(_ z: Lanes) -> Lanes {
    select(z .< .zero, .zero, z) + logOfOnePlus(exponential(ofNegative: negativeMagnitude(z)))
}

/// The standard normal distribution: Φ(z), and its density φ(z).
///
/// Φ(−t) = e^(−t²/2) q / (1 + 3t/2) for t ≥ 0, with q a polynomial in (t − 4) / (t + 4).
@_transparent
func normalDistribution(_ z: Lanes) -> (probability: Lanes, density: Lanes) {
    let t = atMost(14.5, magnitude(z))
    let mask = SIMD8<UInt32>(repeating: 0xFFFF_F000)
    let high = unsafeBitCast(unsafeBitCast(t, to: SIMD8<UInt32>.self) & mask, to: Lanes.self)  // its square is exact
    let e = exponential(ofNegative: lanes(-0.5) * high * high, plus: lanes(-0.5) * (t - high) * (t + high))
    let v = (t - lanes(4)) / (t + lanes(4))
    var q = multiplyAdd(v, lanes(-0.000_109_496_454), lanes(-5.962_032_81e-05))
    q = multiplyAdd(v, q, lanes(0.001_126_898_10))
    q = multiplyAdd(v, q, lanes(-0.000_782_241_812))
    q = multiplyAdd(v, q, lanes(-0.007_759_911_01))
    q = multiplyAdd(v, q, lanes(0.031_158_283_4))
    q = multiplyAdd(v, q, lanes(-0.063_728_168_6))
    q = multiplyAdd(v, q, lanes(0.078_753_478_8))
    q = multiplyAdd(v, q, lanes(-0.041_190_248))
    q = multiplyAdd(v, q, lanes(-0.059_856_332_8))
    q = multiplyAdd(v, q, lanes(0.660_874_486))
    let tail = e * q / multiplyAdd(lanes(1.5), t, lanes(1))
    return (select(z .< .zero, tail, lanes(1) - tail), e * lanes(0.398_942_280))
}
