import CKernels
import CPlatform

extension NetworkState {
    /// The forward pass of training: stores each layer's z and a in the workspace (notes, §2 (b)). Threads pass blocks of
    /// rows through consecutive layers, up to a layer that needs all rows at once, or whose panels they share.
    func forward(_ inputs: UnsafePointer<Float>, rows: Int, in workspace: Workspace) throws(BackpropError) {
        let threads = threads(rows: rows)
        var index = 0
        while index < layers.count {
            var stop = index, shares = 0
            while stop < layers.count {
                shares = panelShares(of: stop, rows: rows, threads: threads)
                if shares > 0 || layers[stop].needsAllRows { break }
                stop += 1
            }
            let sumsByRows = stop < layers.count && shares == 0
            if index < stop || sumsByRows {
                forEachRowBlock(of: rows) { start, count in
                    for i in index..<stop {
                        computeWeightedSums(i, inputs, start, count, in: workspace)
                        let code = activate(i, start, count, in: workspace)
                        if code != 0 { return workspace.failure.note(code, layer: i, row: start) }
                    }
                    if sumsByRows { computeWeightedSums(stop, inputs, start, count, in: workspace) }
                }
                try workspace.failure.check(" in its forward pass") { layers[$0].activation }
            }
            if stop < layers.count {
                if shares > 0 { forwardByPanels(stop, inputs, rows: rows, shares: shares, in: workspace) }
                try finishForward(stop, rows: rows, in: workspace)
            }
            index = stop + 1
        }
    }

    /// Computes z of a layer, and a if no other panels are needed. The last panels include the padding.
    private func forwardByPanels(
        _ index: Int, _ inputs: UnsafePointer<Float>, rows: Int, shares: Int, in workspace: Workspace
    ) {
        let layer = layers[index]
        let (x, xStride) = input(of: index, inputs, in: workspace)
        Parallel.run(shares, parallel: true) { share in
            let panels = layer.panels(share, of: shares)
            let first = panels.lowerBound * 16
            let z = workspace.layers[index].z.base + first, a = workspace.layers[index].a.base + first
            computeWeightedSums(x, xStride, rows, layer, panels, into: workspace.layers[index].z.base)
            guard layer.activatesPanels else { return }
            let columns = (panels.upperBound == layer.panels ? layer.stride : panels.upperBound * 16) - first
            for at in stride(from: 0, to: rows * layer.stride, by: layer.stride) {
                kernels.activate(layer.activation.kind, z + at, a + at, 1, columns, columns)
            }
        }
    }

    /// Finishes a layer that needs all rows at once, for the statistics of the minibatch or for a callback that is not
    /// thread-safe, or whose panels do not suffice for its activation.
    private func finishForward(_ index: Int, rows: Int, in workspace: Workspace) throws(BackpropError) {
        let layer = layers[index]
        let layerBuffers = workspace.layers[index]
        if layer.activatesPanels { return }
        if let norm = layer.norm, let buffers = layerBuffers.norm {
            try computeStatistics(layer, norm, layerBuffers.z.base, rows: rows, buffers, in: workspace)
        }
        if layer.isNormalized || layer.activation.isThreadSafe {
            forEachRowBlock(of: rows) { start, count in
                if let norm = layer.norm, let buffers = layerBuffers.norm {
                    let z = layerBuffers.z.base + start * layer.stride
                    kernels.normalize(
                        z, count, layer.stride, buffers.mean, buffers.inverseDeviation, norm.gamma.base,
                        norm.beta.base, buffers.normalized.base + start * layer.stride, z)
                }
                if layer.activation.isThreadSafe {
                    workspace.failure.note(activate(index, start, count, in: workspace), layer: index, row: start)
                }
            }
        }
        if !layer.activation.isThreadSafe, rows > 0 {
            workspace.failure.note(activate(index, 0, rows, in: workspace), layer: index, row: 0)
        }
        try workspace.failure.check(" in its forward pass") { layers[$0].activation }
    }

    /// z = Σ w x   (notes, §2)
    private func computeWeightedSums(
        _ index: Int, _ inputs: UnsafePointer<Float>, _ start: Int, _ count: Int, in workspace: Workspace
    ) {
        let layer = layers[index]
        let (x, stride) = input(of: index, inputs, in: workspace)
        computeWeightedSums(
            x + start * stride, stride, count, layer, 0..<layer.panels,
            into: workspace.layers[index].z.base + start * layer.stride)
    }

    /// a = f(z), and dropout. Returns 0, or the code with which a callback failed.
    private func activate(_ index: Int, _ start: Int, _ count: Int, in workspace: Workspace) -> Int32 {
        let layer = layers[index]
        let layerBuffers = workspace.layers[index]
        let at = start * layer.stride
        switch layer.activation {
        case .builtIn(let function):
            kernels.activate(
                function.kind, layerBuffers.z.base + at, layerBuffers.a.base + at, count, layer.outputs, layer.stride)
        case .plugin(let plugin, _):
            let code = plugin.forward(
                layerBuffers.z.base + at, layerBuffers.a.base + at, rows: count, columns: layer.outputs,
                packing: layerBuffers.packing, place: start * layer.outputs)
            if code != 0 { return code }
        }
        applyDropout(index, start, count, in: workspace)
        return 0
    }

    /// Computes μ, σ² and 1 / √(σ² + ε): the statistics of the minibatch, or the running ones (notes, §5).
    private func computeStatistics(
        _ layer: Layer, _ norm: Normalization, _ z: UnsafePointer<Float>, rows: Int, _ buffers: NormWorkspace,
        in workspace: Workspace
    ) throws(BackpropError) {
        let stride = layer.stride
        let isCombined = workspace.workers != nil && layer.isTrainable
        let isOfBatch = workspace.usesBatchStatistics(layer)
        if isCombined || isOfBatch {
            if rows > 0 { kernels.batch_statistics(z, rows, stride, buffers.mean, buffers.variance) }
            if isCombined { try combineStatistics(layer, rows: rows, buffers, in: workspace) }
        }
        if !isOfBatch {
            if isCombined { cp_copy(buffers.rowOfOther, buffers.mean, stride * 4) }
            cp_copy(buffers.mean, norm.runningMean.base, stride * 4)
            cp_copy(buffers.variance, norm.runningVariance.base, stride * 4)
        }
        let epsilon = Float(options[.batchnormEpsilon])
        for i in 0..<stride {
            buffers.inverseDeviation[i] = 1 / (buffers.variance[i] + epsilon).squareRoot()
        }
        if isCombined, !isOfBatch, rows == 0 { buffers.normalizeRowOfOther() }
    }

    /// Returns the matrix that the weights of a layer multiply, and its row stride.
    func input(
        of index: Int, _ inputs: UnsafePointer<Float>, in workspace: Workspace
    ) -> (x: UnsafePointer<Float>, stride: Int) {
        if index == 0 { return (inputs, inputCount) }
        let below = workspace.layers[index - 1]
        let thinned = workspace.dropoutKey == nil ? nil : below.dropout?.thinned.base
        return (UnsafePointer(thinned ?? below.a.base), layers[index - 1].stride)
    }

    /// Calls `body` with blocks of rows, on several threads where that is worthwhile.
    func forEachRowBlock(of rows: Int, _ body: (_ start: Int, _ count: Int) -> Void) {
        Parallel.forEachRowBlock(of: rows, multiplicationsPerRow: weightCount, body)
    }
}
