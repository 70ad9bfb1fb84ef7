/// Scaling in a model file: its names, and offset and scale as tensors.
extension ModelFormat {
    static func scalingWords(of network: NetworkState) -> [(Text, Text)] {
        [
            ("scaling.inputs", "\((network.inputScaling?.method ?? .none).name)"),
            ("scaling.targets", "\((network.targetScaling?.method ?? .none).name)"),
        ]
    }

    static func scalingTensors(of network: NetworkState) -> [Tensor] {
        var tensors: [Tensor] = []
        func add(_ name: String, _ scaling: Scaling?) {
            guard let scaling else { return }
            let shape = [scaling.columns]
            func add(_ end: String, _ vector: borrowing Floats, isScale: Bool) {
                tensors.append(
                    Tensor(
                        name: "scaling." + name + end, shape: shape, place: .vector(vector.base), owner: .scaling,
                        isScale: isScale))
            }
            add(".offset", scaling.offset, isScale: false)
            add(".scale", scaling.scale, isScale: true)
        }
        add("inputs", network.inputScaling)
        add("targets", network.targetScaling)
        return tensors
    }

    static func scaling(_ key: String, in metadata: HeaderMetadata) throws(BackpropError) -> ScalingMethod {
        guard let name = metadata.valueIfAny(key) else { return .none }
        guard let method = ScalingMethod.named(name), method != .auto else { throw HeaderMetadata.error(key, "is malformed") }
        return method
    }

    /// A file's numbers must be some that can be divided by.
    static func requireScales(of network: NetworkState) throws(BackpropError) {
        for scaling in [network.inputScaling, network.targetScaling] {
            guard let scaling else { continue }
            for i in 0..<scaling.columns where !(scaling.scale.base[i] > 0) {
                throw BackpropError(.corrupt, "the model's scale \(i) is not above 0")
            }
        }
    }
}
