import CPlatform

/// The matrices of a training step, for up to `capacity` rows. Made for a network's present shape; kept between steps.
final class Workspace {
    let capacity: Int
    let layers: [LayerWorkspace]
    /// δ of one layer, transposed in blocks of sixteen rows: each of them has its place, whatever the layer, since threads
    /// are not all at the same.
    let transposed: Floats
    let rowPlan: RowPlan?
    let failure = CallbackFailure()
    /// What the step in progress draws its dropout from; nil for none.
    var dropoutKey: UInt64?
    /// Gradients in the layout of the weights, for callers that want them; made when first asked for.
    private(set) var gradients: [FloatBuffer] = []

    private init(
        capacity: Int, layers: [LayerWorkspace], transposed: consuming Floats, rowPlan: RowPlan?
    ) {
        self.capacity = capacity
        self.layers = layers
        self.transposed = transposed
        self.rowPlan = rowPlan
    }

    static func make(for network: NetworkState, rows: Int) throws(BackpropError) -> Workspace {
        try Reserve.require(forLayers: network.layers.count)
        var layers: [LayerWorkspace] = []
        for layer in network.layers {
            layers.append(try LayerWorkspace.make(for: layer, rows: rows))
        }
        let needsTransposed = network.layers.count > 1
        let transposed = try Floats(needsTransposed ? try checkedProduct(network.widestStride, paddedCount(rows)) : 0)
        let rowPlan = try RowPlan.make(for: network, layers, capacity: rows)
        return Workspace(
            capacity: rows, layers: layers, transposed: transposed, rowPlan: rowPlan)
    }

    func makeGradients(for network: NetworkState) throws(BackpropError) {
        guard gradients.isEmpty else { return }
        var made: [FloatBuffer] = []
        for layer in network.layers {
            let values = try Floats(layer.weights.count)
            made.append(FloatBuffer(values: values))
        }
        gradients = made
    }

    /// After a step that failed half way: the padding of δ must be 0 again.
    func clearDeltas() {
        for layer in layers { layer.delta.clear() }
    }
}

final class FloatBuffer {
    let values: Floats
    init(values: consuming Floats) { self.values = values }
}

/// One layer's matrices, padded: z what enters the activation, a what comes out, delta the gradient for the weighted sums.
final class LayerWorkspace {
    let z, a, delta: Floats
    let norm: NormWorkspace?
    let dropout: DropoutWorkspace?
    let packing: Packing?

    private init(
        z: consuming Floats, a: consuming Floats, delta: consuming Floats, norm: NormWorkspace?, dropout: DropoutWorkspace?,
        packing: Packing?
    ) {
        self.z = z
        self.a = a
        self.delta = delta
        self.norm = norm
        self.dropout = dropout
        self.packing = packing
    }

    static func make(for layer: Layer, rows: Int) throws(BackpropError) -> LayerWorkspace {
        let size = try checkedProduct(layer.stride, rows)
        let z = try Floats(size), a = try Floats(size), delta = try Floats(size)
        let norm = layer.isNormalized ? try NormWorkspace.make(stride: layer.stride, rows: rows) : nil
        let dropout = layer.dropout > 0 ? try DropoutWorkspace.make(size: size) : nil
        let packing = layer.activation.isMatrixFunction ? try Packing.make(size: size) : nil
        return LayerWorkspace(z: z, a: a, delta: delta, norm: norm, dropout: dropout, packing: packing)
    }
}

/// What batch normalization keeps from forward to backward to update.
final class NormWorkspace {
    /// z̃, [rows × stride]
    let normalized: Floats
    /// Vectors of [stride], one after the other.
    private let vectors: Floats
    private let stride: Int

    var mean: UnsafeMutablePointer<Float> { vectors.base }
    var variance: UnsafeMutablePointer<Float> { vectors.base + stride }
    var inverseDeviation: UnsafeMutablePointer<Float> { vectors.base + 2 * stride }
    var gammaGradient: UnsafeMutablePointer<Float> { vectors.base + 3 * stride }
    var betaGradient: UnsafeMutablePointer<Float> { vectors.base + 4 * stride }
    /// γ after its own step, for option batchnorm_update 1.
    var newGamma: UnsafeMutablePointer<Float> { vectors.base + 5 * stride }
    var zeros: UnsafePointer<Float> { UnsafePointer(vectors.base + 6 * stride) }

    private init(stride: Int, normalized: consuming Floats, vectors: consuming Floats) {
        self.stride = stride
        self.normalized = normalized
        self.vectors = vectors
    }

    static func make(stride: Int, rows: Int) throws(BackpropError) -> NormWorkspace {
        let normalized = try Floats(try checkedProduct(stride, rows))
        let vectors = try Floats(try checkedProduct(stride, 7))
        return NormWorkspace(stride: stride, normalized: normalized, vectors: vectors)
    }

    /// How far a single row's z lies from the running mean.
    func distance(_ i: Int) -> Float { normalized.base[i] / inverseDeviation[i] }
}
