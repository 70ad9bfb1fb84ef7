import CPlatform

// Functions on which training depends, such as those in a loss, which selects the best epoch. The C library's differ in the
// last bits between versions. Swift does not contract a product and a sum into a fused operation, so every machine gives
// the same bits. Polynomials are minimax approximations of the named functions.

/// xⁿ by squaring, or 0 for |x| ≤ 1 and a power below `negligible`. Processors are slow with subnormal numbers.
func power(_ x: Double, _ n: UInt64, negligible: Double = 0) -> Double {
    var result = 1.0, square = x, left = n
    while left > 0 {
        if square.magnitude < negligible { return 0 }
        if left & 1 == 1 { result *= square }
        square *= square
        left >>= 1
    }
    return result
}

/// The n-th root of x, 0 ≤ x ≤ 1, by Newton's method.
func root(_ x: Double, _ n: UInt64) -> Double {
    guard x > 0, n > 1 else { return x }
    var y = 1.0
    for _ in 0..<1000 {  // the iterates decrease until they have converged
        let next = y - (y - x / power(y, n - 1)) / Double(n)
        guard next < y else { break }
        y = next
    }
    return y
}

/// cos πx for 0 ≤ x ≤ 1 by its series.
func cosineOfHalfTurns(_ x: Double) -> Double {
    if x > 0.5 { return -cosineOfHalfTurns(1 - x) }
    let square = Double.pi * x * Double.pi * x
    var sum = 1.0
    var k = 24.0
    while k > 0 {
        sum = 1 - square / (k * (k - 1)) * sum
        k -= 2
    }
    return sum
}

/// log 2 as the sum of two parts. The first has so few digits that its product with an exponent is exact.
private let log2High = 0x1.62e42feep-1, log2Low = 0x1.a39ef35793c76p-33

/// eˣ for x ≤ 0, within 1.1 units in the last place; 0 below −700.
///
/// x = (n / 64) log 2 + r with |r| ≤ 1/128 log 2, and eˣ = 2^(n / 64) (1 + r + r² (½ + …)).
@inline(__always)
func exponential(ofNegative x: Double) -> Double {
    let shift = 0x1.8p52  // the low bits of x + shift are the integer nearest to x
    let shifted = x * 0x1.71547652b82fep+6 + shift
    let n = shifted - shift
    let r = (x - n * (log2High / 64)) - n * (log2Low / 64)
    let square = r * r
    let tail = (0.5 + r * 0x1.5555555555255p-3) + square * (0x1.55556b342389bp-5 + r * 0x1.11111d90623e3p-7)
    let bits = shifted.bitPattern
    let power = Double(bitPattern: cp_power_of_two(bits & 63).bitPattern &+ (bits >> 6) << 52)
    return x < -700 ? 0 : power + power * (r + square * tail)
}

/// log x within 1 unit in the last place; −∞ of 0, NaN of negative numbers.
///
/// x = 2ᵏ m with m between √½ and √2.
@_optimize(speed)
func logarithm(_ x: Double) -> Double {
    if x < 0x1p-1022 {
        guard x > 0 else { return x == 0 ? -.infinity : .nan }
        return logarithm(x * 0x1p54, scaledBy: 54)
    }
    return x < .infinity ? logarithm(x, scaledBy: 0) : x
}

@inline(__always)
private func logarithm(_ x: Double, scaledBy power: Int64) -> Double {
    let bits = Int64(bitPattern: x.bitPattern)
    let k = (bits &- Int64(bitPattern: 0.5.squareRoot().bitPattern)) >> 52
    let m = Double(bitPattern: UInt64(bitPattern: bits &- k << 52))
    return logarithm(ofOnePlus: m - 1, exponent: Double(k &- power), plus: 0)
}

/// log(1 + x) for 0 ≤ x ≤ 1, within 1 unit in the last place.
@inline(__always)
func logarithm(ofOnePlus x: Double) -> Double {
    if x < 0x1p-54 { return x }  // its powers could be subnormal
    let isLarge = x > 0.41421
    let sum = 1 + x
    let rest = x - (sum - 1)  // the rounding error of the sum: log adds rest / sum, with 1 / sum approximated
    return logarithm(
        ofOnePlus: isLarge ? 0.5 * sum - 1 : x, exponent: isLarge ? 1 : 0,
        plus: isLarge ? rest * (1.198 - 0.3536 * sum) : 0)
}

/// k log 2 + log(1 + f) + a small number, for 1 + f between √½ and √2: log(1 + f) = 2 artanh s with s = f / (2 + f), and
/// 2 s = f − s f.
@inline(__always)
private func logarithm(ofOnePlus f: Double, exponent k: Double, plus small: Double) -> Double {
    let s = f / (2 + f)
    let z = s * s, z2 = z * z
    let low = 0x1.5555555555558p-1 + z * 0x1.99999999952d7p-2
    let middle = (0x1.2492492df281ap-2 + z * 0x1.c71c62e3f11e6p-3) + z2 * (0x1.7462b51cb66b1p-3 + z * 0x1.39fe51a7c18f9p-3)
    let tail = z * (low + z2 * (middle + z2 * (z2 * 0x1.2b5900de53b32p-3)))
    let half = 0.5 * f * f
    return k * log2High + (f - (half - (s * (half + tail) + (k * log2Low + small))))
}
