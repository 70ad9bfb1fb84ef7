import CKernels
import CPlatform

/// The exchanges of a pass that workers make together: an agreement; sums of batch normalization, forward and then backward; and
/// the gradient with the loss.
extension NetworkState {
    /// Begins a pass that workers make together, of `rows` rows of this one. It allocates all memory of the pass. After the
    /// agreement, the workspace has the number of all workers' rows.
    func beginPass(rows: Int, _ workers: Workers, in workspace: Workspace) throws(BackpropError) {
        try workspace.makeGradients(for: self)
        try workers.reserve(2 * widestStride)
        try workers.agree(fingerprint: fingerprint(.pass), number: Int64(rows), sums: (workers.hasMoreRows ? 1 : 0, 0, 0))
        workspace.workers = workers
        workers.rows = workers.total(before: workers.count)
        workspace.batchRows = workers.rows
        workspace.firstRow = workers.total(before: workers.index)
        guard workers.agreedEnd == nil, workspace.batchRows > 0 else {
            workers.stage = .settled
            throw Workers.noRows
        }
        workers.stage = .pass(0)
    }

    /// Computes mean and variance of the minibatch from those of the workers' rows (Chan, Golub and LeVeque 1979). In double
    /// precision, the sum of squares has digits to spare.
    func combineStatistics(
        _ layer: Layer, rows: Int, _ buffers: NormWorkspace, in workspace: Workspace
    ) throws(BackpropError) {
        guard let workers = workspace.workers else { return }
        let sums = workers.numbers, squares = sums + layer.outputs, share = Double(rows)
        for i in 0..<layer.outputs {
            let mean = rows == 0 ? 0 : Double(buffers.mean[i]), variance = rows == 0 ? 0 : Double(buffers.variance[i])
            sums[i] = share * mean
            squares[i] = share * (variance + mean * mean)
        }
        try workers.addUp(2 * layer.outputs)
        let total = Double(workspace.batchRows)
        for i in 0..<layer.outputs {
            let mean = sums[i] / total
            buffers.mean[i] = Float(mean)
            buffers.variance[i] = Float(max(0, squares[i] / total - mean * mean))
        }
    }

    /// Adds up the gradients of γ and β.
    func combineGradients(_ layer: Layer, _ buffers: NormWorkspace, in workspace: Workspace) throws(BackpropError) {
        guard let workers = workspace.workers else { return }
        let gamma = workers.numbers, beta = gamma + layer.outputs
        for i in 0..<layer.outputs { (gamma[i], beta[i]) = (Double(buffers.gammaGradient[i]), Double(buffers.betaGradient[i])) }
        try workers.addUp(2 * layer.outputs)
        for i in 0..<layer.outputs { (buffers.gammaGradient[i], buffers.betaGradient[i]) = (Float(gamma[i]), Float(beta[i])) }
    }

    /// In a pass whose exchanges overlap: computes the gradient of a layer's weights, whose δ is complete, and starts the exchange of
    /// each bucket as soon as it is complete.
    @inline(never)
    func startExchange(_ index: Int, rows: Int, in workspace: Workspace) throws(BackpropError) {
        guard let (inputs, adding) = workspace.overlapped else { return }
        let layer = layers[index], gradient = workspace.gradients[index]
        if rows == 0 { cp_clear(gradient, layer.weights.count * 4) }
        // About those of a bucket; with fewer than 8 panels, the product is slower.
        let most = max(8, Workers.bucket / layer.panelSize)
        var panel = 0
        while panel < layer.panels {
            let first = panel
            panel = min(first + most, layer.panels)
            if rows > 0, layer.isTrainable {
                Parallel.run((layer.inputs + Self.partSize - 1) / Self.partSize, parallel: true) { part in
                    let start = part * Self.partSize, end = min(start + Self.partSize, layer.inputs)
                    computeGradient(
                        inputs, rows: rows, WeightPart(index, layer, inputs: start..<end, panels: first..<panel), gradient,
                        adding: adding, in: workspace)
                }
            }
            try workspace.startExchanges(until: gradient + panel * layer.panelSize)
        }
    }

    /// Stores the gradients of all weights that are not frozen in the workspace, for the whole minibatch. Returns its loss.
    /// `inputs`: nil if the workspace contains the gradients of this worker's rows already.
    func completeGradient(
        _ inputs: UnsafePointer<Float>?, rows: Int, loss: Double, in workspace: Workspace
    ) throws(BackpropError) -> Double {
        if workspace.overlapped == nil {
            if let inputs, rows > 0 { collectGradient(inputs, rows: rows, in: workspace) }
            if rows == 0 { workspace.gradientBlock?.values.clear() }
        }
        guard let workers = workspace.workers, let block = workspace.gradientBlock else { return loss }
        let loss = try workers.addUp(gradient: block, loss: loss)
        let (values, count) = (block.values.base, block.values.count)
        workspace.largestGradient = Double(kernels.sum_of_magnitudes(values, count))
        guard workspace.largestGradient.isFinite || kernels.areFinite(values, count) else {
            throw BackpropError(.notFinite, "the sum of the workers' gradients or losses is not finite")
        }
        return loss
    }
}
