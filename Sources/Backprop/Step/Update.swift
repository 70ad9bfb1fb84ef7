import CKernels

extension NetworkState {
    /// Makes the steps of all layers, from the δ of the backward pass.
    ///
    ///     V⁽ᵗ⁺¹⁾ = V⁽ᵗ⁾ − α h δᵀ,  W⁽ᵗ⁺¹⁾ = W⁽ᵗ⁾ − α x γᵀ   (notes, §2)
    func update(_ inputs: UnsafePointer<Float>, rows: Int, rate: Float, in workspace: Workspace) {
        forEachPart(rows: rows) { part in
            let layer = layers[part.layer]
            let (x, xStride) = input(of: part.layer, inputs, in: workspace)
            kernels.update(
                x, xStride, rows, part.inputs.lowerBound, part.inputs.upperBound, layer.inputs,
                workspace.layers[part.layer].delta.base + part.panels.lowerBound * 16, layer.stride,
                layer.weights.base + part.panels.lowerBound * layer.panelSize, part.panels.count, rate)
        }
        for index in layers.indices { stepNormalization(layers[index], workspace.layers[index], rate: rate) }
        updateRunningStatistics(in: workspace)
        finishStep()
    }

    /// Stores the gradients of all weights that are not frozen in the workspace, or adds them to those of the rows before.
    func collectGradient(_ inputs: UnsafePointer<Float>, rows: Int, adding: Bool = false, in workspace: Workspace) {
        forEachPart(rows: rows) { part in
            computeGradient(inputs, rows: rows, part, workspace.gradients[part.layer], adding: adding, in: workspace)
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

    /// Computes the gradient of a part of a layer's weights, or makes `step` of them along it. `target`: the gradient of all weights
    /// of the layer, or the weights.
    @inline(__always)
    func computeGradient(
        _ inputs: UnsafePointer<Float>, rows: Int, _ part: WeightPart, _ target: UnsafeMutablePointer<Float>,
        adding: Bool = false, _ step: UnsafePointer<cp_step>? = nil, in workspace: Workspace
    ) {
        let layer = layers[part.layer]
        let (x, xStride) = input(of: part.layer, inputs, in: workspace)
        kernels.gradient(
            x, xStride, rows, part.inputs.lowerBound, part.inputs.upperBound, layer.inputs,
            workspace.layers[part.layer].delta.base + part.panels.lowerBound * 16, layer.stride,
            target + part.panels.lowerBound * layer.panelSize, part.panels.count, adding ? 1 : 0, step)
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

    /// Calls `body` with parts of the weights of all layers that are not frozen, on several threads where that is worthwhile: panels, or
    /// some inputs and all panels.
    func forEachPart(rows: Int, _ body: (_ part: WeightPart) -> Void) {
        let threads = threads(rows: rows)
        guard threads > 1 else {
            for index in layers.indices where layers[index].isTrainable { body(WeightPart(index, layers[index])) }
            return
        }
        func parts(_ index: Int) -> (count: Int, arePanels: Bool) {
            let layer = layers[index], shares = panelShares(of: index, rows: rows, threads: threads)
            if !layer.isTrainable { return (0, false) }
            return shares > 0 ? (shares, true) : ((layer.inputs + Self.partSize - 1) / Self.partSize, false)
        }
        Parallel.run(layers.indices.reduce(0) { $0 + parts($1).count }, parallel: true) { number in
            var part = number
            var index = 0
            while part >= parts(index).count {
                part -= parts(index).count
                index += 1
            }
            let layer = layers[index], (count, arePanels) = parts(index)
            if arePanels { return body(WeightPart(index, layer, panels: layer.panels(part, of: count))) }
            let size = (layer.inputs + count - 1) / count
            body(WeightPart(index, layer, inputs: part * size..<min((part + 1) * size, layer.inputs)))
        }
    }

    /// The largest number of inputs in a part: a multiple of the kernels' tile height.
    static var partSize: Int { 96 }
}

/// A part of a layer's weights: those from a range of inputs to the outputs of a range of panels.
struct WeightPart {
    let layer: Int
    let inputs: Range<Int>, panels: Range<Int>

    /// Some weights of layer number `index`; without ranges, all.
    init(_ index: Int, _ layer: Layer, inputs: Range<Int>? = nil, panels: Range<Int>? = nil) {
        self.layer = index
        self.inputs = inputs ?? 0..<layer.inputs
        self.panels = panels ?? 0..<layer.panels
    }
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
