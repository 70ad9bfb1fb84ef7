import CKernels

// δ of a few rows, stored in the `delta` matrices of the layers.

/// δ = (ŷ − y) σ′(z); returns ½ Σ ‖ŷ − y‖²   (notes, §1)
@inline(__always)
func outputDelta(_ layer: UnsafePointer<cp_row_layer>, _ y: Source, _ target: Target, _ rows: Int) -> Double {
    let outputs = layer.pointee.outputs
    var y = y
    var a = Source(layer.pointee.a.unsafelyUnwrapped)
    var delta = layer.pointee.delta.unsafelyUnwrapped
    var total = 0.0
    for _ in 0..<rows {
        // The padding of target and outputs is f(0): the error there is 0.
        for k in 0..<outputs { target[k] = y[k] }
        for octet in 0..<layer.pointee.octets {
            save(loadLanes(a + octet * 8) - loadLanes(Source(target) + octet * 8), delta + octet * 8)
        }
        for k in 0..<outputs {
            let error = Double(a[k]) - Double(y[k])
            total += error * error
        }
        y += outputs
        a += layer.pointee.stride
        delta += layer.pointee.stride
    }
    differentiate(layer, rows)
    return 0.5 * total
}

/// δ = ŷ − y, or for softmax ŷ Σ y − y. Returns false if the loss, at most about (n + Σ|z|) (1 + Σ|y|), might not be finite,
/// or is not defined for a target.
@inline(__always)
func fusedDelta(
    _ plan: UnsafePointer<cp_row_plan>, _ layer: UnsafePointer<cp_row_layer>, _ y: Source, _ rows: Int
) -> Bool {
    let outputs = layer.pointee.outputs
    let isSoftmax = layer.pointee.kind == Int32(CP_SOFTMAX)
    let target = plan.pointee.target.unsafelyUnwrapped
    let least = lanes(plan.pointee.least_target), greatest = lanes(plan.pointee.greatest_target)
    var outside = Lanes.zero
    var y = y
    var row = 0
    for _ in 0..<rows {
        let z = Source(layer.pointee.z.unsafelyUnwrapped) + row
        let a = Source(layer.pointee.a.unsafelyUnwrapped) + row
        let delta = layer.pointee.delta.unsafelyUnwrapped + row
        var sizeOfZ = Float(outputs), sizeOfY: Float = 1, sum: Float = 0
        for k in 0..<outputs {
            target[k] = y[k]
            sum += y[k]
            sizeOfY += y[k].magnitude
            sizeOfZ += z[k].magnitude
        }
        guard sizeOfZ * sizeOfY < Float(CP_SAFE_STEP) else { return false }
        let weight = lanes(isSoftmax ? sum : 1)
        for octet in 0..<layer.pointee.octets {
            let wanted = loadLanes(Source(target) + octet * 8)
            outside = select((wanted .< least) .| (wanted .> greatest), lanes(1), outside)
            save(significant(weight * loadLanes(a + octet * 8) - wanted), delta + octet * 8)
        }
        y += outputs
        row += layer.pointee.stride
    }
    return cp_sum(outside) == 0
}

/// `delta`, on entry the gradient for a, becomes the gradient for z.
@inline(__always)
func differentiate(_ layer: UnsafePointer<cp_row_layer>, _ rows: Int) {
    var row = 0
    for _ in 0..<rows {
        differentiate(
            layer.pointee.kind, Source(layer.pointee.z.unsafelyUnwrapped) + row, Source(layer.pointee.a.unsafelyUnwrapped) + row,
            layer.pointee.delta.unsafelyUnwrapped + row, 1, layer.pointee.outputs, layer.pointee.octets * 8)
        row += layer.pointee.stride
    }
}
