import CPlatform

/// The matrices of a training step, for up to `capacity` rows. Made for a network's present shape; kept between steps.
final class Workspace {
    let capacity: Int
    let layers: [LayerWorkspace]
    /// δ of one layer, transposed: [stride × rows padded to 16].
    let transposed: Floats
    /// Gradients in the layout of the weights, for callers that want them; made when first asked for.
    private(set) var gradients: [GradientBuffer] = []

    init(for network: NetworkState, rows: Int) throws(BackpropError) {
        capacity = rows
        var layers: [LayerWorkspace] = []
        var widest = 0
        for layer in network.layers {
            layers.append(try LayerWorkspace(for: layer, rows: rows))
            widest = max(widest, layer.stride)
        }
        self.layers = layers
        let needsTransposed = network.layers.count > 1
        transposed = try Floats(needsTransposed ? try checkedProduct(widest, paddedStride(rows)) : 0)
    }

    func makeGradients(for network: NetworkState) throws(BackpropError) {
        guard gradients.isEmpty else { return }
        var made: [GradientBuffer] = []
        for layer in network.layers { made.append(GradientBuffer(values: try Floats(layer.weights.count))) }
        gradients = made
    }

    /// After a step that failed half way: the padding of δ must be 0 again.
    func clearDeltas() {
        for layer in layers { layer.delta.clear() }
    }
}

final class GradientBuffer {
    let values: Floats
    init(values: consuming Floats) { self.values = values }
}

/// One layer's matrices, padded: z what enters the activation, a what comes out, delta the gradient for the weighted sums.
final class LayerWorkspace {
    let z, a, delta: Floats
    let norm: NormWorkspace?
    let packing: Packing?

    init(for layer: Layer, rows: Int) throws(BackpropError) {
        let size = try checkedProduct(layer.stride, rows)
        z = try Floats(size)
        a = try Floats(size)
        delta = try Floats(size)
        norm = layer.isNormalized ? try NormWorkspace(stride: layer.stride, rows: rows) : nil
        packing = layer.activation.isPlugin ? try Packing(size: size) : nil
    }
}

/// What batch normalization keeps from forward to backward to update; vectors are [stride].
final class NormWorkspace {
    /// z̃
    let normalized: Floats
    let mean, variance, inverseDeviation: Floats
    let gammaGradient, betaGradient: Floats
    /// γ after its own step, for option batchnorm_update 1.
    let newGamma: Floats
    let zeros: Floats

    /// How far a single row's z lies from the running mean.
    func distance(_ i: Int) -> Float { normalized.base[i] / inverseDeviation.base[i] }

    init(stride: Int, rows: Int) throws(BackpropError) {
        normalized = try Floats(try checkedProduct(stride, rows))
        mean = try Floats(stride)
        variance = try Floats(stride)
        inverseDeviation = try Floats(stride)
        gammaGradient = try Floats(stride)
        betaGradient = try Floats(stride)
        newGamma = try Floats(stride)
        zeros = try Floats(stride)
    }
}
