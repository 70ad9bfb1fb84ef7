import CPlatform

extension Parallel {
    /// Multiplications below which threads cost more than they bring to the product of a single row. It is brief, so that
    /// only threads that are awake are asked.
    private static var worthwhileForRow: Int { 60_000 }

    /// Calls `body` with ranges of a layer's panels, for the product of a single row.
    static func forEachPanelRange(of layer: Layer, _ body: (_ first: Int, _ count: Int) -> Void) {
        // Four panels go side by side in the kernel.
        let shares = layer.inputs * layer.outputs < worthwhileForRow ? 1 : max(1, min(cp_thread_count(), layer.panels / 4))
        run(shares, parallel: true, brief: true) { share in
            let first = layer.panels * share / shares
            body(first, layer.panels * (share + 1) / shares - first)
        }
    }
}
