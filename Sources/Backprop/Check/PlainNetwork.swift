import CPlatform

/// A network's loss as a function of its flat parameters, computed by plain loops over single numbers.
final class PlainNetwork {
    private let network: NetworkState
    private let inputs, targets: UnsafePointer<Float>
    private let rows: Int
    private let parameters: Doubles
    private let x, z: Doubles
    private let packing: Packing?

    private init(
        _ network: NetworkState, _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, rows: Int,
        parameters: consuming Doubles, x: consuming Doubles, z: consuming Doubles, packing: Packing?
    ) {
        self.network = network
        self.inputs = inputs
        self.targets = targets
        self.rows = rows
        self.parameters = parameters
        self.x = x
        self.z = z
        self.packing = packing
    }

    static func make(
        _ network: NetworkState, _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, rows: Int
    ) throws(BackpropError) -> PlainNetwork {
        let count = network.parameterCount
        let parameters = try Doubles(count)
        let flat = try Floats(count)
        try network.getParameters(flat.base, count: count)
        for i in 0..<count { parameters.base[i] = Double(flat.base[i]) }
        let widest = try checkedProduct(max(network.widestStride, network.inputCount), rows)
        let x = try Doubles(widest), z = try Doubles(widest)
        let packing = network.hasPlugins ? try Packing.make(size: widest) : nil
        return PlainNetwork(network, inputs, targets, rows: rows, parameters: parameters, x: x, z: z, packing: packing)
    }

    /// The range of the flat parameters of each layer that is not frozen.
    var layerRanges: [Range<Int>] {
        var ranges: [Range<Int>] = []
        var at = 0
        for layer in network.layers {
            if layer.isTrainable { ranges.append(at..<at + layer.parameterCount) }
            at += layer.parameterCount
        }
        return ranges
    }

    /// The largest relative error of a gradient. The error of a small element is relative to a hundredth of the layer's
    /// largest element: many small elements are only rounding errors, such as that of a bias before batch normalization.
    func worstError(
        of gradient: UnsafePointer<Float>, in range: Range<Int>, every stride: Int, step: Double
    ) throws(BackpropError) -> Double {
        let differences = try Doubles(range.count / stride + 1)
        var largest = 0.0
        var sampled = 0
        for i in Swift.stride(from: range.lowerBound, to: range.upperBound, by: stride) {
            differences.base[sampled] = try difference(i, step)
            largest = max(largest, differences.base[sampled].magnitude)
            sampled += 1
        }
        var worst = 0.0
        for place in 0..<sampled {
            let numeric = differences.base[place]
            let analytic = Double(gradient[range.lowerBound + place * stride])
            let scale = max(analytic.magnitude, numeric.magnitude, 0.01 * largest, 1e-30)
            let error = (analytic - numeric).magnitude / scale
            worst = max(worst, error.isNaN ? .infinity : error)
        }
        return worst
    }

    /// (8 (f(w + h) − f(w − h)) − (f(w + 2h) − f(w − 2h))) / 12h, whose error is of order h⁴.
    private func difference(_ i: Int, _ step: Double) throws(BackpropError) -> Double {
        let value = parameters.base[i]
        let h = step * max(1, value.magnitude)
        defer { parameters.base[i] = value }
        func slope(_ distance: Double) throws(BackpropError) -> Double {
            parameters.base[i] = value + distance
            let above = try loss()
            parameters.base[i] = value - distance
            return above - (try loss())
        }
        return (8 * (try slope(h)) - (try slope(2 * h))) / (12 * h)
    }

    /// Forward through all layers, then the loss.
    private func loss() throws(BackpropError) -> Double {
        for i in 0..<rows * network.inputCount { x.base[i] = Double(inputs[i]) }
        var at = 0
        for layer in network.layers {
            let weights = parameters.base + at
            weightedSums(layer, weights)
            at += layer.outputs * (layer.inputs + 1)
            if let norm = layer.norm {
                normalize(layer, norm, gamma: parameters.base + at, beta: parameters.base + at + layer.outputs)
                at += 2 * layer.outputs
            }
            try activate(layer)
        }
        return network.reducedLoss(try lossSum(), rows: rows)
    }

    /// z = Σ w x   (notes, introduction)
    private func weightedSums(_ layer: Layer, _ weights: UnsafePointer<Double>) {
        for row in 0..<rows {
            for output in 0..<layer.outputs {
                var sum = weights[layer.outputs * layer.inputs + output]
                for input in 0..<layer.inputs {
                    sum += weights[output * layer.inputs + input] * x.base[row * layer.inputs + input]
                }
                z.base[row * layer.outputs + output] = sum
            }
        }
    }

    /// z = γ (z − μ) / √(σ² + ε) + β   (notes, §5)
    private func normalize(
        _ layer: Layer, _ norm: Normalization, gamma: UnsafePointer<Double>, beta: UnsafePointer<Double>
    ) {
        let epsilon = network.options[.batchnormEpsilon]
        for output in 0..<layer.outputs {
            var mean = Double(norm.runningMean.base[output])
            var variance = Double(norm.runningVariance.base[output])
            if rows > 1, layer.isTrainable {
                mean = 0
                for row in 0..<rows { mean += z.base[row * layer.outputs + output] / Double(rows) }
                variance = 0
                for row in 0..<rows {
                    let d = z.base[row * layer.outputs + output] - mean
                    variance += d * d / Double(rows)
                }
            }
            for row in 0..<rows {
                let i = row * layer.outputs + output
                z.base[i] = gamma[output] * (z.base[i] - mean) / (variance + epsilon).squareRoot() + beta[output]
            }
        }
    }

    private func activate(_ layer: Layer) throws(BackpropError) {
        let count = rows * layer.outputs
        switch layer.activation {
        case .builtIn(.softmax):
            for row in 0..<rows { softmax(row * layer.outputs, layer.outputs) }
        case .builtIn(let function):
            for i in 0..<count { x.base[i] = function.value(z.base[i]) }
        case .plugin(let plugin, _):
            try packing.unsafelyUnwrapped.forward(plugin, z: z.base, a: x.base, rows: rows, columns: layer.outputs)
        }
    }

    private func softmax(_ start: Int, _ columns: Int) {
        var largest = -Double.infinity
        for i in start..<start + columns { largest = max(largest, z.base[i]) }
        var sum = 0.0
        for i in start..<start + columns {
            x.base[i] = exp(z.base[i] - largest)
            sum += x.base[i]
        }
        for i in start..<start + columns { x.base[i] /= sum }
    }

    private func lossSum() throws(BackpropError) -> Double {
        let count = rows * network.outputCount
        var sum = 0.0
        switch network.loss {
        case .builtIn(let function):
            let parameter = network.parameter(of: function)
            for i in 0..<count where !targets[i].isNaN { sum += function.value(x.base[i], Double(targets[i]), parameter) }
        case .plugin(let plugin):
            let outputs = try Floats(count), losses = try Doubles(rows)
            for i in 0..<count { outputs.base[i] = Float(x.base[i]) }
            try plugin.compute(
                outputs.base, targets, losses: losses.base, gradients: nil, rows: rows, outputCount: network.outputCount)
            for row in 0..<rows { sum += losses.base[row] }
        }
        return sum
    }
}

extension BuiltInActivation {
    /// f(z) in double precision, by functions of the C library, which may differ between systems: no training depends on the
    /// value. Not for softmax, which is not a function of one number.
    fileprivate func value(_ z: Double) -> Double {
        switch self {
        case .identity, .softmax: z
        case .sign: z > 0 ? 1 : z < 0 ? -1 : 0
        case .logistic: 1 / (1 + exp(-z))
        case .tanh: CPlatform.tanh(z)
        case .relu: max(0, z)
        case .leakyRelu: z > 0 ? z : 0.01 * z
        case .elu: z > 0 ? z : expm1(z)
        case .softplus: max(0, z) + log1p(exp(-z.magnitude))
        case .softsign: z / (1 + z.magnitude)
        case .silu: z / (1 + exp(-z))
        case .gelu: 0.5 * z * erfc(-z / 2.0.squareRoot())
        case .selu: 1.0507009873554805 * (z > 0 ? z : 1.6732632423543772 * expm1(z))
        case .mish: z * CPlatform.tanh(max(0, z) + log1p(exp(-z.magnitude)))
        case .hardSigmoid: min(max(0, z + 3), 6) / 6
        case .hardSwish: z * min(max(0, z + 3), 6) / 6
        case .relu6: min(max(0, z), 6)
        case .sine: sin(z)
        case .gaussian: exp(-z * z)
        }
    }
}

extension BuiltInLoss {
    /// The loss of one output. p: δ of huber, or τ of quantile.
    fileprivate func value(_ a: Double, _ y: Double, _ p: Double) -> Double {
        let e = a - y
        return switch self {
        case .squaredError: 0.5 * e * e
        case .binaryCrossEntropy: -y * max(log(a), -100) - (1 - y) * max(log1p(-a), -100)
        case .crossEntropy: -y * max(log(a), -100)
        case .absoluteError: abs(e)
        case .huber: abs(e) <= p ? 0.5 * e * e : p * (abs(e) - 0.5 * p)
        case .logCosh: log(cosh(e))
        case .quantile: max((1 - p) * e, -p * e)
        case .poisson: a - y * max(log(a), -100)
        }
    }
}

extension Packing {
    /// Calls the host's function, which computes in Floats, for doubles.
    fileprivate func forward(
        _ plugin: ActivationPlugin, z: UnsafePointer<Double>, a: UnsafeMutablePointer<Double>, rows: Int, columns: Int
    ) throws(BackpropError) {
        let code = forwardUnpadded(
            plugin, rows: rows, columns: columns, fill: { $0[$1] = Float(z[$1]) }, store: { a[$1] = Double($0[$1]) })
        if code != 0 { throw plugin.callbackError(code, " in its forward pass") }
    }
}
