import CPlatform

/// Any safetensors file, whoever wrote it, to take weights from.
private struct WeightsFile: ~Copyable {
    private let tensors: [SafeTensorsHeader.Tensor]
    /// Tensors in the order of their names.
    private let byName: [Int]
    /// Where the tensors are read from, and where in it the first begins.
    private let source: FileSource
    private let dataStart: Int

    init(reading path: CString) throws(BackpropError) {
        let source = FileSource.file(try InputFile(reading: path))
        let start = try ModelFormat.start(of: source)
        if ModelFormat.isModel(start.buffer) {
            let model = try ModelFormat.unchanged(source, start.buffer)  // held to its checksum: all of it is read
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
        let byName = order(of: tensors.count) { tensors[$0].name.precedes(tensors[$1].name) }
        for (one, next) in zip(byName, byName.dropFirst()) where tensors[one].name.isSame(as: tensors[next].name) {
            throw tensors[one].error(.corrupt, "is in the file twice")
        }
        try Self.requireNoGaps(tensors, dataCount: source.count - dataStart)
        self.tensors = tensors
        self.byName = byName
        self.source = source
        self.dataStart = dataStart
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
        guard tensor.end - tensor.begin == wanted.count * type.size else {
            throw tensor.error(.corrupt, "has not the bytes its shape needs")
        }
        let bytes = try source.bytes(dataStart + tensor.begin..<dataStart + tensor.end)
        type.convert(UnsafeRawPointer(bytes.buffer.baseAddress.unsafelyUnwrapped), wanted.count, to: floats)
        guard wanted.accepts(floats) else { throw tensor.error(.notFinite, wanted.unacceptable) }
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
    /// Takes the network's weights from a file. The network is not entered while the file is read: a slow disk holds up
    /// nobody else.
    package func loadWeights(_ path: CString) throws(BackpropError) {
        try inDefaultEnvironment { () throws(BackpropError) in try takeWeights(path) }
    }

    private func takeWeights(_ path: CString) throws(BackpropError) {
        let file = try WeightsFile(reading: path)
        var isDone = false
        while !isDone {  // again where batch normalization was switched meanwhile
            var weights: Weights?
            try read { (state) throws(BackpropError) in weights = try Weights(for: state) }
            guard var weights = weights.take() else { return }
            try weights.read(from: file)
            try write { (state) throws(BackpropError) in isDone = try state.setWeights(weights) }
        }
    }
}

/// The numbers of a network's layers, apart from it.
private struct Weights: ~Copyable {
    /// As the network's own, but in memory of their own.
    private let tensors: [ModelFormat.Tensor]
    private let floats: Floats
    private var isFound: [Bool] = []

    init(for network: NetworkState) throws(BackpropError) {
        try Reserve.require(forLayers: network.layers.count)
        let own = ModelFormat.layerTensors(of: network)
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
    }

    mutating func read(from file: borrowing WeightsFile) throws(BackpropError) {
        try Reserve.require(2 * (file.count + tensors.count))  // a byte for each, in arrays that grow by doubling
        var taken = [Bool](repeating: false, count: file.count)
        var at = floats.base
        for tensor in tensors {
            let index = file.index(of: tensor.name)
            isFound.append(index != nil)
            if let index {
                taken[index] = true
                try file.copy(index, as: tensor, to: at)
            } else if !tensor.isIdle {
                throw BackpropError(.mismatch, "the file does not have the network's \(tensor.text)")
            }
            at += tensor.count
        }
        try file.requireOnly(taken)
    }

    /// Puts them in place; false where the network's tensors are others by now.
    func put(into own: [ModelFormat.Tensor]) -> Bool {
        guard own.count == tensors.count else { return false }
        for (each, tensor) in zip(own, tensors) where !each.name.isSame(as: tensor.name) || each.isIdle != tensor.isIdle {
            return false
        }
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
        try Reserve.require(forLayers: layers.count)
        guard weights.put(into: ModelFormat.layerTensors(of: self)) else { return false }
        hasInitialWeights = false
        return true
    }
}
