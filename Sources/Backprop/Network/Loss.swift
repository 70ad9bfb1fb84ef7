import CPlatform

/// The function that training minimizes, for one row with outputs a and targets y. The losses of rows are summed, in double
/// precision.
public enum Loss: Int, Selectable, Sendable {
    /// ½ Σ (a − y)².
    case squaredError
    /// −Σ y log a + (1 − y) log(1 − a), for logistic outputs and targets from 0 to 1.
    case binaryCrossEntropy
    /// −Σ y log a, for softmax outputs and targets that are at least 0.
    case crossEntropy

    static var typeName: StaticString { "loss" }
    static var synonyms: StaticString {
        """
        mse=squared_error l2=squared_error l2loss=squared_error meansquarederror=squared_error mseloss=squared_error
        bce=binary_cross_entropy bceloss=binary_cross_entropy binarycrossentropyloss=binary_cross_entropy
        logistic=binary_cross_entropy sigmoidcrossentropy=binary_cross_entropy ce=cross_entropy
        crossentropyloss=cross_entropy categoricalcrossentropy=cross_entropy sparsecategoricalcrossentropy=cross_entropy
        softmaxcrossentropy=cross_entropy nll=cross_entropy nllloss=cross_entropy logloss=cross_entropy
        """
    }

    /// The name of the loss, as in model files.
    public var name: String {
        switch self {
        case .squaredError: "squared_error"
        case .binaryCrossEntropy: "binary_cross_entropy"
        case .crossEntropy: "cross_entropy"
        }
    }

    /// The range of targets for which the loss is defined and has a minimum, with a tolerance for rounding.
    var targetRange: (least: Float, greatest: Float) {
        let rounding: Float = 1e-6
        return switch self {
        case .squaredError: (-.infinity, .infinity)
        case .binaryCrossEntropy: (-rounding, 1 + rounding)
        case .crossEntropy: (-rounding, .infinity)
        }
    }

    /// Whether the last activation, logistic or softmax, cancels the logarithm of the loss: loss and gradient are then computed
    /// directly from z.
    func isFused(with activation: Activation) -> Bool {
        switch self {
        case .squaredError: false
        case .binaryCrossEntropy: activation.is(.logistic)
        case .crossEntropy: activation.is(.softmax)
        }
    }

    /// The sum of the rows' losses, each multiplied by its weight if there are weights. z and a are [rows × stride], targets
    /// [rows × columns]. (Compiled for size, each conversion to Double would wait for the previous one.)
    @_optimize(speed)
    func sum(
        fused: Bool, z: UnsafePointer<Float>, a: UnsafePointer<Float>, targets: UnsafePointer<Float>,
        weights: UnsafePointer<Float>?, rows: Int, columns: Int, stride: Int
    ) -> Double {
        var total = 0.0
        for row in 0..<rows {
            let z = z + row * stride
            let a = a + row * stride
            let y = targets + row * columns
            let value =
                switch self {
                case .squaredError: halfSquaredError(a, y, columns)
                case .binaryCrossEntropy: fused ? logisticLoss(z, y, columns) : binaryLoss(a, y, columns)
                case .crossEntropy: fused ? softmaxLoss(z, y, columns) : categoricalLoss(a, y, columns)
                }
            total += weights.map { Double($0[row]) * value } ?? value
        }
        return total
    }

    /// The gradient d with respect to a, or to z if fused, multiplied by `scale` and by the row's weight if there are weights.
    /// a and d are [rows × stride]; the padding of d is not written.
    func gradient(
        fused: Bool, a: UnsafePointer<Float>, targets: UnsafePointer<Float>, weights: UnsafePointer<Float>?,
        d: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int, scale: Float
    ) {
        for row in 0..<rows {
            let scale = weights.map { scale * $0[row] } ?? scale
            let a = a + row * stride
            let d = d + row * stride
            let y = targets + row * columns
            switch self {
            case .squaredError:  // ŷ − y   (notes, §1)
                for k in 0..<columns { d[k] = scale * (a[k] - y[k]) }
            case .binaryCrossEntropy where fused:
                for k in 0..<columns { d[k] = scale * (a[k] - y[k]) }
            case .binaryCrossEntropy:
                for k in 0..<columns {
                    let width = a[k] * (1 - a[k])
                    d[k] = scale * (a[k] - y[k]) / (width < 1e-12 ? 1e-12 : width)
                }
            case .crossEntropy where fused:
                var weight: Float = 0
                for k in 0..<columns { weight += y[k] }
                for k in 0..<columns { d[k] = scale * (a[k] * weight - y[k]) }
            case .crossEntropy:
                for k in 0..<columns { d[k] = -scale * y[k] / (a[k] < 1e-12 ? 1e-12 : a[k]) }
            }
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

/// The cross-entropy for a = softmax(z): Σ y (log Σ eᶻ − z).
@_optimize(speed)
private func softmaxLoss(_ z: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ columns: Int) -> Double {
    var largest = z[0]
    for k in 0..<columns { largest = z[k] > largest ? z[k] : largest }
    var total = 0.0
    for k in 0..<columns { total += exponential(ofNegative: Double(z[k] - largest)) }
    let logTotal = Double(largest) + logarithm(total)
    var sum = 0.0
    for k in 0..<columns { sum += Double(y[k]) * (logTotal - Double(z[k])) }
    return sum
}

@_optimize(speed)
private func boundedLog(_ x: Double) -> Double {
    let value = logarithm(x)
    return value < -100 ? -100 : value
}
