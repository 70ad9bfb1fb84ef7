import CPlatform

/// A network laid out for the kernel that trains on one row: pointers to its parameters and to a workspace's vectors.
final class RowPlan {
    /// Where the weights outgrow the second-level cache, the general path is as good.
    private static var mostWeights: Int { 262_144 }

    private let storage, target: Floats

    var pointer: UnsafePointer<cp_row_plan> { UnsafeRawPointer(storage.base).assumingMemoryBound(to: cp_row_plan.self) }

    private init(storage: consuming Floats, target: consuming Floats) {
        self.storage = storage
        self.target = target
    }

    /// nil for networks that need the general path.
    static func make(for network: NetworkState, _ buffers: [LayerWorkspace]) throws(BackpropError) -> RowPlan? {
        guard network.loss == .squaredError, network.isPlainDescent, network.weightCount <= mostWeights else { return nil }
        for layer in network.layers 
        where layer.isNormalized || layer.dropout > 0 || layer.activation.isPlugin || layer.activation.is(.softmax) { return nil }

        let last = network.layers[network.layers.count - 1]
        let target = try Floats(last.stride), zeros = try Floats(last.stride)
        let size = MemoryLayout<cp_row_plan>.stride + network.layers.count * MemoryLayout<cp_row_layer>.stride
        let storage = try Floats(size / MemoryLayout<Float>.stride)
        let plan = UnsafeMutableRawPointer(storage.base).assumingMemoryBound(to: cp_row_plan.self)
        plan.pointee = cp_row_plan(count: network.layers.count, target: target.base)
        let layers = UnsafeMutableRawPointer(plan + 1).assumingMemoryBound(to: cp_row_layer.self)
        for index in network.layers.indices {
            let layer = network.layers[index]
            guard case .builtIn(let function) = layer.activation else { continue }
            layers[index] = cp_row_layer(
                inputs: layer.inputs, outputs: layer.outputs, octets: (layer.outputs + 7) / 8, weights: layer.weights.base,
                z: buffers[index].z.base, a: buffers[index].a.base, delta: buffers[index].delta.base, kind: function.kind)
        }
        network.kernels.activate(
            layers[network.layers.count - 1].kind, zeros.base, target.base, 1, last.outputs, last.stride)
        return RowPlan(storage: storage, target: target)
    }
}
