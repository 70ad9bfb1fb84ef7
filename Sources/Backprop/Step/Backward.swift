import CKernels
import CPlatform

extension NetworkState {
    /// From the loss back to the first layer, with the weights as they are: afterwards each layer's δ, the gradient for
    /// its weighted sums, is in the workspace, and the gradients of γ and β beside it (notes, §2 (c) and §3).
    ///
    ///     δ = (ŷ − y) σ′(z)                  the last layer
    ///     γ = (Σ δ v) σ′(z)                  the layers before it: the notes' γᵢₘ
    ///
    /// `gammaStep`: the rate of γ's own step, where γ and β step before the weights (option batchnorm_update 1).
    func backward(
        targets: UnsafePointer<Float>, weights: UnsafePointer<Float>?, rows: Int, in workspace: Workspace,
        gammaStep: Float?
    ) throws(BackpropError) {
        let last = layers.count - 1
        let fused = loss.isFused(with: layers[last].activation)
        loss.gradient(
            fused: fused, a: workspace.layers[last].a.base, targets: targets, weights: weights,
            d: workspace.layers[last].delta.base, rows: rows, columns: outputCount, stride: layers[last].stride,
            scale: lossScale(rows: rows))

        var index = last
        while index >= 0 {
            let stop = layers[...index].lastIndex { $0.needsAllRows } ?? -1
            forEachRowBlock(of: rows) { start, count in
                var i = index
                while i > stop {
                    let code = i < last || !fused ? differentiate(i, start, count, in: workspace) : 0
                    if code != 0 { return workspace.failure.note(code, layer: i, row: start) }
                    propagate(i, start, count, in: workspace)
                    i -= 1
                }
            }
            try workspace.failure.check("backward") { layers[$0].activation }
            if stop >= 0 {
                let isFused = fused && stop == last
                try finishBackward(stop, rows: rows, fused: isFused, in: workspace, gammaStep: gammaStep)
            }
            index = stop - 1
        }
    }

    /// A layer that needs all rows at once: the host's derivative, and the sums of batch normalization.
    private func finishBackward(
        _ index: Int, rows: Int, fused: Bool, in workspace: Workspace, gammaStep: Float?
    ) throws(BackpropError) {
        let layer = layers[index]
        let own = workspace.layers[index]
        let stride = layer.stride
        if !layer.activation.isThreadSafe {
            workspace.failure.note(differentiate(index, 0, rows, in: workspace), layer: index, row: 0)
        } else if !fused {
            forEachRowBlock(of: rows) { start, count in
                workspace.failure.note(differentiate(index, start, count, in: workspace), layer: index, row: start)
            }
        }
        try workspace.failure.check("backward") { layers[$0].activation }
        guard let norm = layer.norm, let buffers = own.norm else {
            forEachRowBlock(of: rows) { start, count in propagate(index, start, count, in: workspace) }
            return
        }
        measureGradients(own.delta.base, rows: rows, stride: stride, norm, buffers, gammaStep: gammaStep)
        let gamma = gammaStep == nil ? norm.gamma.base : buffers.newGamma
        forEachRowBlock(of: rows) { start, count in
            let at = start * stride
            if rows > 1 {
                kernels.denormalize(
                    own.delta.base + at, buffers.normalized.base + at, count, rows, stride, buffers.inverseDeviation,
                    buffers.gammaGradient, buffers.betaGradient)
            } else {  // the running statistics do not depend on the row
                kernels.scale_and_shift(own.delta.base, 1, stride, buffers.inverseDeviation, buffers.zeros)
            }
            propagate(index, start, count, in: workspace)  // through the old γ, which δ does not hold yet
            kernels.scale_and_shift(own.delta.base + at, count, stride, gamma, buffers.zeros)
        }
    }

    /// The gradient for a, in δ's place, becomes that for what entered the activation. 0, or the code with which a host's
    /// function failed.
    private func differentiate(_ index: Int, _ start: Int, _ count: Int, in workspace: Workspace) -> Int32 {
        let layer = layers[index]
        let own = workspace.layers[index]
        let at = start * layer.stride
        switch layer.activation {
        case .builtIn(let function):
            kernels.differentiate(
                function.kind, own.z.base + at, own.a.base + at, own.delta.base + at, count, layer.outputs, layer.stride)
            return 0
        case .plugin(let plugin, _):
            return plugin.backward(
                own.z.base + at, own.a.base + at, own.delta.base + at, rows: count, columns: layer.outputs,
                packing: own.packing, place: start * layer.outputs)
        }
    }

    /// δ times the old weights: the gradient for the outputs of the layer below.
    private func propagate(_ index: Int, _ start: Int, _ count: Int, in workspace: Workspace) {
        guard index > 0 else { return }
        let layer = layers[index]
        let below = layers[index - 1].stride
        let transposed = workspace.transposed.base + start * widestStride
        kernels.transpose(
            workspace.layers[index].delta.base + start * layer.stride, layer.stride, count, layer.outputs,
            layer.norm?.gamma.base, transposed)
        kernels.backward(
            transposed, count, layer.inputs, layer.outputs, layer.weights.base,
            workspace.layers[index - 1].delta.base + start * below, below)
        thinGradient(index - 1, start, count, in: workspace)
    }

    /// ∂f/∂γ and ∂f/∂β from ∂f/∂ẑ; and γ after its own step (notes, §5).
    private func measureGradients(
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

    /// 1, or 1 / rows where a minibatch counts as its mean.
    func lossScale(rows: Int) -> Float {
        options[.gradientReduction] == 0 ? 1 : 1 / Float(rows)
    }
}
