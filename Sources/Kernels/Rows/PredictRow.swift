import CKernels

/// The outputs of a network for one row. Its layers have at most `CP_NARROW` outputs, so that two buffers on the stack
/// suffice; so do its inputs, if they are scaled. The outputs are bit-identical to those of `forward` and `activate`.
func predictRow(_ plan: UnsafePointer<cp_row_plan>, _ x: Source, _ outputs: Target) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * Int(CP_NARROW)) { buffer in
        var a = buffer.baseAddress.unsafelyUnwrapped, other = a + Int(CP_NARROW)
        var x = x
        if let offset = plan.pointee.input_offset, let scale = plan.pointee.input_scale {
            for k in 0..<layers(of: plan).pointee.inputs { other[k] = (x[k] - offset[k]) / scale[k] }
            x = Source(other)
        }
        var layer = layers(of: plan)
        for _ in 0..<plan.pointee.count {
            let octets = layer.pointee.octets
            forwardRow(x, layer.pointee.inputs, Source(layer.pointee.weights.unsafelyUnwrapped), octets, a)
            if layer.pointee.kind != Int32(CP_IDENTITY) {
                activate(layer.pointee.kind, Source(a), a, 1, layer.pointee.outputs, octets * 8)
            }
            x = Source(a)
            swap(&a, &other)
            layer += 1
        }
        let count = layer[-1].outputs
        guard let offset = plan.pointee.target_offset, let scale = plan.pointee.target_scale else {
            for k in 0..<count { outputs[k] = x[k] }
            return
        }
        for k in 0..<count { outputs[k] = x[k] * scale[k] + offset[k] }
    }
}
