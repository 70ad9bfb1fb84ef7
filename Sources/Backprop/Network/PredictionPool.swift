import CKernels
import CPlatform

/// What waits for the next prediction: buffers, of which concurrent ones each take their own, and the plan for single rows.
struct PredictionPool: ~Copyable {
    private static let size = 8
    /// The buffers; behind them the plan.
    private let slots: UnsafeMutablePointer<UnsafeMutableRawPointer?>

    init() {
        slots = .allocate(capacity: Self.size + 1)
        slots.initialize(repeating: nil, count: Self.size + 1)
    }

    deinit {
        drain()
        slots.deallocate()
    }

    /// Forgets what is there: for another set of activations it may differ. Nobody else is inside.
    func drain() {
        while take() != nil {}
        guard let plan = cp_exchange_pointer(slots + Self.size, nil) else { return }
        Unmanaged<RowPlan>.fromOpaque(plan).release()
    }

    func take() -> PredictionBuffers? {
        for i in 0..<Self.size where cp_load_pointer(slots + i) != nil {
            if let found = cp_exchange_pointer(slots + i, nil) {
                return Unmanaged<PredictionBuffers>.fromOpaque(found).takeRetainedValue()
            }
        }
        return nil
    }

    func put(_ buffers: PredictionBuffers) {
        let kept = Unmanaged.passRetained(buffers)
        for i in 0..<Self.size where cp_exchange_pointer_if_null(slots + i, kept.toOpaque()) { return }
        kept.release()
    }

    var plan: UnsafePointer<cp_row_plan>? {
        guard let plan = cp_load_pointer(slots + Self.size) else { return nil }
        return Unmanaged<RowPlan>.fromOpaque(plan)._withUnsafeGuaranteedRef { $0.pointer }  // no reference is counted
    }

    /// The first of several that come at the same time stays.
    func keep(_ plan: RowPlan) {
        let kept = Unmanaged.passRetained(plan)
        if !cp_exchange_pointer_if_null(slots + Self.size, kept.toOpaque()) { kept.release() }
    }
}
