import CKernels

/// a = f(z), for a padded matrix, or for one row with a stride that is a multiple of eight.
func activate(_ kind: Int32, _ z: Source, _ a: Target, _ rows: Int, _ columns: Int, _ stride: Int) {
    let octets = rows * stride / 8
    switch kind {
    case Int32(CP_SIGN):
        for i in 0..<octets { put(sign(octet(z, i)), a, i) }
    case Int32(CP_LOGISTIC):
        for i in 0..<octets { put(logistic(octet(z, i)), a, i) }
    case Int32(CP_TANH):
        for i in 0..<octets { put(hyperbolicTangent(octet(z, i)), a, i) }
    case Int32(CP_RELU):
        for i in 0..<octets { put(rectified(octet(z, i), slope: 0), a, i) }
    case Int32(CP_LEAKY_RELU):
        for i in 0..<octets { put(rectified(octet(z, i), slope: 0.01), a, i) }
    case Int32(CP_ELU):
        for i in 0..<octets { put(exponentialLinear(octet(z, i)), a, i) }
    case Int32(CP_SOFTPLUS):
        for i in 0..<octets { put(softplus(octet(z, i)), a, i) }
    case Int32(CP_SOFTSIGN):
        for i in 0..<octets { put(softsign(octet(z, i)), a, i) }
    case Int32(CP_SILU):
        for i in 0..<octets { put(silu(octet(z, i)), a, i) }
    case Int32(CP_GELU):
        for i in 0..<octets { put(gelu(octet(z, i)), a, i) }
    case Int32(CP_SELU):
        for i in 0..<octets { put(scaledExponentialLinear(octet(z, i)), a, i) }
    case Int32(CP_MISH):
        for i in 0..<octets { put(mish(octet(z, i)), a, i) }
    case Int32(CP_HARD_SIGMOID):
        for i in 0..<octets { put(clamped(octet(z, i) + lanes(3), 6) * lanes(1 / 6), a, i) }
    case Int32(CP_HARD_SWISH):
        for i in 0..<octets {
            put(atLeast(-3, octet(z, i)) * (clamped(octet(z, i) + lanes(3), 6) / lanes(6)), a, i)
        }
    case Int32(CP_RELU6):
        for i in 0..<octets { put(clamped(octet(z, i), 6), a, i) }
    case Int32(CP_SINE):
        sines(z, a, octets, quarters: 0)
    case Int32(CP_GAUSSIAN):
        for i in 0..<octets { put(gaussian(octet(z, i)), a, i) }
    case Int32(CP_SOFTMAX): softmax(z, a, rows, columns, stride)
    default:
        for i in 0..<octets { put(octet(z, i), a, i) }
    }
}

/// d, on entry the gradient for a, becomes the gradient for z: d f′(z). f′ is computed from a = f(z) if that suffices: for
/// the logistic function f′ = a (1 − a)   (notes, §1). At a kink, f′ is the derivative from the left. The derivative of
/// sign is defined as 1, which gives the perceptron rule (notes, §1).
func differentiate(
    _ kind: Int32, _ z: Source, _ a: Source, _ d: Target, _ rows: Int, _ columns: Int, _ stride: Int
) {
    let octets = rows * stride / 8
    switch kind {
    case Int32(CP_LOGISTIC):
        byFour(octets) { i in put(octet(d, i) * logisticSlope(octet(a, i)), d, i) }
    case Int32(CP_TANH):
        byFour(octets) { i in put(octet(d, i) * (lanes(1) - octet(a, i) * octet(a, i)), d, i) }
    case Int32(CP_RELU):
        byFour(octets) { i in put(select(octet(z, i) .> .zero, octet(d, i), .zero), d, i) }
    case Int32(CP_LEAKY_RELU):
        for i in 0..<octets { put(select(octet(z, i) .> .zero, octet(d, i), lanes(0.01) * octet(d, i)), d, i) }
    case Int32(CP_ELU):
        for i in 0..<octets {
            put(select(octet(z, i) .> .zero, octet(d, i), octet(d, i) * (lanes(1) + octet(a, i))), d, i)
        }
    case Int32(CP_SOFTPLUS):
        for i in 0..<octets { put(product(octet(d, i), logistic(octet(z, i))), d, i) }
    case Int32(CP_SOFTSIGN):
        for i in 0..<octets {
            let m = lanes(1) + magnitude(octet(z, i))
            put(octet(d, i) / (m * m), d, i)
        }
    case Int32(CP_SILU):
        for i in 0..<octets {
            let s = logistic(octet(z, i))
            put(product(octet(d, i), multiplyAdd(octet(a, i), lanes(1) - s, s)), d, i)
        }
    case Int32(CP_GELU):
        for i in 0..<octets { put(product(octet(d, i), geluDerivative(octet(z, i), octet(a, i))), d, i) }
    case Int32(CP_SELU):
        for i in 0..<octets {
            let slope = select(octet(z, i) .> .zero, lanes(seluScale), lanes(seluSlope) + octet(a, i))
            put(octet(d, i) * slope, d, i)
        }
    case Int32(CP_MISH):
        for i in 0..<octets { put(product(octet(d, i), mishDerivative(octet(z, i))), d, i) }
    case Int32(CP_HARD_SIGMOID):
        for i in 0..<octets { put(within(-3, octet(z, i), 3, octet(d, i) * lanes(1 / 6)), d, i) }
    case Int32(CP_HARD_SWISH):
        for i in 0..<octets {
            let z = octet(z, i)
            let slope = within(-3, z, 3, multiplyAdd(lanes(2), z, lanes(3)) * lanes(1 / 6))
            put(octet(d, i) * select(z .> lanes(3), lanes(1), slope), d, i)
        }
    case Int32(CP_RELU6):
        for i in 0..<octets { put(within(0, octet(z, i), 6, octet(d, i)), d, i) }
    case Int32(CP_SINE):
        sines(z, d, octets, quarters: 1)
    case Int32(CP_GAUSSIAN):  // −2 z e^(−z²)
        for i in 0..<octets { put(octet(d, i) * (octet(z, i) * octet(a, i) * lanes(-2)), d, i) }
    case Int32(CP_SOFTMAX): softmaxBackward(a, d, rows, columns, stride)
    default: break  // identity and sign
    }
}

/// x, a derivative or gradient, or 0 if x is so small that it does not matter (CP_LEAST_GRADIENT).
@_transparent
func significant(_ x: Lanes) -> Lanes { select(magnitude(x) .< lanes(CP_LEAST_GRADIENT), .zero, x) }

@_transparent
private func significant(_ x: Float) -> Float { x.magnitude < CP_LEAST_GRADIENT ? 0 : x }

/// d f′
@_transparent
private func product(_ d: Lanes, _ slope: Lanes) -> Lanes { significant(d * significant(slope)) }

/// σ′ = a (1 − a). Whether it is significant is asked of a, because that takes no time.
@_transparent
private func logisticSlope(_ a: Lanes) -> Lanes {
    select(a .< lanes(CP_LEAST_GRADIENT), .zero, a * (lanes(1) - a))
}

@_transparent
private func sign(_ z: Lanes) -> Lanes {
    select(z .> .zero, lanes(1), select(z .< .zero, lanes(-1), z))  // 0 and NaN are unchanged
}

/// z for z ≥ 0, slope · z for z < 0.
@_transparent
private func rectified(_ z: Lanes, slope: Float) -> Lanes {
    select(z .< .zero, slope == 0 ? .zero : lanes(slope) * z, z)
}

/// z for z ≥ 0, eᶻ − 1 for z < 0.
@_transparent
private func exponentialLinear(_ z: Lanes) -> Lanes {
    select(z .< .zero, exponentialMinusOne(select(z .< .zero, z, .zero)), z)
}

/// min(max(0, z), high)
@_transparent
private func clamped(_ z: Lanes, _ high: Float) -> Lanes {
    atMost(high, select(z .< .zero, .zero, z))
}

/// `slope` for low < z ≤ high, else 0.
@_transparent
private func within(_ low: Float, _ z: Lanes, _ high: Float, _ slope: Lanes) -> Lanes {
    select((z .> lanes(low)) .& (z .<= lanes(high)), slope, .zero)
}

/// a = sin z, without quarters; or with one d, the gradient for a, becomes d cos z. One function for both: it is long.
@inline(never)
private func sines(_ z: Source, _ target: Target, _ octets: Int, quarters: Double) {
    let isValue = lanes(Float(quarters)) .== .zero
    for i in 0..<octets {
        put(select(isValue, lanes(1), octet(target, i)) * cp_sine(octet(z, i), quarters), target, i)
    }
}

@_transparent
private func softsign(_ z: Lanes) -> Lanes {
    let m = atMost(.greatestFiniteMagnitude, magnitude(z))
    return cp_copy_sign(m / (lanes(1) + m), z)
}

/// eᶻ / Σ eᶻ over the columns of each row, after the row's largest z is subtracted.
private func softmax(_ z: Source, _ a: Target, _ rows: Int, _ columns: Int, _ stride: Int) {
    for row in 0..<rows {
        let z = z + row * stride
        let a = a + row * stride
        var largest = z[0]
        for i in 0..<columns { largest = z[i] > largest ? z[i] : largest }
        for i in 0..<stride / 8 { put(exponential(ofNegative: octet(z, i) - lanes(largest)), a, i) }
        var sum: Float = 0
        for i in 0..<columns { sum += a[i] }
        for i in 0..<stride / 8 {
            let isPadding = Lanes(0, 1, 2, 3, 4, 5, 6, 7) .>= lanes(Float(columns - 8 * i))
            put(select(isPadding, .zero, octet(a, i)) / select(isPadding, lanes(1), lanes(sum)), a, i)
        }
    }
}

/// dᵢ = aᵢ (dᵢ − Σⱼ aⱼ dⱼ)
private func softmaxBackward(_ a: Source, _ d: Target, _ rows: Int, _ columns: Int, _ stride: Int) {
    for row in 0..<rows {
        let a = a + row * stride
        let d = d + row * stride
        var mean: Float = 0
        for i in 0..<columns { mean += significant(a[i]) * d[i] }
        for i in 0..<columns { d[i] = significant(significant(a[i]) * (d[i] - mean)) }
    }
}
