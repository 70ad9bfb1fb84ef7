import CPlatform

/// The number of threads that one call may use, the calling thread included. Results do not depend on it.
public enum Threads {
    /// The number that was set, or that the library chose.
    public static var count: Int { cp_thread_count() }

    /// Sets the number of threads, for later calls of all networks.
    ///
    /// - Parameter count: 1 to 256, or 0 for the number of processors (the default).
    /// - Throws: `.invalidValue` for a count out of range.
    public static func setCount(_ count: Int) throws(BackpropError) {
        guard count >= 0, count <= Int(CP_MOST_THREADS) else {
            throw BackpropError(.invalidValue, "a thread count must be 0 to \(CP_MOST_THREADS), not \(UInt(bitPattern: count))")
        }
        cp_set_thread_count(count)
    }
}

/// Distribution of work among threads. Results do not depend on it: each sum is computed by one thread, in a fixed order.
enum Parallel {
    /// The number of multiplications from which several threads are faster: some microseconds of work.
    private static var worthwhile: Int { 400_000 }

    /// The number of rows that pass through the layers together: so few that the outputs of a layer stay in the caches for the
    /// next layer.
    private static var rowBlock: Int { 192 }

    /// The number of threads for some work: 1 if that is faster.
    static func threads(for multiplications: Int64) -> Int { multiplications >= worthwhile ? cp_thread_count() : 1 }

    /// Calls `body` with blocks of rows, at multiples of sixteen, that cover 0 ..< rows.
    static func forEachRowBlock(of rows: Int, multiplicationsPerRow: Int, _ body: (_ start: Int, _ count: Int) -> Void) {
        let threads = threads(for: Int64(rows) * Int64(multiplicationsPerRow))
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

    /// Calls `body` with 0 ..< count: in any order on several threads if parallel, otherwise in ascending order. Returns false,
    /// with some calls not made, in the child process if `body` has forked while other threads shared the work. A call on a
    /// network then fails at its end. `brief`: the work is so short that only threads that are awake share it.
    @discardableResult
    static func run(_ count: Int, parallel: Bool, brief: Bool = false, _ body: (Int) -> Void) -> Bool {
        guard parallel, count > 1 else {
            for index in 0..<count { body(index) }
            return true
        }
        return runClosure(count, brief, body)
    }
}

/// cp_run_closure of CPlatform, which receives the closure on the stack.
@_silgen_name("cp_run_closure")
private func runClosure(_ count: Int, _ brief: Bool, _ body: (Int) -> Void) -> Bool
