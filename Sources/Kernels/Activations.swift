import CPlatform

/// a = f(z), for a padded matrix.
func activate(_ kind: Int32, _ z: Source, _ a: Target, _ rows: Int, _ columns: Int, _ stride: Int) {
    if kind == Int32(CP_SOFTMAX) { return softmax(z, a, rows, columns, stride) }
    let count = rows * stride
    switch kind {
    case Int32(CP_SIGN): for i in 0..<count { a[i] = sign(z[i]) }
    case Int32(CP_LOGISTIC): for i in 0..<count { a[i] = logistic(z[i]) }
    case Int32(CP_TANH): for i in 0..<count { a[i] = hyperbolicTangent(z[i]) }
    case Int32(CP_RELU): for i in 0..<count { a[i] = z[i] < 0 ? 0 : z[i] }
    case Int32(CP_LEAKY_RELU): for i in 0..<count { a[i] = z[i] < 0 ? 0.01 * z[i] : z[i] }
    case Int32(CP_ELU):
        for i in 0..<count {
            let negative = exponentialMinusOne(z[i] < 0 ? z[i] : 0)
            a[i] = z[i] < 0 ? negative : z[i]
        }
    case Int32(CP_SOFTPLUS): for i in 0..<count { a[i] = softplus(z[i]) }
    case Int32(CP_SOFTSIGN): for i in 0..<count { a[i] = z[i] / (1 + z[i].magnitude) }
    case Int32(CP_SILU): for i in 0..<count { a[i] = z[i] * logistic(z[i]) }
    case Int32(CP_GELU): for i in 0..<count { a[i] = z[i] * normalDistribution(z[i]).probability }
    default: for i in 0..<count { a[i] = z[i] }
    }
}

/// d, the gradient for a, becomes that for z: d f′(z). Where f′ is a function of a alone, a serves: for the logistic function f′ = a (1 − a)   (notes, §1).
func differentiate(
    _ kind: Int32, _ z: Source, _ a: Source, _ d: Target, _ rows: Int, _ columns: Int, _ stride: Int
) {
    if kind == Int32(CP_SOFTMAX) { return softmaxBackward(a, d, rows, columns, stride) }
    let count = rows * stride
    switch kind {
    case Int32(CP_LOGISTIC): for i in 0..<count { d[i] *= a[i] * (1 - a[i]) }
    case Int32(CP_TANH): for i in 0..<count { d[i] *= 1 - a[i] * a[i] }
    case Int32(CP_RELU): for i in 0..<count { d[i] = z[i] > 0 ? d[i] : 0 }
    case Int32(CP_LEAKY_RELU): for i in 0..<count { d[i] = z[i] > 0 ? d[i] : 0.01 * d[i] }
    case Int32(CP_ELU): for i in 0..<count { d[i] = z[i] > 0 ? d[i] : d[i] * (1 + a[i]) }
    case Int32(CP_SOFTPLUS): for i in 0..<count { d[i] *= logistic(z[i]) }
    case Int32(CP_SOFTSIGN):
        for i in 0..<count {
            let m = 1 + z[i].magnitude
            d[i] /= m * m
        }
    case Int32(CP_SILU):
        for i in 0..<count {
            let s = logistic(z[i])
            d[i] *= multiplyAdd(a[i], 1 - s, s)
        }
    case Int32(CP_GELU):
        for i in 0..<count {
            let (probability, density) = normalDistribution(z[i])
            d[i] *= multiplyAdd(z[i], density, probability)
        }
    default: break  // identity, and sign, whose derivative counts as 1: the perceptron's rule (notes, §1)
    }
}

@inline(__always)
private func sign(_ z: Float) -> Float { z > 0 ? 1 : z < 0 ? -1 : z }  // 0 and NaN stay

/// eᶻ / Σ eᶻ over the columns of each row, with the row's largest z taken off first.
private func softmax(_ z: Source, _ a: Target, _ rows: Int, _ columns: Int, _ stride: Int) {
    for row in 0..<rows {
        let z = z + row * stride
        let a = a + row * stride
        var largest = z[0]
        for i in 0..<columns { largest = z[i] > largest ? z[i] : largest }
        for i in 0..<columns { a[i] = exponential(z[i] - largest) }
        var sum: Float = 0
        for i in 0..<columns { sum += a[i] }
        for i in 0..<columns { a[i] /= sum }
        for i in columns..<stride { a[i] = 0 }
    }
}

/// dᵢ becomes aᵢ (dᵢ − Σⱼ aⱼ dⱼ).
private func softmaxBackward(_ a: Source, _ d: Target, _ rows: Int, _ columns: Int, _ stride: Int) {
    for row in 0..<rows {
        let a = a + row * stride
        let d = d + row * stride
        var mean: Float = 0
        for i in 0..<columns { mean += a[i] * d[i] }
        for i in 0..<columns { d[i] = a[i] * (d[i] - mean) }
    }
}
