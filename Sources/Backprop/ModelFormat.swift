import CPlatform

/// What a model file says, and in which order: shared by saving and loading.
enum ModelFormat {
    /// Every model starts so, after the eight bytes of the header's length.
    static var opening: String { "{\"__metadata__\":{\"format\":\"libbackprop\",\"format_version\":\"" }
    static var version: String { "1" }
    static var beforeChecksum: String { "\",\"checksum\":\"" }
    static var checksumDigits: Int { 16 }
    /// Where the checksum's digits lie in a file.
    static var checksumStart: Int { 8 + opening.utf8.count + version.utf8.count + beforeChecksum.utf8.count }

    /// A tensor of the network's: `count` floats at `values`, or a weight matrix in its panels.
    struct Tensor {
        let name: String
        let shape: [Int]
        let place: Place

        enum Place {
            case weights(Layer)
            case biases(Layer)
            case vector(UnsafeMutablePointer<Float>)
        }

        var count: Int { shape.reduce(1, *) }
    }

    /// Everything of the network that is floats, in the order of the file.
    static func tensors(of network: NetworkState) -> [Tensor] {
        var tensors: [Tensor] = []
        for (index, layer) in network.layers.enumerated() {
            let prefix = "layers.\(index + 1)."
            tensors.append(
                Tensor(name: prefix + "weight", shape: [layer.outputs, layer.inputs], place: .weights(layer)))
            tensors.append(Tensor(name: prefix + "bias", shape: [layer.outputs], place: .biases(layer)))
            guard let norm = layer.normalization else { continue }
            for (name, vector) in [
                ("weight", norm.gamma.base), ("bias", norm.beta.base), ("running_mean", norm.runningMean.base),
                ("running_var", norm.runningVariance.base),
            ] {
                tensors.append(Tensor(name: prefix + "norm." + name, shape: [layer.outputs], place: .vector(vector)))
            }
        }
        return tensors
    }

    /// The checksum of a whole file, its own digits taken as zeros.
    static func checksum(of file: UnsafeBufferPointer<UInt8>) -> UInt64 {
        let end = checksumStart + checksumDigits
        var checksum = Checksum()
        checksum.add(UnsafeBufferPointer(rebasing: file[..<checksumStart]))
        let zeros = [UInt8](repeating: 0x30, count: checksumDigits)
        zeros.withUnsafeBufferPointer { checksum.add($0) }
        checksum.add(UnsafeBufferPointer(rebasing: file[end...]))
        return checksum.value
    }

    static func hex(_ value: UInt64) -> String {
        let digits: StaticString = "0123456789abcdef"
        var text: [UInt8] = []
        for shift in stride(from: 60, through: 0, by: -4) { text.append(digits.utf8Start[Int(value >> UInt64(shift) & 15)]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Text between commas.
    static func list(_ items: [String]) -> String {
        var text = ""
        for (index, item) in items.enumerated() { text += index == 0 ? item : "," + item }
        return text
    }

    static func items(_ list: String) -> [String] {
        list.utf8.split(separator: 0x2C, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }
}

extension ModelFormat.Tensor {
    func copy(to flat: UnsafeMutablePointer<Float>) {
        switch place {
        case .weights(let layer): layer.copyWeights(layer.weights.base, to: flat)
        case .biases(let layer): layer.copyBiases(layer.weights.base, to: flat)
        case .vector(let values): cp_copy(flat, values, count * 4)
        }
    }

    func copy(from flat: UnsafePointer<Float>) {
        switch place {
        case .weights(let layer): layer.copyWeights(from: flat, to: layer.weights.base)
        case .biases(let layer): layer.copyBiases(from: flat, to: layer.weights.base)
        case .vector(let values): cp_copy(values, flat, count * 4)
        }
    }
}
