import CKernels

/// A complete step of gradient descent on a few rows: forward, loss, backward and update, row by row, on eight outputs at a
/// time. It is for small networks, in which a call for every product would take longer than the products.
///
/// Returns 0; or 1, without a change to the weights, if the step might not be finite, the rate is not at least 0, or a fused
/// loss is not defined for a target. The caller then takes the general path, which checks exactly.
func trainRows(
    _ plan: UnsafePointer<cp_row_plan>, _ x: Source, _ y: Source, _ rows: Int, _ rate: Float,
    _ loss: UnsafeMutablePointer<Double>
) -> Int32 {
    let isSmall = plan.pointee.is_small != 0
    if isSmall, rows == 1 { return trainSmallRow(plan, x, y, rate, loss) }
    if hasFMA, isSmall { return trainSmallRows(plan, x, y, rows, rate, loss) }
    if hasFMA, rows == 1 { return trainRowByLayers(plan, x, y, rate, loss) }
    return trainRowsByLayers(plan, x, y, rows, rate, loss)
}

/// The passes of such a step without the update, for steps of optimizers. Returns an upper bound of the magnitude of every
/// weight's gradient; infinity if a fused loss is not defined for a target.
func passRows(
    _ plan: UnsafePointer<cp_row_plan>, _ x: Source, _ y: Source, _ rows: Int, _ loss: UnsafeMutablePointer<Double>
) -> Float {
    let code =
        hasFMA && rows == 1
        ? trainRowByLayers(plan, x, y, withoutUpdate, loss) : trainRowsByLayers(plan, x, y, rows, withoutUpdate, loss)
    guard code == isOnlyPass else { return .infinity }
    var largest: Float = 0
    for index in plan.pointee.first..<plan.pointee.count {
        let (x, stride) = input(of: index, layers(of: plan), x)
        largest += bound(layers(of: plan) + index, x, stride, rows)
    }
    return largest
}

/// A rate with which `train` makes no step, and the code that it then returns unless a fused loss is not defined.
private let withoutUpdate: Float = -1
private let isOnlyPass: Int32 = 2

@inline(never)
private func trainRowsByLayers(
    _ plan: UnsafePointer<cp_row_plan>, _ x: Source, _ y: Source, _ rows: Int, _ rate: Float,
    _ loss: UnsafeMutablePointer<Double>
) -> Int32 {
    train(plan, x, y, rows, rate, loss)
}

/// A specialization for one row, without the loops over rows.
@inline(never)
private func trainRowByLayers(
    _ plan: UnsafePointer<cp_row_plan>, _ x: Source, _ y: Source, _ rate: Float, _ loss: UnsafeMutablePointer<Double>
) -> Int32 {
    train(plan, x, y, 1, rate, loss)
}

@inline(__always)
private func train(
    _ plan: UnsafePointer<cp_row_plan>, _ x: Source, _ y: Source, _ rows: Int, _ rate: Float,
    _ loss: UnsafeMutablePointer<Double>
) -> Int32 {
    let layers = layers(of: plan)
    let count = plan.pointee.count
    let first = plan.pointee.first

    for index in 0..<count {
        let (x, stride) = input(of: index, layers, x)
        forward(layers + index, x, stride, rows)
    }
    let last = layers + (count - 1)
    if plan.pointee.loss == Int32(CP_SQUARED_ERROR) {
        loss.pointee = outputDelta(last, y, plan.pointee.target.unsafelyUnwrapped, rows)
    } else if !fusedDelta(plan, last, y, rows) {
        return 1
    }
    var index = count - 1
    while index > first {
        backward(layers + index, to: layers + (index - 1), rows)
        index -= 1
    }

    var isBounded = rate >= 0 && (plan.pointee.loss != Int32(CP_SQUARED_ERROR) || loss.pointee < CP_SAFE_STEP)
    for index in first..<count {
        let (x, stride) = input(of: index, layers, x)
        isBounded = isBounded && bound(layers + index, x, stride, rows) * (1 + rate) < Float(CP_SAFE_STEP)
    }
    guard isBounded else { return rate >= 0 ? 1 : isOnlyPass }

    for index in first..<count {
        let (x, stride) = input(of: index, layers, x)
        update(layers + index, x, stride, rows, rate)
    }
    return 0
}

@inline(__always)
private func input(of index: Int, _ layers: UnsafePointer<cp_row_layer>, _ x: Source) -> (x: Source, stride: Int) {
    index == 0 ? (x, layers[0].inputs) : (Source(layers[index - 1].a.unsafelyUnwrapped), layers[index - 1].stride)
}

/// z = x W + b and a = σ(z)   (notes, §2)
@inline(__always)
private func forward(_ layer: UnsafePointer<cp_row_layer>, _ x: Source, _ xStride: Int, _ rows: Int) {
    let inputs = layer.pointee.inputs
    let octets = layer.pointee.octets
    let panelSize = cp_panel_size(inputs)
    var x = x
    var z = layer.pointee.z.unsafelyUnwrapped
    var a = layer.pointee.a.unsafelyUnwrapped
    for _ in 0..<rows {
        var w = Source(layer.pointee.weights.unsafelyUnwrapped)
        var octet = 0
        while octet + 4 <= octets {
            let (first, second, third, fourth) = dots(x, inputs, w, w + panelSize)
            save(first, z + octet * 8)
            save(second, z + octet * 8 + 8)
            save(third, z + octet * 8 + 16)
            save(fourth, z + octet * 8 + 24)
            w += 2 * panelSize
            octet += 4
        }
        while octet < octets {
            save(dot(x, inputs, w + octet % 2 * 8), z + octet * 8)
            w += octet % 2 * panelSize
            octet += 1
        }
        activate(layer.pointee.kind, Source(z), a, 1, layer.pointee.outputs, octets * 8)
        x += xStride
        z += layer.pointee.stride
        a += layer.pointee.stride
    }
}

/// (Σ δ v) σ′(z)   (notes, §2: γᵢₘ)
@inline(__always)
private func backward(_ layer: UnsafePointer<cp_row_layer>, to below: UnsafePointer<cp_row_layer>, _ rows: Int) {
    let inputs = layer.pointee.inputs
    let weights = Source(layer.pointee.weights.unsafelyUnwrapped)
    let single = layer.pointee.outputs == 1
    var delta = Source(layer.pointee.delta.unsafelyUnwrapped)
    var target = below.pointee.delta.unsafelyUnwrapped
    for _ in 0..<rows {
        var k = 0
        while k < inputs {
            let sums =
                single
                ? column(weights + k * 16, min(8, inputs - k)) * lanes(delta[0])
                : inputs - k >= 8
                    ? rowSums(layer, weights + k * 16, delta)
                    : lastRowSums(layer, weights + k * 16, delta, inputs - k)
            save(sums, target + k)
            k += 8
        }
        delta += layer.pointee.stride
        target += below.pointee.stride
    }
    differentiate(below, rows)
}

/// W −= α Σ x δ   (notes, §2 and §4)
@inline(__always)
private func update(_ layer: UnsafePointer<cp_row_layer>, _ x: Source, _ xStride: Int, _ rows: Int, _ rate: Float) {
    var x = x
    var delta = Source(layer.pointee.delta.unsafelyUnwrapped)
    var left = rows
    while left >= 2 {  // two rows at a time: halves the reads and writes of the weights
        updateByTwo(layer, x, x + xStride, delta, rate)
        x += 2 * xStride
        delta += 2 * layer.pointee.stride
        left -= 2
    }
    if left == 1 { updateByOne(layer, x, delta, rate) }
}

@inline(__always)
private func updateByOne(_ layer: UnsafePointer<cp_row_layer>, _ x: Source, _ delta: Source, _ rate: Float) {
    let inputs = layer.pointee.inputs
    let panelSize = cp_panel_size(inputs)
    for octet in 0..<layer.pointee.octets {
        let w = layer.pointee.weights.unsafelyUnwrapped + octet / 2 * panelSize + octet % 2 * 8
        step(w, x, inputs, lanes(-rate) * loadLanes(delta + octet * 8))
    }
}

@inline(__always)
private func updateByTwo(_ layer: UnsafePointer<cp_row_layer>, _ x: Source, _ y: Source, _ delta: Source, _ rate: Float) {
    let inputs = layer.pointee.inputs
    let panelSize = cp_panel_size(inputs)
    for octet in 0..<layer.pointee.octets {
        let w = layer.pointee.weights.unsafelyUnwrapped + octet / 2 * panelSize + octet % 2 * 8
        let first = lanes(-rate) * loadLanes(delta + octet * 8)
        let second = lanes(-rate) * loadLanes(delta + layer.pointee.stride + octet * 8)
        for k in 0..<inputs {
            let sum = multiplyAdd(lanes(x[k]), first, loadLanes(Source(w) + k * 16))
            save(multiplyAdd(lanes(y[k]), second, sum), w + k * 16)
        }
        save((loadLanes(Source(w) + inputs * 16) + first) + second, w + inputs * 16)
    }
}

/// An upper bound of the magnitude of every weight's gradient: Σ|x| Σ|δ|, summed over the rows.
@inline(__always)
private func bound(_ layer: UnsafePointer<cp_row_layer>, _ x: Source, _ xStride: Int, _ rows: Int) -> Float {
    var x = x
    var delta = Source(layer.pointee.delta.unsafelyUnwrapped)
    var total: Float = 0
    for _ in 0..<rows {
        var deltas = Lanes.zero
        for octet in 0..<layer.pointee.octets { deltas += magnitude(loadLanes(delta + octet * 8)) }
        total += sum(ofMagnitudes: x, layer.pointee.inputs) * cp_sum(deltas)
        x += xStride
        delta += layer.pointee.stride
    }
    return total
}

/// 1 + Σ|x|: the 1 is the input of the bias.
@inline(__always)
private func sum(ofMagnitudes x: Source, _ count: Int) -> Float {
    var sum = Lanes.zero
    var i = 0
    while i + 8 <= count {
        sum += magnitude(loadLanes(x + i))
        i += 8
    }
    var rest: Float = 1
    while i < count {
        rest += x[i].magnitude
        i += 1
    }
    return rest + (count >= 8 ? cp_sum(sum) : 0)
}
