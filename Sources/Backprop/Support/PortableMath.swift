import CPlatform

/// xⁿ by squaring: the same bits on every machine, which the C library does not promise.
func power(_ x: Double, _ n: UInt64) -> Double {
    var result = 1.0, square = x, left = n
    while left > 0 {
        if left & 1 == 1 { result *= square }
        square *= square
        left >>= 1
    }
    return result
}

/// The n-th root of x, 0 ≤ x ≤ 1, by Newton's method; likewise.
func root(_ x: Double, _ n: UInt64) -> Double {
    guard x > 0, n > 1 else { return x }
    var y = 1.0
    for _ in 0..<1000 {  // from above, and so ever lower
        let next = y - (y - x / power(y, n - 1)) / Double(n)
        guard next < y else { break }
        y = next
    }
    return y
}

/// cos πx for 0 ≤ x ≤ 1 by its series; likewise.
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
