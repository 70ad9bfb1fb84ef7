import CKernels

// Exponentials and functions built from them, on eight numbers at a time and without branches. Polynomials are minimax fits
// to the functions in their comments. NaN stays NaN. In its tail, a function is 0 where it would be subnormal: processors are
// slow with such numbers.

/// x = k ln 2 + r with k an integer and |r| ≤ ½ ln 2, for |x| < 2¹⁵.
@_transparent
private func reduce(_ x: Lanes) -> (k: Lanes, r: Lanes) {
    let k = cp_multiple_of_log2(x)
    return (k, cp_rest_of_log2(x, k))
}

/// x + y = k ln 2 + r + low. y, much smaller than 1, holds digits beyond the precision of x; low holds digits beyond the
/// precision of r.
@_transparent
private func reduce(_ x: Lanes, plus y: Lanes) -> (k: Lanes, r: Lanes, low: Lanes) {
    let k = cp_multiple_of_log2(x)
    let rest = multiplyAdd(k, lanes(-CP_HIGH_OF_LOG2), x)  // exact
    let small = multiplyAdd(k, lanes(-CP_LOW_OF_LOG2), y)
    let r = rest + small
    return (k, r, (rest - r) + small)
}

/// eʳ − 1 for |r| ≤ ½ ln 2
@_transparent
private func powerMinusOne(_ r: Lanes) -> Lanes { cp_exponential_minus_one(r) }

/// eʳ⁺ˡᵒʷ − 1 = p + low, where low holds digits beyond the precision of p.
@_transparent
private func powerMinusOne(_ r: Lanes, plus low: Lanes) -> (p: Lanes, low: Lanes) {
    let square = r * r
    let tail = cp_exponential_tail(r, square)
    let p = multiplyAdd(square, tail, r)
    return (p, multiplyAddError(square, tail, r, p) + low)
}

/// 2ᵏ for an integer k, −126 ≤ k ≤ 127.
@_transparent
private func powerOfTwo(_ k: Lanes) -> Lanes { cp_power_of_two(k, 0) }

@_transparent
func atLeast(_ low: Float, _ x: Lanes) -> Lanes { select(x .< lanes(low), lanes(low), x) }

@_transparent
func atMost(_ high: Float, _ x: Lanes) -> Lanes { select(x .> lanes(high), lanes(high), x) }

/// 2ᵏ⁺⁴⁰ for an integer k, −166 ≤ k ≤ 87. The power, or a product with it, is then multiplied by 2⁻⁴⁰, `fraction`, so
/// that its error terms are not subnormal before.
@_transparent
private func raisedPower(_ k: Lanes) -> Lanes { cp_power_of_two(k, 40) }

private var fraction: Lanes { lanes(0x1p-40) }

/// 2ᵏ, or 2⁻⁶⁰ for a smaller k: where the power does not matter beside 1, but products with it could be subnormal.
@_transparent
private func powerBesideOne(_ k: Lanes) -> Lanes { powerOfTwo(atLeast(-60, k)) }

/// The smallest x for which eˣ is a normal number.
private var leastExponent: Float { -87.33654 }

/// `value`, or 0 for x < low.
@_transparent
private func cut(_ value: Lanes, _ low: Float, _ x: Lanes) -> Lanes { select(x .< lanes(low), .zero, value) }

/// eˣ for x ≤ 0.
@_transparent
func exponential(ofNegative x: Lanes) -> Lanes {
    let (k, r) = reduce(atLeast(leastExponent, x))
    return (lanes(1) + powerMinusOne(r)) * cut(powerOfTwo(k), leastExponent, x)
}

/// eˣ − 1 without cancellation, for x ≤ 88.
@_transparent
func exponentialMinusOne(_ x: Lanes) -> Lanes {
    let (k, r) = reduce(atLeast(-80, x))
    let power = powerOfTwo(k)
    return multiplyAdd(power, powerMinusOne(r), power - lanes(1))
}

/// λ and λ α (Klambauer et al. 2017).
var seluScale: Float { 1.050_700_987 }
var seluSlope: Float { 1.758_099_34 }

/// λ z, or below 0 λ α (eᶻ − 1). The latter is scaled with what rounding took from it and from λ α. The largest numbers stay
/// finite.
@_transparent
func scaledExponentialLinear(_ z: Lanes) -> Lanes {
    let (k, r) = reduce(atLeast(-80, select(z .< .zero, z, .zero)))
    let (p, lowOfP) = powerMinusOne(r, plus: .zero)
    let power = powerOfTwo(k)
    let most = power - lanes(1)
    let e = multiplyAdd(power, p, most)
    let low = multiplyAdd(power, lowOfP, multiplyAdd(power, p, most - e))
    let below = multiplyAdd(e, lanes(seluSlope), multiplyAdd(e, lanes(2.32967174e-08), low * lanes(seluSlope)))
    let above = lanes(seluScale) * atMost(3.238_62195e38, z)
    return select(z .< .zero, below, select(z .> lanes(.greatestFiniteMagnitude), z, above))
}

/// σ(z) = 1 / (1 + e⁻ᶻ)   (notes, introduction)
@_transparent
func logistic(_ z: Lanes) -> Lanes {
    let (k, r) = reduce(atLeast(leastExponent, negativeMagnitude(z)))
    let p = powerMinusOne(r)
    let power = cut(powerOfTwo(k), leastExponent, z)
    let e = multiplyAdd(p, power, power)
    let sum = multiplyAdd(p, power, lanes(1) + power)
    let quotient = select(z .< .zero, e, lanes(1)) / sum
    return multiplyAdd(quotient, (sum - lanes(1)) - e, quotient)  // corrects the rounding error of the sum
}

/// (eᶻ − e⁻ᶻ) / (eᶻ + e⁻ᶻ)   (notes, introduction)
@_transparent
func hyperbolicTangent(_ z: Lanes) -> Lanes { cp_tanh(z) }

/// 1 + a + b for a power of two a and a smaller b, and the rounding error of the sum.
@_transparent
private func onePlus(_ a: Lanes, _ b: Lanes) -> (sum: Lanes, excess: Lanes) {
    let sum = (lanes(1) + a) + b
    return (sum, ((sum - lanes(1)) - a) - b)
}

@_transparent
private func positivePart(_ z: Lanes) -> Lanes { select(z .< .zero, .zero, z) }

/// log(1 + eᶻ) = max(0, z) + log(1 + u) with u = e^−|z|, and log(1 + u) = 2 artanh(h / 2) with h = u / (1 + u / 2).
@_transparent
func softplus(_ z: Lanes) -> Lanes {
    let (k, r) = reduce(atLeast(leastExponent, negativeMagnitude(z)))
    let p = powerMinusOne(r)
    let power = powerBesideOne(k)
    let halfPower = lanes(0.5) * power
    let rest = p * halfPower  // exact
    let (sum, excess) = onePlus(halfPower, rest)
    let exponential = lanes(1) + p
    let low = p - (exponential - lanes(1))
    let quotient = exponential / sum  // h / 2ᵏ
    let lost = multiplyAdd(quotient, excess, low) * multiplyAdd(sum, lanes(-2 / 3), lanes(5 / 3))  // about 1 / sum
    let h = quotient * power
    let t = h * h
    var q = multiplyAdd(t, lanes(0.000_118_656_928), lanes(0.000_418_508_922))
    q = multiplyAdd(t, q, lanes(0.002_235_694_09))
    q = multiplyAdd(t, q, lanes(0.012_499_649_1))
    q = multiplyAdd(t, q, lanes(0.083_333_343_3))
    return cut(multiplyAdd(quotient + multiplyAdd(quotient * t, q, lost), powerOfTwo(k), positivePart(z)), leastExponent, z)
}

/// The smallest z for which z σ(z) is a normal number.
private var leastProduct: Float { -91.85677 }

/// z σ(z) = max(0, z) − |z| e^−|z| / (1 + e^−|z|)
@_transparent
func silu(_ z: Lanes) -> Lanes {
    let x = atLeast(leastProduct, negativeMagnitude(z))
    let (k, r) = reduce(x)
    let p = powerMinusOne(r)
    let raised = raisedPower(k)
    let power = powerBesideOne(k)
    let rest = p * power  // exact
    let (sum, excess) = onePlus(power, rest)
    let product = multiplyAdd(x, p, x)
    let low = multiplyAddError(x, p, x, product)
    let quotient = product / sum
    let lost = multiplyAdd(quotient, excess, low * multiplyAdd(sum, lanes(-0.5), lanes(1.5)))  // about low / sum
    return cut(multiplyAdd((quotient + lost) * raised, fraction, positivePart(z)), leastProduct, z)
}

/// z tanh(log(1 + eᶻ)) = max(0, z) − |z| u b / d with u = e^−|z| and
///
///     below 0     b = 2 + u,  d = 2 + 2 u + u²
///     else        b = u,      d = ½ + u + u²
@_transparent
func mish(_ z: Lanes) -> Lanes {
    let (isBelow, factor, first) = mishTerms(z)
    let x = mishExponent(z, isBelow, leastProduct)
    let (k, r) = reduce(x)
    let p = powerMinusOne(r)
    let raised = raisedPower(k)
    let power = powerBesideOne(k)
    let u = multiplyAdd(p, power, power)
    let two = select(isBelow, lanes(2), .zero)
    let b = two + u
    let sum = factor + u
    let d = multiplyAdd(u, sum, first)
    let excess = multiplyAdd(u, u - (sum - factor), multiplyAdd(u, sum, first - d))
    let product = multiplyAdd(x, p, x)
    let low = multiplyAddError(x, p, x, product)
    let numerator = product * b
    let rest = multiplyAdd(product, u - (b - two), low * b) + productError(product, b, numerator)
    let quotient = numerator / d
    let inverse = multiplyAdd(  // about 1 / d
        u, select(isBelow, lanes(-0.3), lanes(-1.6)), select(isBelow, lanes(0.5), lanes(2)))
    let lost = multiplyAdd(lanes(0) - quotient, excess, rest) * inverse
    return cut(multiplyAdd((quotient + lost) * raised, fraction, positivePart(z)), leastProduct, z)
}

/// With u, b and d as above:
///
///     below 0     (u b + 4 z u (1 + u) / d) / d
///     else        1 + (z u² (1 + u) / d − u²) / d
@_transparent
func mishDerivative(_ z: Lanes) -> Lanes {
    let (isBelow, factor, first) = mishTerms(z)
    let x = mishExponent(z, isBelow, leastExponent)
    let (k, r) = reduce(x)
    let power = powerOfTwo(k)
    let u = multiplyAdd(powerMinusOne(r), power, power)
    let inverse = lanes(1) / multiplyAdd(u, factor + u, first)
    let product = u * select(isBelow, lanes(1), u)  // u below 0, else u²
    let change = (select(isBelow, x, lanes(-0.25) * x) * product * (lanes(4) * (lanes(1) + u))) * inverse
    let t = select(isBelow, multiplyAdd(u, u, u + u), lanes(0) - product)
    return multiplyAdd(change + t, inverse, select(isBelow, .zero, lanes(1)))
}

/// Whether z is below 0, and the d of `mish` as first + u (factor + u).
@_transparent
private func mishTerms(_ z: Lanes) -> (isBelow: SIMDMask<SIMD8<Int32>>, factor: Lanes, first: Lanes) {
    let isBelow = z .< .zero
    return (isBelow, select(isBelow, lanes(2), lanes(1)), select(isBelow, lanes(2), lanes(0.5)))
}

/// −|z|, but at least `low`; above 0 at least −40, because terms with e²ᶻ do not matter there, and could be subnormal.
@_transparent
private func mishExponent(_ z: Lanes, _ isBelow: SIMDMask<SIMD8<Int32>>, _ low: Float) -> Lanes {
    let x = negativeMagnitude(z), least = select(isBelow, lanes(low), lanes(-40))
    return select(x .< least, least, x)
}

/// e^(−z²)
@_transparent
func gaussian(_ z: Lanes) -> Lanes {
    let end: Float = 9.345402
    let (_, raised, p, low) = bell(z, scale: -1, end: end)
    let sum = lanes(1) + p
    return cut((sum + (p - (sum - lanes(1)) + low)) * raised * fraction, -end, negativeMagnitude(z))
}

/// The largest |z| for which |z| Φ(−|z|) is a normal number.
private var endOfGelu: Float { 13.146246 }

/// z Φ(z) = max(0, z) − t Φ(−t), where Φ is the standard normal distribution and t = |z|.
///
/// t Φ(−t) = s q e^(−t²/2) with s = t / (2 + t) and q between 0.45 and 1. The product s q is summed from s or s / 2, which
/// are exact, and a smaller number, so that the rounding error of the sum is known.
@_transparent
func gelu(_ z: Lanes) -> Lanes {
    let (t, raised, p, low) = bell(z, scale: -0.5, end: endOfGelu)
    let sum = t + lanes(2)
    let s = t / sum
    let half = multiplyAdd(s, lanes(-0.5), lanes(0.5))
    let more = select(magnitude(z) .< lanes(1.125), lanes(0.5), .zero)
    let exact = (lanes(0.5) + more) * s
    let rest = multiplyAdd(s, normalTail(s), half - more)
    let product = multiplyAdd(s, rest, exact)
    let excess = (sum - lanes(2)) - t  // makes s too small by excess · s / sum, and s q by about 1 − s times that
    let lost = multiplyAdd(excess * s, (half + half) * half, multiplyAddError(s, rest, exact, product))
    let result = multiplyAdd(product, p, product)
    let rounding = multiplyAdd(product, low, multiplyAddError(product, p, product, result))
    let below = (result + multiplyAdd(lost, lanes(1) + p, rounding)) * raised
    return cut(multiplyAdd(below, lanes(0) - fraction, positivePart(z)), -endOfGelu, z)
}

/// Φ(z) + z φ(z) from z and a = z Φ(z), with φ the density of Φ.
@_transparent
func geluDerivative(_ z: Lanes, _ a: Lanes) -> Lanes {
    let (t, raised, p, _) = bell(z, scale: -0.5, end: endOfGelu)
    let density = cut((lanes(1) + p) * raised * (lanes(0.398_942_280) * fraction), -endOfGelu, negativeMagnitude(z))
    // z may be 0, also in the padding. 1e-30 prevents a division by 0, and does not change z if |z| ≥ 1e-20.
    let quotient = a / (z + lanes(1e-30))
    return multiplyAdd(z, density, select(t .< lanes(1e-20), lanes(0.5), quotient))
}

/// t = min(|z|, end), and e^(scale t²) = 2⁻⁴⁰ raised (1 + p + low), for a power of two as the scale.
@_transparent
private func bell(_ z: Lanes, scale: Float, end: Float) -> (t: Lanes, raised: Lanes, p: Lanes, low: Lanes) {
    let t = atMost(end, magnitude(z))
    let high = highDigits(t)  // its square is exact
    let scaled = lanes(scale) * high
    let (k, r, lowOfR) = reduce(scaled * high, plus: (t - high) * multiplyAdd(t, lanes(scale), scaled))
    let (p, low) = powerMinusOne(r, plus: lowOfR)
    return (t, raisedPower(k), p, low)
}

/// (q − 1) / s + ½ for q = (1 + t / 2) e^(t²/2) erfc(t / √2), with t = 2 s / (1 − s) ≤ 14.5: a polynomial in 2 s − 1.
@_transparent
private func normalTail(_ s: Lanes) -> Lanes {
    let v = multiplyAdd(s, lanes(2), lanes(-1))
    var q = multiplyAdd(v, lanes(-0.000_130_381_256), lanes(-0.000_166_217_368))
    q = multiplyAdd(v, q, lanes(0.000_432_452_567))
    q = multiplyAdd(v, q, lanes(0.001_238_328_98))
    q = multiplyAdd(v, q, lanes(0.000_407_565_957))
    q = multiplyAdd(v, q, lanes(-0.004_309_657_26))
    q = multiplyAdd(v, q, lanes(-0.009_158_623_87))
    q = multiplyAdd(v, q, lanes(0.008_218_948_62))
    q = multiplyAdd(v, q, lanes(0.065_219_704_7))
    q = multiplyAdd(v, q, lanes(-0.007_624_952_44))
    return multiplyAdd(v, q, lanes(-0.155_183_990))
}
