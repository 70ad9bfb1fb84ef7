import CKernels

// Products of a row and a layer's weights, eight outputs at a time.

/// W += x step and b += step, for the eight outputs whose weights begin at w.
@inline(__always)
func step(_ w: Target, _ x: Source, _ inputs: Int, _ step: Lanes) {
    byFour(inputs) { k in save(multiplyAdd(lanes(x[k]), step, loadLanes(Source(w) + k * 16)), w + k * 16) }
    save(loadLanes(Source(w) + inputs * 16) + step, w + inputs * 16)
}

@inline(__always)
func layers(of plan: UnsafePointer<cp_row_plan>) -> UnsafePointer<cp_row_layer> {
    UnsafePointer(cp_row_layers(plan).unsafelyUnwrapped)
}

/// Σ x w + b for eight outputs. Four partial sums shorten the dependency chains.
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

/// Σ x w + b for two panels, thirty-two outputs.
@inline(__always)
func dots(_ x: Source, _ inputs: Int, _ v: Source, _ w: Source) -> (Lanes, Lanes, Lanes, Lanes) {
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

/// The weights of a panel's first output for up to eight inputs.
@inline(__always)
func column(_ w: Source, _ count: Int) -> Lanes {
    if count == 8 { return Lanes(w[0], w[16], w[32], w[48], w[64], w[80], w[96], w[112]) }
    var column = Lanes.zero
    if count == 4 { return Lanes(w[0], w[16], w[32], w[48], 0, 0, 0, 0) }
    for i in 0..<count { column[i] = w[i * 16] }
    return column
}

/// Σ δ w over the outputs, for eight inputs.
@inline(__always)
func rowSums(_ layer: UnsafePointer<cp_row_layer>, _ weights: Source, _ delta: Source) -> Lanes {
    let panelSize = cp_panel_size(layer.pointee.inputs)
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
    return cp_pair_sums(
        cp_pair_sums(cp_pair_sums(s0, s1), cp_pair_sums(s2, s3)), cp_pair_sums(cp_pair_sums(s4, s5), cp_pair_sums(s6, s7)))
}

/// Σ δ w over the outputs, for fewer than eight inputs.
@inline(never)
func lastRowSums(_ layer: UnsafePointer<cp_row_layer>, _ weights: Source, _ delta: Source, _ count: Int) -> Lanes {
    let panelSize = cp_panel_size(layer.pointee.inputs)
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
