import CPlatform

/// The contents of a model file and their order, shared by saving and loading.
enum ModelFormat {
    /// The start of every model, after the eight bytes of the header's length.
    static var opening: Text { "{\"__metadata__\":{\"format\":\"libbackprop\",\"format_version\":\"" }
    static var version: Text { "1" }
    static var beforeChecksum: Text { "\",\"checksum\":\"" }
    static var checksumDigits: Int { 16 }
    /// The metadata keys in `opening` and `beforeChecksum`.
    static var openingKeys: [String] { ["format", "format_version", "checksum"] }
    /// The offset of the checksum's digits in a file.
    static var checksumStart: Int { 8 + opening.bytes.count + version.bytes.count + beforeChecksum.bytes.count }
    static var checksumEnd: Int { checksumStart + checksumDigits }

    /// A tensor of the network: a vector of `count` floats, or weights or biases in the panels of their layer.
    struct Tensor {
        let name: String
        let shape: [Int]
        let place: Place
        var owner = Owner.layer
        /// Whether it belongs to a batch normalization that is off, and is kept for when it is switched on.
        var isIdle = false
        /// The range of its numbers.
        var range = Self.finite

        static var finite: ClosedRange<Float> { -Float.greatestFiniteMagnitude...Float.greatestFiniteMagnitude }
        static var notNegative: ClosedRange<Float> { 0...Float.greatestFiniteMagnitude }
        /// For divisors.
        static var positive: ClosedRange<Float> { Float.leastNonzeroMagnitude...Float.greatestFiniteMagnitude }

        enum Owner {
            case layer, optimizer, scaling, fit
        }

        enum Place {
            case weights(Layer, UnsafeMutablePointer<Float>)
            case biases(Layer, UnsafeMutablePointer<Float>)
            case vector(UnsafeMutablePointer<Float>)
        }

        var count: Int { shape.reduce(1, *) }
        var text: Text { ModelFormat.text(name, shape) }
    }

    /// All tensors of the network, in the order of the file.
    static func tensors(of network: NetworkState) -> [Tensor] {
        layerTensors(of: network) + optimizerTensors(of: network) + scalingTensors(of: network) + bestTensors(of: network)
    }

    /// Parameters and running statistics.
    static func layerTensors(of network: NetworkState) -> [Tensor] {
        var tensors: [Tensor] = []
        for (index, layer) in network.layers.enumerated() {
            let prefix = "layers.\(index + 1)."
            tensors += parameterTensors(of: layer, index + 1)
            guard let norm = layer.normalization else { continue }
            func add(_ name: String, _ vector: borrowing Floats, range: ClosedRange<Float>) {
                tensors.append(
                    Tensor(
                        name: prefix + "norm." + name, shape: [layer.outputs], place: .vector(vector.base),
                        isIdle: !layer.isNormalized, range: range))
            }
            add("weight", norm.gamma, range: Tensor.finite)
            add("bias", norm.beta, range: Tensor.finite)
            add("running_mean", norm.runningMean, range: Tensor.finite)
            add("running_var", norm.runningVariance, range: Tensor.notNegative)
        }
        return tensors
    }

    /// Weights and biases of a layer.
    static func parameterTensors(of layer: Layer, _ number: Int) -> [Tensor] {
        [
            Tensor(
                name: "layers.\(number).weight", shape: [layer.outputs, layer.inputs],
                place: .weights(layer, layer.weights.base)),
            Tensor(name: "layers.\(number).bias", shape: [layer.outputs], place: .biases(layer, layer.weights.base)),
        ]
    }

    /// The checksum of a file, given as header and data. The digits of the checksum in the header count as zeros.
    static func checksum(of head: UnsafeBufferPointer<UInt8>, _ data: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var checksum = Checksum()
        checksum.add(UnsafeBufferPointer(rebasing: head[..<checksumStart]))
        let zeros = [UInt8](repeating: 0x30, count: checksumDigits)
        zeros.withUnsafeBufferPointer { checksum.add($0) }
        checksum.add(UnsafeBufferPointer(rebasing: head[checksumEnd...]))
        checksum.add(data)
        return checksum.value
    }

    static func hex(_ value: UInt64) -> Text {
        let digits: StaticString = "0123456789abcdef"
        var bytes: [UInt8] = []
        for shift in stride(from: 60, through: 0, by: -4) { bytes.append(digits.utf8Start[Int(value >> UInt64(shift) & 15)]) }
        return Text(bytes)
    }

    /// Joins texts by commas.
    @inline(never)
    static func list(_ items: [Text]) -> Text {
        var text: Text = ""
        for (index, item) in items.enumerated() { text += index == 0 ? item : ",\(item)" }
        return text
    }

    /// A tensor in a message: "layers.1.weight" [4,2]
    @inline(never)
    static func text(_ name: String, _ shape: [Int]) -> Text {
        "\"\(name)\" [\(list(shape.map { "\($0)" }))]"
    }

    static func items(_ list: String) -> [String] {
        var items: [String] = []
        var item: [UInt8] = []
        for byte in Array(list.utf8) + [0x2C] {
            guard byte == 0x2C else {
                item.append(byte)
                continue
            }
            items.append(String(decoding: item, as: UTF8.self))
            item = []
        }
        return items
    }
}

extension ModelFormat.Tensor {
    /// Whether all numbers are in the tensor's range.
    func accepts(_ flat: UnsafePointer<Float>) -> Bool {
        for i in 0..<count where !range.contains(flat[i]) { return false }
        return true
    }

    /// The message for numbers that are not accepted.
    var refusal: Text {
        if range == Optimizer.stepSizes { return "contains a step size that is not between 1e-6 and 50" }
        if range == Self.positive { return "contains a scale that is not above 0" }
        return "contains a NaN, an infinity or a negative variance"
    }

    func copy(to flat: UnsafeMutablePointer<Float>) {
        switch place {
        case .weights(let layer, let panels): layer.copyWeights(panels, to: flat)
        case .biases(let layer, let panels): layer.copyBiases(panels, to: flat)
        case .vector(let values): cp_copy(flat, values, count * 4)
        }
    }

    func copy(from flat: UnsafePointer<Float>) {
        switch place {
        case .weights(let layer, let panels): layer.copyWeights(from: flat, to: panels)
        case .biases(let layer, let panels): layer.copyBiases(from: flat, to: panels)
        case .vector(let values): cp_copy(values, flat, count * 4)
        }
    }
}
