import CKernels

/// The built-in losses. A missing target (NaN, with option "missing_targets") has no term in a row's loss, so neither in its
/// gradient.
extension NetworkState {
    /// The sum of the rows' losses, each multiplied by its weight if there are weights. z and a are [rows × stride], targets
    /// [rows × outputs]. (Compiled for size, each conversion to Double would wait for the previous one.)
    @_optimize(speed)
    func lossSum(
        _ loss: BuiltInLoss, fused: Bool, z: UnsafePointer<Float>, a: UnsafePointer<Float>, targets: UnsafePointer<Float>,
        weights: UnsafePointer<Float>?, rows: Int
    ) -> Double {
        let columns = outputCount
        let stride = layers[layers.count - 1].stride
        if fused, loss == .crossEntropy { return kernels.softmax_loss(z, stride, targets, weights, rows, columns) }
        let isWhole = options[.missingTargets] == 0
        var total = 0.0
        for row in 0..<rows {
            let z = z + row * stride
            let a = a + row * stride
            let y = targets + row * columns
            var value = 0.0
            if isWhole {
                value = rowLoss(loss, fused, z, a, y, columns)
            } else {
                for k in 0..<columns where !y[k].isNaN { value += rowLoss(loss, fused, z + k, a + k, y + k, 1) }
            }
            total += weights.map { Double($0[row]) * value } ?? value
        }
        return total
    }

    @inline(__always)
    private func rowLoss(
        _ loss: BuiltInLoss, _ fused: Bool, _ z: UnsafePointer<Float>, _ a: UnsafePointer<Float>,
        _ y: UnsafePointer<Float>, _ columns: Int
    ) -> Double {
        switch loss {
        case .squaredError: halfSquaredError(a, y, columns)
        case .binaryCrossEntropy: fused ? logisticLoss(z, y, columns) : binaryLoss(a, y, columns)
        case .crossEntropy: categoricalLoss(a, y, columns)
        default: sumOfTerms(loss, a, y, columns)
        }
    }

    @inline(never)
    private func sumOfTerms(
        _ loss: BuiltInLoss, _ a: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ columns: Int
    ) -> Double {
        let parameter = parameter(of: loss)
        var sum = 0.0
        for k in 0..<columns { sum += loss.term(Double(a[k]), Double(y[k]), parameter) }
        return sum
    }

    /// The option on which a loss depends: δ of huber, or τ of quantile.
    func parameter(of loss: BuiltInLoss) -> Double { options[loss == .quantile ? .quantile : .huberDelta] }

    /// The gradient d with respect to a, or to z if fused, multiplied by `scale` and by the row's weight if there are weights.
    /// a and d are [rows × stride]; the padding of d is not written.
    func lossGradient(
        _ loss: BuiltInLoss, fused: Bool, a: UnsafePointer<Float>, targets: UnsafePointer<Float>,
        weights: UnsafePointer<Float>?, d: UnsafeMutablePointer<Float>, rows: Int, scale: Float
    ) {
        let columns = outputCount
        let stride = layers[layers.count - 1].stride
        if fused, loss == .crossEntropy {
            return kernels.softmax_gradient(a, stride, targets, weights, rows, columns, scale, d)
        }
        for row in 0..<rows {
            let scale = weights.map { scale * $0[row] } ?? scale
            let a = a + row * stride
            let d = d + row * stride
            let y = targets + row * columns
            switch loss {
            case .squaredError:  // ŷ − y   (notes, §1)
                for k in 0..<columns { d[k] = scale * (a[k] - y[k]) }
            case .binaryCrossEntropy where fused:
                for k in 0..<columns { d[k] = scale * significant(a[k] - y[k]) }
            case .binaryCrossEntropy:
                for k in 0..<columns {
                    let width = a[k] * (1 - a[k])
                    d[k] = scale * (a[k] - y[k]) / (width < 1e-12 ? 1e-12 : width)
                }
            case .crossEntropy:
                for k in 0..<columns { d[k] = -scale * y[k] / (a[k] < 1e-12 ? 1e-12 : a[k]) }
            default:
                let parameter = parameter(of: loss)
                for k in 0..<columns { d[k] = scale * Float(loss.slope(Double(a[k]), Double(y[k]), parameter)) }
            }
            guard options[.missingTargets] != 0 else { continue }
            for k in 0..<columns where y[k].isNaN { d[k] = 0 }
        }
    }
}

/// x, or 0 below CP_LEAST_GRADIENT. Outputs near 0, of confident predictions, are the gradients of a cross-entropy.
@inline(__always)
private func significant(_ x: Float) -> Float { x.magnitude < CP_LEAST_GRADIENT ? 0 : x }

/// The losses that are sums of terms of one output a and its target y. p: δ of huber, or τ of quantile.
extension BuiltInLoss {
    fileprivate func term(_ a: Double, _ y: Double, _ p: Double) -> Double {
        let e = a - y, size = e.magnitude
        switch self {
        case .absoluteError: return size
        case .huber: return size <= p ? 0.5 * e * e : p * (size - 0.5 * p)  // Huber, 1964
        case .logCosh:
            // Near 0 by the series, because log cosh e would be the difference of almost equal numbers.
            if size < 0x1p-6 { return e * e * (0.5 - e * e * (1 / 12.0 - e * e / 45)) }
            return size + logarithm(ofOnePlus: exponential(ofNegative: -2 * size)) - logarithm(2)
        case .quantile: return e < 0 ? -p * e : (1 - p) * e  // Koenker and Bassett, 1978
        case .poisson: return a - (y == 0 ? 0 : y * boundedLog(a))  // a Poisson distribution's −log p(y), without log y!
        default: return 0
        }
    }

    /// The derivative of `term` with respect to a; 0 at the kink of a term.
    fileprivate func slope(_ a: Double, _ y: Double, _ p: Double) -> Double {
        let e = a - y, size = e.magnitude
        switch self {
        case .absoluteError: return e > 0 ? 1 : e < 0 ? -1 : 0
        case .huber: return size <= p ? e : e > 0 ? p : -p
        case .logCosh:  // tanh e
            if size < 0x1p-12 { return e }
            let t = exponential(ofNegative: -2 * size)
            return (e > 0 ? 1 - t : t - 1) / (1 + t)
        case .quantile: return e > 0 ? 1 - p : e < 0 ? -p : 0
        case .poisson: return 1 - y / (a < 1e-30 ? 1e-30 : a)
        default: return 0
        }
    }
}

/// ½ ‖ŷ − y‖²   (notes, §1)
@_optimize(speed)
private func halfSquaredError(_ a: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ columns: Int) -> Double {
    var sum = 0.0
    for k in 0..<columns {
        let error = Double(a[k]) - Double(y[k])
        sum += error * error
    }
    return 0.5 * sum
}

/// −Σ y log a + (1 − y) log(1 − a), with logarithms of at least −100.
@_optimize(speed)
private func binaryLoss(_ a: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ columns: Int) -> Double {
    var sum = 0.0
    for k in 0..<columns {
        sum -= Double(y[k]) * boundedLog(Double(a[k])) + (1 - Double(y[k])) * boundedLog(1 - Double(a[k]))
    }
    return sum
}

/// The binary cross-entropy for a = logistic(z): max(z, 0) − z y + log(1 + e^−|z|).
@_optimize(speed)
private func logisticLoss(_ z: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ columns: Int) -> Double {
    var sum = 0.0
    for k in 0..<columns {
        let z = Double(z[k])
        sum += (z < 0 ? 0 : z) - z * Double(y[k]) + logarithm(ofOnePlus: exponential(ofNegative: -z.magnitude))
    }
    return sum
}

/// −Σ y log a, with logarithms of at least −100.
@_optimize(speed)
private func categoricalLoss(_ a: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ columns: Int) -> Double {
    var sum = 0.0
    for k in 0..<columns { sum -= Double(y[k]) * boundedLog(Double(a[k])) }
    return sum
}

@_optimize(speed)
private func boundedLog(_ x: Double) -> Double {
    let value = logarithm(x)
    return value < -100 ? -100 : value
}
