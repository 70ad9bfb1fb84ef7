import CPlatform

/// The matrices of a training step, for up to `capacity` rows. Made for a network's present shape; kept between steps.
final class Workspace {
    let capacity: Int
    let layers: [LayerWorkspace]
    /// δ of one layer, transposed in blocks of sixteen rows: each of them has its place, whatever the layer, since threads
    /// are not all at the same.
    let transposed: Floats
    /// Room for the gradient of `trialInputs` inputs and the bias to sixteen outputs.
    let trial: Floats
    let rowPlan: RowPlan?
    let failure = CallbackFailure()
    /// What the step in progress draws its dropout from; nil for none.
    var dropoutKey: UInt64?
    /// Gradients in the layout of the weights, for callers that want them; made when first asked for.
    private(set) var gradients: [FloatBuffer] = []

    /// A multiple of the heights of all tiles.
    static var trialInputs: Int { 24 }

    private init(
        capacity: Int, layers: [LayerWorkspace], transposed: consuming Floats, trial: consuming Floats,
        rowPlan: RowPlan?
    ) {
        self.capacity = capacity
        self.layers = layers
        self.transposed = transposed
        self.trial = trial
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
        let trial = try Floats((trialInputs + 1) * 16)
        return Workspace(capacity: rows, layers: layers, transposed: transposed, trial: trial, rowPlan: rowPlan)
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
