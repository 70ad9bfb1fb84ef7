import CKernels
import CPlatform

// Another thread may change the number of threads at any time: all choices of a pass between rows and panels use the same number.

extension Layer {
    /// The number of `threads` that can share the panels: the kernel computes four panels together.
    private func mostShares(threads: Int) -> Int { max(1, min(threads, panels / 4)) }

    /// The number of threads that share the panels in the product of a single row.
    var sharesOfRow: Int { inputs * outputs < Self.worthwhile ? 1 : mostShares(threads: cp_thread_count()) }

    /// The number of `threads` that share the panels in a training step; 0 if they share its rows instead.
    ///
    /// A thread that gets the same panels again finds their weights in its cache. The rows of x and z then move to the other
    /// caches, but not the network's inputs, which do not change. So panels are shared if the weights are more than these numbers.
    func panelShares(rows: Int, threads: Int, isFirst: Bool) -> Int {
        guard threads > 1 else { return 0 }
        let most = mostShares(threads: threads), moved = rows * (isFirst ? outputs : inputs + outputs)
        guard most >= min(threads, (rows + 15) / 16), inputs * outputs > moved else { return 0 }
        return rows * inputs * outputs < Self.worthwhile ? 1 : most
    }

    /// The number of multiplications from which threads that are awake speed up a product.
    private static var worthwhile: Int { 60_000 }

    /// The panels of one of `shares` threads.
    func panels(_ share: Int, of shares: Int) -> Range<Int> { panels * share / shares..<panels * (share + 1) / shares }

    /// Whether the activation is built in, and needs nothing but z of its panel.
    var activatesPanels: Bool { !isNormalized && dropout == 0 && !activation.isPlugin && !activation.is(.softmax) }
}

extension NetworkState {
    /// The number of `threads` that share a layer's panels in a training step; 0 if they share its rows instead.
    func panelShares(of index: Int, rows: Int, threads: Int) -> Int {
        layers[index].panelShares(rows: rows, threads: threads, isFirst: index == 0)
    }

    /// z = Σ w x of some panels; z is that of all panels.
    @inline(__always)
    func computeWeightedSums(
        _ x: UnsafePointer<Float>, _ xStride: Int, _ rows: Int, _ layer: Layer, _ panels: Range<Int>,
        into z: UnsafeMutablePointer<Float>
    ) {
        kernels.forward(
            x, xStride, rows, layer.inputs, layer.weights.base + panels.lowerBound * layer.panelSize, panels.count,
            z + panels.lowerBound * 16, layer.stride)
    }

    /// The number of threads for a training step: 1 for a small one.
    func threads(rows: Int) -> Int { Parallel.threads(for: Int64(rows) * Int64(weightCount)) }
}
