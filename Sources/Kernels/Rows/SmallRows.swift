import CKernels

/// `trainRows` for one row and two layers of weights with up to eight units each: z, a and δ stay in registers. On such
/// networks a step takes some tens of nanoseconds, so that each loop and each memory access is measurable.
@inline(never)
func trainSmallRow(
    _ plan: UnsafePointer<cp_row_plan>, _ x: Source, _ y: Source, _ rate: Float, _ loss: UnsafeMutablePointer<Double>
) -> Int32 {
    let hidden = layers(of: plan), output = hidden + 1
    let pass = pass(plan, x, y, 0)
    guard rate >= 0, pass.loss < Float(CP_SAFE_STEP), pass.bound * (1 + rate) < Float(CP_SAFE_STEP) else { return 1 }
    loss.pointee = Double(pass.loss)

    update(output, Source(hidden.pointee.a.unsafelyUnwrapped), lanes(-rate) * pass.d2)
    update(hidden, x, lanes(-rate) * pass.d1)
    return 0
}

/// `trainSmallRow` for several rows. a and the steps of all rows are stored until the last row has been processed.
@inline(never)
func trainSmallRows(
    _ plan: UnsafePointer<cp_row_plan>, _ x: Source, _ y: Source, _ rows: Int, _ rate: Float,
    _ loss: UnsafeMutablePointer<Double>
) -> Int32 {
    let hidden = layers(of: plan), output = hidden + 1
    let inputs = hidden.pointee.inputs
    var total = 0.0
    var bound: Float = 0
    for row in 0..<rows {
        let pass = pass(plan, x + row * inputs, y + row * output.pointee.outputs, row)
        save(lanes(-rate) * pass.d1, hidden.pointee.delta(row))
        save(lanes(-rate) * pass.d2, output.pointee.delta(row))
        total += Double(pass.loss)
        bound += pass.bound
    }
    guard rate >= 0, total < CP_SAFE_STEP, bound * (1 + rate) < Float(CP_SAFE_STEP) else { return 1 }
    loss.pointee = total

    for row in 0..<rows {
        update(output, Source(hidden.pointee.a(row)), loadLanes(Source(output.pointee.delta(row))))
        update(hidden, x + row * inputs, loadLanes(Source(hidden.pointee.delta(row))))
    }
    return 0
}

extension cp_row_layer {
    // z, a and δ of one row.
    @inline(__always) fileprivate func z(_ row: Int) -> Target { z.unsafelyUnwrapped + row * stride }
    @inline(__always) fileprivate func a(_ row: Int) -> Target { a.unsafelyUnwrapped + row * stride }
    @inline(__always) fileprivate func delta(_ row: Int) -> Target { delta.unsafelyUnwrapped + row * stride }
}

/// The forward and backward pass of one row: δ of both layers, the loss, and an upper bound of the gradients. The hidden
/// layer's a is stored in memory.
@_transparent
private func pass(
    _ plan: UnsafePointer<cp_row_plan>, _ x: Source, _ y: Source, _ row: Int
) -> (d1: Lanes, d2: Lanes, loss: Float, bound: Float) {
    let hidden = layers(of: plan), output = hidden + 1
    let w = Source(hidden.pointee.weights.unsafelyUnwrapped)
    let v = Source(output.pointee.weights.unsafelyUnwrapped)
    let inputs = hidden.pointee.inputs
    let units = output.pointee.inputs
    let outputs = output.pointee.outputs
    let target = plan.pointee.target.unsafelyUnwrapped
    var wanted = loadLanes(Source(target))  // the padding equals that of the outputs: the error there is 0
    if outputs == 1 {
        wanted[0] = y[0]
    } else {
        for k in 0..<outputs { target[k] = y[k] }
        wanted = loadLanes(Source(target))
    }

    var z1 = loadLanes(w + inputs * 16)
    var size: Float = 1
    for j in 0..<inputs {
        z1 = multiplyAdd(lanes(x[j]), loadLanes(w + j * 16), z1)
        size += x[j].magnitude
    }
    let a1 = apply(hidden, z1, row)
    save(a1, hidden.pointee.a(row))
    let z2 = dot(Source(hidden.pointee.a(row)), units, v)
    let a2 = apply(output, z2, row)

    let error = a2 - wanted
    let d2 = slope(output, z2, a2, error, row)  // δ = (ŷ − y) σ′(z)   (notes, §2)
    let sums =
        outputs == 1
        ? column(v, units) * lanes(d2[0])
        : units == 8
            ? rowSums(output, v, delta(output, d2, row))
            : lastRowSums(output, v, delta(output, d2, row), units)
    let d1 = slope(hidden, z1, a1, sums, row)  // γ = (Σ δ v) σ′(z)

    let bound = cp_sum(multiplyAdd(magnitude(d1), lanes(size), magnitude(d2))) * (1 + cp_sum(magnitude(a1)))
    return (d1, d2, 0.5 * cp_sum(error * error), bound)
}

@_transparent
private func update(_ layer: UnsafePointer<cp_row_layer>, _ x: Source, _ move: Lanes) {
    step(layer.pointee.weights.unsafelyUnwrapped, x, layer.pointee.inputs, move)
}

/// σ(z). The logistic function, the most common one, is computed in registers.
@_transparent
private func apply(_ layer: UnsafePointer<cp_row_layer>, _ z: Lanes, _ row: Int) -> Lanes {
    if layer.pointee.kind == Int32(CP_LOGISTIC) { return logistic(z) }
    return applyInMemory(layer, z, row)
}

@inline(never)
private func applyInMemory(_ layer: UnsafePointer<cp_row_layer>, _ z: Lanes, _ row: Int) -> Lanes {
    save(z, layer.pointee.z(row))
    activate(layer.pointee.kind, Source(layer.pointee.z(row)), layer.pointee.a(row), 1, layer.pointee.outputs, 8)
    return loadLanes(Source(layer.pointee.a(row)))
}

/// d σ′(z). The derivative of the logistic function is computed in registers.
@_transparent
private func slope(_ layer: UnsafePointer<cp_row_layer>, _ z: Lanes, _ a: Lanes, _ d: Lanes, _ row: Int) -> Lanes {
    if layer.pointee.kind == Int32(CP_LOGISTIC) { return d * (a * (lanes(1) - a)) }
    return slopeInMemory(layer, d, row)
}

@inline(never)
private func slopeInMemory(_ layer: UnsafePointer<cp_row_layer>, _ d: Lanes, _ row: Int) -> Lanes {
    let delta = delta(layer, d, row)
    differentiate(
        layer.pointee.kind, Source(layer.pointee.z(row)), Source(layer.pointee.a(row)), Target(mutating: delta), 1,
        layer.pointee.outputs, 8)
    return loadLanes(delta)
}

private func delta(_ layer: UnsafePointer<cp_row_layer>, _ d: Lanes, _ row: Int) -> Source {
    save(d, layer.pointee.delta(row))
    return Source(layer.pointee.delta(row))
}
