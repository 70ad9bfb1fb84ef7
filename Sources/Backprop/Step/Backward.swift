import CKernels
import CPlatform

extension NetworkState {
    /// The backward pass, from the loss to the first layer that is not frozen, with the old weights. It stores in the workspace each layer's δ,
    /// the gradient with respect to the weighted sums, and the gradients of γ and β (notes, §2 (c) and §3).
    ///
    ///     δ = (ŷ − y) σ′(z)                  the last layer
    ///     γ = (Σ δ v) σ′(z)                  the layers before it: the notes' γᵢₘ
    ///
    /// `gammaStep`: the learning rate of γ where γ and β step before the weights (option batchnorm_update 1), otherwise nil.
    func backward(
        targets: UnsafePointer<Float>, weights: UnsafePointer<Float>?, rows: Int, in workspace: Workspace,
        gammaStep: Float?
    ) throws(BackpropError) {
        let last = layers.count - 1
        let fused = loss.isFused(with: layers[last].activation)
        let delta = workspace.layers[last].delta.base
        let scale = lossScale(rows: workspace.batchRows)
        if let function = loss.builtIn {
            lossGradient(
                function, fused: fused, a: workspace.layers[last].a.base, targets: targets, weights: weights, d: delta,
                rows: rows, scale: scale)
        } else if let gradients = workspace.lossBuffers?.gradients.base {
            for row in 0..<rows {
                let scale = scale * (weights?[row] ?? 1)
                for k in 0..<outputCount { delta[row * layers[last].stride + k] = scale * gradients[row * outputCount + k] }
            }
        }
        try backward(rows: rows, fused: fused, in: workspace, gammaStep: gammaStep)
    }

    /// The backward pass from the last layer's δ in the workspace, which contains the gradient with respect to the outputs
    /// or, if `fused`, with respect to the last layer's z. `inputGradients`, [rows × inputs], receives the gradient with
    /// respect to the inputs; the pass then includes frozen layers at the start.
    func backward(
        rows: Int, fused: Bool, in workspace: Workspace, gammaStep: Float?,
        inputGradients: UnsafeMutablePointer<Float>? = nil
    ) throws(BackpropError) {
        let last = layers.count - 1
        let first = inputGradients == nil ? firstTrainable : 0
        func propagate(_ index: Int, _ start: Int, _ count: Int) {
            if index > first || inputGradients != nil { self.propagate(index, start, count, in: workspace, inputGradients) }
        }
        var index = last
        while index >= first {
            let stop =
                workspace.overlapped != nil ? index : layers[first...index].lastIndex { $0.needsAllRows } ?? first - 1
            forEachRowBlock(of: rows) { start, count in
                var i = index
                while i > stop {
                    let code = i < last || !fused ? differentiate(i, start, count, in: workspace) : 0
                    if code != 0 { return workspace.failure.note(code, layer: i, row: start) }
                    propagate(i, start, count)
                    i -= 1
                }
            }
            try workspace.failure.check(" in its backward pass") { layers[$0].activation }
            if stop >= first {
                let isFused = fused && stop == last
                try finishBackward(
                    stop, rows: rows, fused: isFused, in: workspace, gammaStep: layers[stop].isTrainable ? gammaStep : nil,
                    propagate)
            }
            index = stop - 1
        }
    }

    /// Finishes a layer that needs all rows at once: for a callback that is not thread-safe, for the sums of batch
    /// normalization, or for an exchange of its gradient.
    private func finishBackward(
        _ index: Int, rows: Int, fused: Bool, in workspace: Workspace, gammaStep: Float?,
        _ propagate: (_ index: Int, _ start: Int, _ count: Int) -> Void
    ) throws(BackpropError) {
        let layer = layers[index]
        let layerBuffers = workspace.layers[index]
        let stride = layer.stride
        if !layer.activation.isThreadSafe {
            let code = rows > 0 ? differentiate(index, 0, rows, in: workspace) : 0
            workspace.failure.note(code, layer: index, row: 0)
        } else if !fused {
            forEachRowBlock(of: rows) { start, count in
                workspace.failure.note(differentiate(index, start, count, in: workspace), layer: index, row: start)
            }
        }
        try workspace.failure.check(" in its backward pass") { layers[$0].activation }
        guard let norm = layer.norm, let buffers = layerBuffers.norm else {
            try startExchange(index, rows: rows, in: workspace)
            forEachRowBlock(of: rows) { start, count in propagate(index, start, count) }
            return
        }
        if layer.isTrainable {
            computeNormGradients(layerBuffers.delta.base, rows: rows, stride: stride, norm, buffers, gammaStep: gammaStep)
            try combineGradients(layer, buffers, in: workspace)
        }
        let gamma = gammaStep == nil ? norm.gamma.base : buffers.newGamma
        forEachRowBlock(of: rows) { start, count in
            let at = start * stride
            if workspace.usesBatchStatistics(layer) {
                kernels.denormalize(
                    layerBuffers.delta.base + at, buffers.normalized.base + at, count, workspace.batchRows, stride,
                    buffers.inverseDeviation, buffers.gammaGradient, buffers.betaGradient)
            } else {  // the running statistics do not depend on the rows
                kernels.scale_and_shift(layerBuffers.delta.base + at, count, stride, buffers.inverseDeviation, buffers.zeros)
            }
            // By the old γ, which δ does not contain yet.
            propagate(index, start, count)
            kernels.scale_and_shift(layerBuffers.delta.base + at, count, stride, gamma, buffers.zeros)
        }
        try startExchange(index, rows: rows, in: workspace)
    }

    /// Replaces, in δ, the gradient with respect to a by the gradient with respect to the activation's argument. Returns 0,
    /// or the code with which a callback failed.
    private func differentiate(_ index: Int, _ start: Int, _ count: Int, in workspace: Workspace) -> Int32 {
        let layer = layers[index]
        let layerBuffers = workspace.layers[index]
        let at = start * layer.stride
        switch layer.activation {
        case .builtIn(let function):
            kernels.differentiate(
                function.kind, layerBuffers.z.base + at, layerBuffers.a.base + at, layerBuffers.delta.base + at, count,
                layer.outputs, layer.stride)
            return 0
        case .plugin(let plugin, _):
            return plugin.backward(
                layerBuffers.z.base + at, layerBuffers.a.base + at, layerBuffers.delta.base + at, rows: count,
                columns: layer.outputs, packing: layerBuffers.packing, place: start * layer.outputs)
        }
    }

    /// Multiplies δ by the old weights: the gradient with respect to the outputs of the layer below, or to the inputs.
    private func propagate(
        _ index: Int, _ start: Int, _ count: Int, in workspace: Workspace, _ inputGradients: UnsafeMutablePointer<Float>?
    ) {
        guard let target = index > 0 ? workspace.layers[index - 1].delta.base : inputGradients else { return }
        let layer = layers[index]
        let below = index > 0 ? layers[index - 1].stride : inputCount
        let delta = workspace.layers[index].delta.base + start * layer.stride
        // Transposing costs about as much for each weight as for each number of δ, and twice as much for the products.
        if index > 0, layer.norm == nil, layer.outputs <= CP_FEW_OUTPUTS,
            layer.inputs * layer.outputs <= count * (layer.outputs + 2 * layer.inputs)
        {
            kernels.backward_rows(
                delta, layer.stride, count, layer.inputs, layer.outputs, layer.weights.base, target + start * below, below)
            return applyDropoutToGradient(index - 1, start, count, in: workspace)
        }
        let transposed = workspace.transposed.base + start * widestStride
        kernels.transpose(
            delta, layer.stride, count, layer.outputs, layer.norm?.gamma.base, transposed)
        kernels.backward(
            transposed, count, layer.inputs, layer.outputs, layer.weights.base, target + start * below, below)
        if index > 0 { applyDropoutToGradient(index - 1, start, count, in: workspace) }
    }

    /// Computes ∂f/∂γ and ∂f/∂β from ∂f/∂ẑ and, with `gammaStep`, the new γ (notes, §5).
    private func computeNormGradients(
        _ delta: UnsafePointer<Float>, rows: Int, stride: Int, _ norm: Normalization, _ buffers: NormWorkspace,
        gammaStep: Float?
    ) {
        kernels.batch_gradients(
            delta, buffers.normalized.base, rows, stride, buffers.gammaGradient, buffers.betaGradient)
        if let gammaStep {
            cp_copy(buffers.newGamma, norm.gamma.base, stride * 4)
            kernels.step(buffers.newGamma, buffers.gammaGradient, stride, gammaStep)
        }
    }

    /// The factor of each row's gradient: 1, or 1 / rows where the loss of a minibatch is the mean.
    func lossScale(rows: Int) -> Float {
        options[.gradientReduction] == 0 ? 1 : 1 / Float(rows)
    }
}
