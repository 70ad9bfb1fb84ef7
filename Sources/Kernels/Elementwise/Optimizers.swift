import CKernels

/// One step of an optimizer on `count` parameters w with gradient g. Each parameter is independent of the others, so that
/// the work can be split anywhere. The step begins with
///
///     g ← clip(scale g) + decay w + l₁ sign w,  w ← shrink w
func optimize(
    _ step: UnsafePointer<cp_optimizer>, _ w: Target, _ g: Source, _ first: Target?, _ second: Target?, _ count: Int
) {
    var sink = Sink(stores: true)
    apply(step.pointee, w, g, first, second, count, &sink)
}

/// Whether w and the state are finite after such a step: the same computation, without stores.
func isFiniteStep(
    _ step: UnsafePointer<cp_optimizer>, _ w: Source, _ g: Source, _ first: Source?, _ second: Source?, _ count: Int
) -> Bool {
    var sink = Sink(stores: false)
    apply(
        step.pointee, Target(mutating: w), g, first.map { Target(mutating: $0) }, second.map { Target(mutating: $0) }, count,
        &sink)
    return cp_sum(sink.zeros) == 0
}

/// Stores or checks the results of a step. `stores` must be a constant at initialization, so that the compiler removes the
/// unused branch.
private struct Sink {
    let stores: Bool
    /// Unless `stores`: Σ 0 · x over all results x, which is NaN if a result is not finite.
    var zeros = Lanes.zero

    @inline(__always)
    init(stores: Bool) { self.stores = stores }

    @inline(__always)
    mutating func put(_ x: Lanes, _ target: Target) {
        if stores { save(x, target) } else { zeros = multiplyAdd(x, .zero, zeros) }
    }
}

@inline(__always)
private func apply(
    _ s: cp_optimizer, _ w: Target, _ g: Source, _ first: Target?, _ second: Target?, _ count: Int, _ sink: inout Sink
) {
    let rate = lanes(-s.rate)
    let m = first ?? w, v = second ?? w  // an optimizer without this state does not access it
    switch Int(s.kind) {
    case CP_SGD:
        forEachOctet(s, w, g, count, &sink) { at, w, g, sink in multiplyAdd(rate, g, w) }
    case CP_MOMENTUM:  // m = μ m + g,  w −= α m   (Polyak 1964)
        forEachOctet(s, w, g, count, &sink) { at, w, g, sink in
            multiplyAdd(rate, average(m + at, s.first_decay, s.first_share, g, &sink), w)
        }
    case CP_NESTEROV:  // w −= α (g + μ m)   (Nesterov 1983; Sutskever et al. 2013)
        forEachOctet(s, w, g, count, &sink) { at, w, g, sink in
            let ahead = multiplyAdd(lanes(s.first_decay), average(m + at, s.first_decay, s.first_share, g, &sink), g)
            return multiplyAdd(rate, ahead, w)
        }
    case CP_RMSPROP:  // v = ρ v + (1 − ρ) g²,  w −= α g / (√v + ε)   (Hinton 2012)
        forEachOctet(s, w, g, count, &sink) { at, w, g, sink in
            let mean = average(m + at, s.second_decay, s.second_share, g * g, &sink)
            return multiplyAdd(rate, g / (cp_square_root(mean) + lanes(s.epsilon)), w)
        }
    case CP_ADAM, CP_ADAMW:  // w −= α m̂ / (√v̂ + ε)   (Kingma and Ba 2015; Loshchilov and Hutter 2019)
        forEachOctet(s, w, g, count, &sink) { at, w, g, sink in
            let mean = average(m + at, s.first_decay, s.first_share, g, &sink)
            let square = average(v + at, s.second_decay, s.second_share, g * g, &sink)
            let deviation = multiplyAdd(cp_square_root(square), lanes(s.second_scale), lanes(s.epsilon))
            return multiplyAdd(rate, mean / deviation, w)
        }
    default:
        forEachOctet(s, w, g, count, &sink) { at, w, g, sink in w - resilient(g, previous: m + at, size: v + at, &sink) }
    }
}

/// iRprop⁻ (Igel and Hüsken 2000): uses only the sign of the gradient. While the sign stays the same, the weight's step size
/// grows. When the sign changes, the step size shrinks, and the weight is not changed in this step.
@inline(__always)
private func resilient(_ g: Lanes, previous: Target, size: Target, _ sink: inout Sink) -> Lanes {
    let turn = sign(g) * sign(loadLanes(Source(previous)))
    let before = loadLanes(Source(size))
    let longer = before * lanes(1.2), shorter = before * lanes(0.5)
    let grown = select(longer .> lanes(50), lanes(50), longer)
    let shrunk = select(shorter .< lanes(1e-6), lanes(1e-6), shorter)
    let step = select(turn .> .zero, grown, select(turn .< .zero, shrunk, before))
    let kept = select(turn .< .zero, .zero, g)
    sink.put(step, size)
    sink.put(kept, previous)
    return sign(kept) * step
}

/// x = decay · x + share · g, which it returns.
@inline(__always)
private func average(_ x: Target, _ decay: Float, _ share: Float, _ g: Lanes, _ sink: inout Sink) -> Lanes {
    let value = multiplyAdd(lanes(share), g, lanes(decay) * loadLanes(Source(x)))
    sink.put(value, x)
    return value
}

@inline(__always)
private func sign(_ x: Lanes) -> Lanes {
    select(x .> .zero, lanes(1), select(x .< .zero, lanes(-1), .zero))
}

/// w ← body(offset, shrunk w, prepared g) for each eight numbers.
@inline(__always)
private func forEachOctet(
    _ s: cp_optimizer, _ w: Target, _ g: Source, _ count: Int, _ sink: inout Sink,
    _ body: (_ at: Int, _ w: Lanes, _ g: Lanes, _ sink: inout Sink) -> Lanes
) {
    let low = lanes(-s.clip), high = lanes(s.clip)
    var at = 0
    while at < count {
        let old = loadLanes(Source(w) + at)
        let scaled = loadLanes(g + at) * lanes(s.scale)
        let clipped = select(scaled .< low, low, select(scaled .> high, high, scaled))
        let decayed = multiplyAdd(lanes(s.decay), old, multiplyAdd(lanes(s.l1), sign(old), clipped))
        let new = body(at, old * lanes(s.shrink), decayed, &sink)
        sink.put(new, w + at)
        at += 8
    }
}

/// Σ x² in double precision, which is finite for all finite floats.
func sumOfSquares(_ x: Source, _ count: Int) -> Double {
    var sum = SIMD8<Double>.zero
    var i = 0
    while i < count {
        let value = SIMD8<Double>(loadLanes(x + i))
        sum += value * value
        i += 8
    }
    let four = sum.lowHalf + sum.highHalf
    return (four[0] + four[2]) + (four[1] + four[3])
}
