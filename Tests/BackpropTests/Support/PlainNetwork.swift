import Foundation

/// The formulas of the notes in double precision with plain loops: the reference for the library.
struct PlainNetwork {
    struct Layer {
        var weights: [[Double]]  // [outputs][inputs]
        var biases: [Double]
        var gamma: [Double] = []  // empty without batch normalization
        var beta: [Double] = []
        var runningMean: [Double] = []
        var runningVariance: [Double] = []
        let activation: String

        var isNormalized: Bool { !gamma.isEmpty }
        var flat: [Double] { weights.flatMap { $0 } + biases + gamma + beta }
    }

    /// The values of one layer for a minibatch: matrices [rows][outputs] ([rows][inputs] for x), vectors [outputs].
    private struct Trace {
        var x: [[Double]] = []
        var z: [[Double]] = []  // w x + b
        var mean: [Double] = []
        var variance: [Double] = []
        var argument: [[Double]] = []  // the argument of the activation
        var a: [[Double]] = []
    }

    var layers: [Layer] = []
    var loss = "squared_error"
    var usesMean = false
    var epsilon = 1e-5
    var momentum = 0.1
    var gammaFirst = false

    /// `parameters`: in the flat order of the library.
    init(sizes: [Int], activations: [String], normalized: [Bool]? = nil, parameters: [Float]) {
        var rest = parameters.map { Double($0) }[...]
        func take(_ count: Int) -> [Double] {
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        for index in 1..<sizes.count {
            let outputs = sizes[index]
            let weights = (0..<outputs).map { _ in take(sizes[index - 1]) }
            var layer = Layer(weights: weights, biases: take(outputs), activation: activations[index - 1])
            if normalized?[index - 1] == true {
                layer.gamma = take(outputs)
                layer.beta = take(outputs)
                layer.runningMean = Array(repeating: 0, count: outputs)
                layer.runningVariance = Array(repeating: 1, count: outputs)
            }
            layers.append(layer)
        }
    }

    var parameters: [Double] { layers.flatMap { $0.flat } }
    private var inputCount: Int { layers[0].weights[0].count }
    private var outputCount: Int { layers[layers.count - 1].biases.count }

    // MARK: Forward

    func predict(_ inputs: [Float]) -> [Double] {
        forward(matrix(inputs, inputCount), training: false).last?.a.flatMap { $0 } ?? []
    }

    /// The loss of the predictions, as in `evaluate`.
    func evaluate(_ inputs: [Float], _ targets: [Float]) -> Double {
        lossValue(forward(matrix(inputs, inputCount), training: false), matrix(targets, outputCount))
    }

    private func forward(_ inputs: [[Double]], training: Bool) -> [Trace] {
        var traces: [Trace] = []
        var x = inputs
        for layer in layers {
            var trace = Trace()
            trace.x = x
            trace.z = x.map { row in
                layer.weights.indices.map { k in
                    zip(layer.weights[k], row).reduce(layer.biases[k]) { $0 + $1.0 * $1.1 }
                }
            }
            trace.argument = trace.z
            if layer.isNormalized {
                trace.mean = layer.runningMean
                trace.variance = layer.runningVariance
                if training && x.count > 1 {
                    let count = Double(x.count)
                    for k in layer.biases.indices {
                        let mean = trace.z.reduce(0) { $0 + $1[k] } / count
                        trace.mean[k] = mean
                        trace.variance[k] = trace.z.reduce(0) { $0 + ($1[k] - mean) * ($1[k] - mean) } / count
                    }
                }
                trace.argument = trace.z.map { row in
                    row.indices.map { k in
                        layer.gamma[k] * (row[k] - trace.mean[k]) / (trace.variance[k] + epsilon).squareRoot() + layer.beta[k]
                    }
                }
            }
            trace.a = trace.argument.map { row in
                layer.activation == "softmax"
                    ? PlainActivation.softmax(row) : row.map { PlainActivation.value(layer.activation, $0) }
            }
            x = trace.a
            traces.append(trace)
        }
        return traces
    }

    private func lossValue(_ traces: [Trace], _ targets: [[Double]]) -> Double {
        var sum = 0.0
        for (a, y) in zip(traces[traces.count - 1].a, targets) {
            for (a, y) in zip(a, y) {
                switch loss {
                case "squared_error": sum += (a - y) * (a - y) / 2
                case "binary_cross_entropy": sum -= y * max(log(a), -100) + (1 - y) * max(log1p(-a), -100)
                default: sum -= y * max(log(a), -100)
                }
            }
        }
        return usesMean ? sum / Double(targets.count) : sum
    }

    // MARK: Backward

    /// The flat gradient of a minibatch's loss, and the loss.
    func gradient(_ inputs: [Float], _ targets: [Float]) -> (gradient: [Double], loss: Double) {
        let traces = forward(matrix(inputs, inputCount), training: true)
        let y = matrix(targets, outputCount)
        let gradients = backward(traces, y, gammaStep: nil)
        return (gradients.flatMap { $0.flat }, lossValue(traces, y))
    }

    /// One step of gradient descent. Returns the loss before the step.
    @discardableResult
    mutating func train(_ inputs: [Float], _ targets: [Float], learningRate: Float) -> Double {
        let rate = Double(learningRate)
        let traces = forward(matrix(inputs, inputCount), training: true)
        let y = matrix(targets, outputCount)
        let gradients = backward(traces, y, gammaStep: gammaFirst ? rate : nil)
        for index in layers.indices {
            for k in layers[index].biases.indices {
                for j in layers[index].weights[k].indices {
                    layers[index].weights[k][j] -= rate * gradients[index].weights[k][j]
                }
                layers[index].biases[k] -= rate * gradients[index].biases[k]
                guard layers[index].isNormalized else { continue }
                layers[index].gamma[k] -= rate * gradients[index].gamma[k]
                layers[index].beta[k] -= rate * gradients[index].beta[k]
                updateStatistics(index, k, traces[index])
            }
        }
        return lossValue(traces, y)
    }

    private mutating func updateStatistics(_ index: Int, _ k: Int, _ trace: Trace) {
        let rows = Double(trace.z.count)
        let mean = layers[index].runningMean[k]
        let variance = layers[index].runningVariance[k]
        if rows > 1 {
            layers[index].runningMean[k] = (1 - momentum) * mean + momentum * trace.mean[k]
            layers[index].runningVariance[k] = (1 - momentum) * variance + momentum * trace.variance[k] * rows / (rows - 1)
        } else {
            let d = trace.z[0][k] - mean
            layers[index].runningMean[k] = mean + momentum * d
            layers[index].runningVariance[k] = (1 - momentum) * (variance + momentum * d * d)
        }
    }

    private func backward(_ traces: [Trace], _ targets: [[Double]], gammaStep: Double?) -> [Layer] {
        var gradients = layers
        // The gradient with respect to a of the last layer.
        let scale = usesMean ? 1 / Double(targets.count) : 1
        var d = zip(traces[traces.count - 1].a, targets).map { a, y in
            zip(a, y).map { a, y in
                switch loss {
                case "squared_error": scale * (a - y)
                case "binary_cross_entropy": scale * (a - y) / (a * (1 - a))
                default: -scale * y / a
                }
            }
        }
        for index in layers.indices.reversed() {
            let layer = layers[index]
            let trace = traces[index]
            d = throughActivation(layer, trace, d)
            var toWeights = d
            if layer.isNormalized {
                for k in layer.biases.indices {
                    gradients[index].beta[k] = d.reduce(0) { $0 + $1[k] }
                    gradients[index].gamma[k] = zip(d, trace.z).reduce(0) {
                        $0 + $1.0[k] * ($1.1[k] - trace.mean[k]) / (trace.variance[k] + epsilon).squareRoot()
                    }
                }
                let before = d
                d = throughNormalization(layer.gamma, trace, before)
                toWeights = d
                if let gammaStep {
                    let stepped = zip(layer.gamma, gradients[index].gamma).map { $0 - gammaStep * $1 }
                    toWeights = throughNormalization(stepped, trace, before)
                }
            }
            for k in layer.biases.indices {
                gradients[index].biases[k] = toWeights.reduce(0) { $0 + $1[k] }
                for j in layer.weights[k].indices {
                    gradients[index].weights[k][j] = zip(toWeights, trace.x).reduce(0) { $0 + $1.0[k] * $1.1[j] }
                }
            }
            d = d.map { row in
                layer.weights[0].indices.map { j in row.indices.reduce(0) { $0 + row[$1] * layer.weights[$1][j] } }
            }
        }
        return gradients
    }

    private func throughActivation(_ layer: Layer, _ trace: Trace, _ d: [[Double]]) -> [[Double]] {
        d.indices.map { row in
            if layer.activation == "softmax" {
                let a = trace.a[row]
                let mean = zip(a, d[row]).reduce(0) { $0 + $1.0 * $1.1 }
                return zip(a, d[row]).map { $0 * ($1 - mean) }
            }
            return zip(trace.argument[row], d[row]).map { z, d in d * PlainActivation.derivative(layer.activation, z) }
        }
    }

    /// The chain rule, step by step: z̃ depends on z directly, on σ² and on μ.
    private func throughNormalization(_ gamma: [Double], _ trace: Trace, _ d: [[Double]]) -> [[Double]] {
        let rows = Double(d.count)
        var result = d
        for k in gamma.indices {
            let deviation = (trace.variance[k] + epsilon).squareRoot()
            let toNormalized = d.map { $0[k] * gamma[k] }  // ∂f/∂z̃
            guard d.count > 1 else {  // the running statistics do not depend on the row
                result[0][k] = toNormalized[0] / deviation
                continue
            }
            let centred = trace.z.map { $0[k] - trace.mean[k] }
            let toVariance =
                zip(toNormalized, centred).reduce(0) { $0 + $1.0 * $1.1 } * -0.5 / (deviation * deviation * deviation)
            let toMean = -toNormalized.reduce(0, +) / deviation - toVariance * 2 / rows * centred.reduce(0, +)
            for row in d.indices {
                result[row][k] = toNormalized[row] / deviation + toVariance * 2 * centred[row] / rows + toMean / rows
            }
        }
        return result
    }

    private func matrix(_ flat: [Float], _ columns: Int) -> [[Double]] {
        stride(from: 0, to: flat.count, by: columns).map { start in flat[start..<start + columns].map { Double($0) } }
    }
}
