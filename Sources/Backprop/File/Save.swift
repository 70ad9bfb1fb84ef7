import CPlatform

extension Handle where Object == NetworkState {
    /// Writes the model. An existing file stays until the new one is on the disk. The network is locked only while it is
    /// copied, so that a slow disk does not block other threads.
    package func save(_ path: CString) throws(BackpropError) {
        try requireNotEmpty(path)
        var model: SavedModel?
        try read { (state) throws(BackpropError) in model = try SavedModel(try ModelLayout(state)) }
        try model?.write(path)
    }

    /// Writes the bytes of the model file to `buffer` if they fit. Sets `needed` to their number in any case.
    package func save(
        into buffer: UnsafeMutablePointer<UInt8>?, capacity: Int, needed: inout Int
    ) throws(BackpropError) {
        var model: SavedModel?
        try read { (state) throws(BackpropError) in
            let layout = try ModelLayout(state)
            needed = layout.count
            guard capacity >= layout.count else {
                throw BackpropError(.bufferTooSmall, "the model needs \(layout.count) bytes, but the buffer has \(capacity)")
            }
            model = try SavedModel(layout)
        }
        if let buffer { model?.copy(to: buffer) }
    }
}

/// The contents of a model file: the header, in which the checksum is still zeros, and the tensors after it.
private struct ModelLayout {
    let header: [UInt8]
    let tensors: [ModelFormat.Tensor]
    let count: Int

    init(_ network: NetworkState) throws(BackpropError) {
        try Reserve.require(forLayers: (network.best == nil ? 1 : 2) * network.layers.count, texts: network.metadataBytes)
        tensors = ModelFormat.tensors(of: network)
        header = Self.header(network, tensors)
        guard header.count <= SafeTensorsHeader.largestSize else {
            throw BackpropError(
                .limit, "the model's header of \(header.count) bytes is longer than \(SafeTensorsHeader.largestSize)")
        }
        var floats = 0
        for tensor in tensors { floats += tensor.count }
        count = 8 + header.count + floats * 4
    }

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

    /// All metadata after the checksum, as text that needs no escaping in JSON.
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
            ("steps", "\(min(network.steps, FitPosition.maximumSteps))"),
            ("pristine", network.hasInitialWeights ? "yes" : "no"),
            ("random", ModelFormat.list([state.0, state.1, state.2, state.3].map { ModelFormat.hex($0) })),
        ]
        if case .plugin(let loss) = network.loss { pairs.append(("loss.target_columns", "\(loss.targetColumns)")) }
        if layers.contains(where: { !$0.isTrainable }) {  // files without frozen layers are as in version 0.1
            pairs.append(("trainable", ModelFormat.list(layers.map { $0.isTrainable ? "yes" : "no" })))
        }
        for option in NetworkOption.allCases { pairs.append(("option.\(option.name)", "\(decimal(network.options[option]))")) }
        return pairs + ModelFormat.fitEntries(of: network) + ModelFormat.optimizerEntries(of: network)
            + ModelFormat.scalingEntries(of: network) + network.userMetadataEntries
    }
}

/// The bytes of a model file in memory, independent of the network.
private struct SavedModel: ~Copyable {
    private let bytes: UnsafeMutablePointer<UInt8>
    private let count: Int

    /// Copies the numbers of the network.
    init(_ layout: ModelLayout) throws(BackpropError) {
        guard let bytes = cp_allocate_bytes(layout.count) else {
            throw BackpropError(.outOfMemory, "out of memory: cannot allocate \(layout.count) bytes")
        }
        count = layout.count
        self.bytes = bytes
        let header = layout.header
        UnsafeMutableRawPointer(bytes).storeBytes(of: UInt64(header.count).littleEndian, as: UInt64.self)
        for i in header.indices { bytes[8 + i] = header[i] }
        // The header's length is a multiple of eight, so that the floats are aligned.
        var at = UnsafeMutableRawPointer(bytes + 8 + header.count).assumingMemoryBound(to: Float.self)
        for tensor in layout.tensors {
            tensor.copy(to: at)
            at += tensor.count
        }
    }

    deinit { cp_free(bytes) }

    func write(_ path: CString) throws(BackpropError) {
        try requirePart(cp_has_files, "files")
        seal()
        try replaceFile(path, bytes, count)
    }

    func copy(to buffer: UnsafeMutablePointer<UInt8>) {
        seal()
        cp_copy(buffer, bytes, count)
    }

    /// Replaces the zeros of the checksum by its value.
    private func seal() {
        var checksum = Checksum()
        checksum.add(UnsafeBufferPointer(start: bytes, count: count))
        for (i, digit) in ModelFormat.hex(checksum.value).bytes.enumerated() { bytes[ModelFormat.checksumStart + i] = digit }
    }
}

/// Replaces a file by these bytes, completely or not at all.
package func replaceFile(_ path: CString, _ bytes: UnsafePointer<UInt8>, _ count: Int) throws(BackpropError) {
    let (error, reason) = withReason { reason in path.withPointer { cp_replace_file($0, bytes, count, reason) } }
    guard error == 0 else { throw fileError(error, "write", path, reason) }
}
