import CPlatform

/// The buffers of runs: on the thread's stack, or, for wide layers, from a pool that runs share.
final class RunWorkspace {
    /// The number of floats that a run may take from the stack, 64 KiB.
    private static var stackSize: Int { 16384 }
    private static var mostRows: Int { 64 }
    private static var poolSize: Int { 16 }

    /// The number of floats of the widest row, padding included.
    let widest: Int
    /// Pointers to the pool's buffers, each of one row; nil where a run uses the buffer.
    private let slots: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    private let pool: Floats

    private var isWide: Bool { 2 * widest > Self.stackSize }

    private init(widest: Int, pool: consuming Floats) {
        self.widest = widest
        slots = .allocate(capacity: Self.poolSize)
        for i in 0..<Self.poolSize { slots[i] = pool.count == 0 ? nil : UnsafeMutableRawPointer(pool.base + i * 2 * widest) }
        self.pool = pool
    }

    deinit { slots.deallocate() }

    static func make(for network: NetworkState) throws(BackpropError) -> RunWorkspace {
        let inputs = network.inputScaling == nil ? 0 : paddedCount(network.inputCount)
        let widest = max(network.widestStride, inputs)
        let isWide = 2 * widest > stackSize
        return RunWorkspace(widest: widest, pool: try Floats(isWide ? try checkedProduct(2 * poolSize, widest) : 0))
    }

    /// Calls `body` with a buffer of 2 × count × `widest` floats, and with this count, at most `rows` rows. Returns false if all
    /// buffers of the pool are in use.
    func withBuffers(rows: Int, _ body: (_ buffer: UnsafeMutablePointer<Float>, _ count: Int) -> Void) -> Bool {
        guard isWide else {
            let count = min(rows, Self.mostRows, Self.stackSize / (2 * widest))
            withStackBuffer(2 * count * widest) { body($0, count) }
            return true
        }
        var loan = cp_loan()
        return withUnsafeMutablePointer(to: &loan) { loan in
            guard cp_borrow(loan, slots, UInt32(Self.poolSize), pool.base, 8 * widest), let buffer = loan.pointee.buffer else {
                return false
            }
            body(buffer.assumingMemoryBound(to: Float.self), 1)
            cp_give_back(loan)
            return true
        }
    }
}

/// cp_with_stack_buffer of CPlatform, which receives the closure on the stack.
@_silgen_name("cp_with_stack_buffer")
private func withStackBuffer(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void)
