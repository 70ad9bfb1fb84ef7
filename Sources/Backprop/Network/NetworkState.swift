import CKernels
import CPlatform

/// The state of a network. Callers hold its gate (Handle.swift). Extensions in this folder and others add its operations.
package final class NetworkState: HandleObject {
    static let largestLayerCount = 1024

    let kernels: cp_kernels
    /// layers[0] is layer 1, the first with weights.
    let layers: [Layer]
    private(set) var loss = Loss.builtIn(.squaredError)
    var options = Options<NetworkOption>()
    package var optimizer = Optimizer.sgd
    /// Allocated at the optimizer's first step, unless the step is plain descent.
    var optimizerState: OptimizerState?
    var inputScaling, targetScaling: Scaling?
    /// Statistics of the rows that were added for a scaling. Copies and files do not have them.
    var scalingStatistics: ScalingStatistics?
    /// The scaled inputs and targets of a training call.
    var scaledRows: FloatBuffer?
    /// The host's metadata, sorted by key.
    var userMetadata: [(key: String, value: String)] = []
    var seed: UInt64
    /// The number of training steps since the weights were drawn.
    package var steps: UInt64 = 0
    /// Whether the weights are still those drawn from the seed. Then they are drawn again when the initialization rule changes.
    var hasInitialWeights = true
    /// The random numbers of training steps.
    var random: Random
    /// Whether calls may run callbacks of the host: those of plug-ins, or of workers.
    package private(set) var mayCallBack = false
    /// The position of the latest fit, in progress or ended.
    var fit = FitPosition()
    /// The network after the best epoch of that fit, or at its beginning; nil if a resumed fit does not need it.
    var best: NetworkState?

    /// The workers that train the network together; nil for this process alone. Copies and files do not have them.
    package internal(set) var workers: Workers?

    /// Whether the next step is on the rows of the latest one, and nothing has changed the network since.
    var areRowsRepeated = false

    /// Whether activations and loss were found compatible since a setting last changed.
    var hasCheckedSettings = false

    var workspace: Workspace? {
        didSet {
            let isPlain = isPlainDescent && inputScaling == nil && targetScaling == nil && workers == nil
            rowPlan = isPlain ? workspace?.rowPlan?.pointer : nil
        }
    }
    /// The workspace's plan for the kernel for a few rows; nil if there is none, if rows are scaled, if the step is not
    /// plain descent, or if workers make it together.
    var rowPlan: UnsafePointer<cp_row_plan>?
    let predictionPool = PredictionPool()

    let inputCount: Int
    let outputCount: Int
    /// The size of a row of targets: the outputs, unless a registered loss takes another number.
    package private(set) var targetCount: Int
    let widestStride: Int
    let weightCount: Int

    private init(layers: [Layer], seed: UInt64) {
        self.layers = layers
        self.seed = seed
        kernels = Self.kernels
        random = Random(seed: seed, stream: 0)
        inputCount = layers[0].inputs
        outputCount = layers[layers.count - 1].outputs
        targetCount = outputCount
        widestStride = layers.reduce(0) { max($0, $1.stride) }
        weightCount = layers.reduce(0) { $0 + $1.inputs * $1.outputs }
    }

    package static func make(layerSizes: UnsafeBufferPointer<Int>, seed: UInt64) throws(BackpropError) -> NetworkState {
        guard layerSizes.count >= 2 else {
            throw BackpropError(.invalidValue, "a network needs 2 layers or more, inputs included, not \(layerSizes.count)")
        }
        guard layerSizes.count <= largestLayerCount else {
            throw BackpropError(.limit, "a network has at most \(largestLayerCount) layers")
        }
        try Reserve.require(forLayers: layerSizes.count)
        for index in layerSizes.indices {
            try requireSize(layerSizes[index], ofLayer: index)
        }
        for index in 1..<layerSizes.count {  // before any memory is allocated
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

    private static func requireSize(_ size: Int, ofLayer index: Int) throws(BackpropError) {
        guard size != 0 else { throw BackpropError(.invalidValue, "the size of layer \(index) is 0") }
        guard size > 0, size < mostColumns else {
            throw BackpropError(.limit, "the size of layer \(index), \(UInt(bitPattern: size)), is too large")
        }
    }

    package func copy() throws(BackpropError) -> NetworkState {
        let copy = try copyForPrediction()
        copy.optimizerState = try optimizerState?.copy()
        copy.hasInitialWeights = hasInitialWeights
        copy.fit = fit
        copy.best = try best?.copy()
        return copy
    }

    /// A copy without the state of the training.
    func copyForPrediction() throws(BackpropError) -> NetworkState {
        try Reserve.require(forLayers: layers.count)
        var layers: [Layer] = []
        for layer in self.layers { layers.append(try layer.copy()) }
        let copy = with(layers)
        copy.targetScaling = targetScaling
        return copy
    }

    /// This network without its scaling, for rows that are scaled already. It shares the layers.
    func withoutScaling() -> NetworkState {
        if inputScaling == nil, targetScaling == nil { return self }
        let network = with(layers)
        network.inputScaling = nil
        return network
    }

    /// A network with these layers, and the settings, the step count and the random state of this network.
    private func with(_ layers: [Layer]) -> NetworkState {
        let made = NetworkState(layers: layers, seed: seed)
        made.loss = loss
        made.targetCount = loss.targetCount(outputs: made.outputCount)
        made.options = options
        made.userMetadata = userMetadata
        made.inputScaling = inputScaling
        made.optimizer = optimizer
        made.steps = steps
        made.random = random
        made.mayCallBack = made.hasPlugins
        return made
    }

    /// This network with a new last layer of `size` units, whose weights are drawn from `seed`. It shares the other layers with
    /// this network, which must not be used any more. What belongs to the old outputs is reset: the target scaling, the
    /// optimizer's state and the latest fit. The new layer is trainable, and has the activation of the old one and batch
    /// normalization if the old one has.
    package func replacingOutput(size: Int, seed: UInt64) throws(BackpropError) -> NetworkState {
        try Self.requireSize(size, ofLayer: layers.count)
        let old = layers[layers.count - 1]
        try Reserve.require(forLayers: layers.count)
        let new = try Layer.make(inputs: old.inputs, outputs: size)
        new.activation = old.activation
        try new.setNormalized(old.isNormalized)
        var layers = layers
        layers[layers.count - 1] = new
        let network = with(layers)
        network.drawWeights(layers.count - 1, seed: seed)
        network.hasInitialWeights = false
        network.setWorkers(workers)
        return network
    }

    /// Copies parameters and training state from `other`, a copy or the original of this network that was trained since.
    /// Settings are the same; `best` stays. This can fail only if `other` has an optimizer's state and this network has none.
    func assign(from other: NetworkState) throws(BackpropError) {
        if let source = other.optimizerState {
            if let optimizerState { optimizerState.assign(from: source) } else { optimizerState = try source.copy() }
        } else {
            optimizerState = nil
        }
        assignParameters(from: other)
    }

    /// Takes over the result of a fit of a copy, which is not used any more.
    func adopt(_ copy: NetworkState) {
        optimizerState = copy.optimizerState
        best = copy.best
        assignParameters(from: copy)
    }

    private func assignParameters(from other: NetworkState) {
        for (layer, source) in zip(layers, other.layers) { layer.assign(from: source) }
        seed = other.seed
        steps = other.steps
        hasInitialWeights = other.hasInitialWeights
        random = other.random
        fit = other.fit
    }

    /// The kernels of the selected instruction set.
    static var kernels: cp_kernels {
        var table = cp_kernels()
        cp_best_instruction_set().pointee.fill(&table)
        return table
    }

    package static var instructionSet: UnsafePointer<CChar> { cp_best_instruction_set().pointee.name }

    // MARK: Handle

    package static var kind: UInt32 { CP_GATE_NETWORK.rawValue }
    package static var typeName: String { "network" }
    package static var busyInFitMessage: StaticString { "a trainer is fitting the network" }

    // MARK: Shape

    /// The number of layers, the inputs included.
    package var layerCount: Int { layers.count + 1 }

    package var layerSizes: [Int] { [inputCount] + layers.map { $0.outputs } }

    func hasLayers(of other: NetworkState) -> Bool {
        inputCount == other.inputCount && layers.count == other.layers.count
            && layers.indices.allSatisfy { layers[$0].outputs == other.layers[$0].outputs }
    }

    package func size(ofLayer index: Int) throws(BackpropError) -> Int {
        guard index >= 0, index < layerCount else {
            throw BackpropError(
                .invalidValue, "layer \(UInt(bitPattern: index)) is out of range: the layers are 0 to \(layerCount - 1)")
        }
        return index == 0 ? inputCount : layers[index - 1].outputs
    }

    /// The layer with that number; layer 0 is the inputs, which are refused.
    func layer(_ index: Int) throws(BackpropError) -> Layer {
        guard index >= 1, index < layerCount else {
            throw BackpropError(
                .invalidValue,
                "layer \(UInt(bitPattern: index)) is out of range: the layers with weights are 1 to \(layerCount - 1)")
        }
        return layers[index - 1]
    }

    // MARK: Settings

    package func setActivation(_ index: Int, _ name: String) throws(BackpropError) {
        let layer = try layer(index)
        install(try Activation.find(name), in: layer)
        redraw()
    }

    /// Sets an activation without drawing weights again.
    func install(_ activation: Activation, in layer: Layer) {
        layer.activation = activation
        settingsDidChange()
    }

    package func activationName(_ index: Int) throws(BackpropError) -> String { try layer(index).activation.name }

    package func isNormalized(_ index: Int) throws(BackpropError) -> Bool { try layer(index).isNormalized }

    package func scalingMethod(ofTargets: Bool) -> ScalingMethod { (ofTargets ? targetScaling : inputScaling)?.method ?? .none }

    package func setBatchnorm(_ index: Int, enabled: Bool) throws(BackpropError) {
        let layer = try layer(index)
        guard enabled != layer.isNormalized else { return }
        try layer.setNormalized(enabled)
        discardTrainingState()
        discardBuffers()
    }

    package var lossName: String { loss.name }

    package func setLoss(_ name: String) throws(BackpropError) {
        try install(try Loss.find(name))
    }

    func install(_ loss: Loss) throws(BackpropError) {
        let count = loss.targetCount(outputs: outputCount)
        if targetScaling != nil { try requireScalableTargets(loss, count) }
        self.loss = loss
        targetCount = count
        settingsDidChange()
    }

    /// Targets are scaled as the outputs are, so each must belong to an output.
    func requireScalableTargets(_ loss: Loss, _ count: Int) throws(BackpropError) {
        guard count == outputCount else {
            throw BackpropError(
                .invalidValue,
                "loss \"\(loss.name)\" takes \(count) targets for \(outputCount) outputs, which target scaling does not support: "
                    + "fit target scaling \"none\"")
        }
    }

    /// Whether the loss or an activation is a registered one.
    var hasPlugins: Bool { loss.isPlugin || layers.contains { $0.activation.isPlugin } }

    private func settingsDidChange() {
        mayCallBack = hasPlugins || workers != nil
        discardBuffers()
    }

    package func requireWorkers() throws(BackpropError) -> Workers {
        guard let workers else {
            throw BackpropError(.unsupported, "set an all-reduce function first")
        }
        return workers
    }

    package func setWorkers(_ workers: Workers?) {
        self.workers = workers
        settingsDidChange()
    }

    package func setOption(_ name: String, _ value: Double) throws(BackpropError) {
        let option = try NetworkOption.find(name)
        let wasPlain = isPlainDescent
        let history = options[.lbfgsHistory]
        try options.set(option, to: value)
        if option == .initialization { redraw() }
        if history != options[.lbfgsHistory], optimizer == .lbfgs { discardTrainingState() }
        if wasPlain != isPlainDescent || option == .missingTargets { discardBuffers() }
    }

    package func option(_ name: String) throws(BackpropError) -> Double {
        options[try NetworkOption.find(name)]
    }

    /// Discards the state whose shape depends on the parameters or the optimizer.
    func discardTrainingState() {
        optimizerState = nil
        best = nil
    }

    /// Discards buffers and the result of the settings check, which depend on the settings.
    func discardBuffers() {
        hasCheckedSettings = false
        workspace = nil
        predictionPool.drain()
    }

    // MARK: Random weights

    /// Draws random weights (notes, §2, step 1) for all layers that are not frozen, each from a separate stream of the seed, and
    /// resets the training state.
    package func initialize(seed: UInt64) {
        self.seed = seed
        random = Random(seed: seed, stream: 0)
        steps = 0
        discardTrainingState()
        fit = FitPosition()
        // A frozen layer may have given weights, which no later draw may replace.
        if layers.allSatisfy({ $0.isTrainable }) { hasInitialWeights = true }
        inDefaultEnvironment {  // a new network has no gate yet, so no visit has set the environment
            for index in layers.indices where layers[index].isTrainable { drawWeights(index, seed: seed) }
        }
    }

    /// Draws the weights of a layer from its stream of the seed, and resets its normalization.
    func drawWeights(_ index: Int, seed: UInt64) {
        let rule = InitializationRule(rawValue: Int(options[.initialization])) ?? .automatic
        var stream = Random(seed: seed, stream: UInt64(index) + 1)
        layers[index].initialize(rule: rule.resolved(for: layers[index].activation), random: &stream)
    }

    /// Draws the weights again after a setting changed, unless they were trained or set.
    private func redraw() {
        if hasInitialWeights { initialize(seed: seed) }
    }
}
