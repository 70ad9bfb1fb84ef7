/// An optimizer in a model file: its name, the number of its steps and, after the first step, its state, as tensors with
/// the shapes of the parameters ("optimizer.first_moment.layers.1.weight"), or of flat vectors ("optimizer.history").
extension ModelFormat {
    static func optimizerEntries(of network: NetworkState) -> [(Text, Text)] {
        let steps = min(network.optimizerState?.steps ?? 0, FitPosition.maximumSteps)
        return [("optimizer", "\(network.optimizer.name)"), ("optimizer.steps", "\(steps)")]
    }

    static func optimizerTensors(of network: NetworkState) -> [Tensor] {
        guard let state = network.optimizerState else { return [] }
        if network.optimizer.isSecondOrder {
            func tensor(_ name: String, _ shape: [Int], _ values: UnsafeMutablePointer<Float>, _ range: ClosedRange<Float>)
                -> Tensor
            {
                Tensor(name: "optimizer." + name, shape: shape, place: .vector(values), owner: .optimizer, range: range)
            }
            let vectors = network.optimizer.vectorCount(network.options)
            return (vectors > 0 ? [tensor("history", [vectors, network.parameterCount], state.history, Tensor.finite)] : [])
                + [tensor("state", [OptimizerState.numberCount], state.numbers, Tensor.notNegative)]
        }
        var tensors: [Tensor] = []
        for (slot, kind) in network.optimizer.slots.enumerated() {
            let range = kind.range
            for (index, layer) in network.layers.enumerated() {
                guard let panels = state.slot(slot, layer: index) else { continue }
                func add(_ name: String, _ shape: [Int], _ place: Tensor.Place) {
                    tensors.append(
                        Tensor(
                            name: "optimizer." + kind.name + ".layers.\(index + 1)." + name, shape: shape, place: place,
                            owner: .optimizer, range: range))
                }
                add("weight", [layer.outputs, layer.inputs], .weights(layer, panels))
                add("bias", [layer.outputs], .biases(layer, panels))
                guard layer.isNormalized else { continue }
                add("norm.weight", [layer.outputs], .vector(panels + layer.weights.count))
                add("norm.bias", [layer.outputs], .vector(panels + layer.weights.count + layer.stride))
            }
        }
        return tensors
    }

    /// The optimizer in a file, and the number of its steps.
    static func optimizer(in metadata: HeaderMetadata) throws(BackpropError) -> (optimizer: Optimizer, steps: UInt64) {
        guard let name = metadata.valueIfAny("optimizer") else { return (.sgd, 0) }
        guard let optimizer = Optimizer.named(name) else { throw HeaderMetadata.error("optimizer", "is malformed") }
        return (optimizer, try NetworkState.steps(try metadata.value("optimizer.steps"), "optimizer.steps"))
    }
}

extension Optimizer.Slot {
    fileprivate var range: ClosedRange<Float> {
        switch self {
        case .momentum, .firstMoment, .gradient: ModelFormat.Tensor.finite
        case .secondMoment: ModelFormat.Tensor.notNegative
        case .stepSize: Optimizer.stepSizes
        }
    }
}
