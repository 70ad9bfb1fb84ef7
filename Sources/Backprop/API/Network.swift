/// A fully connected feed-forward network, trained by backpropagation.
///
///     let network = try Network(layers: [2, 4, 1], seed: 1)
///     for _ in 0..<5000 { try network.train(inputs, targets, learningRate: 1) }
///     let outputs = try network.predict(inputs)
///
/// Matrices are row-major arrays: inputs [rows × inputs], targets and outputs [rows × outputs]. The number of rows follows
/// from the number of elements. Layer 0 holds the inputs; layers 1 to `layers.count - 1` have weights, an activation and
/// optional batch normalization.
///
/// Any method may be called from any thread. Methods that only read a network run at the same time; a method that changes
/// the network runs alone. A method that throws has changed nothing.
///
/// Every method throws `BackpropError`. Besides the codes listed with each method, any method can throw `.outOfMemory`,
/// and `.busy` when it is called from an activation of the same network or, if it changes the network, while a trainer
/// fits it. `backprop.h` describes every operation in detail.
public final class Network: Sendable {
    let handle: Handle<NetworkState>
    /// The layer sizes, the inputs first.
    public let layers: [Int]

    private init(owning state: NetworkState) throws(BackpropError) {
        layers = state.layerSizes
        handle = try Handle(owning: state)
    }

    /// Creates a network with random weights and biases 0. Every layer has the activation `.logistic` and no batch
    /// normalization; the loss is `.squaredError` and the optimizer `.sgd`.
    ///
    /// - Parameters:
    ///   - layers: The layer sizes, from the inputs to the outputs: 2 to 1024 numbers, each at least 1.
    ///   - seed: Seeds the weights, and everything that is random in training steps.
    /// - Throws: `.invalidValue` for fewer than 2 layers or a layer of size 0; `.limit` for too many layers or sizes whose
    ///   products are too large.
    public convenience init(layers: [Int], seed: UInt64) throws(BackpropError) {
        let state = try layers.withUnsafeBufferPointer { (sizes) throws(BackpropError) in
            try NetworkState.make(layerSizes: sizes, seed: seed)
        }
        try self.init(owning: state)
    }

    deinit { handle.free() }

    /// Returns an independent copy: parameters, settings and training state.
    public func clone() throws(BackpropError) -> Network {
        try Network(owning: try handle.read { (state) throws(BackpropError) in try state.copy() })
    }

    /// Returns a copy with a new last layer, for other targets than those of this network. The sizes of a `Network` never
    /// change, so this network stays as it is. `backprop.h` lists what the copy keeps at `bp_network_replace_output`.
    ///
    /// - Parameters:
    ///   - size: The number of outputs, at least 1.
    ///   - seed: Seeds the new layer's weights.
    /// - Throws: `.invalidValue` for size 0; `.limit` for a size that is too large.
    public func replacingOutput(size: Int, seed: UInt64) throws(BackpropError) -> Network {
        try Network(
            owning: try handle.read { (state) throws(BackpropError) in
                try state.copy().replacingOutput(size: size, seed: seed)
            })
    }

    // MARK: Settings

    /// Draws new random weights, as `init(layers:seed:)` does. Biases, batch normalization, the optimizer's state and the
    /// step count are reset. Layers, activations, loss, optimizer and options stay, and so do frozen layers.
    ///
    /// - Parameter seed: Seeds the weights, and everything that is random in training steps.
    public func initialize(seed: UInt64) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in state.initialize(seed: seed) }
    }

    /// The number of training steps since the weights were drawn.
    public var stepCount: UInt64 {
        get throws(BackpropError) { try handle.read { (state) throws(BackpropError) in state.steps } }
    }

    /// Sets the activation of a layer. Until the network is first trained or given parameters, its weights are drawn again
    /// by the initialization rule of the new activation.
    ///
    /// - Parameters:
    ///   - activation: A built-in activation, or a registered one by its name.
    ///   - layer: 1 to `layers.count - 1`.
    /// - Throws: `.invalidValue` for a layer out of range; `.unknownName`.
    public func setActivation(_ activation: Activation, layer: Int) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in try state.setActivation(layer, activation.name) }
    }

    /// Returns the activation of a layer.
    ///
    /// - Parameter layer: 1 to `layers.count - 1`.
    /// - Throws: `.invalidValue` for a layer out of range.
    public func activation(layer: Int) throws(BackpropError) -> Activation {
        .named(try handle.read { (state) throws(BackpropError) in try state.activationName(layer) })
    }

    /// Enables or disables batch normalization of a layer's weighted sums, before its activation. This changes the number of
    /// parameters. The first time, γ is 1, β 0, the running mean 0 and the running variance 1; disabling keeps them.
    ///
    /// - Parameters:
    ///   - enabled: Whether the layer is normalized.
    ///   - layer: 1 to `layers.count - 1`.
    /// - Throws: `.invalidValue` for a layer out of range.
    public func setBatchNormalization(_ enabled: Bool, layer: Int) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in try state.setBatchnorm(layer, enabled: enabled) }
    }

    /// Returns whether batch normalization of a layer is enabled.
    ///
    /// - Parameter layer: 1 to `layers.count - 1`.
    /// - Throws: `.invalidValue` for a layer out of range.
    public func isBatchNormalized(layer: Int) throws(BackpropError) -> Bool {
        try handle.read { (state) throws(BackpropError) in try state.isNormalized(layer) }
    }

    /// Sets the dropout rate of a hidden layer: the probability with which a training step omits one of its units.
    /// Predictions use all units.
    ///
    /// - Parameters:
    ///   - rate: 0 (the default, no dropout) to 0.999.
    ///   - layer: 1 to `layers.count - 2`.
    /// - Throws: `.invalidValue` for a rate or a layer out of range.
    public func setDropout(_ rate: Double, layer: Int) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in try state.setDropout(layer, rate: rate) }
    }

    /// Returns the dropout rate of a hidden layer.
    ///
    /// - Parameter layer: 1 to `layers.count - 2`.
    /// - Throws: `.invalidValue` for a layer out of range.
    public func dropout(layer: Int) throws(BackpropError) -> Double {
        try handle.read { (state) throws(BackpropError) in try state.dropout(layer) }
    }

    /// Freezes a layer for training, or makes it trainable. Training does not change the weights, γ, β and running statistics
    /// of a frozen layer, and normalizes its sums by the running statistics. `backprop.h` describes the rules at
    /// `bp_network_set_trainable`.
    ///
    /// - Parameters:
    ///   - trainable: `true`, the default of a layer, or `false` for a frozen layer.
    ///   - layer: 1 to `layers.count - 1`.
    /// - Throws: `.invalidValue` for a layer out of range.
    public func setTrainable(_ trainable: Bool, layer: Int) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in try state.setTrainable(layer, trainable) }
    }

    /// Returns whether training changes a layer.
    ///
    /// - Parameter layer: 1 to `layers.count - 1`.
    /// - Throws: `.invalidValue` for a layer out of range.
    public func isTrainable(layer: Int) throws(BackpropError) -> Bool {
        try handle.read { (state) throws(BackpropError) in try state.isTrainable(layer) }
    }

    /// Sets the loss, which training minimizes.
    ///
    /// - Throws: `.unknownName`; `.invalidValue` for a registered loss whose targets the network's scaling does not fit.
    public func setLoss(_ loss: Loss) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in try state.setLoss(loss.name) }
    }

    /// The loss, which training minimizes.
    public var loss: Loss {
        get throws(BackpropError) { try handle.read { (state) throws(BackpropError) in .named(state.loss.name) } }
    }

    /// Sets the optimizer, and resets its state.
    public func setOptimizer(_ optimizer: Optimizer) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in try state.setOptimizer(optimizer.name) }
    }

    /// With `.bayesianRegularization`, the number of parameters that the data determine, of the network before its latest step;
    /// 0 in the first four steps. If it stays the same in larger networks, the network is large enough.
    ///
    /// - Throws: `.unsupported` for other optimizers.
    public var effectiveParameters: Double {
        get throws(BackpropError) { try handle.read { (state) throws(BackpropError) in try state.effectiveParameters() } }
    }

    /// The optimizer, which turns gradients into steps.
    public var optimizer: Optimizer {
        get throws(BackpropError) { try handle.read { (state) throws(BackpropError) in state.optimizer } }
    }

    /// Sets an option of the network, such as "weight_decay". `backprop.h` lists names, values and defaults at
    /// `bp_network_set_option`.
    ///
    /// - Throws: `.unknownName`; `.invalidValue` for a value out of range.
    public func setOption(_ name: String, _ value: Double) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in try state.setOption(name, value) }
    }

    /// Returns the value of an option.
    ///
    /// - Throws: `.unknownName`.
    public func option(_ name: String) throws(BackpropError) -> Double {
        try handle.read { (state) throws(BackpropError) in try state.option(name) }
    }

    /// Computes from data how the network scales inputs and targets, column by column. From then on all methods accept
    /// unscaled rows and return unscaled outputs; the network scales them itself. Losses and gradients are those of the
    /// scaled targets.
    ///
    /// - Parameters:
    ///   - inputMethod: The scaling of the inputs. `.auto` selects `.standard`.
    ///   - targetMethod: The scaling of the targets. `.auto` selects it by the last activation and the loss, so set these
    ///     before.
    ///   - inputs: [rows × inputs], at least one row.
    ///   - targets: [rows × outputs].
    /// - Throws: `.invalidValue` for no rows or arrays whose counts do not match; `.notFinite` for a NaN or an infinity in
    ///   data that are scaled.
    public func fitScaling(
        inputs inputMethod: ScalingMethod = .auto, targets targetMethod: ScalingMethod = .auto, _ inputs: [Float],
        _ targets: [Float]
    ) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in
            state.beginTogether()
            let rows = try state.rows(inputs.count, targets.count)
            try state.fitScaling(inputs: inputMethod.name, targets: targetMethod.name, inputs, targets, rows: rows)
        }
    }

    /// The scaling of the inputs; `.none` until `fitScaling` is called.
    public var inputScaling: ScalingMethod {
        get throws(BackpropError) {
            try handle.read { (state) throws(BackpropError) in state.scalingMethod(ofTargets: false) }
        }
    }

    /// The scaling of the targets; `.none` until `fitScaling` is called.
    public var targetScaling: ScalingMethod {
        get throws(BackpropError) {
            try handle.read { (state) throws(BackpropError) in state.scalingMethod(ofTargets: true) }
        }
    }

    /// Checks that loss, activations, scaling and targets are compatible, as `Trainer.fit` does before it trains.
    ///
    /// - Parameter targets: [rows × outputs], or empty to check the settings alone.
    /// - Throws: `.invalidValue` or `.unsupported` for an incompatible setting or target, with a message that says what to
    ///   set instead; `.notFinite` for a NaN or an infinity in `targets`.
    public func checkSettings(targets: [Float] = []) throws(BackpropError) {
        try handle.read { (state) throws(BackpropError) in
            guard targets.count % state.targetCount == 0 else {
                throw BackpropError(
                    .invalidValue,
                    "targets: a count of \(targets.count) is not a multiple of the \(state.targetCount) targets of a row")
            }
            try targets.withUnsafeBufferPointer { (targets) throws(BackpropError) in
                let rows = targets.count / state.targetCount
                try state.checkSettings(rows == 0 ? nil : targets.baseAddress, rows: rows)
            }
        }
    }

    // MARK: Training

    /// Makes one step of the optimizer: with one row a step of stochastic gradient descent, with several a minibatch step.
    ///
    /// - Parameters:
    ///   - inputs: [rows × inputs], at least one row.
    ///   - targets: [rows × outputs].
    ///   - learningRate: Finite, at least 0.
    /// - Returns: The loss before the step: the sum over the rows, or their mean by option "gradient_reduction".
    /// - Throws: `.invalidValue` for no rows, arrays whose counts do not match, the learning rate, or settings or targets
    ///   that are incompatible with the loss; `.notFinite` for a NaN or an infinity in the data, the loss, the gradient or
    ///   the step; `.unsupported` for option "batchnorm_update" 1 with anything but plain "sgd"; `.callback` when an
    ///   activation fails; `.limit`.
    @discardableResult
    public func train(_ inputs: [Float], _ targets: [Float], learningRate: Float) throws(BackpropError) -> Float {
        try train(inputs.span, targets.span, learningRate: learningRate)
    }

    /// Makes one step of the optimizer, as `train(_:_:learningRate:)` on arrays does, on spans: parts of larger arrays are
    /// not copied.
    @discardableResult @_optimize(speed)
    public func train(_ inputs: Span<Float>, _ targets: Span<Float>, learningRate: Float) throws(BackpropError) -> Float {
        try inputs.withUnsafeBufferPointer { (inputs) throws(BackpropError) in
            try targets.withUnsafeBufferPointer { (targets) throws(BackpropError) in
                try handle.write { (state) throws(BackpropError) in
                    state.beginTogether()
                    let rows = try state.rows(inputs.count, targets.count)
                    guard let inputs = inputs.baseAddress ?? state.noRows, let targets = targets.baseAddress ?? state.noRows
                    else {
                        throw BackpropError(.invalidValue, "rows is 0: at least 1 is needed")
                    }
                    return try state.train(inputs, targets, rows: rows, rate: learningRate)
                }
            }
        }
    }

    /// Computes the gradient of the loss, before clipping and weight decay. Parameters stay; the running statistics of batch
    /// normalization are updated. `train` is this method followed by `apply(gradient:learningRate:)`, except for rounding.
    ///
    /// - Parameters:
    ///   - inputs: [rows × inputs], at least one row.
    ///   - targets: [rows × outputs].
    /// - Returns: The gradient [parameterCount], in the order of `parameters()`, and the loss.
    /// - Throws: As `train`.
    public func gradient(_ inputs: [Float], _ targets: [Float]) throws(BackpropError) -> (gradient: [Float], loss: Float) {
        try handle.write { (state) throws(BackpropError) in
            state.beginTogether()
            let rows = try state.rows(inputs.count, targets.count)
            var flat = [Float](repeating: 0, count: state.parameterCount)
            let loss = try state.gradient(inputs, targets, rows: rows, into: &flat, count: flat.count)
            return (flat, loss)
        }
    }

    /// Makes the optimizer's step along a gradient: with `.sgd`, parameters −= learningRate · gradient.
    ///
    /// - Parameters:
    ///   - gradient: [parameterCount], in the order of `parameters()`.
    ///   - learningRate: Finite, at least 0.
    /// - Throws: `.invalidValue` for the learning rate; `.mismatch` for another count; `.notFinite` for a NaN or an infinity
    ///   in the gradient or the new parameters.
    public func apply(gradient: [Float], learningRate: Float) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in
            try state.apply(gradient: gradient, count: gradient.count, rate: learningRate)
        }
    }

    /// Computes the gradient of any function L of the outputs with respect to the parameters, from its gradient with respect
    /// to the outputs. The loss and option "gradient_reduction" are not used.
    ///
    /// The pass is that of a training step: batch normalization uses the statistics of the rows and updates its running
    /// ones, and dropout is applied. `apply(gradient:learningRate:)` completes the step.
    ///
    /// - Parameters:
    ///   - inputs: [rows × inputs], at least one row.
    ///   - outputGradients: ∂L/∂ŷ, [rows × outputs].
    /// - Returns: The gradient [parameterCount], in the order of `parameters()`.
    /// - Throws: `.invalidValue` for counts that do not match; `.notFinite` for a NaN or an infinity in the arrays, the outputs
    ///   or the gradients; `.callback` when an activation fails; `.limit`.
    public func backpropagate(_ inputs: [Float], outputGradients: [Float]) throws(BackpropError) -> [Float] {
        try handle.write { (state) throws(BackpropError) in
            let rows = try state.rows(inputs.count, outputGradients.count, "outputGradients")
            var flat = [Float](repeating: 0, count: state.parameterCount)
            try state.backpropagate(
                inputs, outputGradients: outputGradients, rows: rows, into: &flat, count: flat.count, inputGradients: nil)
            return flat
        }
    }

    /// Computes the gradient as `backpropagate(_:outputGradients:)`, and the gradient with respect to the inputs in the same
    /// pass.
    ///
    /// - Parameters:
    ///   - inputs: [rows × inputs], at least one row.
    ///   - outputGradients: ∂L/∂ŷ, [rows × outputs].
    /// - Returns: The gradient [parameterCount], and ∂L/∂x, [rows × inputs].
    /// - Throws: As `backpropagate(_:outputGradients:)`.
    public func backpropagateToInputs(
        _ inputs: [Float], outputGradients: [Float]
    ) throws(BackpropError) -> (gradient: [Float], inputGradients: [Float]) {
        try handle.write { (state) throws(BackpropError) in
            let rows = try state.rows(inputs.count, outputGradients.count, "outputGradients")
            var flat = [Float](repeating: 0, count: state.parameterCount)
            var inputGradients = [Float](repeating: 0, count: inputs.count)
            try state.backpropagate(
                inputs, outputGradients: outputGradients, rows: rows, into: &flat, count: flat.count,
                inputGradients: &inputGradients)
            return (flat, inputGradients)
        }
    }

    /// Compares the gradient with central differences of the loss, which a separate implementation computes in double
    /// precision. The network stays as it is. This is slow.
    ///
    /// - Parameters:
    ///   - inputs: [rows × inputs], at least one row.
    ///   - targets: [rows × outputs].
    /// - Returns: The largest relative error. A correct gradient has less than 1e-2.
    /// - Throws: As `gradient`; `.unsupported` for the activation `.sign`, whose derivative in training is not its own.
    public func checkGradient(_ inputs: [Float], _ targets: [Float]) throws(BackpropError) -> Double {
        try handle.write { (state) throws(BackpropError) in
            try state.checkGradient(inputs, targets, rows: try state.rows(inputs.count, targets.count))
        }
    }

    // MARK: Prediction

    /// Computes outputs. Batch normalization uses its running statistics.
    ///
    /// - Parameter inputs: [rows × inputs]. No rows return no outputs.
    /// - Returns: [rows × outputs].
    /// - Throws: `.invalidValue` for a count that is not a multiple of the inputs; `.callback` when an activation fails;
    ///   `.limit`.
    public func predict(_ inputs: [Float]) throws(BackpropError) -> [Float] {
        try handle.read { (state) throws(BackpropError) in
            let rows = try state.rows(inputs.count)
            var outputs = [Float](repeating: 0, count: rows * state.outputCount)
            try state.predict(inputs, rows: rows, into: &outputs)
            return outputs
        }
    }

    /// Computes outputs, as `predict(_:)` does, into memory of the caller: no output array is allocated.
    ///
    /// - Parameters:
    ///   - inputs: [rows × inputs].
    ///   - outputs: [rows × outputs].
    /// - Throws: As `predict(_:)`; `.invalidValue` for an `outputs` of another count.
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

    /// Computes the outputs of a layer as `predict(_:)` computes them.
    ///
    /// - Parameters:
    ///   - inputs: [rows × inputs]. No rows return no outputs.
    ///   - layer: 1 to the last. The outputs of the last layer are those of `predict(_:)`.
    /// - Returns: [rows × size of the layer].
    /// - Throws: As `predict(_:)`; `.invalidValue` for the layer.
    public func predict(_ inputs: [Float], layer: Int) throws(BackpropError) -> [Float] {
        try handle.read { (state) throws(BackpropError) in
            let rows = try state.rows(inputs.count)
            var outputs = [Float](repeating: 0, count: rows * (try state.size(ofLayer: layer)))
            try state.predictLayer(layer, inputs, rows: rows, into: &outputs)
            return outputs
        }
    }

    /// Computes the gradient of any function L of what `predict(_:)` returns, with respect to the inputs. Batch normalization
    /// uses its running statistics; the network stays as it is.
    ///
    /// - Parameters:
    ///   - inputs: [rows × inputs], at least one row.
    ///   - outputGradients: ∂L/∂ŷ, [rows × outputs].
    /// - Returns: ∂L/∂x, [rows × inputs].
    /// - Throws: As `backpropagate(_:outputGradients:)`.
    public func inputGradients(_ inputs: [Float], outputGradients: [Float]) throws(BackpropError) -> [Float] {
        try handle.write { (state) throws(BackpropError) in
            let rows = try state.rows(inputs.count, outputGradients.count, "outputGradients")
            var gradients = [Float](repeating: 0, count: inputs.count)
            try state.backpropagate(
                inputs, outputGradients: outputGradients, rows: rows, into: nil, count: 0, inputGradients: &gradients)
            return gradients
        }
    }

    /// Computes the derivative of each output of `predict(_:)` with respect to each input.
    ///
    /// - Parameter inputs: [rows × inputs], at least one row.
    /// - Returns: ∂ŷ/∂x, [rows × outputs × inputs].
    /// - Throws: As `backpropagate(_:outputGradients:)`.
    public func inputJacobian(_ inputs: [Float]) throws(BackpropError) -> [Float] {
        try handle.write { (state) throws(BackpropError) in
            let rows = try state.rows(inputs.count)
            let count = try checkedProduct(rows, try checkedProduct(state.outputCount, state.inputCount))
            var jacobian = [Float](repeating: 0, count: count)
            try state.inputJacobian(inputs, rows: rows, into: &jacobian)
            return jacobian
        }
    }

    /// Computes the loss of each row's prediction. `evaluate` returns their sum or mean.
    ///
    /// - Parameters:
    ///   - inputs: [rows × inputs], at least one row.
    ///   - targets: [rows × outputs].
    /// - Returns: [rows].
    /// - Throws: As `evaluate`.
    public func rowLosses(_ inputs: [Float], _ targets: [Float]) throws(BackpropError) -> [Float] {
        try handle.read { (state) throws(BackpropError) in
            let rows = try state.rows(inputs.count, targets.count)
            var losses = [Float](repeating: 0, count: rows)
            try state.rowLosses(inputs, targets, rows: rows, into: &losses)
            return losses
        }
    }

    /// Computes the loss of the predictions, without training. Batch normalization uses its running statistics.
    ///
    /// - Parameters:
    ///   - inputs: [rows × inputs], at least one row.
    ///   - targets: [rows × outputs].
    /// - Returns: The sum over the rows, or their mean by option "gradient_reduction".
    /// - Throws: `.invalidValue`, `.notFinite`, `.callback` and `.limit` as `train`.
    public func evaluate(_ inputs: [Float], _ targets: [Float]) throws(BackpropError) -> Float {
        try handle.read { (state) throws(BackpropError) in
            try state.evaluate(inputs, targets, rows: try state.rows(inputs.count, targets.count))
        }
    }

    /// Computes a measure of the predictions, from outputs and targets in the units of the data, before any scaling.
    ///
    /// - Parameters:
    ///   - measure: What is computed.
    ///   - inputs: [rows × inputs], at least one row.
    ///   - targets: [rows × outputs].
    /// - Throws: `.invalidValue` for no rows or arrays whose counts do not match; `.notFinite` for a NaN or an infinity in
    ///   the data or the outputs; `.callback` when an activation fails; `.limit`.
    public func score(_ measure: Measure, _ inputs: [Float], _ targets: [Float]) throws(BackpropError) -> Double {
        try handle.read { (state) throws(BackpropError) in
            try state.requireScorable()  // before the count of the targets
            return try state.score(measure.name, inputs, targets, rows: try state.rows(inputs.count, targets.count))
        }
    }

    /// Folds the batch normalization of all layers into their weights and removes it, for inference. Predictions differ by
    /// rounding only. Training would differ: call this on a clone to train the original further.
    ///
    /// - Throws: `.notFinite` when weights would not be finite.
    public func foldBatchNormalization() throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in try state.foldBatchnorm() }
    }

    // MARK: Metadata

    /// The keys of the metadata, sorted by their UTF-8 bytes. Metadata are texts of the program that the network's copies and
    /// files keep, such as names of classes.
    public var metadataKeys: [String] {
        get throws(BackpropError) {
            try handle.read { (state) throws(BackpropError) in state.userMetadata.map { $0.key } }
        }
    }

    /// Returns the text of a key.
    ///
    /// - Throws: `.unknownName` for a key without a text.
    public func metadata(_ key: String) throws(BackpropError) -> String {
        try handle.read { (state) throws(BackpropError) in try state.metadata(key) }
    }

    /// Sets or replaces the text of a key.
    ///
    /// - Parameters:
    ///   - key: 1 to 256 bytes of UTF-8.
    ///   - value: The text. A network holds at most 1024 keys, and 1 MiB of keys and texts together.
    /// - Throws: `.invalidValue` for a key of another size or a null character; `.limit`.
    public func setMetadata(_ key: String, _ value: String) throws(BackpropError) {
        guard !key.utf8.contains(0), !value.utf8.contains(0) else {
            throw BackpropError(.invalidValue, "metadata contain a null character")
        }
        try handle.write { (state) throws(BackpropError) in try state.setMetadata(key, value) }
    }

    /// Removes a key and its text.
    ///
    /// - Throws: `.unknownName` for a key without a text.
    public func removeMetadata(_ key: String) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in try state.removeMetadata(key) }
    }

    // MARK: Parameters

    /// The number of weights and biases, and of γ and β where batch normalization is enabled.
    public var parameterCount: Int {
        get throws(BackpropError) { try handle.read { (state) throws(BackpropError) in state.parameterCount } }
    }

    /// Returns all parameters [parameterCount]: for each layer the weights [outputs × inputs], the biases [outputs] and, where
    /// batch normalization is enabled, γ [outputs] and β [outputs].
    public func parameters() throws(BackpropError) -> [Float] {
        try handle.read { (state) throws(BackpropError) in
            var flat = [Float](repeating: 0, count: state.parameterCount)
            try state.getParameters(&flat, count: flat.count)
            return flat
        }
    }

    /// Replaces all parameters. The running statistics of batch normalization stay.
    ///
    /// - Parameter parameters: [parameterCount], in the order of `parameters()`, all finite.
    /// - Throws: `.mismatch` for another count; `.notFinite`.
    public func setParameters(_ parameters: [Float]) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in
            try state.setParameters(parameters, count: parameters.count)
        }
    }

    // MARK: Files

    /// Saves the network as a safetensors file. The file is replaced completely or not at all. Activations are saved by name.
    ///
    /// - Throws: `.io`, with the operating system's error number; `.invalidValue` for an empty path or one with a null
    ///   character.
    public func save(to path: String) throws(BackpropError) {
        try handle.save(try CString(path))
    }

    /// Loads weights from any safetensors file whose tensors have the names and shapes of this network's model files. All
    /// settings and the step count stay. `backprop.h` describes accepted types at `bp_network_load_weights`.
    ///
    /// - Throws: `.io`, `.notAModel`, `.corrupt` and `.version` for the file; `.mismatch` for a tensor that is missing or has
    ///   another shape or type; `.notFinite`; `.limit`; `.invalidValue` for the path.
    public func loadWeights(from path: String) throws(BackpropError) {
        try handle.loadWeights(.file(try CString(path)))
    }

    /// Loads weights from the bytes of a safetensors file, as `loadWeights(from:)` does from a file.
    public func loadWeights(bytes: [UInt8]) throws(BackpropError) {
        try bytes.withUnsafeBufferPointer { (bytes) throws(BackpropError) in try handle.loadWeights(.memory(bytes)) }
    }

    /// Loads the weights and biases of one layer from any safetensors file, by the names of their tensors there.
    ///
    /// - Parameters:
    ///   - layer: 1 to `layers.count - 1`.
    ///   - path: The file.
    ///   - weight: The name of the weights [outputs × inputs], such as "0.weight" or "model.fc1.weight".
    ///   - bias: The name of the biases [outputs]; `nil` for a layer without: the biases become 0.
    /// - Throws: `.invalidValue` for the layer or the path; `.unknownName` for a name that the file does not have; otherwise as
    ///   `loadWeights(from:)`.
    public func loadLayer(_ layer: Int, from path: String, weight: String, bias: String?) throws(BackpropError) {
        try handle.loadWeights(.file(try CString(path)), layer: LayerSource(layer, weight: weight, bias: bias))
    }

    /// Loads the weights and biases of one layer from the bytes of a safetensors file, as `loadLayer(_:from:weight:bias:)` does
    /// from a file.
    public func loadLayer(_ layer: Int, bytes: [UInt8], weight: String, bias: String?) throws(BackpropError) {
        try bytes.withUnsafeBufferPointer { (bytes) throws(BackpropError) in
            try handle.loadWeights(.memory(bytes), layer: LayerSource(layer, weight: weight, bias: bias))
        }
    }

    /// Loads a network from a file that `save` wrote. Registered activations that it uses must be registered first.
    ///
    /// A loss that is not registered is an error of the methods that need it, such as `evaluate`.
    ///
    /// - Throws: `.io`, `.notAModel`, `.corrupt` and `.version` for the file; `.unknownName` for an activation that is not
    ///   registered; `.limit`; `.invalidValue` for the path.
    public static func load(from path: String) throws(BackpropError) -> Network {
        try Network(owning: try NetworkState.load(try CString(path)))
    }
}

/// Files by the operating system's representation of a path: bytes that end with a NUL and need not be UTF-8.
/// `URL.withUnsafeFileSystemRepresentation` and `FilePath.withPlatformString` provide it.
extension Network {
    /// Saves the network, as `save(to:)` with a `String` does.
    public func save(to path: UnsafePointer<CChar>) throws(BackpropError) {
        try handle.save(CString(path))
    }

    /// Loads weights, as `loadWeights(from:)` with a `String` does.
    public func loadWeights(from path: UnsafePointer<CChar>) throws(BackpropError) {
        try handle.loadWeights(.file(CString(path)))
    }

    /// Loads the weights and biases of one layer, as `loadLayer(_:from:weight:bias:)` with a `String` does.
    public func loadLayer(
        _ layer: Int, from path: UnsafePointer<CChar>, weight: String, bias: String?
    ) throws(BackpropError) {
        try handle.loadWeights(.file(CString(path)), layer: LayerSource(layer, weight: weight, bias: bias))
    }

    /// Loads a network, as `load(from:)` with a `String` does.
    public static func load(from path: UnsafePointer<CChar>) throws(BackpropError) -> Network {
        try Network(owning: try NetworkState.load(CString(path)))
    }
}

extension NetworkState {
    /// Returns the number of rows that `inputs` elements are.
    @inline(__always)
    fileprivate func rows(_ inputs: Int) throws(BackpropError) -> Int {
        if inputs == inputCount { return 1 }  // a division takes longer than a small network's step
        guard inputs % inputCount == 0 else { throw wrongCount(inputs) }
        return inputs / inputCount
    }

    /// Returns the number of rows, for arrays of `inputs` and `targets` elements.
    @inline(__always)
    func rows(_ inputs: Int, _ targets: Int, _ what: StaticString = "targets") throws(BackpropError) -> Int {
        let rows = try rows(inputs)
        try requireCount(targets, rows * targetCount, what)
        return rows
    }

    @inline(__always)
    fileprivate func requireCount(_ count: Int, _ expected: Int, _ name: StaticString) throws(BackpropError) {
        guard count == expected else { throw wrongCount(count, expected, name) }
    }

    @inline(never)
    private func wrongCount(_ inputs: Int) -> BackpropError {
        BackpropError(.invalidValue, "inputs: a count of \(inputs) is not a multiple of the \(inputCount) inputs")
    }

    @inline(never)
    private func wrongCount(_ count: Int, _ expected: Int, _ name: StaticString) -> BackpropError {
        BackpropError(.invalidValue, "\(name): expected \(expected) numbers, got \(count)")
    }
}
