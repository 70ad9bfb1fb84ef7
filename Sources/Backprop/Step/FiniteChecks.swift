import CKernels

/// Checks that refuse a step before it stores a NaN or an infinity in the network. Bounds nearly always show, at little
/// cost, that a step is finite (CP_SAFE_STEP). Where they do not, the kernel of the step computes it without storing it
/// (`is_finite_step`). That is exact and needs no memory.
extension NetworkState {
    func requireFiniteLoss(_ value: Double) throws(BackpropError) {
        guard value.isFinite, Float(value).isFinite else {
            throw BackpropError(
                .notFinite,
                "the loss, \(decimal(value)), is not a finite float: lower the learning rate, or set option \"clip_norm\"")
        }
    }

    /// Checks the loss of a training step. If it is not finite, the error names the first layer whose z or a is not.
    func requireFiniteLoss(_ value: Double, rows: Int, in workspace: Workspace) throws(BackpropError) {
        guard !value.isFinite || !Float(value).isFinite else { return }
        try requireFiniteLayers(rows: rows, in: workspace)
        try requireFiniteLoss(value)
    }

    /// After forward, where no loss shows it.
    func requireFiniteOutputs(rows: Int, in workspace: Workspace) throws(BackpropError) {
        let last = layers.count - 1
        if kernels.areFinite(workspace.layers[last].a.base, rows * layers[last].stride) { return }
        try requireFiniteLayers(rows: rows, in: workspace)
    }

    private func requireFiniteLayers(rows: Int, in workspace: Workspace) throws(BackpropError) {
        for index in layers.indices {
            let layerBuffers = workspace.layers[index]
            let count = rows * layers[index].stride
            if !kernels.areFinite(layerBuffers.z.base, count) || !kernels.areFinite(layerBuffers.a.base, count) {
                throw notFinite(index, "output")
            }
        }
    }

    /// After backward, where only the gradient for the inputs is wanted.
    func requireFiniteDeltas(rows: Int, in workspace: Workspace) throws(BackpropError) {
        for index in layers.indices where !kernels.areFinite(workspace.layers[index].delta.base, rows * layers[index].stride) {
            throw notFinite(index, "gradient")
        }
    }

    /// Checks, after forward and backward, that every gradient is finite, and every parameter and running statistic after a
    /// step of plain descent, except those of frozen layers. A weight's gradient is at most Σ|x| Σ|δ|, so two sums nearly always
    /// suffice; otherwise the step is computed without being stored. Rate 0 checks the gradients alone. Returns a bound on their
    /// magnitudes.
    func requireFiniteStep(
        _ inputs: UnsafePointer<Float>, sizeOfInputs: Float, rows: Int, rate: Float, in workspace: Workspace
    ) throws(BackpropError) -> Double {
        var largest = 0.0
        let factor = Double(max(rate, 1))
        for index in layers.indices where layers[index].isTrainable {
            let layer = layers[index]
            let bound = gradientBound(index, inputs, sizeOfInputs: sizeOfInputs, rows: rows, in: workspace)
            largest = max(largest, bound)
            if !(bound * factor < CP_SAFE_STEP) {
                let x = input(of: index, inputs, in: workspace).x
                try requireFiniteDescent(x, index: index, rows: rows, rate: rate, in: workspace)
            }
            if let norm = layer.norm, let buffers = workspace.layers[index].norm {
                let bound = self.bound(buffers, layer, rows: workspace.batchRows)
                largest = max(largest, bound)
                if !(bound * factor < CP_SAFE_STEP) {
                    try requireFiniteDescent(norm, buffers, index: index, rows: workspace.batchRows, rate: rate)
                }
            }
        }
        return largest
    }

    /// Returns a bound on the gradients of a layer's weights, Σ|x| Σ|δ|.
    func gradientBound(
        _ index: Int, _ inputs: UnsafePointer<Float>, sizeOfInputs: Float, rows: Int, in workspace: Workspace
    ) -> Double {
        let (x, xStride) = input(of: index, inputs, in: workspace)
        let sizeOfX = index == 0 ? sizeOfInputs : sumOfMagnitudes(x, rows * xStride)
        let sizeOfDelta = sumOfMagnitudes(workspace.layers[index].delta.base, rows * layers[index].stride)
        return Double(max(1, sizeOfX)) * Double(sizeOfDelta)  // 1: the input of the bias
    }

    /// Returns a bound on the gradients of γ and β and on the change of the running statistics.
    private func bound(_ buffers: NormWorkspace, _ layer: Layer, rows: Int) -> Double {
        func sum(_ vector: UnsafePointer<Float>) -> Double { Double(kernels.sum_of_magnitudes(vector, layer.stride)) }
        var bound = sum(buffers.gammaGradient) + sum(buffers.betaGradient)
        bound += sum(buffers.mean) + 2 * sum(buffers.variance)  // 2: n / (n − 1)
        if rows == 1 {  // the running variance changes by the square of the row's distance from the mean
            for i in 0..<layer.outputs { bound += Double(buffers.distance(i) * buffers.distance(i)) }
        }
        return bound
    }

    /// Checks the step of a layer's weights exactly. It computes the gradient tile by tile, a few inputs of sixteen outputs,
    /// in the order of `update`, so that it has the same bits.
    private func requireFiniteDescent(
        _ x: UnsafePointer<Float>, index: Int, rows: Int, rate: Float, in workspace: Workspace
    ) throws(BackpropError) {
        let layer = layers[index]
        let gradient = workspace.gradientTile.base
        let xStride = index == 0 ? inputCount : layers[index - 1].stride
        var descent = cp_optimizer.descent(rate: rate)
        for panel in 0..<layer.panels {
            let weights = layer.weights.base + panel * layer.panelSize
            let delta = workspace.layers[index].delta.base + panel * 16
            for first in stride(from: 0, to: layer.inputs, by: Workspace.gradientTileInputs) {
                let end = min(first + Workspace.gradientTileInputs, layer.inputs)
                kernels.gradient(
                    x, xStride, rows, first, end, layer.inputs, delta, layer.stride, gradient - first * 16, 1, 0, nil)
                let count = (end - first + (end == layer.inputs ? 1 : 0)) * 16
                guard kernels.is_finite_step(&descent, weights + first * 16, gradient, nil, nil, count) != 0 else {
                    throw notFinite(index, "gradient")
                }
            }
        }
    }

    /// Checks the steps of γ and β and the update of the running statistics exactly.
    private func requireFiniteDescent(
        _ norm: Normalization, _ buffers: NormWorkspace, index: Int, rows: Int, rate: Float
    ) throws(BackpropError) {
        try requireFiniteDescent(norm.gamma.base, buffers.gammaGradient, layers[index].stride, rate: rate, layer: index)
        try requireFiniteDescent(norm.beta.base, buffers.betaGradient, layers[index].stride, rate: rate, layer: index)
        let statistics = RunningStatisticsUpdate(rows: rows, momentum: options[.batchnormMomentum])
        for i in 0..<layers[index].outputs {
            let updated = statistics.updated(i, norm, buffers)
            guard updated.mean.isFinite, updated.variance.isFinite else { throw notFinite(index, "batch normalization") }
        }
    }

    /// Checks a step of plain descent along a gradient exactly. `count`: a multiple of 16.
    func requireFiniteDescent(
        _ values: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>, _ count: Int, rate: Float, layer index: Int
    ) throws(BackpropError) {
        var descent = cp_optimizer.descent(rate: rate)
        guard kernels.is_finite_step(&descent, values, gradient, nil, nil, count) != 0 else {
            throw notFinite(index, "gradient")
        }
    }

    func notFinite(_ index: Int, _ what: StaticString, _ others: StaticString = "") -> BackpropError {
        BackpropError(.notFinite, "the \(what) of layer \(index + 1)\(others) is not finite")
    }
}

extension cp_optimizer {
    /// The step w −= rate g.
    fileprivate static func descent(rate: Float) -> cp_optimizer {
        cp_optimizer(
            kind: Optimizer.sgd.kind, rate: rate, scale: 1, clip: .infinity, decay: 0, l1: 0, shrink: 1, first_decay: 0,
            first_share: 0, second_decay: 0, second_share: 0, second_scale: 0, epsilon: 0)
    }
}

extension cp_kernels {
    /// Whether all values are finite: if the sum of their magnitudes is, they are.
    func areFinite(_ values: UnsafePointer<Float>, _ count: Int) -> Bool {
        if sum_of_magnitudes(values, count).isFinite { return true }
        for i in 0..<count where !values[i].isFinite { return false }
        return true
    }
}
