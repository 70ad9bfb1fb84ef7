import CKernels

/// A step that would bring a NaN or an infinity into the network is refused before it changes anything.
extension NetworkState {
    /// Returns the sum of the magnitudes.
    @discardableResult
    func requireFinite(
        _ values: UnsafePointer<Float>, rows: Int, columns: Int, _ what: String
    ) throws(BackpropError) -> Float {
        let count = rows * columns
        let size = kernels.sum_of_magnitudes(values, count)
        if size.isFinite { return size }
        for i in 0..<count where !values[i].isFinite {
            throw BackpropError(
                .notFinite, "\(what): row \(i / columns), column \(i % columns) is \(decimal(values[i]))")
        }
        return size
    }

    func requireFiniteLoss(_ value: Double) throws(BackpropError) {
        guard value.isFinite, Float(value).isFinite else {
            throw BackpropError(.notFinite, "the loss is not finite: \(decimal(value))")
        }
    }

    /// The same in training, where the matrices tell which layer it comes from.
    func requireFiniteLoss(_ value: Double, rows: Int, in workspace: Workspace) throws(BackpropError) {
        guard !value.isFinite || !Float(value).isFinite else { return }
        for index in layers.indices {
            let own = workspace.layers[index]
            let count = rows * layers[index].stride
            if !kernels.areFinite(own.z.base, count) || !kernels.areFinite(own.a.base, count) {
                throw notFinite(index, "output")
            }
        }
        try requireFiniteLoss(value)
    }

    /// After forward and backward: every gradient, and every parameter a step of plain descent would give, is finite. A
    /// weight's gradient is at most Σ|x| Σ|δ|, so that two sums nearly always do; when they do not, the gradient is
    /// computed. Returns a bound on the gradients' magnitudes.
    func requireFiniteStep(
        _ inputs: UnsafePointer<Float>, sizeOfInputs: Float, rows: Int, rate: Float, in workspace: Workspace
    ) throws(BackpropError) -> Double {
        var largest = 0.0
        var x = inputs
        var sizeOfX = max(1, sizeOfInputs)  // 1: the bias's own input
        for index in layers.indices {
            let layer = layers[index]
            let own = workspace.layers[index]
            let size = rows * layer.stride
            let sizeOfDelta = kernels.sum_of_magnitudes(own.delta.base, size)
            let bound = Double(sizeOfX) * Double(sizeOfDelta)
            largest = max(largest, bound)
            if !(bound * Double(max(rate, 1)) < 1e30) {
                try requireFiniteGradient(x, index: index, rows: rows, rate: rate, in: workspace)
            }
            if let buffers = own.norm {
                let bound = self.bound(buffers, layer, rows: rows)
                largest = max(largest, bound)
                guard bound * Double(max(rate, 1)) < 1e30 else { throw notFinite(index, "batch normalization") }
            }
            if index + 1 < layers.count {
                x = input(of: index + 1, inputs, in: workspace).x
                sizeOfX = max(1, kernels.sum_of_magnitudes(x, size))
            }
        }
        return largest
    }

    /// On the gradients of γ and β, and on how far the running statistics move.
    private func bound(_ buffers: NormWorkspace, _ layer: Layer, rows: Int) -> Double {
        var sum = 0.0
        for vector in [buffers.mean, buffers.variance, buffers.gammaGradient, buffers.betaGradient] {
            sum += Double(kernels.sum_of_magnitudes(vector, layer.stride))
        }
        if rows == 1 {  // the variance moves by the square of the row's distance
            for i in 0..<layer.outputs { sum += Double(buffers.distance(i) * buffers.distance(i)) }
        }
        return sum
    }

    private func requireFiniteGradient(
        _ x: UnsafePointer<Float>, index: Int, rows: Int, rate: Float, in workspace: Workspace
    ) throws(BackpropError) {
        let layer = layers[index]
        try workspace.makeGradients(for: self)
        let gradient = workspace.gradients[index].values.base
        kernels.gradient(
            x, index == 0 ? inputCount : layers[index - 1].stride, rows, 0, layer.inputs, layer.inputs, workspace.layers[index].delta.base,
            layer.stride, gradient, layer.panels)
        for i in 0..<layer.weights.count where !(layer.weights.base[i] - rate * gradient[i]).isFinite || !gradient[i].isFinite {
            throw notFinite(index, "gradient")
        }
    }

    private func notFinite(_ index: Int, _ what: StaticString) -> BackpropError {
        BackpropError(.notFinite, "the \(what) of layer \(index + 1) is not finite")
    }
}

extension cp_kernels {
    /// Whether all are: their sum nearly always tells.
    func areFinite(_ values: UnsafePointer<Float>, _ count: Int) -> Bool {
        if sum_of_magnitudes(values, count).isFinite { return true }
        for i in 0..<count where !values[i].isFinite { return false }
        return true
    }
}
