import CPlatform

/// How many threads one call may use. Results do not depend on it.
public enum Threads {
    /// The number in force.
    public static var count: Int { cp_thread_count() }

    /// 0 chooses as many as there are processors.
    public static func setCount(_ count: Int) throws(BackpropError) {
        guard count >= 0, count <= Int(CP_MOST_THREADS) else {
            throw BackpropError(.invalidValue, "a thread count is 0 to \(CP_MOST_THREADS), not \(UInt(bitPattern: count))")
        }
        cp_set_thread_count(count)
    }
}

/// Work shared among threads. How it is split never shows in a result: each number is summed by one thread, in one order.
enum Parallel {
    /// Multiplications below which threads cost more than they bring: some microseconds' worth.
    private static var worthwhile: Int { 200_000 }

    /// Rows that pass through the layers together: what they leave in the caches is still there for the next layer.
    private static var rowBlock: Int { 192 }

    static func isWorthwhile(_ multiplications: Int) -> Bool {
        multiplications >= worthwhile && cp_thread_count() > 1
    }

    /// Calls `body` with blocks of rows, at multiples of sixteen, that cover 0 ..< rows.
    static func forEachRowBlock(of rows: Int, multiplicationsPerRow: Int, _ body: (_ start: Int, _ count: Int) -> Void) {
        let threads = isWorthwhile(rows * multiplicationsPerRow) ? cp_thread_count() : 1
        let share = (rows + threads - 1) / threads
        let blocks = (share + rowBlock - 1) / rowBlock * threads
        func start(_ block: Int) -> Int {  // the multiple of sixteen nearest to an even share
            block == blocks ? rows : min(rows, (rows / blocks * block + rows % blocks * block / blocks + 8) & ~15)
        }
        run(blocks, parallel: threads > 1) { block in
            let first = start(block), end = start(block + 1)
            if first < end { body(first, end - first) }
        }
    }

    /// Calls `body` with 0 ..< count, in any order, or from first to last where not parallel. False, and not all done, in
    /// the child where `body` has forked while other threads shared the work; a call on a network then fails at its end.
    @discardableResult
    static func run(_ count: Int, parallel: Bool, brief: Bool = false, _ body: (Int) -> Void) -> Bool {
        guard parallel, count > 1 else {
            for index in 0..<count { body(index) }
            return true
        }
        return runClosure(count, brief, body)
    }
}

/// cp_run_closure, which takes the closure as it is passed: on the stack.
@_silgen_name("cp_run_closure")
private func runClosure(_ count: Int, _ brief: Bool, _ body: (Int) -> Void) -> Bool
