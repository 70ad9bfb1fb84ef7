import CKernels
import CPlatform

// In Embedded Swift, an object leaks when its initializer throws. So no class behind the C interface has a throwing
// initializer: a static function `make` first allocates everything that can fail, and then creates the object.

/// One layer with weights: its parameters, activation and batch normalization.
final class Layer {
    let inputs: Int
    let outputs: Int
    /// Weights and biases in panels of sixteen outputs, in the layout of CKernels/kernels.h.
    let weights: Floats
    var activation = Activation.builtIn(.logistic)
    /// Allocated when batch normalization is first enabled.
    var normalization: Normalization?
    var isNormalized = false
    /// The probability with which a training step omits a unit.
    var dropout = 0.0
    /// Whether training steps change the layer. A frozen layer keeps its parameters and running statistics.
    var isTrainable = true

    /// The number of floats in a row of this layer's outputs, padding included.
    let stride: Int
    let panels: Int
    let panelSize: Int

    /// The normalization, if it is enabled.
    @inline(__always)
    var norm: Normalization? { isNormalized ? normalization : nil }

    /// Whether the layer must compute all rows of a step at once.
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
        copy.isTrainable = isTrainable
        return copy
    }

    /// Copies parameters and statistics from a layer of the same shape.
    func assign(from other: Layer) {
        cp_copy(weights.base, other.weights.base, weights.count * 4)
        if let normalization, let source = other.normalization { normalization.assign(from: source) }
    }

    func setNormalized(_ enabled: Bool) throws(BackpropError) {
        if enabled, normalization == nil { normalization = try Normalization.make(columns: outputs) }
        isNormalized = enabled
    }

    /// The index in `weights` of the weight from an input to an output. Input number `inputs` is the bias.
    @inline(__always)
    func index(output: Int, input: Int) -> Int {
        (output >> 4) * panelSize + input * 16 + (output & 15)
    }

    /// Draws random weights, sets biases to 0 and resets the normalization.
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
