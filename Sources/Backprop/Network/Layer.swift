import CKernels
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
        panelSize = cp_panel_size(inputs)
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
