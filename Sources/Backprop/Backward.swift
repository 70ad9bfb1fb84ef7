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
        targets: UnsafePointer<Float>, rows: Int, in workspace: Workspace, gammaStep: Float?
    ) throws(BackpropError) {
        let last = layers.count - 1
        let fused = loss.isFused(with: layers[last].activation)
        loss.gradient(
            fused: fused, a: workspace.layers[last].a.base, targets: targets, d: workspace.layers[last].delta.base,
            rows: rows, columns: outputCount, stride: layers[last].stride, scale: lossScale(rows: rows))

        for index in layers.indices.reversed() {
            let layer = layers[index]
            let own = workspace.layers[index]
            let delta = own.delta.base
            if index < last || !fused { try differentiate(layer, own, rows: rows) }
            if let norm = layer.norm, let buffers = own.norm {
                denormalize(delta, rows: rows, stride: layer.stride, norm, buffers, gammaStep: gammaStep)
            }
            if index > 0 {
                // The layer below sees the old γ and the old weights.
                let rowStride = paddedStride(rows)
                kernels.transpose(
                    delta, layer.stride, rows, layer.outputs, layer.norm?.gamma.base, workspace.transposed.base, rowStride)
                kernels.backward(
                    workspace.transposed.base, rowStride, rows, layer.inputs, layer.outputs, layer.weights.base,
                    workspace.layers[index - 1].delta.base, layers[index - 1].stride)
            }
            if let norm = layer.norm, let buffers = own.norm {
                let gamma = gammaStep == nil ? norm.gamma.base : buffers.newGamma.base
                kernels.scale_and_shift(delta, rows, layer.stride, gamma, buffers.zeros.base)
            }
        }
    }

    /// The gradient for a, in δ's place, becomes that for what entered the activation.
    private func differentiate(_ layer: Layer, _ own: LayerWorkspace, rows: Int) throws(BackpropError) {
        switch layer.activation {
        case .builtIn(let function):
            kernels.differentiate(
                function.kind, own.z.base, own.a.base, own.delta.base, rows, layer.outputs, layer.stride)
        case .plugin(let plugin):
            try own.packing.unsafelyUnwrapped.backward(
                plugin, z: own.z.base, a: own.a.base, d: own.delta.base, rows: rows, columns: layer.outputs)
        }
    }

    /// ∂f/∂ẑ becomes ∂f/∂z but for its factor γ; ∂f/∂γ and ∂f/∂β on the way (notes, §5).
    private func denormalize(
        _ delta: UnsafeMutablePointer<Float>, rows: Int, stride: Int, _ norm: Normalization, _ buffers: NormWorkspace,
        gammaStep: Float?
    ) {
        kernels.batch_gradients(
            delta, buffers.normalized.base, rows, stride, buffers.gammaGradient.base, buffers.betaGradient.base)
        if rows > 1 {
            kernels.denormalize(
                delta, buffers.normalized.base, rows, stride, buffers.inverseDeviation.base, buffers.gammaGradient.base,
                buffers.betaGradient.base)
        } else {  // the running statistics do not depend on the row
            kernels.scale_and_shift(delta, rows, stride, buffers.inverseDeviation.base, buffers.zeros.base)
        }
        if let gammaStep {
            cp_copy(buffers.newGamma.base, norm.gamma.base, stride * 4)
            kernels.step(buffers.newGamma.base, buffers.gammaGradient.base, stride, gammaStep)
        }
    }

    /// 1, or 1 / rows where a minibatch counts as its mean.
    func lossScale(rows: Int) -> Float {
        options[.gradientReduction] == 0 ? 1 : 1 / Float(rows)
    }
}
