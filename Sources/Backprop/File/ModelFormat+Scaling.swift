/// Scaling in a model file: the names of the methods, and offset and scale as tensors.
extension ModelFormat {
    static func scalingEntries(of network: NetworkState) -> [(Text, Text)] {
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
            func add(_ end: String, _ vector: borrowing Floats, range: ClosedRange<Float>) {
                tensors.append(
                    Tensor(
                        name: "scaling." + name + end, shape: shape, place: .vector(vector.base), owner: .scaling,
                        range: range))
            }
            add(".offset", scaling.offset, range: Tensor.finite)
            add(".scale", scaling.scale, range: Tensor.positive)
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
}
