import CKernels

/// The outputs of a network for one row. Its layers have at most `CP_NARROW` outputs, so that two buffers on the stack
/// suffice. The outputs are bit-identical to those of `forward` and `activate`.
func predictRow(_ plan: UnsafePointer<cp_row_plan>, _ x: Source, _ outputs: Target) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * Int(CP_NARROW)) { buffer in
        let base = buffer.baseAddress.unsafelyUnwrapped
        let layers = layers(of: plan)
        var x = x
        for index in 0..<plan.pointee.count {
            let layer = layers + index
            let a = base + index % 2 * Int(CP_NARROW)
            let panels = (layer.pointee.octets + 1) / 2
            forwardRow(x, layer.pointee.inputs, Source(layer.pointee.weights.unsafelyUnwrapped), panels, a)
            activate(layer.pointee.kind, Source(a), a, 1, layer.pointee.outputs, layer.pointee.octets * 8)
            x = Source(a)
        }
        for k in 0..<layers[plan.pointee.count - 1].outputs { outputs[k] = x[k] }
    }
}
