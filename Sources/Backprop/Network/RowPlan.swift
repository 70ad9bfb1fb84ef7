import CKernels

/// A description of a network for the kernels for a few rows: pointers to its parameters and, for training, to the matrices
/// of a workspace.
final class RowPlan {
    /// The largest number of weights: beyond the second-level cache, training by layers is as fast.
    private static var maximumWeights: Int { 262_144 }

    private let storage, target: Floats

    var pointer: UnsafePointer<cp_row_plan> { UnsafeRawPointer(storage.base).assumingMemoryBound(to: cp_row_plan.self) }

    private init(storage: consuming Floats, target: consuming Floats) {
        self.storage = storage
        self.target = target
    }

    /// The number of rows up to which training by a plan is faster. It does not depend on the workspace's capacity, since the
    /// bits depend on it.
    static func maximumRows(for network: NetworkState) -> Int {
        if network.layers.count == 2, network.layers.allSatisfy({ $0.outputs <= 8 }) { return 16 }
        return network.weightCount <= 4096 ? 6 : 4
    }

    /// Returns a plan for training; nil for a network that must be trained by layers.
    static func make(
        for network: NetworkState, _ buffers: [LayerWorkspace], capacity: Int
    ) throws(BackpropError) -> RowPlan? {
        let last = network.layers[network.layers.count - 1]
        let isFused = network.loss.isFused(with: last.activation)
        let first = network.firstTrainable
        guard isFused || network.loss.is(.squaredError), network.options[.missingTargets] == 0,
            network.weightCount <= maximumWeights,
            first < network.layers.count, network.layers[first...].allSatisfy({ $0.isTrainable }),
            network.layers.allSatisfy({
                isPlain($0) && $0.dropout == 0 && (!$0.activation.is(.softmax) || isFused && $0 === last && $0.outputs > 1)
            })
        else { return nil }
        let loss = isFused ? CP_FUSED_LOSS : CP_SQUARED_ERROR
        let plan = try make(for: network, rows: min(capacity, maximumRows(for: network)), first: first, loss: loss) {
            index, layer in
            layer.z = buffers[index].z.base
            layer.a = buffers[index].a.base
            layer.delta = buffers[index].delta.base
        }
        let zeros = try Floats(last.stride)
        network.kernels.activate(last.activation.kind, zeros.base, plan.target.base, 1, last.outputs, last.stride)
        return plan
    }

    /// Returns a plan for the prediction of a single row; nil for a network that must be computed by layers.
    static func make(for network: NetworkState) throws(BackpropError) -> RowPlan? {
        guard network.inputScaling == nil || network.inputCount <= Int(CP_NARROW),
            network.layers.allSatisfy({ isPlain($0) && $0.outputs <= Int(CP_NARROW) })
        else { return nil }
        return try make(for: network, rows: 0, first: 0, loss: CP_SQUARED_ERROR) { _, _ in }
    }

    private static func isPlain(_ layer: Layer) -> Bool {
        !layer.isNormalized && !layer.activation.isPlugin
    }

    private static func make(
        for network: NetworkState, rows: Int, first: Int, loss: Int, _ addBuffers: (Int, inout cp_row_layer) -> Void
    ) throws(BackpropError) -> RowPlan {
        let count = network.layers.count
        let size = MemoryLayout<cp_row_plan>.stride + count * MemoryLayout<cp_row_layer>.stride
        let storage = try Floats(size / MemoryLayout<Float>.stride)
        let target = try Floats(rows == 0 ? 0 : network.layers[count - 1].stride)
        let plan = UnsafeMutableRawPointer(storage.base).assumingMemoryBound(to: cp_row_plan.self)
        let (least, greatest) = network.loss.targetRange
        let isSmall =
            count == 2 && first == 0 && loss == CP_SQUARED_ERROR && network.layers.allSatisfy { $0.outputs <= 8 }
        plan.pointee = cp_row_plan(
            count: count, first: first, most_rows: rows, target: target.base, loss: Int32(loss), is_small: isSmall ? 1 : 0,
            least_target: least, greatest_target: greatest, input_offset: network.inputScaling?.offset.base,
            input_scale: network.inputScaling?.scale.base, target_offset: network.targetScaling?.offset.base,
            target_scale: network.targetScaling?.scale.base)
        let layers = cp_row_layers(plan).unsafelyUnwrapped
        for index in 0..<count {
            let layer = network.layers[index]
            layers[index] = cp_row_layer(
                inputs: layer.inputs, outputs: layer.outputs, octets: (layer.outputs + 7) / 8, stride: layer.stride,
                weights: layer.weights.base, z: nil, a: nil, delta: nil, kind: layer.activation.kind)
            addBuffers(index, &layers[index])
        }
        return RowPlan(storage: storage, target: target)
    }
}
