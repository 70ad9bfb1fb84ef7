/// A fully connected feed-forward network, trained by backpropagation.
///
///     let network = try Network(layers: [2, 4, 1], seed: 1)
///     for _ in 0..<5000 { try network.train(inputs, targets, learningRate: 1) }
///     let outputs = try network.predict(inputs)
///
/// Matrices are row-major [Float]: inputs [rows × inputs], targets [rows × outputs]; the number of rows follows from the
/// count. `backprop.h` says more on every call. Any method may be called from any thread; those that change the network
/// run one at a time.
public final class Network: Sendable {
    let handle: Handle<NetworkState>
    /// Layer sizes, inputs first.
    public let layers: [Int]

    private init(owning state: NetworkState) throws(BackpropError) {
        layers = state.layerSizes
        handle = try Handle(owning: state)
    }

    /// Random weights from a seed; logistic units; half the squared error.
    public convenience init(layers: [Int], seed: UInt64) throws(BackpropError) {
        let state = try layers.withUnsafeBufferPointer { (sizes) throws(BackpropError) in
            try NetworkState.make(layerSizes: sizes, seed: seed)
        }
        try self.init(owning: state)
    }

    deinit { handle.free() }

    /// An independent copy.
    public func clone() throws(BackpropError) -> Network {
        try Network(owning: try handle.read { (state) throws(BackpropError) in try state.copy() })
    }

    // MARK: Settings

    /// Fresh weights from a seed.
    public func initialize(seed: UInt64) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in state.initialize(seed: seed) }
    }

    /// Training steps since the weights were drawn.
    public var stepCount: UInt64 {
        get throws(BackpropError) { try handle.read { (state) throws(BackpropError) in state.steps } }
    }

    /// Layers 1 … count − 1.
    public func setActivation(_ activation: Activation, layer: Int) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in try state.setActivation(layer, activation.name) }
    }

    public func activation(layer: Int) throws(BackpropError) -> Activation {
        .named(try handle.read { (state) throws(BackpropError) in try state.activationName(layer) })
    }

    public func setBatchNormalization(_ enabled: Bool, layer: Int) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in try state.setBatchnorm(layer, enabled: enabled) }
    }

    public func isBatchNormalized(layer: Int) throws(BackpropError) -> Bool {
        try handle.read { (state) throws(BackpropError) in try state.isNormalized(layer) }
    }

    /// How likely a unit of a hidden layer is left out of a training step.
    public func setDropout(_ rate: Double, layer: Int) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in try state.setDropout(layer, rate: rate) }
    }

    public func dropout(layer: Int) throws(BackpropError) -> Double {
        try handle.read { (state) throws(BackpropError) in try state.dropout(layer) }
    }

    public func setLoss(_ loss: Loss) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in try state.setLoss(loss.name) }
    }

    public var loss: Loss {
        get throws(BackpropError) { try handle.read { (state) throws(BackpropError) in state.loss } }
    }

    /// The optimizer's state starts anew.
    public func setOptimizer(_ optimizer: Optimizer) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in try state.setOptimizer(optimizer.name) }
    }

    public var optimizer: Optimizer {
        get throws(BackpropError) { try handle.read { (state) throws(BackpropError) in state.optimizer } }
    }

    public func setOption(_ name: String, _ value: Double) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in try state.setOption(name, value) }
    }

    public func option(_ name: String) throws(BackpropError) -> Double {
        try handle.read { (state) throws(BackpropError) in try state.option(name) }
    }

    /// Finds from data how to scale inputs and targets. From then on the network takes and gives numbers as they are in the
    /// data, and scales them itself. `.auto` scales targets to what the last activation and the loss, set before, take.
    public func fitScaling(
        inputs inputMethod: ScalingMethod = .auto, targets targetMethod: ScalingMethod = .auto, _ inputs: [Float],
        _ targets: [Float]
    ) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in
            let rows = try state.rows(inputs.count, targets.count)
            try state.fitScaling(inputs: inputMethod.name, targets: targetMethod.name, inputs, targets, rows: rows)
        }
    }

    public var inputScaling: ScalingMethod {
        get throws(BackpropError) {
            try handle.read { (state) throws(BackpropError) in state.scalingMethod(ofTargets: false) }
        }
    }

    public var targetScaling: ScalingMethod {
        get throws(BackpropError) {
            try handle.read { (state) throws(BackpropError) in state.scalingMethod(ofTargets: true) }
        }
    }

    /// Throws an error that says which settings do not go together, or which targets they do not go with, if any; as `fit`
    /// does before it changes anything.
    public func checkSettings(targets: [Float] = []) throws(BackpropError) {
        try handle.read { (state) throws(BackpropError) in
            guard targets.count % state.outputCount == 0 else {
                throw BackpropError(.invalidValue, "\(targets.count) targets are not rows of \(state.outputCount)")
            }
            try targets.withUnsafeBufferPointer { (targets) throws(BackpropError) in
                let rows = targets.count / state.outputCount
                try state.checkSettings(rows == 0 ? nil : targets.baseAddress, rows: rows)
            }
        }
    }

    // MARK: Training

    /// One step of the optimizer on the rows given; the loss before it. One row is a step of stochastic gradient
    /// descent, more are a minibatch.
    @discardableResult
    public func train(_ inputs: [Float], _ targets: [Float], learningRate: Float) throws(BackpropError) -> Float {
        try train(inputs.span, targets.span, learningRate: learningRate)
    }

    /// The same on a part of larger arrays, without a copy of it.
    @discardableResult @_optimize(speed)
    public func train(_ inputs: Span<Float>, _ targets: Span<Float>, learningRate: Float) throws(BackpropError) -> Float {
        try inputs.withUnsafeBufferPointer { (inputs) throws(BackpropError) in
            try targets.withUnsafeBufferPointer { (targets) throws(BackpropError) in
                try handle.write { (state) throws(BackpropError) in
                    let rows = try state.rows(inputs.count, targets.count)
                    guard let inputs = inputs.baseAddress, let targets = targets.baseAddress else {
                        throw BackpropError(.invalidValue, "rows is 0")
                    }
                    return try state.train(inputs, targets, rows: rows, rate: learningRate)
                }
            }
        }
    }

    /// The flat gradient of the loss, and the loss.
    public func gradient(_ inputs: [Float], _ targets: [Float]) throws(BackpropError) -> (gradient: [Float], loss: Float) {
        try handle.write { (state) throws(BackpropError) in
            let rows = try state.rows(inputs.count, targets.count)
            var flat = [Float](repeating: 0, count: state.parameterCount)
            let loss = try state.gradient(inputs, targets, rows: rows, into: &flat, count: flat.count)
            return (flat, loss)
        }
    }

    /// The optimizer's step along a gradient: parameters −= learningRate · gradient with "sgd".
    public func apply(gradient: [Float], learningRate: Float) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in
            try state.apply(gradient: gradient, count: gradient.count, rate: learningRate)
        }
    }

    /// The worst relative error of the gradient against central differences.
    public func checkGradient(_ inputs: [Float], _ targets: [Float]) throws(BackpropError) -> Double {
        try handle.write { (state) throws(BackpropError) in
            try state.checkGradient(inputs, targets, rows: try state.rows(inputs.count, targets.count))
        }
    }

    // MARK: Use

    /// Outputs [rows × outputs].
    public func predict(_ inputs: [Float]) throws(BackpropError) -> [Float] {
        try handle.read { (state) throws(BackpropError) in
            let rows = try state.rows(inputs.count)
            var outputs = [Float](repeating: 0, count: rows * state.outputCount)
            try state.predict(inputs, rows: rows, into: &outputs)
            return outputs
        }
    }

    /// The same into numbers of the caller's, [rows × outputs]: no memory is taken.
    @_optimize(speed)
    public func predict(_ inputs: Span<Float>, into outputs: inout MutableSpan<Float>) throws(BackpropError) {
        try inputs.withUnsafeBufferPointer { (inputs) throws(BackpropError) in
            try outputs.withUnsafeMutableBufferPointer { (outputs) throws(BackpropError) in
                try handle.read { (state) throws(BackpropError) in
                    let rows = try state.rows(inputs.count)
                    try state.requireCount(outputs.count, rows * state.outputCount, "outputs")
                    guard let inputs = inputs.baseAddress, let outputs = outputs.baseAddress else { return }
                    try state.predict(inputs, rows: rows, into: outputs)
                }
            }
        }
    }

    /// The loss of the predictions, without training.
    public func evaluate(_ inputs: [Float], _ targets: [Float]) throws(BackpropError) -> Float {
        try handle.read { (state) throws(BackpropError) in
            try state.evaluate(inputs, targets, rows: try state.rows(inputs.count, targets.count))
        }
    }

    /// How good the predictions are.
    public func score(_ measure: Measure, _ inputs: [Float], _ targets: [Float]) throws(BackpropError) -> Double {
        try handle.read { (state) throws(BackpropError) in
            try state.score(measure.name, inputs, targets, rows: try state.rows(inputs.count, targets.count))
        }
    }

    /// Puts batch normalization into the weights, for use: call it on a clone to go on training.
    public func foldBatchNormalization() throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in try state.foldBatchnorm() }
    }

    // MARK: Metadata

    /// Keys of the texts that go with the network and its file, sorted.
    public var metadataKeys: [String] {
        get throws(BackpropError) {
            try handle.read { (state) throws(BackpropError) in state.userMetadata.map { $0.key } }
        }
    }

    public func metadata(_ key: String) throws(BackpropError) -> String {
        try handle.read { (state) throws(BackpropError) in try state.metadata(key) }
    }

    public func setMetadata(_ key: String, _ value: String) throws(BackpropError) {
        guard !key.utf8.contains(0), !value.utf8.contains(0) else {
            throw BackpropError(.invalidValue, "metadata with a null character in it")
        }
        try handle.write { (state) throws(BackpropError) in try state.setMetadata(key, value) }
    }

    public func removeMetadata(_ key: String) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in try state.removeMetadata(key) }
    }

    // MARK: Parameters and files

    public var parameterCount: Int {
        get throws(BackpropError) { try handle.read { (state) throws(BackpropError) in state.parameterCount } }
    }

    /// The flat parameters.
    public func parameters() throws(BackpropError) -> [Float] {
        try handle.read { (state) throws(BackpropError) in
            var flat = [Float](repeating: 0, count: state.parameterCount)
            try state.getParameters(&flat, count: flat.count)
            return flat
        }
    }

    public func setParameters(_ parameters: [Float]) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in
            try state.setParameters(parameters, count: parameters.count)
        }
    }

    // MARK: Files

    /// Writes a safetensors file, whole or not at all.
    public func save(to path: String) throws(BackpropError) {
        try handle.save(try CString(path))
    }

    /// Takes the weights from any safetensors file that has tensors of these names and shapes.
    public func loadWeights(from path: String) throws(BackpropError) {
        try handle.loadWeights(try CString(path))
    }

    public static func load(from path: String) throws(BackpropError) -> Network {
        try Network(owning: try NetworkState.load(try CString(path)))
    }
}

/// The same with paths as the system has them: bytes ended by a NUL, which need not be UTF-8. They are what
/// `URL.withUnsafeFileSystemRepresentation` and `FilePath.withPlatformString` give.
extension Network {
    public func save(to path: UnsafePointer<CChar>) throws(BackpropError) {
        try handle.save(CString(path))
    }

    public func loadWeights(from path: UnsafePointer<CChar>) throws(BackpropError) {
        try handle.loadWeights(CString(path))
    }

    public static func load(from path: UnsafePointer<CChar>) throws(BackpropError) -> Network {
        try Network(owning: try NetworkState.load(CString(path)))
    }
}

extension NetworkState {
    /// How many rows so many inputs are.
    @inline(__always)
    fileprivate func rows(_ inputs: Int) throws(BackpropError) -> Int {
        if inputs == inputCount { return 1 }  // a division takes longer than some networks' step
        guard inputs % inputCount == 0 else { throw wrongCount(inputs) }
        return inputs / inputCount
    }

    @inline(__always)
    func rows(_ inputs: Int, _ targets: Int) throws(BackpropError) -> Int {
        let rows = try rows(inputs)
        try requireCount(targets, rows * outputCount, "targets")
        return rows
    }

    @inline(__always)
    fileprivate func requireCount(_ count: Int, _ expected: Int, _ what: StaticString) throws(BackpropError) {
        guard count == expected else { throw wrongCount(count, expected, what) }
    }

    @inline(never)
    private func wrongCount(_ inputs: Int) -> BackpropError {
        BackpropError(.invalidValue, "\(inputs) inputs are not rows of \(inputCount)")
    }

    @inline(never)
    private func wrongCount(_ count: Int, _ expected: Int, _ what: StaticString) -> BackpropError {
        BackpropError(.invalidValue, "\(what): \(count) numbers where \(expected) belong")
    }
}
