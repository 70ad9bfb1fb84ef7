import CPlatform

/// A whole step of stochastic gradient descent on one row, for small networks in which a call for every product would
/// cost more than the products: forward, squared error, backward, update, all on eight outputs at a time.
///
/// Returns 1, having changed nothing, where the step might not be finite or the rate is not one: the general path then looks
/// closer.
func trainRow(
    _ plan: UnsafePointer<cp_row_plan>, _ x: Source, _ y: Source, _ rate: Float, _ loss: UnsafeMutablePointer<Double>
) -> Int32 {
    let layers = layers(plan)
    let isSmall = plan.pointee.count == 2 && layers[0].octets == 1 && layers[1].octets == 1
    return isSmall ? trainSmallRow(plan, x, y, rate, loss) : trainRowByLayers(plan, x, y, rate, loss)
}

/// The plan's layers lie behind it.
@inline(__always)
func layers(_ plan: UnsafePointer<cp_row_plan>) -> UnsafePointer<cp_row_layer> {
    UnsafeRawPointer(plan + 1).assumingMemoryBound(to: cp_row_layer.self)
}

@inline(never)
private func trainRowByLayers(
    _ plan: UnsafePointer<cp_row_plan>, _ x: Source, _ y: Source, _ rate: Float, _ loss: UnsafeMutablePointer<Double>
) -> Int32 {
    let layers = layers(plan)
    let count = plan.pointee.count
    let last = layers + (count - 1)

    var input = x
    for index in 0..<count {
        forward(layers + index, input)
        input = Source(layers[index].a.unsafelyUnwrapped)
    }
    loss.pointee = outputDelta(last, y, plan.pointee.target.unsafelyUnwrapped)
    var index = count - 1
    while index > 0 {
        backward(layers + index, to: layers + (index - 1))
        index -= 1
    }

    // A weight's gradient is at most Σ|x| Σ|δ|.
    var bounded = loss.pointee < 1e30 && rate >= 0
    for index in 0..<count {
        let input = index == 0 ? x : Source(layers[index - 1].a.unsafelyUnwrapped)
        let bound = sum(ofMagnitudes: input, layers[index].inputs) * sumOfDeltas(layers + index)
        bounded = bounded && bound * (1 + rate) < 1e30
    }
    guard bounded else { return 1 }

    for index in 0..<count {
        update(layers + index, index == 0 ? x : Source(layers[index - 1].a.unsafelyUnwrapped), rate)
    }
    return 0
}

/// z = x W + b and a = σ(z)   (notes, §2)
@inline(__always)
private func forward(_ layer: UnsafePointer<cp_row_layer>, _ x: Source) {
    let inputs = layer.pointee.inputs
    let z = layer.pointee.z.unsafelyUnwrapped
    let octets = layer.pointee.octets
    let panelSize = (inputs + 1) * 16
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
    activate(layer.pointee.kind, Source(z), layer.pointee.a.unsafelyUnwrapped, 1, layer.pointee.outputs, octets * 8)
}

/// Eight outputs. Four sums side by side, so that none waits for itself.
@inline(__always)
func dot(_ x: Source, _ inputs: Int, _ w: Source) -> Lanes {
    var a = loadLanes(w + inputs * 16)
    var k = 0
    if inputs >= 4 {
        var b = Lanes.zero, c = Lanes.zero, d = Lanes.zero
        while k + 4 <= inputs {
            let row = w + k * 16
            a = multiplyAdd(lanes(x[k]), loadLanes(row), a)
            b = multiplyAdd(lanes(x[k + 1]), loadLanes(row + 16), b)
            c = multiplyAdd(lanes(x[k + 2]), loadLanes(row + 32), c)
            d = multiplyAdd(lanes(x[k + 3]), loadLanes(row + 48), d)
            k += 4
        }
        a = (a + b) + (c + d)
    }
    while k < inputs {
        a = multiplyAdd(lanes(x[k]), loadLanes(w + k * 16), a)
        k += 1
    }
    return a
}

/// Two panels, thirty-two outputs.
@inline(__always)
private func dots(_ x: Source, _ inputs: Int, _ v: Source, _ w: Source) -> (Lanes, Lanes, Lanes, Lanes) {
    let bias = inputs * 16
    var a = loadLanes(v + bias), b = loadLanes(v + bias + 8), c = loadLanes(w + bias), d = loadLanes(w + bias + 8)
    var e = Lanes.zero, f = Lanes.zero, g = Lanes.zero, h = Lanes.zero
    var k = 0
    while k + 2 <= inputs {
        let at = k * 16
        let even = lanes(x[k]), odd = lanes(x[k + 1])
        a = multiplyAdd(even, loadLanes(v + at), a)
        b = multiplyAdd(even, loadLanes(v + at + 8), b)
        c = multiplyAdd(even, loadLanes(w + at), c)
        d = multiplyAdd(even, loadLanes(w + at + 8), d)
        e = multiplyAdd(odd, loadLanes(v + at + 16), e)
        f = multiplyAdd(odd, loadLanes(v + at + 24), f)
        g = multiplyAdd(odd, loadLanes(w + at + 16), g)
        h = multiplyAdd(odd, loadLanes(w + at + 24), h)
        k += 2
    }
    if k < inputs {
        let at = k * 16
        let value = lanes(x[k])
        a = multiplyAdd(value, loadLanes(v + at), a)
        b = multiplyAdd(value, loadLanes(v + at + 8), b)
        c = multiplyAdd(value, loadLanes(w + at), c)
        d = multiplyAdd(value, loadLanes(w + at + 8), d)
    }
    return (a + e, b + f, c + g, d + h)
}

/// δ = (ŷ − y) σ′(z); returns ½ ‖ŷ − y‖²   (notes, §1)
@inline(__always)
private func outputDelta(_ layer: UnsafePointer<cp_row_layer>, _ y: Source, _ target: Target) -> Double {
    // The target's padding is f(0), the outputs' own: the error there is 0.
    for k in 0..<layer.pointee.outputs { target[k] = y[k] }
    let a = Source(layer.pointee.a.unsafelyUnwrapped)
    let delta = layer.pointee.delta.unsafelyUnwrapped
    for octet in 0..<layer.pointee.octets {
        save(loadLanes(a + octet * 8) - loadLanes(Source(target) + octet * 8), delta + octet * 8)
    }
    differentiate(layer)
    var total = 0.0
    for k in 0..<layer.pointee.outputs {
        let error = Double(a[k]) - Double(y[k])
        total += error * error
    }
    return 0.5 * total
}

/// The gradient for a, in δ's place, becomes that for z.
@inline(__always)
private func differentiate(_ layer: UnsafePointer<cp_row_layer>) {
    differentiate(
        layer.pointee.kind, Source(layer.pointee.z.unsafelyUnwrapped), Source(layer.pointee.a.unsafelyUnwrapped),
        layer.pointee.delta.unsafelyUnwrapped, 1, layer.pointee.outputs, layer.pointee.octets * 8)
}

/// (Σ δ v) σ′(z)   (notes, §2: γᵢₘ)
@inline(__always)
private func backward(_ layer: UnsafePointer<cp_row_layer>, to below: UnsafePointer<cp_row_layer>) {
    let inputs = layer.pointee.inputs
    let weights = Source(layer.pointee.weights.unsafelyUnwrapped)
    let delta = Source(layer.pointee.delta.unsafelyUnwrapped)
    let target = below.pointee.delta.unsafelyUnwrapped
    let single = layer.pointee.outputs == 1
    var k = 0
    while k < inputs {
        let sums =
            single ? column(weights + k * 16, min(8, inputs - k)) * lanes(delta[0])
            : inputs - k >= 8 ? rowSums(layer, weights + k * 16, delta)
            : lastRowSums(layer, weights + k * 16, delta, inputs - k)
        save(sums, target + k)
        k += 8
    }
    differentiate(below)
}

/// The first of sixteen outputs' weights for up to eight inputs.
@inline(__always)
func column(_ w: Source, _ count: Int) -> Lanes {
    if count == 8 { return Lanes(w[0], w[16], w[32], w[48], w[64], w[80], w[96], w[112]) }
    var column = Lanes.zero
    if count == 4 { return Lanes(w[0], w[16], w[32], w[48], 0, 0, 0, 0) }
    for i in 0..<count { column[i] = w[i * 16] }
    return column
}

/// Σ δ w for eight inputs.
@inline(__always)
func rowSums(_ layer: UnsafePointer<cp_row_layer>, _ weights: Source, _ delta: Source) -> Lanes {
    let panelSize = (layer.pointee.inputs + 1) * 16
    var s0 = Lanes.zero, s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0
    for octet in 0..<layer.pointee.octets {
        let w = weights + octet / 2 * panelSize + octet % 2 * 8
        let d = loadLanes(delta + octet * 8)
        s0 = multiplyAdd(d, loadLanes(w), s0)
        s1 = multiplyAdd(d, loadLanes(w + 16), s1)
        s2 = multiplyAdd(d, loadLanes(w + 32), s2)
        s3 = multiplyAdd(d, loadLanes(w + 48), s3)
        s4 = multiplyAdd(d, loadLanes(w + 64), s4)
        s5 = multiplyAdd(d, loadLanes(w + 80), s5)
        s6 = multiplyAdd(d, loadLanes(w + 96), s6)
        s7 = multiplyAdd(d, loadLanes(w + 112), s7)
    }
    return cp_pair_sums(cp_pair_sums(cp_pair_sums(s0, s1), cp_pair_sums(s2, s3)), cp_pair_sums(cp_pair_sums(s4, s5), cp_pair_sums(s6, s7)))
}

/// The same for fewer than eight inputs, one by one.
@inline(never)
func lastRowSums(_ layer: UnsafePointer<cp_row_layer>, _ weights: Source, _ delta: Source, _ count: Int) -> Lanes {
    let panelSize = (layer.pointee.inputs + 1) * 16
    var sums = Lanes.zero
    for i in 0..<count {
        var total: Float = 0
        for output in 0..<layer.pointee.outputs {
            total += weights[output / 16 * panelSize + i * 16 + output % 16] * delta[output]
        }
        sums[i] = total
    }
    return sums
}

/// W −= α x δ   (notes, §2)
@inline(__always)
private func update(_ layer: UnsafePointer<cp_row_layer>, _ x: Source, _ rate: Float) {
    let inputs = layer.pointee.inputs
    let panelSize = (inputs + 1) * 16
    for octet in 0..<layer.pointee.octets {
        let w = layer.pointee.weights.unsafelyUnwrapped + octet / 2 * panelSize + octet % 2 * 8
        let move = lanes(-rate) * loadLanes(Source(layer.pointee.delta.unsafelyUnwrapped) + octet * 8)
        for k in 0..<inputs {
            save(multiplyAdd(lanes(x[k]), move, loadLanes(w + k * 16)), w + k * 16)
        }
        save(loadLanes(w + inputs * 16) + move, w + inputs * 16)
    }
}

@inline(__always)
private func sumOfDeltas(_ layer: UnsafePointer<cp_row_layer>) -> Float {
    var sum = Lanes.zero
    for octet in 0..<layer.pointee.octets { sum += magnitude(loadLanes(Source(layer.pointee.delta.unsafelyUnwrapped) + octet * 8)) }
    return cp_sum(sum)
}

/// At least 1, for the bias's own input.
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
