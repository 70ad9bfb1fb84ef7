/// Trains networks for whole runs: epochs of minibatches, with a schedule, validation, early stopping and restarts.
///
///     let trainer = try Trainer(["epochs": 50, "learning_rate": 0.1])
///     let result = try trainer.fit(network, inputs, targets)
///
/// `backprop.h` lists the options.
public final class Trainer: Sendable {
    private let handle: Handle<TrainerState>

    public init(_ options: [String: Double] = [:]) throws(BackpropError) {
        handle = try Handle(owning: TrainerState())
        for (name, value) in options { try setOption(name, value) }
    }

    deinit { handle.free() }

    public func setOption(_ name: String, _ value: Double) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in try state.setOption(name, value) }
    }

    public func option(_ name: String) throws(BackpropError) -> Double {
        try handle.read { (state) throws(BackpropError) in try state.option(name) }
    }

    /// How much each row counts: [rows]; none, all the same.
    public func setRowWeights(_ weights: [Float]) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in try state.setRowWeights(weights, count: weights.count) }
    }

    /// What is called after each epoch, and within one where options say so, on the thread that fits; nil, nothing.
    public func setProgress(_ progress: (@Sendable (Progress) -> Progress.Answer)?) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in
            state.progress = progress.map { progress in { progress($0).code } }
        }
    }

    /// Trains the network. A fit that fails leaves it as it was.
    @discardableResult
    public func fit(
        _ network: Network, _ inputs: [Float], _ targets: [Float],
        validation: (inputs: [Float], targets: [Float])? = nil
    ) throws(BackpropError) -> FitResult {
        let rows = try network.rows(inputs, targets)
        return try inputs.withUnsafeBufferPointer { (x) throws(BackpropError) in
            try targets.withUnsafeBufferPointer { (y) throws(BackpropError) in
                guard let x = x.baseAddress, let y = y.baseAddress else { throw BackpropError(.invalidValue, "rows is 0") }
                let rows = Rows(inputs: x, targets: y, count: rows)
                guard let validation else { return try handle.fit(network.handle, rows, validation: nil) }
                let validationRows = try network.rows(validation.inputs, validation.targets)
                return try validation.inputs.withUnsafeBufferPointer { (x) throws(BackpropError) in
                    try validation.targets.withUnsafeBufferPointer { (y) throws(BackpropError) in
                        guard let x = x.baseAddress, let y = y.baseAddress else {
                            throw BackpropError(.invalidValue, "the validation set has no rows")
                        }
                        let validation = Rows(inputs: x, targets: y, count: validationRows)
                        return try handle.fit(network.handle, rows, validation: validation)
                    }
                }
            }
        }
    }

    /// Ends a fit in progress on another thread, before its next step.
    public func cancel() {
        _ = try? handle.read { (state) throws(BackpropError) in state.cancel() }
    }
}

extension Progress {
    /// What a progress function says to a report.
    public enum Answer: Sendable {
        case goOn
        /// Ends the fit, which keeps what option "keep" says.
        case stop
        /// Ends the fit with an error, and the network as it was; the code is the program's own, below 0.
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
    fileprivate func rows(_ inputs: [Float], _ targets: [Float]) throws(BackpropError) -> Int {
        try handle.read { (state) throws(BackpropError) in try state.rows(inputs.count, targets.count) }
    }
}
