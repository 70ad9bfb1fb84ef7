import CPlatform

/// A safetensors file of any program, as a source of weights.
private struct WeightsFile: ~Copyable {
    private let tensors: [SafeTensorsHeader.Tensor]
    /// Indices of `tensors`, sorted by name.
    private let byName: [Int]
    private let source: FileSource
    /// The offset of the data in `source`.
    private let dataStart: Int

    init(_ source: consuming FileSource) throws(BackpropError) {
        let start = try ModelFormat.start(of: source)
        if ModelFormat.isModel(start.buffer) {
            let model = try ModelFormat.verified(source, start.buffer)  // reads the whole file for the checksum
            try self.init(model.header.tensors, in: .owned(model.data), from: 0)
        } else {
            guard let head = try SafeTensorsHeader.head(of: source), JSONReader.isObject(head.buffer[8...]) else {
                throw BackpropError(.notAModel, "not a safetensors file")
            }
            let header = try SafeTensorsHeader(parsing: head.buffer)
            try self.init(header.tensors, in: source, from: header.dataStart)
        }
    }

    private init(
        _ tensors: [SafeTensorsHeader.Tensor], in source: consuming FileSource, from dataStart: Int
    ) throws(BackpropError) {
        let byName = sortedIndices(of: tensors.count) { tensors[$0].name.precedes(tensors[$1].name) }
        for (one, next) in zip(byName, byName.dropFirst()) where tensors[one].name.isSame(as: tensors[next].name) {
            throw tensors[one].error(.corrupt, "is in the file twice")
        }
        try Self.requireNoGaps(tensors, dataCount: source.count - dataStart)
        self.tensors = tensors
        self.byName = byName
        self.source = source
        self.dataStart = dataStart
    }

    /// Checks that each byte of the data belongs to exactly one tensor.
    private static func requireNoGaps(_ tensors: [SafeTensorsHeader.Tensor], dataCount: Int) throws(BackpropError) {
        var end = 0
        for index in sortedIndices(
            of: tensors.count, { (tensors[$0].begin, tensors[$0].end) < (tensors[$1].begin, tensors[$1].end) })
        {
            let tensor = tensors[index]
            guard tensor.begin == end, tensor.end >= end else {
                throw tensor.error(.corrupt, "does not follow the tensor before it")
            }
            end = tensor.end
        }
        guard end == dataCount else {
            throw BackpropError(.corrupt, "the file's tensors need \(counted(end, "byte")), but its data have \(dataCount)")
        }
    }

    var count: Int { tensors.count }

    func index(of name: String) -> Int? {
        binarySearch(byName.count, { tensors[byName[$0]].name.precedes(name) }, { tensors[byName[$0]].name.isSame(as: name) })
            .map { byName[$0] }
    }

    /// The first names of the file and the one most similar to `missing`, for a message.
    func names(insteadOf missing: String) -> Text {
        var suggestion = Suggestion(for: missing)
        var text: Text = "; the file has \(counted(tensors.count, "tensor"))"
        var listed = 0
        for tensor in tensors where tensor.name.utf8.count <= Self.longestListed {
            suggestion.consider(tensor.name)
            if listed < Self.mostListed { text += "\(listed == 0 ? ": " : ", ")\(ModelFormat.text(tensor.name, tensor.shape))" }
            listed += 1
        }
        if listed > Self.mostListed { text += ", ..." }
        if let found = suggestion.found { text += "; did you mean \"\(found)\"?" }
        return text
    }

    private static var mostListed: Int { 8 }
    private static var longestListed: Int { 64 }

    /// Copies a tensor as Floats. Throws unless it has the shape of the network's tensor `wanted` and acceptable numbers.
    func copy(
        _ index: Int, as wanted: ModelFormat.Tensor, to floats: UnsafeMutablePointer<Float>
    ) throws(BackpropError) {
        let tensor = tensors[index]
        guard tensor.shape == wanted.shape else {
            throw tensor.error(.mismatch, "in the file does not match \(wanted.text) in the network")
        }
        guard let type = FloatType.named(tensor.type) else {
            throw tensor.error(.mismatch, "is not of type F32, F64, F16 or BF16")
        }
        guard tensor.end - tensor.begin == wanted.count * type.size else {
            throw tensor.error(.corrupt, "does not have the number of bytes that its shape needs")
        }
        let bytes = try source.bytes(dataStart + tensor.begin..<dataStart + tensor.end)
        type.convert(UnsafeRawPointer(bytes.buffer.baseAddress.unsafelyUnwrapped), wanted.count, to: floats)
        guard wanted.accepts(floats) else { throw tensor.error(.notFinite, wanted.refusal) }
    }

    /// Throws if the file has tensors of layers that were not taken: then the file is for another network. PyTorch's count
    /// of minibatches of a batch normalization is ignored.
    func requireOnly(_ taken: [Bool]) throws(BackpropError) {
        for (index, tensor) in tensors.enumerated()
        where !taken[index] && tensor.name.starts(with: "layers.") && !tensor.name.ends(with: ".num_batches_tracked") {
            throw tensor.error(.mismatch, "is in the file but not in the network")
        }
    }
}

/// The file that weights are read from.
package enum WeightsSource {
    case file(CString)
    case memory(UnsafeBufferPointer<UInt8>)
}

/// A layer, and the names of its tensors in a file. Without a name for the biases, they become 0.
package struct LayerSource {
    let index: Int
    let weight: String
    let bias: String?

    package init(_ index: Int, weight: String, bias: String?) {
        self.index = index
        self.weight = weight
        self.bias = bias
    }
}

extension Handle where Object == NetworkState {
    /// Replaces the network's weights, or those of one layer, by those of a file. The network is not locked while the file is
    /// read, so that a slow disk does not block other threads.
    package func loadWeights(_ source: WeightsSource, layer: LayerSource? = nil) throws(BackpropError) {
        try inDefaultEnvironment { () throws(BackpropError) in
            switch source {
            case .file(let path):
                do throws(BackpropError) {
                    try readWeights(.file(try InputFile(reading: path)), layer)
                } catch {
                    throw error.naming(path)
                }
            case .memory(let bytes): try readWeights(.memory(bytes), layer)
            }
        }
    }

    private func readWeights(_ source: consuming FileSource, _ layer: LayerSource?) throws(BackpropError) {
        let file = try WeightsFile(source)
        var isDone = false
        while !isDone {  // repeated if another thread has changed the network's tensors
            var weights: Weights?
            try read { (state) throws(BackpropError) in weights = try Weights(for: state, layer) }
            guard var weights = weights.take() else { return }
            try weights.read(from: file)
            try write { (state) throws(BackpropError) in isDone = try state.setWeights(weights) }
        }
    }
}

/// New values for the tensors of a network's layers, in separate memory.
private struct Weights: ~Copyable {
    /// The only layer that is read; nil for all.
    let layer: LayerSource?
    /// Like the network's tensors, but with their numbers in `floats`.
    private let tensors: [ModelFormat.Tensor]
    private let floats: Floats
    private var isFound: [Bool] = []

    init(for network: NetworkState, _ layer: LayerSource?) throws(BackpropError) {
        let own = try network.tensors(of: layer)
        floats = try Floats(own.reduce(0) { $0 + $1.count })
        var at = floats.base
        var tensors: [ModelFormat.Tensor] = []
        for tensor in own {
            tensors.append(
                ModelFormat.Tensor(
                    name: tensor.name, shape: tensor.shape, place: .vector(at), isIdle: tensor.isIdle,
                    range: tensor.range))
            at += tensor.count
        }
        self.tensors = tensors
        self.layer = layer
    }

    mutating func read(from file: borrowing WeightsFile) throws(BackpropError) {
        try Reserve.require(2 * UInt64(file.count + tensors.count))  // arrays of Bool that grow by doubling
        var taken = [Bool](repeating: false, count: file.count)
        var at = floats.base
        for (place, tensor) in tensors.enumerated() {
            let name = layer.map { place == 0 ? $0.weight : $0.bias } ?? tensor.name
            let index = name.flatMap { file.index(of: $0) }
            isFound.append(index != nil || layer != nil)
            if let index {
                taken[index] = true
                try file.copy(index, as: tensor, to: at)
            } else if let name, !tensor.isIdle {
                throw layer == nil
                    ? BackpropError(
                        .mismatch, "the file does not have the network's \(tensor.text)" + file.names(insteadOf: name))
                    : BackpropError(.unknownName, "the file has no tensor \"\(name)\"" + file.names(insteadOf: name))
            }
            at += tensor.count
        }
        if layer == nil { try file.requireOnly(taken) }
    }

    /// Copies the values to the network's tensors. Returns false if the network has different tensors now.
    func put(into own: [ModelFormat.Tensor]) -> Bool {
        guard own.count == tensors.count else { return false }
        for (each, tensor) in zip(own, tensors)
        where !each.name.isSame(as: tensor.name) || each.shape != tensor.shape || each.isIdle != tensor.isIdle { return false }
        var at = floats.base
        for (tensor, isFound) in zip(own, isFound) {
            if isFound { tensor.copy(from: at) }
            at += tensor.count
        }
        return true
    }
}

extension NetworkState {
    fileprivate func setWeights(_ weights: borrowing Weights) throws(BackpropError) -> Bool {
        guard weights.put(into: try tensors(of: weights.layer)) else { return false }
        hasInitialWeights = false
        return true
    }

    /// The tensors of all layers; or weights and biases of one layer.
    fileprivate func tensors(of layer: LayerSource?) throws(BackpropError) -> [ModelFormat.Tensor] {
        if let layer { return ModelFormat.parameterTensors(of: try self.layer(layer.index), layer.index) }
        try Reserve.require(forLayers: layers.count)
        return ModelFormat.layerTensors(of: self)
    }
}
