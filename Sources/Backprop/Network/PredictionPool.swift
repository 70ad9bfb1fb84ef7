import CKernels
import CPlatform

/// The resources that predictions reuse: buffers, separate ones for each concurrent prediction, and the plan for single rows.
struct PredictionPool: ~Copyable {
    private static let size = 8
    /// `size` buffers, followed by the plan.
    private let slots: UnsafeMutablePointer<UnsafeMutableRawPointer?>

    init() {
        slots = .allocate(capacity: Self.size + 1)
        slots.initialize(repeating: nil, count: Self.size + 1)
    }

    deinit {
        drain()
        slots.deallocate()
    }

    /// Releases all buffers and the plan, which depend on the settings. No other thread may use the pool at the same time.
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
        return Unmanaged<RowPlan>.fromOpaque(plan)._withUnsafeGuaranteedRef { $0.pointer }  // avoids reference counting
    }

    /// Keeps a plan. Of several plans kept at the same time, the first stays.
    func keep(_ plan: RowPlan) {
        let kept = Unmanaged.passRetained(plan)
        if !cp_exchange_pointer_if_null(slots + Self.size, kept.toOpaque()) { kept.release() }
    }
}
