import CKernels

extension NetworkState {
    /// All layers' steps at once, from the δ of the backward pass.
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
        moveRunningStatistics(rows: rows, in: workspace)
        finishStep()
    }

    /// The gradients of all weights, in the workspace.
    func collectGradient(_ inputs: UnsafePointer<Float>, rows: Int, in workspace: Workspace) {
        forEachPart(rows: rows) { index, part in
            let layer = layers[index]
            let (x, xStride) = input(of: index, inputs, in: workspace)
            kernels.gradient(
                x, xStride, rows, part.lowerBound, part.upperBound, layer.inputs, workspace.layers[index].delta.base,
                layer.stride, workspace.gradients[index].values.base, layer.panels)
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
        let move = StatisticsMove(rows: rows, momentum: options[.batchnormMomentum])
        for index in layers.indices {
            let layer = layers[index]
            guard let norm = layer.norm, let buffers = workspace.layers[index].norm else { continue }
            for i in 0..<layer.outputs {
                let moved = move.moved(i, norm, buffers)
                norm.runningMean.base[i] = moved.mean
                norm.runningVariance.base[i] = moved.variance
            }
        }
    }

    func finishStep() {
        steps &+= 1
        hasInitialWeights = false
    }

    /// Calls `body` with parts of all layers' weights: the layer, and the inputs from which the weights of the part lead.
    /// Parts are shared among threads.
    func forEachPart(rows: Int, _ body: (_ index: Int, _ part: Range<Int>) -> Void) {
        let parallel = Parallel.isWorthwhile(rows * weightCount)
        func parts(_ layer: Layer) -> Int { parallel ? (layer.inputs + Self.partSize - 1) / Self.partSize : 1 }
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

    /// Inputs in a part: a multiple of a tile's height.
    private static var partSize: Int { 96 }
}

/// How a step moves running statistics.
struct StatisticsMove {
    private let momentum: Float
    private let isSingleRow: Bool
    /// n / (n − 1), with which the variance of n rows is that of what they are drawn from.
    private let unbiased: Float

    init(rows: Int, momentum: Double) {
        self.momentum = Float(momentum)
        isSingleRow = rows == 1
        unbiased = Float(rows) / Float(max(rows - 1, 1))  // no division by zero: hosts may have them trapped
    }

    /// The running mean and variance of unit i after the step.
    @inline(__always)
    func moved(_ i: Int, _ norm: Normalization, _ buffers: NormWorkspace) -> (mean: Float, variance: Float) {
        let mean = norm.runningMean.base[i], variance = norm.runningVariance.base[i]
        if isSingleRow {  // exponentially weighted mean and variance of single values (Finch 2009)
            let distance = buffers.distance(i)
            return (mean + momentum * distance, (1 - momentum) * (variance + momentum * distance * distance))
        }
        return (
            mean + momentum * (buffers.mean[i] - mean),
            variance + momentum * (unbiased * buffers.variance[i] - variance)
        )
    }
}
