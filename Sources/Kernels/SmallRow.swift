import CPlatform

/// `trainRow` for two layers of weights with up to eight units each: z, a and δ stay in registers. On such networks a step
/// takes some tens of nanoseconds, and every loop and every trip through memory shows.
@inline(never)
func trainSmallRow(
    _ plan: UnsafePointer<cp_row_plan>, _ x: Source, _ y: Source, _ rate: Float, _ loss: UnsafeMutablePointer<Double>
) -> Int32 {
    let hidden = layers(plan)
    let output = hidden + 1
    let w = hidden.pointee.weights.unsafelyUnwrapped
    let v = output.pointee.weights.unsafelyUnwrapped
    let a = hidden.pointee.a.unsafelyUnwrapped
    let inputs = hidden.pointee.inputs
    let units = output.pointee.inputs
    let outputs = output.pointee.outputs
    let target = plan.pointee.target.unsafelyUnwrapped
    var wanted = loadLanes(Source(target))  // its padding is the outputs' own: no error there
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
    let a1 = apply(hidden, z1)
    save(a1, a)
    let z2 = dot(Source(a), units, Source(v))
    let a2 = apply(output, z2)

    let error = a2 - wanted
    let d2 = slope(output, z2, a2, error)  // δ = (ŷ − y) σ′(z)   (notes, §2)
    let sums =
        outputs == 1 ? column(Source(v), units) * lanes(d2[0])
        : units == 8 ? rowSums(output, Source(v), delta(output, d2))
        : lastRowSums(output, Source(v), delta(output, d2), units)
    let d1 = slope(hidden, z1, a1, sums)  // γ = (Σ δ v) σ′(z)

    let squares = error * error
    let value = 0.5 * cp_sum(squares)
    let bound = cp_sum(multiplyAdd(magnitude(d1), lanes(size), magnitude(d2))) * (1 + cp_sum(magnitude(a1)))
    guard value < 1e30, rate >= 0, bound * (1 + rate) < 1e30 else { return 1 }
    loss.pointee = Double(value)

    let step1 = lanes(-rate) * d1
    let step2 = lanes(-rate) * d2
    for m in 0..<units { save(multiplyAdd(lanes(a[m]), step2, loadLanes(v + m * 16)), v + m * 16) }
    save(loadLanes(v + units * 16) + step2, v + units * 16)
    for j in 0..<inputs { save(multiplyAdd(lanes(x[j]), step1, loadLanes(w + j * 16)), w + j * 16) }
    save(loadLanes(w + inputs * 16) + step1, w + inputs * 16)
    return 0
}

/// σ(z), in registers for the most common.
@_transparent
private func apply(_ layer: UnsafePointer<cp_row_layer>, _ z: Lanes) -> Lanes {
    if layer.pointee.kind == Int32(CP_LOGISTIC) { return logistic(z) }
    return applyInMemory(layer, z)
}

@inline(never)
private func applyInMemory(_ layer: UnsafePointer<cp_row_layer>, _ z: Lanes) -> Lanes {
    save(z, layer.pointee.z.unsafelyUnwrapped)
    activate(
        layer.pointee.kind, Source(layer.pointee.z.unsafelyUnwrapped), layer.pointee.a.unsafelyUnwrapped, 1,
        layer.pointee.outputs, 8)
    return loadLanes(Source(layer.pointee.a.unsafelyUnwrapped))
}

/// d σ′(z), likewise.
@_transparent
private func slope(_ layer: UnsafePointer<cp_row_layer>, _ z: Lanes, _ a: Lanes, _ d: Lanes) -> Lanes {
    if layer.pointee.kind == Int32(CP_LOGISTIC) { return d * (a * (lanes(1) - a)) }
    return slopeInMemory(layer, d)
}

@inline(never)
private func slopeInMemory(_ layer: UnsafePointer<cp_row_layer>, _ d: Lanes) -> Lanes {
    save(d, layer.pointee.delta.unsafelyUnwrapped)
    differentiate(
        layer.pointee.kind, Source(layer.pointee.z.unsafelyUnwrapped), Source(layer.pointee.a.unsafelyUnwrapped),
        layer.pointee.delta.unsafelyUnwrapped, 1, layer.pointee.outputs, 8)
    return loadLanes(Source(layer.pointee.delta.unsafelyUnwrapped))
}

private func delta(_ layer: UnsafePointer<cp_row_layer>, _ d: Lanes) -> Source {
    save(d, layer.pointee.delta.unsafelyUnwrapped)
    return Source(layer.pointee.delta.unsafelyUnwrapped)
}
