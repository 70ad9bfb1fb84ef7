import CPlatform

/// Inverted dropout of hidden units in training (Srivastava et al. 2014): a unit is kept with probability 1 − rate, and its
/// output is then multiplied by 1 / (1 − rate), so that prediction needs no change.
extension NetworkState {
    package func setDropout(_ index: Int, rate: Double) throws(BackpropError) {
        let layer = try hiddenLayer(index)
        guard rate >= 0, rate <= 0.999 else {
            throw BackpropError(.invalidValue, "a dropout rate must be a number from 0 to 0.999, not \(decimal(rate))")
        }
        if (rate > 0) != (layer.dropout > 0) { discardBuffers() }
        layer.dropout = rate
    }

    package func dropout(_ index: Int) throws(BackpropError) -> Double { try hiddenLayer(index).dropout }

    private func hiddenLayer(_ index: Int) throws(BackpropError) -> Layer {
        guard index >= 1, index < layers.count else {
            throw BackpropError(
                .invalidValue, "layer \(UInt(bitPattern: index)) is not a hidden layer: the network has \(layerCount) layers"
            )
        }
        return layers[index - 1]
    }

    /// Draws the dropout factors of some rows of a layer and stores its thinned outputs. Each row draws from a separate
    /// stream of the step's key, so that any thread can compute any block of rows.
    @_optimize(speed)
    func applyDropout(_ index: Int, _ start: Int, _ count: Int, in workspace: Workspace) {
        guard let key = workspace.dropoutKey, let dropout = workspace.layers[index].dropout else { return }
        let layer = layers[index]
        let scale = Float(1 / (1 - layer.dropout))
        let threshold = UInt32(layer.dropout * 4_294_967_296)
        for row in start..<start + count {
            var random = Random(seed: key, stream: UInt64(index) << 48 | UInt64(workspace.firstRow + row))
            let at = row * layer.stride
            let a = workspace.layers[index].a.base + at
            let factors = dropout.factors.base + at, thinned = dropout.thinned.base + at
            var column = 0
            while column < layer.outputs {  // rows are padded: the second factor has room
                let bits = random.next()
                factors[column] = UInt32(truncatingIfNeeded: bits) >= threshold ? scale : 0
                factors[column + 1] = UInt32(truncatingIfNeeded: bits >> 32) >= threshold ? scale : 0
                thinned[column] = a[column] * factors[column]
                thinned[column + 1] = a[column + 1] * factors[column + 1]
                column += 2
            }
        }
    }

    /// Replaces the gradient with respect to a layer's thinned outputs by the gradient with respect to its a.
    func applyDropoutToGradient(_ index: Int, _ start: Int, _ count: Int, in workspace: Workspace) {
        guard workspace.dropoutKey != nil, let dropout = workspace.layers[index].dropout else { return }
        let stride = layers[index].stride
        dropout.multiply(workspace.layers[index].delta.base, start * stride, count * stride)
    }
}
