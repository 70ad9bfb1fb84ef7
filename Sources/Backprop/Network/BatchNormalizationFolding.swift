/// Folding batch normalization into the weights, for inference.
extension NetworkState {
    /// γ (w x + b − μ) / √(σ² + ε) + β is w′ x + b′ with w′ = s w, b′ = s (b − μ) + β and s = γ / √(σ² + ε)   (notes, §5)
    package func foldBatchnorm() throws(BackpropError) {
        guard layers.contains(where: { $0.normalization != nil }) else { return }
        for index in layers.indices where layers[index].isNormalized {
            guard isFoldable(layers[index]) else {
                throw BackpropError(.notFinite, "the weights of layer \(index + 1) would not be finite")
            }
        }
        for layer in layers {
            if layer.isNormalized {
                forEachFolded(layer) { index, value in layer.weights.base[index] = value }
                hasInitialWeights = false
            }
            layer.isNormalized = false
            layer.normalization = nil
        }
        discardTrainingState()
        discardBuffers()
    }

    private func isFoldable(_ layer: Layer) -> Bool {
        var isFinite = true
        forEachFolded(layer) { _, value in isFinite = isFinite && value.isFinite }
        return isFinite
    }

    /// Calls `body` with the folded weights and biases of a normalized layer and their indices.
    private func forEachFolded(_ layer: Layer, _ body: (_ index: Int, _ value: Float) -> Void) {
        guard let norm = layer.norm else { return }
        for output in 0..<layer.outputs {
            let deviation = (Double(norm.runningVariance.base[output]) + options[.batchnormEpsilon]).squareRoot()
            let scale = Double(norm.gamma.base[output]) / deviation
            for input in 0..<layer.inputs {
                let index = layer.index(output: output, input: input)
                body(index, Float(scale * Double(layer.weights.base[index])))
            }
            let bias = layer.index(output: output, input: layer.inputs)
            let centred = Double(layer.weights.base[bias]) - Double(norm.runningMean.base[output])
            body(bias, Float(scale * centred + Double(norm.beta.base[output])))
        }
    }
}
