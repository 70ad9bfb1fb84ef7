import CKernels

extension NetworkState {
    /// Makes the steps of all layers, from the δ of the backward pass.
    ///
    ///     V⁽ᵗ⁺¹⁾ = V⁽ᵗ⁾ − α h δᵀ,  W⁽ᵗ⁺¹⁾ = W⁽ᵗ⁾ − α x γᵀ   (notes, §2)
    func update(_ inputs: UnsafePointer<Float>, rows: Int, rate: Float, in workspace: Workspace) {
        forEachPart(rows: rows) { index, part in
            let layer = layers[index]
            let (x, xStride) = input(of: index, inputs, in: workspace)
            kernels.update(
                x, xStride, rows, part.lowerBound, part.upperBound, layer.inputs, workspace.layers[index].delta.base,
                layer.stride, layer.weights.base, layer.panels, rate)
        }
        for index in layers.indices { stepNormalization(layers[index], workspace.layers[index], rate: rate) }
        updateRunningStatistics(in: workspace)
        finishStep()
    }

    /// Stores the gradients of all weights that are not frozen in the workspace, or adds them to those of the rows before.
    func collectGradient(_ inputs: UnsafePointer<Float>, rows: Int, adding: Bool = false, in workspace: Workspace) {
        forEachPart(rows: rows) { index, part in
            computeGradient(
                inputs, rows: rows, index, part, workspace.gradients[index], adding: adding, nil, in: workspace)
        }
    }

    /// Makes the step of plain descent along the gradients in the workspace.
    func descend(rate: Float, in workspace: Workspace) {
        for index in layers.indices where layers[index].isTrainable {
            let layer = layers[index]
            kernels.step(layer.weights.base, workspace.gradients[index], layer.weights.count, rate)
            stepNormalization(layer, workspace.layers[index], rate: rate)
        }
    }

    /// Computes the gradient of a part of a layer's weights, or makes `step` of them along it.
    @inline(__always)
    func computeGradient(
        _ inputs: UnsafePointer<Float>, rows: Int, _ index: Int, _ part: Range<Int>, _ target: UnsafeMutablePointer<Float>,
        adding: Bool = false, _ step: UnsafePointer<cp_step>?, in workspace: Workspace
    ) {
        let layer = layers[index]
        let (x, xStride) = input(of: index, inputs, in: workspace)
        kernels.gradient(
            x, xStride, rows, part.lowerBound, part.upperBound, layer.inputs, workspace.layers[index].delta.base, layer.stride,
            target, layer.panels, adding ? 1 : 0, step)
    }

    /// γ −= α ∂f/∂γ, β −= α ∂f/∂β   (notes, §5)
    func stepNormalization(_ layer: Layer, _ layerBuffers: LayerWorkspace, rate: Float) {
        guard layer.isTrainable, let norm = layer.norm, let buffers = layerBuffers.norm else { return }
        kernels.step(norm.gamma.base, buffers.gammaGradient, layer.stride, rate)
        kernels.step(norm.beta.base, buffers.betaGradient, layer.stride, rate)
    }

    /// Updates the running statistics of batch normalization from a minibatch, or from a single row.
    func updateRunningStatistics(in workspace: Workspace) {
        let statistics = RunningStatisticsUpdate(rows: workspace.batchRows, momentum: options[.batchnormMomentum])
        for index in layers.indices {
            let layer = layers[index]
            guard layer.isTrainable, let norm = layer.norm, let buffers = workspace.layers[index].norm else { continue }
            for i in 0..<layer.outputs {
                let updated = statistics.updated(i, norm, buffers)
                norm.runningMean.base[i] = updated.mean
                norm.runningVariance.base[i] = updated.variance
            }
        }
    }

    /// Records that a step was made.
    func finishStep() {
        steps &+= 1
        hasInitialWeights = false
    }

    /// Calls `body` with parts of the weights of all layers that are not frozen, on several threads where that is worthwhile. `index` is the
    /// layer; `part` is the range of the layer's inputs whose weights form the part.
    func forEachPart(rows: Int, _ body: (_ index: Int, _ part: Range<Int>) -> Void) {
        let parallel = Parallel.isWorthwhile(Int64(rows) * Int64(weightCount))
        func parts(_ layer: Layer) -> Int {
            !layer.isTrainable ? 0 : parallel ? (layer.inputs + Self.partSize - 1) / Self.partSize : 1
        }
        let count = layers.reduce(0) { $0 + parts($1) }
        Parallel.run(count, parallel: parallel) { number in
            var part = number
            var index = 0
            while part >= parts(layers[index]) {
                part -= parts(layers[index])
                index += 1
            }
            let inputs = layers[index].inputs
            let size = (inputs + parts(layers[index]) - 1) / parts(layers[index])
            body(index, part * size..<min((part + 1) * size, inputs))
        }
    }

    /// The largest number of inputs in a part: a multiple of the kernels' tile height.
    static var partSize: Int { 96 }
}

/// The update of the running statistics by one training step.
struct RunningStatisticsUpdate {
    private let momentum: Float
    private let isSingleRow: Bool
    /// n / (n − 1), which turns the biased variance of n rows into the unbiased one.
    private let unbiased: Float

    init(rows: Int, momentum: Double) {
        self.momentum = Float(momentum)
        isSingleRow = rows == 1
        unbiased = Float(rows) / Float(max(rows - 1, 1))  // never divides by zero, which a host may trap
    }

    /// Returns the running mean and variance of unit i after the step.
    @inline(__always)
    func updated(_ i: Int, _ norm: Normalization, _ buffers: NormWorkspace) -> (mean: Float, variance: Float) {
        let mean = norm.runningMean.base[i], variance = norm.runningVariance.base[i]
        if isSingleRow {  // exponentially weighted mean and variance of single values (Finch 2009)
            let distance = buffers.distance(i)
            return (
                settled(mean + momentum * distance), settled((1 - momentum) * (variance + momentum * distance * distance))
            )
        }
        return (
            settled(mean + momentum * (buffers.mean[i] - mean)),
            settled(variance + momentum * (unbiased * buffers.variance[i] - variance))
        )
    }

    /// x, or 0 below CP_LEAST_DECAYING.
    private func settled(_ x: Float) -> Float { x.magnitude < CP_LEAST_DECAYING ? 0 : x }
}
