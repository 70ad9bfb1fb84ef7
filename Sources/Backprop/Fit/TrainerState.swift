import CPlatform

/// What a trainer is, behind its gate: settings for fits, which a fit in progress keeps from being changed.
package final class TrainerState: Guarded {
    private(set) var options = Options<TrainerOption>()
    private(set) var weights: RowWeights?
    package var progress: ((Progress) -> Int32)?
    private let cancellation: UnsafeMutablePointer<UInt32>

    package init() {
        cancellation = .allocate(capacity: 1)
        cancellation.initialize(to: 0)
    }

    deinit { cancellation.deallocate() }

    // MARK: Behind its gate

    package static var kind: UInt32 { CP_GATE_TRAINER.rawValue }
    package static var noun: String { "trainer" }
    package static var isInFit: StaticString { "the trainer is fitting a network" }
    package var mayCallBack: Bool { false }

    // MARK: Settings

    package func setOption(_ name: String, _ value: Double) throws(BackpropError) {
        try options.set(try TrainerOption.find(name), to: value)
    }

    package func option(_ name: String) throws(BackpropError) -> Double {
        options[try TrainerOption.find(name)]
    }

    /// Copies them; no rows, none.
    package func setRowWeights(_ values: UnsafePointer<Float>?, count: Int) throws(BackpropError) {
        guard let values, count != 0 else {
            weights = nil
            return
        }
        weights = try RowWeights.make(copying: values, count: count)
    }

    // MARK: Fitting

    /// What was cancelled before a fit does not end it.
    func forgetCancellation() { cp_store32(cancellation, 0) }

    /// Ends a fit in progress, from any thread.
    package func cancel() { cp_store32(cancellation, 1) }

    var isCancelled: Bool { cp_load32(cancellation) != 0 }
}
