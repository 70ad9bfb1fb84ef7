/// Scaling in a model file: the names of the methods, and offset, scale and remainder as tensors. The word of a method says
/// whether there is a remainder; files of version 0.1 have none.
extension ModelFormat {
    static func scalingEntries(of network: NetworkState) -> [(Text, Text)] {
        [("scaling.inputs", word(network.inputScaling)), ("scaling.targets", word(network.targetScaling))]
    }

    private static var withRemainder: String { "+remainder" }

    @inline(never)
    private static func word(_ scaling: Scaling?) -> Text {
        "\((scaling?.method ?? .none).name)\(scaling?.hasRemainder == true ? withRemainder : "")"
    }

    static func scalingTensors(of network: NetworkState) -> [Tensor] {
        var tensors: [Tensor] = []
        func add(_ name: String, _ scaling: Scaling?) {
            guard let scaling else { return }
            let columns = scaling.columns
            func add(_ end: String, _ values: borrowing Floats, _ shape: [Int], range: ClosedRange<Float>) {
                tensors.append(
                    Tensor(
                        name: "scaling." + name + end, shape: shape, place: .vector(values.base), owner: .scaling,
                        range: range))
            }
            add(".offset", scaling.offset, [columns], range: Tensor.finite)
            add(".scale", scaling.scale, [columns], range: Tensor.positive)
            if scaling.hasRemainder { add(".remainder", scaling.remainder, [columns, 2], range: Tensor.finite) }
        }
        add("inputs", network.inputScaling)
        add("targets", network.targetScaling)
        return tensors
    }

    /// The method of a scaling, the number of floats of each column, and whether there is a remainder.
    static func scaling(
        _ key: String, in metadata: HeaderMetadata
    ) throws(BackpropError) -> (method: ScalingMethod, floats: Int, hasRemainder: Bool) {
        guard let word = metadata.valueIfAny(key) else { return (.none, 0, false) }
        for method in ScalingMethod.allCases where method != .auto {
            if word.isSame(as: method.name) { return (method, method == .none ? 0 : 2, false) }
            if method != .none, word.isSame(as: method.name + withRemainder) { return (method, 4, true) }
        }
        throw HeaderMetadata.error(key, "is malformed")
    }
}
