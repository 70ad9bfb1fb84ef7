import CPlatform

/// Dropout of hidden units in training (Srivastava et al. 2014), inverted: a unit is kept with probability 1 − rate, and
/// then counts 1 / (1 − rate) times, so that prediction needs no change.
extension NetworkState {
    package func setDropout(_ index: Int, rate: Double) throws(BackpropError) {
        let layer = try hiddenLayer(index)
        guard rate >= 0, rate <= 0.999 else {
            throw BackpropError(.invalidValue, "a dropout rate is a number from 0 to 0.999, not \(decimal(rate))")
        }
        if (rate > 0) != (layer.dropout > 0) { forgetBuffers() }
        layer.dropout = rate
    }

    package func dropout(_ index: Int) throws(BackpropError) -> Double { try hiddenLayer(index).dropout }

    private func hiddenLayer(_ index: Int) throws(BackpropError) -> Layer {
        guard index >= 1, index < layers.count else {
            throw BackpropError(
                .invalidValue, "layer \(UInt(bitPattern: index)) is not between inputs and outputs: the network has \(layerCount)"
            )
        }
        return layers[index - 1]
    }

    /// What leaves a layer goes to the next one thinned. Each row draws from its own stream of the step's key, so that
    /// blocks of rows can go to any thread.
    func thin(_ index: Int, _ start: Int, _ count: Int, in workspace: Workspace) {
        guard let key = workspace.dropoutKey, let dropout = workspace.layers[index].dropout else { return }
        let layer = layers[index]
        let scale = Float(1 / (1 - layer.dropout))
        let threshold = UInt32(layer.dropout * 4_294_967_296)
        for row in start..<start + count {
            var random = Random(seed: key, stream: UInt64(index) << 48 | UInt64(row))
            let factors = dropout.factors.base + row * layer.stride
            var column = 0
            while column < layer.outputs {  // factors are padded: there is room for one more
                let bits = random.next()
                factors[column] = UInt32(truncatingIfNeeded: bits) >= threshold ? scale : 0
                factors[column + 1] = UInt32(truncatingIfNeeded: bits >> 32) >= threshold ? scale : 0
                column += 2
            }
        }
        let at = start * layer.stride
        cp_copy(dropout.thinned.base + at, workspace.layers[index].a.base + at, count * layer.stride * 4)
        dropout.multiply(dropout.thinned.base, at, count * layer.stride)
    }

    /// The gradient for what a layer gave to the next becomes that for its a.
    func thinGradient(_ index: Int, _ start: Int, _ count: Int, in workspace: Workspace) {
        guard workspace.dropoutKey != nil, let dropout = workspace.layers[index].dropout else { return }
        let stride = layers[index].stride
        dropout.multiply(workspace.layers[index].delta.base, start * stride, count * stride)
    }
}
