import CPlatform

extension Parallel {
    /// The number of multiplications from which several threads speed up the product of a single row. Such a product is so
    /// short that only threads that are awake share it.
    private static var worthwhileForRow: Int { 60_000 }

    /// Calls `body` with ranges of a layer's panels that cover all of them, for the product of a single row.
    static func forEachPanelRange(of layer: Layer, _ body: (_ first: Int, _ count: Int) -> Void) {
        // The kernel computes four panels together.
        let shares = layer.inputs * layer.outputs < worthwhileForRow ? 1 : max(1, min(cp_thread_count(), layer.panels / 4))
        run(shares, parallel: true, brief: true) { share in
            let first = layer.panels * share / shares
            body(first, layer.panels * (share + 1) / shares - first)
        }
    }
}
