import CPlatform

extension NetworkState {
    /// All layers' steps at once, from the δ of the backward pass.
    ///
    ///     V⁽ᵗ⁺¹⁾ = V⁽ᵗ⁾ − α h δᵀ,  W⁽ᵗ⁺¹⁾ = W⁽ᵗ⁾ − α x γᵀ   (notes, §2)
    func update(_ inputs: UnsafePointer<Float>, rows: Int, rate: Float, in workspace: Workspace) {
        forEachProduct(inputs, in: workspace) { index, layer, x, xStride in
            let own = workspace.layers[index]
            kernels.update(
                x, xStride, rows, layer.inputs, own.delta.base, layer.stride, layer.weights.base, layer.panels, rate)
            stepNormalization(layer, own, rate: rate)
        }
        moveRunningStatistics(rows: rows, in: workspace)
        finishStep()
    }

    /// The gradients of all weights, in the workspace.
    func collectGradient(_ inputs: UnsafePointer<Float>, rows: Int, in workspace: Workspace) {
        forEachProduct(inputs, in: workspace) { index, layer, x, xStride in
            kernels.gradient(
                x, xStride, rows, layer.inputs, workspace.layers[index].delta.base, layer.stride,
                workspace.gradients[index].values.base, layer.panels)
        }
    }

    /// γ −= α ∂f/∂γ, β −= α ∂f/∂β   (notes, §5)
    func stepNormalization(_ layer: Layer, _ own: LayerWorkspace, rate: Float) {
        guard let norm = layer.norm, let buffers = own.norm else { return }
        kernels.step(norm.gamma.base, buffers.gammaGradient.base, layer.stride, rate)
        kernels.step(norm.beta.base, buffers.betaGradient.base, layer.stride, rate)
    }

    /// Moves the running statistics toward those of the minibatch, or toward a single row.
    func moveRunningStatistics(rows: Int, in workspace: Workspace) {
        let momentum = Float(options[.batchnormMomentum])
        for index in layers.indices {
            let layer = layers[index]
            guard let norm = layer.norm, let buffers = workspace.layers[index].norm else { continue }
            let mean = norm.runningMean.base
            let variance = norm.runningVariance.base
            if rows > 1 {
                let unbiased = Float(rows) / Float(rows - 1)
                for i in 0..<layer.outputs {
                    mean[i] += momentum * (buffers.mean.base[i] - mean[i])
                    variance[i] += momentum * (unbiased * buffers.variance.base[i] - variance[i])
                }
            } else {  // exponentially weighted mean and variance of single values (Finch 2009)
                for i in 0..<layer.outputs {
                    let distance = buffers.distance(i)
                    mean[i] += momentum * distance
                    variance[i] = (1 - momentum) * (variance[i] + momentum * distance * distance)
                }
            }
        }
    }

    func finishStep() {
        steps &+= 1
        isPristine = false
    }

    /// Calls `body` with each layer and the x its weights were multiplied with.
    private func forEachProduct(
        _ inputs: UnsafePointer<Float>, in workspace: Workspace,
        _ body: (_ index: Int, _ layer: Layer, _ x: UnsafePointer<Float>, _ xStride: Int) -> Void
    ) {
        var x = inputs
        var xStride = inputCount
        for index in layers.indices {
            body(index, layers[index], x, xStride)
            x = UnsafePointer(workspace.layers[index].a.base)
            xStride = layers[index].stride
        }
    }
}
