import CPlatform

extension NetworkState {
    /// All layers' steps at once, from the δ of the backward pass.
    ///
    ///     V⁽ᵗ⁺¹⁾ = V⁽ᵗ⁾ − α h δᵀ,  W⁽ᵗ⁺¹⁾ = W⁽ᵗ⁾ − α x γᵀ   (notes, §2)
    func update(_ inputs: UnsafePointer<Float>, rows: Int, rate: Float, in workspace: Workspace) {
        forEachPanel(inputs, rows: rows, in: workspace) { layer, x, xStride, delta, offset, _ in
            kernels.update(x, xStride, rows, layer.inputs, delta, layer.stride, layer.weights.base + offset, 1, rate)
        }
        for index in layers.indices { stepNormalization(layers[index], workspace.layers[index], rate: rate) }
        moveRunningStatistics(rows: rows, in: workspace)
        finishStep()
    }

    /// The gradients of all weights, in the workspace.
    func collectGradient(_ inputs: UnsafePointer<Float>, rows: Int, in workspace: Workspace) {
        forEachPanel(inputs, rows: rows, in: workspace) { layer, x, xStride, delta, offset, index in
            kernels.gradient(
                x, xStride, rows, layer.inputs, delta, layer.stride, workspace.gradients[index].values.base + offset, 1)
        }
    }

    /// γ −= α ∂f/∂γ, β −= α ∂f/∂β   (notes, §5)
    func stepNormalization(_ layer: Layer, _ own: LayerWorkspace, rate: Float) {
        guard let norm = layer.norm, let buffers = own.norm else { return }
        kernels.step(norm.gamma.base, buffers.gammaGradient, layer.stride, rate)
        kernels.step(norm.beta.base, buffers.betaGradient, layer.stride, rate)
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
                    mean[i] += momentum * (buffers.mean[i] - mean[i])
                    variance[i] += momentum * (unbiased * buffers.variance[i] - variance[i])
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

    /// Calls `body` with each panel of all weights: its layer, the x it was multiplied with, its columns of δ, and where it
    /// starts in the layer's weights. Panels are shared among threads.
    private func forEachPanel(
        _ inputs: UnsafePointer<Float>, rows: Int, in workspace: Workspace,
        _ body: (
            _ layer: Layer, _ x: UnsafePointer<Float>, _ xStride: Int, _ delta: UnsafePointer<Float>, _ offset: Int,
            _ index: Int
        ) -> Void
    ) {
        var count = 0
        for layer in layers { count += layer.panels }
        Parallel.run(count, parallel: Parallel.isWorthwhile(rows * weightCount)) { number in
            var panel = number
            var index = 0
            while panel >= layers[index].panels {
                panel -= layers[index].panels
                index += 1
            }
            let layer = layers[index]
            let (x, xStride) = input(of: index, inputs, in: workspace)
            body(
                layer, x, xStride, workspace.layers[index].delta.base + panel * 16, layer.index(output: panel * 16, input: 0),
                index)
        }
    }
}
