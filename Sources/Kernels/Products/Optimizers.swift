import CKernels

/// One step of an optimizer on `count` parameters w with gradient g. Each parameter is independent of the others, so that
/// the work can be split anywhere. The step begins with
///
///     g ← clip(scale g) + decay w + l₁ sign w,  w ← shrink w
@inline(__always)
func optimize(
    _ step: UnsafePointer<cp_optimizer>, _ w: Target, _ g: Source, _ first: Target?, _ second: Target?, _ count: Int
) {
    optimize(step, Wide(-step.pointee.rate), Wide(step.pointee.shrink), w, g, first, second, count)
}

/// The same for vectors whose numbers have different rates and factors `shrink`. `rate`: minus the rates.
@inline(__always)
func optimize(
    _ step: UnsafePointer<cp_optimizer>, _ rate: Wide, _ shrink: Wide, _ w: Target, _ g: Source, _ first: Target?,
    _ second: Target?, _ count: Int
) {
    let s = step.pointee
    // The most common case, without operations that change nothing.
    if hasFMA, s.clip == .infinity, s.decay == 0, s.l1 == 0, s.shrink == 1 {
        descend(step, rate, Wide(s.scale), w, g, first, second, count)
    } else {
        descendPrepared(step, rate, shrink, w, g, first, second, count)
    }
}

@inline(never)
private func descendPrepared(
    _ step: UnsafePointer<cp_optimizer>, _ rate: Wide, _ shrink: Wide, _ w: Target, _ g: Source, _ first: Target?,
    _ second: Target?, _ count: Int
) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 256) { room in
        let prepared = room.baseAddress.unsafelyUnwrapped
        var at = 0
        while at < count {
            let part = min(256, count - at)
            prepare(step.pointee, shrink, w + at, g + at, prepared, part)
            descend(step, rate, Wide(1), w + at, prepared, first.map { $0 + at }, second.map { $0 + at }, part)
            at += part
        }
    }
}

/// The gradient with which a step begins, and w ← shrink w.
@inline(__always)
private func prepare(_ s: cp_optimizer, _ shrink: Wide, _ w: Target, _ g: Source, _ prepared: Target, _ count: Int) {
    let scale = Wide(s.scale), low = Wide(-s.clip), high = Wide(s.clip)
    let least = s.decay == 0 && s.shrink == 1 ? 0 : CP_LEAST_DECAYING
    var at = 0
    while at < count {
        let old = Wide(Source(w) + at).flushed(below: least)
        let scaled = Wide(g + at) * scale
        let clipped = select(low, isAbove: scaled, low, select(scaled, isAbove: high, high, scaled))
        multiplyAdd(Wide(s.decay), old, multiplyAdd(Wide(s.l1), sign(old), clipped)).save(prepared + at)
        (old * shrink).save(w + at)
        at += Wide.count
    }
}

/// w ← w − rate · direction, for the gradient scale · g.
@inline(never)
private func descend(
    _ step: UnsafePointer<cp_optimizer>, _ rate: Wide, _ scale: Wide, _ w: Target, _ g: Source, _ first: Target?,
    _ second: Target?, _ count: Int
) {
    let s = step.pointee
    let m = first ?? w, v = second ?? w  // an optimizer without this state does not access it
    switch Int(s.kind) {
    case CP_SGD:
        forEachVector(scale, w, g, count) { at, w, g in multiplyAdd(rate, g, w) }
    case CP_MOMENTUM:  // m = μ m + g,  w −= α m   (Polyak 1964)
        forEachVector(scale, w, g, count) { at, w, g in
            multiplyAdd(rate, average(m + at, s.first_decay, s.first_share, g), w)
        }
    case CP_NESTEROV:  // w −= α (g + μ m)   (Nesterov 1983; Sutskever et al. 2013)
        forEachVector(scale, w, g, count) { at, w, g in
            let ahead = multiplyAdd(Wide(s.first_decay), average(m + at, s.first_decay, s.first_share, g), g)
            return multiplyAdd(rate, ahead, w)
        }
    case CP_RMSPROP:  // v = ρ v + (1 − ρ) g²,  w −= α g / (√v + ε)   (Hinton 2012)
        forEachVector(scale, w, g, count) { at, w, g in
            let mean = average(m + at, s.second_decay, s.second_share, square(g))
            return multiplyAdd(rate, g / (mean.squareRoot + Wide(s.epsilon)), w)
        }
    case CP_ADAM, CP_ADAMW:  // w −= α m̂ / (√v̂ + ε)   (Kingma and Ba 2015; Loshchilov and Hutter 2019)
        forEachVector(scale, w, g, count) { at, w, g in
            let mean = average(m + at, s.first_decay, s.first_share, g)
            let square = average(v + at, s.second_decay, s.second_share, square(g))
            let deviation = multiplyAdd(square.squareRoot, Wide(s.second_scale), Wide(s.epsilon))
            return multiplyAdd(rate, mean / deviation, w)
        }
    default:
        forEachVector(scale, w, g, count) { at, w, g in w - resilient(g, previous: m + at, size: v + at) }
    }
}

/// Whether w and the state are finite after such a step, which is made on copies.
func isFiniteStep(
    _ step: UnsafePointer<cp_optimizer>, _ w: Source, _ g: Source, _ first: Source?, _ second: Source?, _ count: Int
) -> Bool {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 48) { copies in
        let base = copies.baseAddress.unsafelyUnwrapped
        for at in stride(from: 0, to: count, by: 16) {
            for i in 0..<16 {
                copies[i] = w[at + i]
                copies[16 + i] = first.map { $0[at + i] } ?? 0
                copies[32 + i] = second.map { $0[at + i] } ?? 0
            }
            optimize(step, base, g + at, base + 16, base + 32, 16)
            for i in 0..<48 where !copies[i].isFinite { return false }
        }
        return true
    }
}

/// iRprop⁻ (Igel and Hüsken 2000): uses only the sign of the gradient. While the sign stays the same, the weight's step size
/// grows. When the sign changes, the step size shrinks, and the weight is not changed in this step.
@inline(__always)
private func resilient(_ g: Wide, previous: Target, size: Target) -> Wide {
    let turn = sign(g) * sign(Wide(Source(previous)))
    let before = Wide(Source(size))
    let longer = before * Wide(1.2), shorter = before * Wide(0.5)
    let grown = select(longer, isAbove: Wide(50), Wide(50), longer)
    let shrunk = select(Wide(1e-6), isAbove: shorter, Wide(1e-6), shorter)
    let step = select(turn, isAbove: Wide(0), grown, select(Wide(0), isAbove: turn, shrunk, before))
    let kept = select(Wide(0), isAbove: turn, Wide(0), g)
    step.save(size)
    kept.save(previous)
    return sign(kept) * step
}

/// x = decay · x + share · g, which it returns. Instead of a subnormal number, with which processors are slow, it is 0: an
/// average of zeros would become subnormal and remain so.
@inline(__always)
private func average(_ x: Target, _ decay: Float, _ share: Float, _ g: Wide) -> Wide {
    let value = multiplyAdd(Wide(share), g, Wide(decay) * Wide(Source(x))).flushed(below: .leastNormalMagnitude)
    value.save(x)
    return value
}

/// g², or 0 instead of a subnormal number.
@inline(__always)
private func square(_ g: Wide) -> Wide {
    let g = g.flushed(below: CP_LEAST_GRADIENT)
    return g * g
}

@inline(__always)
private func sign(_ x: Wide) -> Wide {
    select(x, isAbove: Wide(0), Wide(1), select(Wide(0), isAbove: x, Wide(-1), Wide(0)))
}

/// w ← body(offset, w, scale · g) for each vector.
@inline(__always)
private func forEachVector(
    _ scale: Wide, _ w: Target, _ g: Source, _ count: Int, _ body: (_ at: Int, _ w: Wide, _ g: Wide) -> Wide
) {
    var at = 0
    while at < count {
        body(at, Wide(Source(w) + at), Wide(g + at) * scale).save(w + at)
        at += Wide.count
    }
}
