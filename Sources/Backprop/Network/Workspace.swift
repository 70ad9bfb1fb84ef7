import CPlatform

/// The matrices of a training step for up to `capacity` rows. They depend on the network's settings and are kept between
/// steps.
final class Workspace {
    let capacity: Int
    let layers: [LayerWorkspace]
    /// δ of a layer, transposed in blocks of sixteen rows. Each block has the same place for all layers, since threads may be
    /// at different layers.
    let transposed: Floats
    /// A tile of the gradient: `gradientTileInputs` inputs and the bias of sixteen outputs.
    let gradientTile: Floats
    let rowPlan: RowPlan?
    let failure = CallbackFailure()
    /// The seed of the dropout of the step in progress; nil for no dropout.
    var dropoutKey: UInt64?
    /// Whether the pass in progress computes what a prediction computes: batch normalization then uses its running statistics
    /// for any number of rows.
    var isInference = false
    /// Gradients in the layout of the weights, for each layer, in one block that ends with the numbers that workers exchange
    /// with it; allocated by `makeGradients` when first needed. Those of the last layer come first, as in the backward pass.
    /// Those of frozen layers stay 0.
    private(set) var gradients: [UnsafeMutablePointer<Float>] = []
    private(set) var gradientBlock: FloatBuffer?

    /// The number of rows of the minibatch, and the place of the first row of this worker. Without workers, the rows of the
    /// call, and 0.
    var batchRows = 0
    var firstRow = 0
    /// The workers that make the pass in progress together.
    var workers: Workers?
    /// The inputs of the backward pass that computes each layer's gradient as soon as it can, and starts its exchange; nil for
    /// passes after which the gradient is computed. `adding`: whether the gradient of the rows before is added.
    private(set) var overlapped: (inputs: UnsafePointer<Float>, adding: Bool)?

    /// Workspaces for parts of the minibatch that are computed at the same time; allocated by `makeParts` when first needed.
    private(set) var parts: [Workspace] = []
    /// Of a part: the sum of its rows' losses and a bound on its gradient, or the error that ended it. The bound also of a gradient
    /// that workers added up.
    var loss = 0.0, largestGradient = 0.0
    var error: BackpropError?

    /// For a registered loss; allocated by `makeLossBuffers` when first needed.
    private(set) var lossBuffers: LossBuffers?

    /// The inputs in a tile of the gradient: a multiple of the heights of all kernels' tiles.
    static var gradientTileInputs: Int { 24 }

    private init(
        capacity: Int, layers: [LayerWorkspace], transposed: consuming Floats, gradientTile: consuming Floats,
        rowPlan: RowPlan?
    ) {
        self.capacity = capacity
        self.layers = layers
        self.transposed = transposed
        self.gradientTile = gradientTile
        self.rowPlan = rowPlan
    }

    static func make(for network: NetworkState, rows: Int) throws(BackpropError) -> Workspace {
        try Reserve.require(forLayers: network.layers.count)
        var layers: [LayerWorkspace] = []
        for layer in network.layers {
            layers.append(try LayerWorkspace.make(for: layer, rows: rows))
        }
        let transposed = try Floats(try checkedProduct(network.widestStride, paddedCount(rows)))
        let rowPlan = try RowPlan.make(for: network, layers, capacity: rows)
        let gradientTile = try Floats((gradientTileInputs + 1) * 16)
        return Workspace(capacity: rows, layers: layers, transposed: transposed, gradientTile: gradientTile, rowPlan: rowPlan)
    }

    func makeGradients(for network: NetworkState) throws(BackpropError) {
        guard gradients.isEmpty else { return }
        let count = network.layers.reduce(0) { $0 + $1.weights.count }
        let block = FloatBuffer(values: try Floats(count + Workers.tailCount))
        var place = block.values.base + count
        for layer in network.layers {
            place -= layer.weights.count
            gradients.append(place)
        }
        gradientBlock = block
    }

    /// Makes workspaces for `count` parts of the minibatch, of up to `rows` rows each, with gradients.
    func makeParts(_ count: Int, rows: Int, for network: NetworkState) throws(BackpropError) {
        if let part = parts.first, part.capacity < rows { parts = [] }
        if parts.count < count { try Reserve.require(forLayers: network.layers.count * (count - parts.count)) }
        while parts.count < count {
            let part = try Workspace.make(for: network, rows: rows)
            try part.makeGradients(for: network)
            parts.append(part)
        }
    }

    /// Begins the pass of a part of the minibatch of another workspace, or of this one. `firstRow`: the place of its first row.
    func beginPart(of whole: Workspace, firstRow: Int) {
        (batchRows, self.firstRow, error) = (whole.batchRows, firstRow, nil)
        (dropoutKey, isInference) = (whole.dropoutKey, whole.isInference)
    }

    /// Starts the exchanges of the gradients before `end`.
    func startExchanges(until end: UnsafePointer<Float>) throws(BackpropError) {
        if let workers, let gradientBlock {
            try workers.start(gradientBlock, until: end - UnsafePointer(gradientBlock.values.base))
        }
    }

    /// Before a backward pass, if it is the last one of a pass that workers make together.
    func prepareOverlap(_ inputs: UnsafePointer<Float>, adding: Bool = false) {
        guard let workers, let gradientBlock, workers.overlaps(gradientBlock) else { return }
        overlapped = (inputs, adding)
    }

    /// Begins a pass of `rows` rows of this process.
    func beginPass(rows: Int) {
        (workers, batchRows, firstRow, overlapped) = (nil, rows, 0, nil)
    }

    func makeLossBuffers(outputs: Int) throws(BackpropError) -> LossBuffers {
        if let lossBuffers { return lossBuffers }
        let made = try LossBuffers.make(rows: capacity, outputs: outputs)
        lossBuffers = made
        return made
    }

    /// Whether batch normalization uses the statistics of the rows. A single row has no variance. A frozen layer uses its
    /// running statistics, as in Keras (BatchNormalization, "trainable").
    func usesBatchStatistics(_ layer: Layer) -> Bool { batchRows > 1 && !isInference && layer.isTrainable }

    /// Restores zeros in the padding of δ, after a step that failed in the middle.
    func clearDeltas() {
        error = nil
        for layer in layers { layer.delta.clear() }
        for part in parts { part.clearDeltas() }
    }
}
