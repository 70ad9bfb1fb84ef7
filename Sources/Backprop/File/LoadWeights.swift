import CPlatform

/// Any safetensors file, whoever wrote it, to take weights from.
private struct WeightsFile: ~Copyable {
    private let file: FileBytes
    private let tensors: [SafeTensorsHeader.Tensor]
    /// Tensors in the order of their names.
    private let byName: [Int]
    private let dataStart: Int

    init(reading path: String) throws(BackpropError) {
        let file = try FileBytes(reading: path)
        let header = try Self.header(of: file.buffer)
        let tensors = header.tensors
        let byName = order(of: tensors.count) { tensors[$0].name.precedes(tensors[$1].name) }
        for (one, next) in zip(byName, byName.dropFirst()) where tensors[one].name.isSame(as: tensors[next].name) {
            throw tensors[one].error(.corrupt, "is in the file twice")
        }
        try Self.requireNoGaps(tensors, dataCount: file.buffer.count - header.dataStart)
        self.file = file
        self.tensors = tensors
        self.byName = byName
        dataStart = header.dataStart
    }

    /// A model of this library is held to its checksum.
    private static func header(of file: UnsafeBufferPointer<UInt8>) throws(BackpropError) -> SafeTensorsHeader {
        if ModelFormat.isModel(file) { return try SafeTensorsHeader(parsing: try ModelFormat.unchangedHeader(of: file)) }
        guard let text = SafeTensorsHeader.text(of: file), text.first == 0x7B else {
            throw BackpropError(.notAModel, "not a safetensors file")
        }
        return try SafeTensorsHeader(parsing: text)
    }

    /// The tensors cover the data, each byte once.
    private static func requireNoGaps(_ tensors: [SafeTensorsHeader.Tensor], dataCount: Int) throws(BackpropError) {
        var end = 0
        for index in order(of: tensors.count, { (tensors[$0].begin, tensors[$0].end) < (tensors[$1].begin, tensors[$1].end) }) {
            let tensor = tensors[index]
            guard tensor.begin == end, tensor.end >= end else {
                throw tensor.error(.corrupt, "does not follow the tensor before it")
            }
            end = tensor.end
        }
        guard end == dataCount else {
            throw BackpropError(.corrupt, "the file's tensors take \(end) bytes, its data are \(dataCount)")
        }
    }

    var count: Int { tensors.count }

    func index(of name: String) -> Int? {
        find(byName.count, { tensors[byName[$0]].name.precedes(name) }, { tensors[byName[$0]].name.isSame(as: name) })
            .map { byName[$0] }
    }

    /// A tensor as floats, if it is what the network's own is.
    func copy(
        _ index: Int, as wanted: ModelFormat.Tensor, to floats: UnsafeMutablePointer<Float>
    ) throws(BackpropError) {
        let tensor = tensors[index]
        guard tensor.shape == wanted.shape else {
            throw tensor.error(.mismatch, "in the file is \(wanted.text) in the network")
        }
        guard let type = FloatType.named(tensor.type) else {
            throw tensor.error(.mismatch, "is not of type F32, F64, F16 or BF16")
        }
        guard tensor.end - tensor.begin == wanted.count * type.size, let base = file.buffer.baseAddress else {
            throw tensor.error(.corrupt, "has not the bytes its shape needs")
        }
        type.convert(UnsafeRawPointer(base) + dataStart + tensor.begin, wanted.count, to: floats)
        guard wanted.accepts(floats) else { throw tensor.error(.notFinite, ModelFormat.unacceptable) }
    }

    /// What the file has for layers beside the tensors taken: a network that does not have it is not the file's. PyTorch
    /// counts the minibatches of a batch normalization, which needs no counterpart.
    func requireOnly(_ taken: [Bool]) throws(BackpropError) {
        for (index, tensor) in tensors.enumerated()
        where !taken[index] && tensor.name.starts(with: "layers.") && !tensor.name.ends(with: ".num_batches_tracked") {
            throw tensor.error(.mismatch, "is in the file and not in the network")
        }
    }
}

extension Handle where Object == NetworkState {
    /// Takes the network's weights from a file, which is read before the network is entered.
    package func loadWeights(_ path: String) throws(BackpropError) {
        let file = try WeightsFile(reading: path)
        try write { (state) throws(BackpropError) in try state.setWeights(from: file) }
    }
}

extension NetworkState {
    /// All layers' tensors: first copied and looked at, then put in place.
    fileprivate func setWeights(from file: borrowing WeightsFile) throws(BackpropError) {
        try Reserve.require(forLayers: layers.count)
        let tensors = ModelFormat.layerTensors(of: self)
        let floats = try Floats(tensors.reduce(0) { $0 + $1.count })
        var found: [Bool] = []
        var taken = [Bool](repeating: false, count: file.count)
        var at = floats.base
        for tensor in tensors {
            let index = file.index(of: tensor.name)
            found.append(index != nil)
            if let index {
                taken[index] = true
                try file.copy(index, as: tensor, to: at)
            } else if !tensor.isIdle {
                throw BackpropError(.mismatch, "the file does not have the network's \(tensor.text)")
            }
            at += tensor.count
        }
        try file.requireOnly(taken)
        at = floats.base
        for (tensor, isFound) in zip(tensors, found) {
            if isFound { tensor.copy(from: at) }
            at += tensor.count
        }
        hasInitialWeights = false
    }
}
