import CPlatform

// In Embedded Swift, an object whose initializer fails half way leaks. So no class behind the C interface has one that
// can fail: a static function makes what may be refused, and then the object.

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
    /// How likely one of its units is left out of a training step.
    var dropout = 0.0

    /// Floats in a row of this layer's outputs, as the matrices of a step have them.
    let stride: Int
    let panels: Int
    let panelSize: Int

    /// The normalization in force.
    @inline(__always)
    var norm: Normalization? { isNormalized ? normalization : nil }

    /// Whether rows cannot pass through one by one.
    var needsAllRows: Bool { isNormalized || !activation.isThreadSafe }

    private init(inputs: Int, outputs: Int, weights: consuming Floats) {
        self.inputs = inputs
        self.outputs = outputs
        self.weights = weights
        stride = paddedStride(outputs)
        panels = paddedCount(outputs) / 16
        panelSize = (inputs + 1) * 16
    }

    static func make(inputs: Int, outputs: Int) throws(BackpropError) -> Layer {
        let weights = try Floats(try checkedProduct(paddedCount(outputs), inputs + 1))
        return Layer(inputs: inputs, outputs: outputs, weights: weights)
    }

    func copy() throws(BackpropError) -> Layer {
        let weights = try Floats(copying: weights)
        let copy = Layer(inputs: inputs, outputs: outputs, weights: weights)
        copy.activation = activation
        if let normalization { copy.normalization = try normalization.copy() }
        copy.isNormalized = isNormalized
        copy.dropout = dropout
        return copy
    }

    /// The parameters and statistics of a layer of the same shape.
    func assign(from other: Layer) {
        cp_copy(weights.base, other.weights.base, weights.count * 4)
        if let own = normalization, let its = other.normalization { own.assign(from: its) }
    }

    func setNormalized(_ enabled: Bool) throws(BackpropError) {
        if enabled, normalization == nil { normalization = try Normalization.make(columns: outputs) }
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

    private init(
        columns: Int, gamma: consuming Floats, beta: consuming Floats, runningMean: consuming Floats,
        runningVariance: consuming Floats
    ) {
        self.columns = columns
        self.gamma = gamma
        self.beta = beta
        self.runningMean = runningMean
        self.runningVariance = runningVariance
    }

    static func make(columns: Int) throws(BackpropError) -> Normalization {
        let stride = paddedStride(columns)
        let gamma = try Floats(stride), beta = try Floats(stride), mean = try Floats(stride), variance = try Floats(stride)
        let made = Normalization(
            columns: columns, gamma: gamma, beta: beta, runningMean: mean, runningVariance: variance)
        made.reset()
        return made
    }

    func copy() throws(BackpropError) -> Normalization {
        let gamma = try Floats(copying: gamma), beta = try Floats(copying: beta)
        let mean = try Floats(copying: runningMean), variance = try Floats(copying: runningVariance)
        return Normalization(columns: columns, gamma: gamma, beta: beta, runningMean: mean, runningVariance: variance)
    }

    func assign(from other: Normalization) {
        let bytes = gamma.count * 4
        cp_copy(gamma.base, other.gamma.base, bytes)
        cp_copy(beta.base, other.beta.base, bytes)
        cp_copy(runningMean.base, other.runningMean.base, bytes)
        cp_copy(runningVariance.base, other.runningVariance.base, bytes)
    }

    func reset() {
        gamma.fill(1, count: columns)
        beta.clear()
        runningMean.clear()
        runningVariance.fill(1, count: columns)
    }
}
