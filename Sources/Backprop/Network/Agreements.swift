import CPlatform

/// Calls that all workers make together.
extension NetworkState {
    /// Begins a call that all workers make. If it fails on this worker from now on, `ended` lets the others know.
    package func beginTogether() { workers?.stage = .open }

    package func ended(_ error: BackpropError?) -> BackpropError? {
        guard let workers else { return error }
        guard let error else {
            if case .settled = workers.stage { return nil }
            workers.stage = .idle
            return nil
        }
        switch workers.stage {
        case .idle, .settled: return error
        case .decided:
            workers.stage = .settled
            return error
        case .open: return workers.refuse(error)
        case .pass(let exchanges):
            do throws(BackpropError) {
                try fail(error, after: exchanges, workers)
                return error
            } catch let agreed {
                return agreed
            }
        }
    }

    /// Takes part in the next exchange of a pass, as a worker that has failed.
    private func fail(_ error: BackpropError, after exchanges: Int, _ workers: Workers) throws(BackpropError) {
        var normalized = 0
        for layer in layers where layer.isTrainable && layer.isNormalized { normalized += 1 }
        guard let gradient = workspace?.gradientBlock else { return }
        var place = gradient.values.count - Workers.tailCount  // of a layer's gradient, after those of the layers above
        var left = min(exchanges, 2 * normalized - 1 - exchanges)  // the normalized layers before that of the exchange
        for layer in layers {
            place -= layer.weights.count
            guard layer.isTrainable, layer.isNormalized, exchanges < 2 * normalized else { continue }
            if left == 0 {
                if exchanges >= normalized { try workers.start(gradient, until: place) }
                cp_clear(workers.numbers, 2 * layer.outputs * 8)
                try workers.addUp(2 * layer.outputs, failure: error)
            }
            left -= 1
        }
        let started = workers.started
        cp_clear(gradient.values.base + started, (gradient.values.count - started) * 4)
        _ = try workers.addUp(gradient: gradient, loss: 0, failure: error)
    }

    /// An address for no rows, which is not used; nil unless other workers may have rows.
    package var noRows: UnsafePointer<Float>? { workers == nil ? nil : UnsafePointer(bitPattern: 64) }

    /// Refuses no rows, unless other workers may have some.
    func requireShare(_ rows: Int) throws(BackpropError) {
        if workers == nil || rows != 0 { try requireRows(rows) }
    }

    /// A number that is the same for workers that make the same call with the same settings. The first one includes the
    /// parameters.
    func fingerprint(_ call: Workers.Call) -> UInt64 {
        var hash = Fingerprint()
        hash.add(call.rawValue)
        hash.add(steps)
        hash.add(UInt64(optimizer.rawValue) << 8 | UInt64(UInt8(truncatingIfNeeded: loss.builtIn?.rawValue ?? -1)))
        hash.add(UInt64(UInt8(bitPattern: Self.instructionSet[0])))  // "avx512" and "avx2" give the same bits
        for option in NetworkOption.allCases { hash.add(options[option].bitPattern) }
        for layer in layers {
            hash.add(UInt64(layer.inputs))
            hash.add(UInt64(layer.outputs) << 2 | (layer.isNormalized ? 2 : 0) | (layer.isTrainable ? 1 : 0))
            hash.add(layer.dropout.bitPattern)
            hash.add(UInt64(UInt32(bitPattern: layer.activation.kind)))
        }
        guard let workers else { return hash.value }
        hash.add(workers.argument)
        hash.add(workers.overlap == nil ? 0 : 1)
        if workers.areParametersCompared { return hash.value }
        for layer in layers {
            for i in 0..<layer.weights.count { hash.add(UInt64(layer.weights.base[i].bitPattern)) }
        }
        return hash.value
    }
}
