import CKernels

/// Outputs for one row by a network whose layers are at most `CP_NARROW` wide: two rows of numbers, on the stack, are all
/// it needs. To the bit what `forward` and `activate` give.
func predictRow(_ plan: UnsafePointer<cp_row_plan>, _ x: Source, _ outputs: Target) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * Int(CP_NARROW)) { buffer in
        let room = buffer.baseAddress.unsafelyUnwrapped
        let layers = layers(of: plan)
        var x = x
        for index in 0..<plan.pointee.count {
            let layer = layers + index
            let a = room + index % 2 * Int(CP_NARROW)
            let panels = (layer.pointee.octets + 1) / 2
            forwardRow(x, layer.pointee.inputs, Source(layer.pointee.weights.unsafelyUnwrapped), panels, a)
            activate(layer.pointee.kind, Source(a), a, 1, layer.pointee.outputs, layer.pointee.octets * 8)
            x = Source(a)
        }
        for k in 0..<layers[plan.pointee.count - 1].outputs { outputs[k] = x[k] }
    }
}
