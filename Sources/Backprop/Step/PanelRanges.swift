import CPlatform

extension Layer {
    /// The number of threads that share the panels: the kernel computes four panels together.
    var panelShares: Int { max(1, min(cp_thread_count(), panels / 4)) }

    func panels(ofShare share: Int) -> Range<Int> {
        let shares = panelShares
        return panels * share / shares..<panels * (share + 1) / shares
    }

    /// Calls `body` with ranges of panels that cover all of them, for products of `rows` rows. `brief`: see `Parallel.run`.
    func forEachPanelRange(rows: Int = 1, brief: Bool, _ body: (_ panels: Range<Int>) -> Void) {
        guard rows * inputs * outputs >= Self.worthwhile else { return body(0..<panels) }
        Parallel.run(panelShares, parallel: true, brief: brief) { body(panels(ofShare: $0)) }
    }

    /// The number of multiplications from which threads that are awake speed up a product.
    private static var worthwhile: Int { 60_000 }

    /// Whether the activation of a panel needs no other panels, nor anything but z.
    var activatesPanels: Bool { !isNormalized && dropout == 0 && !activation.isPlugin && !activation.is(.softmax) }
}

extension NetworkState {
    /// Whether the threads of a training step share a layer's panels, instead of the rows. Each thread then uses and changes the
    /// same weights in every step, so that they stay in its cache. The rows of x and z move to the other caches instead, but not
    /// the inputs of the network, which do not change.
    func sharesPanels(of index: Int, rows: Int) -> Bool {
        let layer = layers[index], threads = cp_thread_count()
        let moved = rows * (layer.outputs + (index == 0 ? 0 : layer.inputs))
        return threads > 1 && layer.panelShares >= min(threads, (rows + 15) / 16) && layer.inputs * layer.outputs > moved
            && Parallel.isWorthwhile(Int64(rows) * Int64(weightCount))
    }
}
