import CKernels
import CPlatform

/// What a network is, behind its gate: whoever calls here holds it (see Gate.swift). The other files of this folder
/// extend it by what it does.
package final class NetworkState: Guarded {
    static let largestLayerCount = 1024

    let kernels: cp_kernels
    /// layers[0] is layer 1, the first with weights.
    let layers: [Layer]
    package var loss = Loss.squaredError
    var options = Options<NetworkOption>()
    package var optimizer = Optimizer.sgd
    /// There from the optimizer's first step on, for optimizers other than plain descent.
    var optimizerState: OptimizerState?
    var inputScaling, targetScaling: Scaling?
    /// Inputs and targets of a training call, scaled.
    var scaledRows: FloatBuffer?
    /// Sorted by key.
    var userMetadata: [(key: String, value: String)] = []
    var seed: UInt64
    /// Training steps taken since the weights were drawn.
    package var steps: UInt64 = 0
    /// Whether the weights are still those drawn from the seed: then they follow the initialization rule.
    var hasInitialWeights = true
    /// For what is random in training.
    var random: Random
    /// Whether a host's callback may run in a call.
    private(set) var hasPlugins = false
    /// Where the latest fit is, or ended.
    var fit = FitPosition()
    /// The network after the best epoch of that fit, or as it began: there where going on with the fit needs it.
    var best: NetworkState?

    /// Whether a training call has found that activations and loss go together, since one of them was last set.
    var hasCheckedSettings = false

    var workspace: Workspace? {
        didSet { rowPlan = inputScaling == nil && targetScaling == nil ? workspace?.rowPlan?.pointer : nil }
    }
    /// The workspace's plan for a few rows, for networks that allow one and take rows as they are.
    var rowPlan: UnsafePointer<cp_row_plan>?
    let predictionPool = PredictionPool()

    let inputCount: Int
    let outputCount: Int
    let widestStride: Int
    let weightCount: Int

    private init(layers: [Layer], seed: UInt64) {
        self.layers = layers
        self.seed = seed
        kernels = Self.kernels
        random = Random(seed: seed, stream: 0)
        inputCount = layers[0].inputs
        outputCount = layers[layers.count - 1].outputs
        widestStride = layers.reduce(0) { max($0, $1.stride) }
        weightCount = layers.reduce(0) { $0 + $1.inputs * $1.outputs }
    }

    package static func make(layerSizes: UnsafeBufferPointer<Int>, seed: UInt64) throws(BackpropError) -> NetworkState {
        guard layerSizes.count >= 2 else {
            throw BackpropError(.invalidValue, "a network has 2 layers or more, inputs included, not \(layerSizes.count)")
        }
        guard layerSizes.count <= largestLayerCount else {
            throw BackpropError(.limit, "a network has at most \(largestLayerCount) layers")
        }
        try Reserve.require(forLayers: layerSizes.count)
        for index in layerSizes.indices {
            let size = layerSizes[index]
            guard size != 0 else { throw BackpropError(.invalidValue, "the size of layer \(index) is 0") }
            guard size > 0, size < 1 << 40 else {
                throw BackpropError(.limit, "the size of layer \(index), \(UInt(bitPattern: size)), is more than can be counted")
            }
        }
        for index in 1..<layerSizes.count {  // before any memory is taken
            _ = try checkedProduct(paddedCount(layerSizes[index]), layerSizes[index - 1] + 1)
        }
        var layers: [Layer] = []
        for index in 1..<layerSizes.count {
            layers.append(try Layer.make(inputs: layerSizes[index - 1], outputs: layerSizes[index]))
        }
        let network = NetworkState(layers: layers, seed: seed)
        network.initialize(seed: seed)
        return network
    }

    package func copy() throws(BackpropError) -> NetworkState {
        try Reserve.require(forLayers: layers.count)
        var layers: [Layer] = []
        for layer in self.layers { layers.append(try layer.copy()) }
        let copy = NetworkState(layers: layers, seed: seed)
        copy.loss = loss
        copy.options = options
        copy.userMetadata = userMetadata
        copy.inputScaling = inputScaling
        copy.targetScaling = targetScaling
        copy.optimizer = optimizer
        copy.optimizerState = try optimizerState?.copy()
        copy.steps = steps
        copy.hasInitialWeights = hasInitialWeights
        copy.random = random
        copy.hasPlugins = hasPlugins
        copy.fit = fit
        copy.best = try best?.copy()
        return copy
    }

    /// Becomes what `other` is, which is a copy of this network, or was copied to it, and has been trained since. Settings
    /// are the same; `best` stays. Can fail only where an optimizer's state has come up.
    func assign(from other: NetworkState) throws(BackpropError) {
        if let its = other.optimizerState {
            if let optimizerState { optimizerState.assign(from: its) } else { optimizerState = try its.copy() }
        } else {
            optimizerState = nil
        }
        for (layer, its) in zip(layers, other.layers) { layer.assign(from: its) }
        seed = other.seed
        steps = other.steps
        hasInitialWeights = other.hasInitialWeights
        random = other.random
        fit = other.fit
    }

    /// The kernels for this processor.
    static var kernels: cp_kernels {
        var table = cp_kernels()
        cp_best_instruction_set().pointee.fill(&table)
        return table
    }

    package static var instructionSet: UnsafePointer<CChar> { cp_best_instruction_set().pointee.name }

    // MARK: Behind its gate

    package static var kind: UInt32 { CP_GATE_NETWORK.rawValue }
    package static var noun: String { "network" }
    package static var isInFit: StaticString { "a trainer is fitting the network" }
    package var mayCallBack: Bool { hasPlugins }

    // MARK: Shape

    /// Layers as given when the network was made: the inputs count.
    package var layerCount: Int { layers.count + 1 }

    package var layerSizes: [Int] { [inputCount] + layers.map { $0.outputs } }

    package func size(ofLayer index: Int) throws(BackpropError) -> Int {
        guard index >= 0, index < layerCount else {
            throw BackpropError(
                .invalidValue, "layer \(UInt(bitPattern: index)) is not one of 0 to \(layerCount - 1)")
        }
        return index == 0 ? inputCount : layers[index - 1].outputs
    }

    /// The layer with that number, counted from the inputs.
    private func layer(_ index: Int) throws(BackpropError) -> Layer {
        guard index >= 1, index < layerCount else {
            throw BackpropError(
                .invalidValue, "layer \(UInt(bitPattern: index)) is not one of 1 to \(layerCount - 1), those with weights")
        }
        return layers[index - 1]
    }

    // MARK: Settings

    package func setActivation(_ index: Int, _ name: String) throws(BackpropError) {
        let layer = try layer(index)
        install(try Activation.find(name), in: layer)
        redraw()
    }

    /// For those who have the activation already: redraws nothing.
    func install(_ activation: Activation, in layer: Layer) {
        layer.activation = activation
        hasPlugins = layers.contains { $0.activation.isPlugin }
        forgetBuffers()
    }

    package func activationName(_ index: Int) throws(BackpropError) -> String { try layer(index).activation.name }

    package func isNormalized(_ index: Int) throws(BackpropError) -> Bool { try layer(index).isNormalized }

    package func scalingMethod(ofTargets: Bool) -> ScalingMethod { (ofTargets ? targetScaling : inputScaling)?.method ?? .none }

    package func setBatchnorm(_ index: Int, enabled: Bool) throws(BackpropError) {
        let layer = try layer(index)
        guard enabled != layer.isNormalized else { return }
        try layer.setNormalized(enabled)
        forgetTraining()
        forgetBuffers()
    }

    package func setLoss(_ name: String) throws(BackpropError) {
        loss = try Loss.find(name)
        forgetBuffers()
    }

    package func setOption(_ name: String, _ value: Double) throws(BackpropError) {
        let option = try NetworkOption.find(name)
        let wasPlain = isPlainDescent
        try options.set(option, to: value)
        if option == .initialization { redraw() }
        if wasPlain != isPlainDescent { forgetBuffers() }
    }

    package func option(_ name: String) throws(BackpropError) -> Double {
        options[try NetworkOption.find(name)]
    }

    /// What has the shape of the parameters and of the optimizer's state.
    func forgetTraining() {
        optimizerState = nil
        best = nil
    }

    func forgetBuffers() {
        hasCheckedSettings = false
        workspace = nil
        predictionPool.drain()
    }

    // MARK: Random weights

    /// Fresh weights (notes, §2, step 1): each layer from its own stream of the seed.
    package func initialize(seed: UInt64) {
        self.seed = seed
        random = Random(seed: seed, stream: 0)
        steps = 0
        forgetTraining()
        fit = FitPosition()
        hasInitialWeights = true
        inDefaultEnvironment {  // a network that is being made has no gate yet
            let rule = InitializationRule(rawValue: Int(options[.initialization])) ?? .automatic
            for index in layers.indices {
                var stream = Random(seed: seed, stream: UInt64(index) + 1)
                layers[index].initialize(rule: rule.resolved(for: layers[index].activation), random: &stream)
            }
        }
    }

    /// Weights nobody has touched follow the settings.
    private func redraw() {
        if hasInitialWeights { initialize(seed: seed) }
    }
}
