import CPlatform

extension NetworkState {
    /// Writes the model; the old file of that name stays until the new one is safely on the disk.
    package func save(_ path: String) throws(BackpropError) {
        guard !path.isEmpty else { throw BackpropError(.invalidValue, "the path is empty") }
        let model = try SavedModel(self)
        let error = path.withCString { cp_replace_file($0, model.bytes, model.count) }
        if error != 0 { throw fileError(error, "write", path) }
    }

    /// The bytes of the file, if they fit; their number in any case.
    package func save(
        into buffer: UnsafeMutablePointer<UInt8>?, capacity: Int, needed: inout Int
    ) throws(BackpropError) {
        let model = try SavedModel(self)
        needed = model.count
        guard let buffer, capacity >= model.count else {
            throw BackpropError(.bufferTooSmall, "the model needs \(model.count) bytes, the buffer has \(capacity)")
        }
        cp_copy(buffer, model.bytes, model.count)
    }
}

/// A model file in memory.
private struct SavedModel: ~Copyable {
    let bytes: UnsafeMutablePointer<UInt8>
    let count: Int

    init(_ network: NetworkState) throws(BackpropError) {
        try Reserve.require(forLayers: network.layers.count, texts: network.metadataBytes)
        let tensors = ModelFormat.tensors(of: network)
        let header = Self.header(network, tensors)
        guard header.count <= SafeTensorsHeader.largestSize else {
            throw BackpropError(.limit, "the model's header of \(header.count) bytes is longer than \(SafeTensorsHeader.largestSize)")
        }
        var floats = 0
        for tensor in tensors { floats += tensor.count }
        let count = 8 + header.count + floats * 4
        guard let bytes = cp_allocate_bytes(count) else {
            throw BackpropError(.outOfMemory, "out of memory: no room for \(count) bytes")
        }
        self.count = count
        self.bytes = bytes

        UnsafeMutableRawPointer(bytes).storeBytes(of: UInt64(header.count).littleEndian, as: UInt64.self)
        for i in header.indices { bytes[8 + i] = header[i] }
        // The header's length is a multiple of eight, and so the floats are aligned.
        var at = UnsafeMutableRawPointer(bytes + 8 + header.count).assumingMemoryBound(to: Float.self)
        for tensor in tensors {
            tensor.copy(to: at)
            at += tensor.count
        }
        let checksum = ModelFormat.checksum(of: UnsafeBufferPointer(start: bytes, count: count))
        for (i, digit) in ModelFormat.hex(checksum).bytes.enumerated() { bytes[ModelFormat.checksumStart + i] = digit }
    }

    deinit { cp_free(bytes) }

    private static func header(_ network: NetworkState, _ tensors: [ModelFormat.Tensor]) -> [UInt8] {
        var text: Text = "\(ModelFormat.opening)\(ModelFormat.version)\(ModelFormat.beforeChecksum)\(ModelFormat.hex(0))\""
        for (key, value) in metadata(network) { text += ",\"\(key)\":\"\(value)\"" }
        text += "}"
        var offset = 0
        for tensor in tensors {
            let shape = ModelFormat.list(tensor.shape.map { "\($0)" })
            let end = offset + tensor.count * 4
            text += ",\"\(tensor.name)\":{\"dtype\":\"F32\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}"
            offset = end
        }
        text += "}"
        while text.bytes.count % 8 != 0 { text += " " }
        return text.bytes
    }

    /// All keys after the checksum, in characters that JSON takes as they are.
    private static func metadata(_ network: NetworkState) -> [(Text, Text)] {
        let layers = network.layers
        let state = network.random.state
        var pairs: [(Text, Text)] = [
            ("layers", ModelFormat.list(["\(network.inputCount)"] + layers.map { "\($0.outputs)" })),
            ("activations", ModelFormat.list(layers.map { "\($0.activation.name)" })),
            ("batchnorm", ModelFormat.list(layers.map { $0.isNormalized ? "on" : $0.normalization == nil ? "none" : "off" })),
            ("loss", "\(network.loss.name)"),
            ("dropout", ModelFormat.list(layers.map { "\(decimal($0.dropout))" })),
            ("seed", "\(network.seed)"),
            ("steps", "\(network.steps)"),
            ("pristine", network.hasInitialWeights ? "yes" : "no"),
            ("random", ModelFormat.list([state.0, state.1, state.2, state.3].map { ModelFormat.hex($0) })),
        ]
        if network.fit.step > 0 { pairs.append(("fit", ModelFormat.list(network.fit.words.map { ModelFormat.hex($0) }))) }
        for option in NetworkOption.allCases { pairs.append(("option.\(option.name)", "\(decimal(network.options[option]))")) }
        return pairs + ModelFormat.optimizerWords(of: network) + ModelFormat.scalingWords(of: network)
            + network.metadataWords
    }
}
