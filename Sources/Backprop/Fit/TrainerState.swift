import CPlatform

/// The state of a trainer behind its gate: settings for fits. They cannot be changed during a fit.
package final class TrainerState: HandleObject {
    private(set) var options = Options<TrainerOption>()
    private(set) var weights: RowWeights?
    package var progress: ((Progress) -> Int32)?
    /// The result of the latest fit that did not fail; nil before the first.
    package var latestResult: FitResult?
    private let cancellation: UnsafeMutablePointer<UInt32>

    package init() {
        cancellation = .allocate(capacity: 1)
        cancellation.initialize(to: 0)
    }

    deinit { cancellation.deallocate() }

    // MARK: Behind its gate

    package static var kind: UInt32 { CP_GATE_TRAINER.rawValue }
    package static var typeName: String { "trainer" }
    package static var busyInFitMessage: StaticString { "the trainer is fitting a network" }
    package var mayCallBack: Bool { false }

    // MARK: Settings

    package func setOption(_ name: String, _ value: Double) throws(BackpropError) {
        try options.set(try TrainerOption.find(name), to: value)
    }

    package func option(_ name: String) throws(BackpropError) -> Double {
        options[try TrainerOption.find(name)]
    }

    /// Copies the weights. If `values` is nil or `count` is 0, the trainer has no row weights.
    package func setRowWeights(_ values: UnsafePointer<Float>?, count: Int) throws(BackpropError) {
        guard let values, count != 0 else {
            weights = nil
            return
        }
        weights = try RowWeights.make(copying: values, count: count)
    }

    // MARK: Fitting

    /// Called at the start of a fit: an earlier `cancel` does not end it.
    func forgetCancellation() { cp_store32(cancellation, 0) }

    /// Ends a fit in progress. Any thread may call it.
    package func cancel() { cp_store32(cancellation, 1) }

    var isCancelled: Bool { cp_load32(cancellation) != 0 }
}
