/// The latest fit in a model file: its position, and its best network (after the best epoch, or before the first step) if
/// that differs from the model's network. The best network has a metadata entry, and its parameters, statistics and
/// optimizer state are tensors ("fit.best.layers.1.weight").
extension ModelFormat {
    static func fitEntries(of network: NetworkState) -> [(Text, Text)] {
        guard network.fit.step > 0 else { return [] }
        var pairs: [(Text, Text)] = [("fit", list(network.fit.words))]
        if let best = network.distinctBest {
            let state = best.random.state
            let words = [
                state.0, state.1, state.2, state.3, min(best.steps, FitPosition.maximumSteps),
                min(best.optimizerState?.steps ?? 0, FitPosition.maximumSteps), best.hasInitialWeights ? 1 : 0,
            ]
            pairs.append(("fit.best", list(words + best.fit.words)))
        }
        return pairs
    }

    static func bestTensors(of network: NetworkState) -> [Tensor] {
        guard let best = network.distinctBest else { return [] }
        return (layerTensors(of: best) + optimizerTensors(of: best)).map { $0.renamed("fit.best." + $0.name) }
    }

    /// The entry "fit.best".
    struct Best {
        let random: Random
        let steps, optimizerSteps: UInt64
        let hasInitialWeights: Bool
        let fit: FitPosition
    }

    static func fit(in metadata: HeaderMetadata) throws(BackpropError) -> (fit: FitPosition, best: Best?) {
        guard let text = metadata.valueIfAny("fit") else { return (FitPosition(), nil) }  // not written before the first fit
        guard let fit = FitPosition(words: try NetworkState.words(of: text, "fit")), fit.step > 0 else {
            throw HeaderMetadata.error("fit", "is malformed")
        }
        guard let text = metadata.valueIfAny("fit.best") else { return (fit, nil) }
        let words = try NetworkState.words(of: text, "fit.best")
        guard words.count > 7, let random = Random(words: Array(words[..<4])), words[4] <= FitPosition.maximumSteps,
            words[5] <= FitPosition.maximumSteps, words[6] <= 1, let position = FitPosition(words: Array(words[7...])),
            (position.stream == nil) == (fit.stream == nil), !position.isSame(as: fit)
        else { throw HeaderMetadata.error("fit.best", "is malformed") }
        return (
            fit,
            Best(random: random, steps: words[4], optimizerSteps: words[5], hasInitialWeights: words[6] == 1, fit: position)
        )
    }

    private static func list(_ words: [UInt64]) -> Text { list(words.map { hex($0) }) }
}

extension ModelFormat.Tensor {
    fileprivate func renamed(_ name: String) -> ModelFormat.Tensor {
        ModelFormat.Tensor(name: name, shape: shape, place: place, owner: .fit, isIdle: isIdle, range: range)
    }
}

extension NetworkState {
    /// `best`, if it differs from this network.
    fileprivate var distinctBest: NetworkState? {
        guard fit.step > 0, let best, !best.fit.isSame(as: fit) else { return nil }
        return best
    }

    /// Creates the best network of a file, before its tensors are read. All other metadata must be read before.
    func makeBest(_ words: ModelFormat.Best) throws(BackpropError) {
        let best = try copy()
        best.random = words.random
        best.steps = words.steps
        best.hasInitialWeights = words.hasInitialWeights
        best.fit = words.fit
        best.optimizerState = nil
        if words.optimizerSteps > 0 {
            let state = try OptimizerState.make(for: best)
            state.steps = words.optimizerSteps
            best.optimizerState = state
        }
        self.best = best
    }
}
