/// Runs complete trainings: epochs of minibatches, with a schedule of learning rates, validation, early stopping and
/// restarts.
///
///     let trainer = try Trainer(["epochs": 50, "learning_rate": 0.1])
///     let result = try trainer.fit(network, inputs, targets)
///
/// A trainer may fit any number of networks, one after the other. Every method throws `BackpropError`, `.busy` if it changes
/// the trainer during a fit.
public final class Trainer: Sendable {
    let handle: Handle<TrainerState>

    /// Creates a trainer whose options have their defaults.
    ///
    /// - Throws: `.outOfMemory`.
    public init() throws(BackpropError) { handle = try Handle(owning: TrainerState()) }

    /// Creates a trainer.
    ///
    /// - Parameter options: Values of options by name; all others have their defaults. `backprop.h` lists them at
    ///   `bp_trainer_set_option`.
    /// - Throws: `.unknownName`; `.invalidValue` for a value out of range; `.outOfMemory`.
    public convenience init(_ options: [String: Double]) throws(BackpropError) {
        try self.init()
        for (name, value) in options { try setOption(name, value) }
    }

    deinit { handle.free() }

    /// Sets an option.
    ///
    /// - Throws: `.unknownName`; `.invalidValue` for a value out of range; `.busy` during a fit.
    public func setOption(_ name: String, _ value: Double) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in try state.setOption(name, value) }
    }

    /// Returns the value of an option.
    ///
    /// - Throws: `.unknownName`.
    public func option(_ name: String) throws(BackpropError) -> Double {
        try handle.read { (state) throws(BackpropError) in try state.option(name) }
    }

    /// Sets the weights of the rows in later fits: the loss and the gradient of a row are multiplied by its weight.
    ///
    /// - Parameter weights: [rows], finite, at least 0. An empty array removes the weights.
    /// - Throws: `.invalidValue` for a weight out of range; `.limit`; `.outOfMemory`; `.busy` during a fit.
    public func setRowWeights(_ weights: [Float]) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in try state.setRowWeights(weights, count: weights.count) }
    }

    /// Sets the function that is called after each epoch, and within epochs as options "progress_interval" and
    /// "progress_seconds" say. It runs on the thread that called `fit`.
    ///
    /// - Parameter progress: Returns whether the fit continues. nil removes the function.
    /// - Throws: `.busy` during a fit.
    public func setProgress(_ progress: (@Sendable (Progress) -> Progress.Answer)?) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in
            state.progress = progress.map { progress in { progress($0).code } }
        }
    }

    /// Trains a network. A fit that throws leaves the network as it was.
    ///
    /// - Parameters:
    ///   - network: The network to train. During the fit other threads can read it, but not change it.
    ///   - inputs: [rows × inputs], at least one row.
    ///   - targets: [rows × outputs].
    ///   - validation: Validation rows of the same shapes. nil: option "validation_fraction" may hold out some rows.
    /// - Returns: The loss of the weights that the network keeps, and whether the fit was stopped early.
    /// - Throws: `.invalidValue` for no rows, arrays whose counts do not match, row weights of another count, or settings or
    ///   targets that `Network.checkSettings` refuses; `.unsupported` as `checkSettings`; `.notFinite` for a NaN or an
    ///   infinity in the data or in a step; `.callback` when an activation fails or the progress function aborts; `.busy` if
    ///   the trainer or the network is in a fit already; `.limit`; `.outOfMemory`.
    @discardableResult
    public func fit(
        _ network: Network, _ inputs: [Float], _ targets: [Float],
        validation: (inputs: [Float], targets: [Float])? = nil
    ) throws(BackpropError) -> FitResult {
        try network.withRows(inputs, targets, ifEmpty: "rows is 0: at least 1 is needed") { (rows) throws(BackpropError) in
            guard let validation else { return try handle.fit(network.handle, .rows(rows), validation: nil) }
            return try network.withRows(
                validation.inputs, validation.targets, ifEmpty: "the validation set has no rows"
            ) { (validation) throws(BackpropError) in
                try handle.fit(network.handle, .rows(rows), validation: validation)
            }
        }
    }

    /// Trains several networks on the same rows. Each gets the bits that `fit` with this trainer would give it alone.
    ///
    /// Networks with the same settings are trained 8 or 16 at a time, one in each lane of the vectors; `backprop.h` says at
    /// `bp_trainer_fit_ensemble` which. A fit that throws leaves all networks as they were.
    ///
    /// - Parameters:
    ///   - networks: Different networks with the same layers, at least one.
    ///   - inputs: [rows × inputs], at least one row.
    ///   - targets: [rows × outputs].
    ///   - validation: As in `fit(_:_:_:validation:)`.
    ///   - learningRates: One for each network, instead of option "learning_rate", or nil.
    /// - Returns: A result for each network. One that diverged is unchanged, and its result has the end `.diverged`.
    /// - Throws: As `fit(_:_:_:validation:)`; also `.invalidValue` for no networks, a network that is given twice or another
    ///   number of learning rates; `.mismatch` for other layers; `.unsupported` for option "restarts" or a network with an
    ///   all-reduce function; `.notFinite` if all networks diverge.
    @discardableResult
    public func fit(
        ensemble networks: [Network], _ inputs: [Float], _ targets: [Float],
        validation: (inputs: [Float], targets: [Float])? = nil, learningRates: [Double]? = nil
    ) throws(BackpropError) -> [FitResult] {
        guard let first = networks.first else { throw Self.noNetworks }
        return try first.withRows(inputs, targets, ifEmpty: "rows is 0: at least 1 is needed") { (rows) throws(BackpropError) in
            guard let validation else { return try fit(networks, rows, nil, learningRates) }
            return try first.withRows(
                validation.inputs, validation.targets, ifEmpty: "the validation set has no rows"
            ) { (validation) throws(BackpropError) in try fit(networks, rows, validation, learningRates) }
        }
    }

    private static var noNetworks: BackpropError { BackpropError(.invalidValue, "there are no networks") }

    func fit(
        _ networks: [Network], _ rows: Rows, _ validation: Rows?, _ learningRates: [Double]?
    ) throws(BackpropError) -> [FitResult] {
        if networks.isEmpty { throw Self.noNetworks }
        guard learningRates?.count ?? networks.count == networks.count else {
            throw BackpropError(.invalidValue, "the number of learning rates is not that of the networks")
        }
        var results: [FitResult] = []
        func fit(_ rates: UnsafePointer<Double>?) throws(BackpropError) {
            _ = try handle.fit(
                count: networks.count, { networks[$0].handle }, rates: rates, rows, validation: validation
            ) { results.append($1) }
        }
        if let learningRates {
            try learningRates.withUnsafeBufferPointer { (rates) throws(BackpropError) in try fit(rates.baseAddress) }
        } else {
            try fit(nil)
        }
        return results
    }

    /// Rows of a stream.
    public struct Batch: Sendable {
        /// [rows × inputs], [rows × outputs].
        public var inputs, targets: [Float]
        /// [rows]; nil gives all rows weight 1.
        public var weights: [Float]?

        public init(inputs: [Float], targets: [Float], weights: [Float]? = nil) {
            self.inputs = inputs
            self.targets = targets
            self.weights = weights
        }
    }

    /// Trains a network on a sequence of batches, of which one is in memory. A fit that throws leaves the network as it was.
    ///
    /// Every epoch iterates over the sequence from its start. A fit that is resumed within an epoch first skips the rows of the
    /// finished steps. Rows of a batch after an epoch of option "steps_per_epoch" are not used. If a later epoch finds no rows,
    /// because the sequence can be iterated only once, the fit is stopped.
    ///
    /// Rows are not shuffled. Rows that are sorted, by class for example, train badly: shuffle them in the sequence.
    ///
    /// - Parameters:
    ///   - network: As in `fit(_:_:_:validation:)`.
    ///   - batches: Batches of any numbers of rows. They are divided into minibatches of option "batch_size".
    ///   - validation: Validation rows, or nil.
    /// - Returns: As `fit(_:_:_:validation:)`.
    /// - Throws: As `fit(_:_:_:validation:)`; also `.unsupported` for options that need all rows, which `backprop.h` lists at
    ///   `bp_trainer_fit_stream`; `.invalidValue` for a batch whose counts do not match, or an epoch without rows.
    @discardableResult
    public func fit<Batches: Sequence>(
        _ network: Network, batches: Batches, validation: (inputs: [Float], targets: [Float])? = nil
    ) throws(BackpropError) -> FitResult where Batches.Element == Batch {
        let state = network.handle
        var failure: BackpropError?
        let stream = BatchStream(batches, for: state)
        let next: MinibatchStream.Next = { request in
            do throws(BackpropError) {
                return try stream.fill(&request) ? 0 : 1
            } catch {
                failure = error
                return -1
            }
        }
        do throws(BackpropError) {
            guard let validation else { return try handle.fit(state, .stream(next), validation: nil) }
            return try network.withRows(
                validation.inputs, validation.targets, ifEmpty: "the validation set has no rows"
            ) { (validation) throws(BackpropError) in
                try handle.fit(state, .stream(next), validation: validation)
            }
        } catch {
            throw failure ?? error
        }
    }

    /// Stops a fit in progress before its next step. May be called from any thread, and from the progress function.
    public func cancel() {
        _ = try? handle.read { (state) throws(BackpropError) in state.cancel() }
    }
}

extension Progress {
    /// The result of a progress function.
    public enum Answer: Sendable {
        /// Continues the fit.
        case goOn
        /// Ends the fit. The network gets the weights that option "keep" selects.
        case stop
        /// Ends the fit with the error `.callback` and restores the network. The error's message contains the code, which must
        /// be below 0; any other counts as −1.
        case abort(Int32)

        var code: Int32 {
            switch self {
            case .goOn: 0
            case .stop: 1
            case .abort(let code): code < 0 ? code : -1
            }
        }
    }
}

extension Network {
    /// Calls `body` with the rows of two arrays of matching counts. `ifEmpty`: the message for arrays without rows.
    fileprivate func withRows<Result>(
        _ inputs: [Float], _ targets: [Float], ifEmpty: StaticString,
        _ body: (Rows) throws(BackpropError) -> Result
    ) throws(BackpropError) -> Result {
        let (count, targetCount) = try handle.read { (state) throws(BackpropError) in
            (try state.rows(inputs.count, targets.count), state.targetCount)
        }
        return try inputs.withUnsafeBufferPointer { (x) throws(BackpropError) in
            try targets.withUnsafeBufferPointer { (y) throws(BackpropError) in
                guard let x = x.baseAddress, let y = y.baseAddress else { throw BackpropError(.invalidValue, "\(ifEmpty)") }
                return try body(Rows(inputs: x, targets: y, count: count, targetCount: targetCount))
            }
        }
    }
}
