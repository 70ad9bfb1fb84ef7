/// Folding batch normalization and scaling into the weights, for inference.
extension NetworkState {
    package func foldBatchnorm() throws(BackpropError) {
        guard layers.contains(where: { $0.normalization != nil }) else { return }
        try fold(inputs: nil, targets: nil)
        discardTrainingState()
        discardBuffers()
    }

    /// A copy for predictions without batch normalization and, where weights can replace it, without scaling: that of the
    /// targets is kept after an activation that is not identity, and that of the inputs if `keepsInputScaling`.
    func folded(keepsInputScaling: Bool) throws(BackpropError) -> NetworkState {
        let copy = try copyForPrediction()
        let inputs = keepsInputScaling ? nil : inputScaling
        var targets: Scaling?
        if case .builtIn(.identity) = layers[layers.count - 1].activation { targets = targetScaling }
        try copy.fold(inputs: inputs, targets: targets)
        if inputs != nil { copy.inputScaling = nil }
        if targets != nil { copy.targetScaling = nil }
        return copy
    }

    private func fold(inputs: Scaling?, targets: Scaling?) throws(BackpropError) {
        for index in layers.indices where !foldLayer(index, inputs, targets, stores: false) {
            throw BackpropError(.notFinite, "the weights of layer \(index + 1) would not be finite")
        }
        for index in layers.indices {
            let layer = layers[index]
            _ = foldLayer(index, inputs, targets, stores: true)
            if layer.isNormalized { hasInitialWeights = false }
            layer.isNormalized = false
            layer.normalization = nil
        }
    }

    /// Returns whether all folded weights and biases of a layer are finite, and stores them if `stores`. Inputs (x − o) / d, batch
    /// normalization with s = γ / √(σ² + ε) (notes, §5), and targets t y + p give
    ///
    ///     t (s (Σ w (x − o) / d + b − μ) + β) + p = Σ w′ x + b′
    ///     w′ = t s w / d
    ///     b′ = t s (b − μ − Σ w o / d) + t β + p
    @inline(never)
    private func foldLayer(_ index: Int, _ inputs: Scaling?, _ targets: Scaling?, stores: Bool) -> Bool {
        let layer = layers[index]
        let inputs = index == 0 ? inputs : nil, targets = index == layers.count - 1 ? targets : nil
        guard layer.isNormalized || inputs != nil || targets != nil else { return true }
        var isFinite = true
        func fold(_ index: Int, _ value: Double) {
            let value = Float(value)
            if !value.isFinite { isFinite = false }
            if stores { layer.weights.base[index] = value }
        }
        for output in 0..<layer.outputs {
            let biasIndex = layer.index(output: output, input: layer.inputs)
            var bias = Double(layer.weights.base[biasIndex]), scale = 1.0, shift = 0.0
            if let norm = layer.norm {
                let deviation = (Double(norm.runningVariance.base[output]) + options[.batchnormEpsilon]).squareRoot()
                bias -= Double(norm.runningMean.base[output])
                scale = Double(norm.gamma.base[output]) / deviation
                shift = Double(norm.beta.base[output])
            }
            if let targets {
                let factor = Double(targets.scale.base[output])
                scale *= factor
                shift = factor * shift + Double(targets.offset.base[output])
            }
            for input in 0..<layer.inputs {
                let index = layer.index(output: output, input: input)
                var weight = Double(layer.weights.base[index])
                if let inputs {
                    weight /= Double(inputs.scale.base[input])
                    bias -= weight * Double(inputs.offset.base[input])
                }
                fold(index, scale * weight)
            }
            fold(biasIndex, scale * bias + shift)
        }
        return isFinite
    }
}
