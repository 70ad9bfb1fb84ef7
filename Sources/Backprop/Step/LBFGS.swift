import CPlatform

/// Limited-memory BFGS (Liu and Nocedal 1989; Nocedal and Wright 2006, algorithm 7.5). The objective is the loss with the term
/// of weight_decay.
extension NetworkState {
    func stepOfLBFGS(
        _ rows: TrainingRows, _ state: OptimizerState, _ start: UnsafePointer<Float>, _ trial: UnsafeMutablePointer<Float>
    ) throws(BackpropError) -> Double {
        let count = parameterCount, size = Int(options[.lbfgsHistory])
        let memory = try Doubles(count + size), direction = memory.base
        let end = try LatestGradient.make(count)
        // (The running statistics, by which a single row is normalized, have moved.)
        let known = areRowsRepeated && workspace?.batchRows != 1 ? state.gradient : nil
        let begin = if let known { known } else { try LatestGradient.make(count) }
        if known == nil { try evaluate(rows, into: begin, trial) }
        var pairs = min(Int(min(state.numbers[0], 100)), size)
        let next = Int(min(state.numbers[1], 100)) % size
        var length = 0.0, evaluated = 0.0
        while true {
            setDirection(direction, begin.values.base, state, pairs: pairs, next: next)
            let slope = dot(direction, begin.values.base, count)
            if slope < 0, slope > -.infinity {
                let line = LineSearch.Point(length: 0, value: begin.objective, slope: slope)
                // Without a history, the direction is the negative gradient, which says nothing about the length.
                let first = pairs > 0 ? 1 : min(1, 1 / (-slope).squareRoot())
                @inline(never) func point(at length: Double) throws(BackpropError) -> LineSearch.Point {
                    evaluated = length
                    var value = Double.infinity
                    for i in 0..<count { trial[i] = Float(Double(start[i]) + length * direction[i]) }
                    if kernels.areFinite(trial, count) {
                        copyParameters(from: trial)
                        do throws(BackpropError) {
                            try evaluate(rows, into: end, trial)
                            value = end.objective
                        } catch {
                            // If it failed on this worker, the others learn so in an exchange of the pass.
                            let error = ended(error) ?? error
                            guard error.code == .notFinite else { throw error }
                            workers?.stage = .open
                        }
                    }
                    let slope = value < .infinity ? dot(direction, end.values.base, count) : 0
                    return LineSearch.Point(length: length, value: value, slope: slope)
                }
                length = try LineSearch.run(from: line, first: first, point(at:))
                if length > 0, evaluated != length { _ = try point(at: length) }
            }
            if length > 0 || pairs == 0 { break }
            pairs = 0  // once more, along the gradient
        }
        if length > 0 {
            let isStored = store(start, trial, begin.values.base, end.values.base, state.history + 2 * next * count)
            pairs = min(isStored ? pairs + 1 : pairs, isStored ? size : size - 1)
            if isStored { state.numbers[1] = Float((next + 1) % size) }
        } else {
            copyParameters(from: start)
            // For the running statistics: the latest evaluation was at another point.
            if layers.contains(where: { $0.isTrainable && $0.isNormalized }) { try evaluate(rows, into: end, trial) }
        }
        if let workspace { updateRunningStatistics(in: workspace) }
        state.numbers[0] = Float(pairs)
        state.gradient = length > 0 ? end : begin
        return begin.loss
    }

    /// Computes loss, objective and gradient at the present parameters, which it copies to `flat`.
    private func evaluate(
        _ rows: TrainingRows, into result: LatestGradient, _ flat: UnsafeMutablePointer<Float>
    ) throws(BackpropError) {
        let count = parameterCount
        result.loss = try lossAndGradient(rows.inputs, rows.targets, weights: rows.weights, rows: rows.count, into: flat)
        for i in 0..<count { result.values.base[i] = Double(flat[i]) }
        try getParameters(flat, count: count)
        let decay = options[.weightDecay]
        var squares = 0.0
        if decay > 0 {
            forEachTrainableLayer { at, _, _, decayed in
                squares += dot(flat + at, flat + at, decayed)
                add(decay, flat + at, to: result.values.base + at, decayed)
            }
        }
        result.objective = result.loss + 0.5 * decay * squares
    }

    /// direction = −H g, with the estimate H of the inverse Hessian from the latest pairs (two-loop recursion). A number for
    /// each pair follows the direction in memory. `next`: the place after the newest pair.
    private func setDirection(
        _ direction: UnsafeMutablePointer<Double>, _ gradient: UnsafePointer<Double>, _ state: OptimizerState, pairs: Int,
        next: Int
    ) {
        let count = parameterCount, size = Int(options[.lbfgsHistory]), shares = direction + count
        /// The pair of some steps ago, from 1.
        @inline(never) func pair(_ age: Int) -> (s: UnsafePointer<Float>, y: UnsafePointer<Float>, product: Double) {
            let s = UnsafePointer(state.history + 2 * ((next + size - age) % size) * count), y = s + count
            return (s, y, dot(s, y, count))
        }
        for i in 0..<count { direction[i] = -gradient[i] }
        for age in 0..<pairs {
            let (s, y, product) = pair(age + 1)
            shares[age] = dot(s, direction, count) / product
            add(-shares[age], y, to: direction, count)
        }
        if pairs > 0 {
            let (_, y, product) = pair(1)
            let scale = product / dot(y, y, count)
            for i in 0..<count { direction[i] *= scale }
        }
        for age in (0..<pairs).reversed() {
            let (s, y, product) = pair(age + 1)
            add(shares[age] - dot(y, direction, count) / product, s, to: direction, count)
        }
        // Layers may have been frozen since a pair was stored.
        var at = 0
        for layer in layers {
            if !layer.isTrainable { cp_clear(direction + at, layer.parameterCount * 8) }
            at += layer.parameterCount
        }
    }

    /// Stores the pair of a step at `s`: the change of the parameters, and the change of the gradient. Returns whether their
    /// product is positive in spite of rounding.
    private func store(
        _ start: UnsafePointer<Float>, _ end: UnsafePointer<Float>, _ startGradient: UnsafePointer<Double>,
        _ endGradient: UnsafePointer<Double>, _ s: UnsafeMutablePointer<Float>
    ) -> Bool {
        let count = parameterCount
        let y = s + count
        for i in 0..<count {
            s[i] = end[i] - start[i]
            y[i] = Float(endGradient[i] - startGradient[i])
        }
        let squares = dot(y, y, count)
        return dot(s, y, count) > 1e-10 * squares && squares < .infinity
    }
}
