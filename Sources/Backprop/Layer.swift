import CPlatform

/// One layer of weights: its parameters, its activation, its batch normalization.
final class Layer {
    let inputs: Int
    let outputs: Int
    /// Weights and biases in panels of sixteen outputs: the layout is CPlatform/kernels.h's.
    let weights: Floats
    var activation = Activation.builtIn(.logistic)
    /// There from the first time batch normalization was turned on.
    var normalization: Normalization?
    var isNormalized = false

    /// Floats in a row of this layer's outputs: a multiple of sixteen.
    var stride: Int { paddedStride(outputs) }
    var panels: Int { stride / 16 }
    private var panelSize: Int { (inputs + 1) * 16 }

    /// The normalization in force.
    var norm: Normalization? { isNormalized ? normalization : nil }

    init(inputs: Int, outputs: Int) throws(BackpropError) {
        self.inputs = inputs
        self.outputs = outputs
        weights = try Floats(try checkedProduct(paddedStride(outputs), inputs + 1))
    }

    init(copying other: Layer) throws(BackpropError) {
        inputs = other.inputs
        outputs = other.outputs
        weights = try Floats(copying: other.weights)
        activation = other.activation
        normalization = try other.normalization.map { (norm) throws(BackpropError) in try Normalization(copying: norm) }
        isNormalized = other.isNormalized
    }

    func setNormalized(_ enabled: Bool) throws(BackpropError) {
        if enabled, normalization == nil { normalization = try Normalization(columns: outputs) }
        isNormalized = enabled
    }

    /// Where the weight from an input to an output lies; input `inputs` is the bias.
    @inline(__always)
    func index(output: Int, input: Int) -> Int {
        (output >> 4) * panelSize + input * 16 + (output & 15)
    }

    /// Fresh weights, biases 0, normalization as at first.
    func initialize(rule: InitializationRule, random: inout Random) {
        let bound = rule.bound(inputs: inputs, outputs: outputs)
        weights.clear()
        for output in 0..<outputs {
            for input in 0..<inputs {
                weights.base[index(output: output, input: input)] = bound * random.nextSigned()
            }
        }
        normalization?.reset()
    }
}

/// The range random weights come from.
enum InitializationRule: Int {
    case automatic, glorot, he, leCun

    /// The one that suits the activation, where the rule is automatic.
    func resolved(for activation: Activation) -> InitializationRule {
        guard self == .automatic else { return self }
        if case .builtIn(let function) = activation, function.isRectifier { return .he }
        return .glorot
    }

    /// r of the uniform distribution on [−r, r]: r² / 3 is the variance that keeps signals at their size
    /// (Glorot and Bengio 2010; He et al. 2015; LeCun et al. 1998).
    func bound(inputs: Int, outputs: Int) -> Float {
        switch self {
        case .automatic, .glorot: Float((6 / (Double(inputs) + Double(outputs))).squareRoot())
        case .he: Float((6 / Double(inputs)).squareRoot())
        case .leCun: Float((3 / Double(inputs)).squareRoot())
        }
    }
}

/// Batch normalization's parameters and running statistics, each [stride], 0 past the outputs (notes, §5).
final class Normalization {
    let gamma, beta, runningMean, runningVariance: Floats
    private let columns: Int

    init(columns: Int) throws(BackpropError) {
        self.columns = columns
        let stride = paddedStride(columns)
        gamma = try Floats(stride)
        beta = try Floats(stride)
        runningMean = try Floats(stride)
        runningVariance = try Floats(stride)
        reset()
    }

    init(copying other: Normalization) throws(BackpropError) {
        columns = other.columns
        gamma = try Floats(copying: other.gamma)
        beta = try Floats(copying: other.beta)
        runningMean = try Floats(copying: other.runningMean)
        runningVariance = try Floats(copying: other.runningVariance)
    }

    func reset() {
        gamma.fill(1, count: columns)
        beta.clear()
        runningMean.clear()
        runningVariance.fill(1, count: columns)
    }
}
