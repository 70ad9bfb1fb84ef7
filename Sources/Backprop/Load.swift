import CPlatform

extension NetworkState {
    package static func load(_ path: String) throws(BackpropError) -> NetworkState {
        guard !path.isEmpty else { throw BackpropError(.invalidValue, "the path is empty") }
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        let error = path.withCString { cp_read_file($0, 1 << 58, &bytes, &count) }
        if error != 0 { throw fileError(error, "read", path) }
        defer { cp_free(bytes) }
        return try load(UnsafeBufferPointer(start: bytes, count: count))
    }

    /// From the bytes of a model file. In this order: is it one, of a version known, unchanged; then what it says.
    package static func load(_ file: UnsafeBufferPointer<UInt8>) throws(BackpropError) -> NetworkState {
        try requireOpening(file)
        try requireVersion(file)
        guard let text = SafeTensorsHeader.text(of: file), file.count >= ModelFormat.checksumStart + ModelFormat.checksumDigits
        else { throw BackpropError(.corrupt, "the model is cut short: \(file.count) bytes do not hold its header") }
        try requireChecksum(file)
        let header = try SafeTensorsHeader(parsing: text)
        let network = try make(from: header, dataCount: file.count - header.dataStart)
        let data = UnsafeRawPointer(file.baseAddress.unsafelyUnwrapped) + header.dataStart
        try fill(network, from: header, data)
        return network
    }

    // MARK: Is it a model

    private static func requireOpening(_ file: UnsafeBufferPointer<UInt8>) throws(BackpropError) {
        guard has(file, ModelFormat.opening, at: 8) else {
            throw BackpropError(.notAModel, "not a model of this library")
        }
    }

    private static func requireVersion(_ file: UnsafeBufferPointer<UInt8>) throws(BackpropError) {
        let start = 8 + ModelFormat.opening.utf8.count
        if has(file, ModelFormat.version + "\"", at: start) { return }
        var version: [UInt8] = []
        var at = start
        while at < file.count, file[at] >= 0x30, file[at] <= 0x39, version.count < 9 {
            version.append(file[at])
            at += 1
        }
        guard !version.isEmpty, at < file.count, file[at] == 0x22 else {
            throw BackpropError(.corrupt, "the model is cut short or changed: it names no version")
        }
        let name = String(decoding: version, as: UTF8.self)
        throw BackpropError(.version, "the model has format version \(name); this library knows \(ModelFormat.version)")
    }

    private static func requireChecksum(_ file: UnsafeBufferPointer<UInt8>) throws(BackpropError) {
        let computed = ModelFormat.hex(ModelFormat.checksum(of: file))
        guard has(file, computed, at: ModelFormat.checksumStart) else {
            throw BackpropError(.corrupt, "the model is cut short or changed: its checksum is not \(computed)")
        }
    }

    private static func has(_ file: UnsafeBufferPointer<UInt8>, _ text: String, at start: Int) -> Bool {
        let count = text.utf8.count
        guard file.count >= start + count else { return false }
        return file[start..<start + count].elementsEqual(text.utf8)
    }

    // MARK: What it says

    /// A network as the metadata describe it, with the file's floats still to come.
    private static func make(from header: SafeTensorsHeader, dataCount: Int) throws(BackpropError) -> NetworkState {
        var sizes: [Int] = []
        for item in ModelFormat.items(try header.value("layers")) { sizes.append(try count(item, "layers")) }
        let batchnorm = ModelFormat.items(try header.value("batchnorm"))
        let names = ModelFormat.items(try header.value("activations"))
        guard sizes.count >= 2, batchnorm.count == sizes.count - 1, names.count == sizes.count - 1 else {
            throw BackpropError(.corrupt, "the model's lists of layers differ in length")
        }
        try requireData(dataCount, sizes, batchnorm)
        let activations = try activations(names)
        let seed = try unsigned(try header.value("seed"), "seed")
        let network = try sizes.withUnsafeBufferPointer { (sizes) throws(BackpropError) in
            try NetworkState.make(layerSizes: sizes, seed: seed)
        }
        for index in network.layers.indices {
            let layer = network.layers[index]
            network.install(activations[index], in: layer)
            if !batchnorm[index].isSame(as: "none") {
                try layer.setNormalized(true)
                layer.isNormalized = try choice(batchnorm[index], "on", "off", "batchnorm")
            }
        }
        guard let loss = Loss.named(try header.value("loss")) else { throw malformed("loss") }
        network.loss = loss
        for option in NetworkOption.allCases {
            let key = "option.\(option.name)"
            guard let value = number(try header.value(key)), (try? network.options.set(option, to: value)) != nil else {
                throw malformed(key)
            }
        }
        network.steps = try unsigned(try header.value("steps"), "steps")
        network.isPristine = try choice(try header.value("pristine"), "yes", "no", "pristine")
        var words: [UInt64] = []
        for item in ModelFormat.items(try header.value("random")) { words.append(try hexadecimal(item)) }
        guard words.count == 4, words.contains(where: { $0 != 0 }) else { throw malformed("random") }
        network.random = Random(state: (words[0], words[1], words[2], words[3]))
        return network
    }

    /// Before any memory is taken for the layers: the file holds their floats.
    private static func requireData(_ dataCount: Int, _ sizes: [Int], _ batchnorm: [String]) throws(BackpropError) {
        var floats = 0
        for index in 1..<sizes.count {
            let vectors = batchnorm[index - 1].isSame(as: "none") ? 1 : 5
            floats += try checkedProduct(sizes[index], sizes[index - 1] + vectors)
            guard floats <= dataCount / 4 else { break }
        }
        guard floats * 4 == dataCount else { throw BackpropError(.corrupt, "the model's data do not fit its layers") }
    }

    private static func activations(_ names: [String]) throws(BackpropError) -> [Activation] {
        var found: [Activation] = []
        var missing: [String] = []
        for name in names {
            do throws(BackpropError) {
                found.append(try Activation.find(name))
            } catch {
                if !missing.contains(where: { $0.isSame(as: name) }) { missing.append(name) }
            }
        }
        guard missing.isEmpty else {
            let list = ModelFormat.list(missing.map { "\"\($0)\"" })
            throw BackpropError(.unknownName, "the model uses activations that are not registered: \(list)")
        }
        return found
    }

    /// The tensors must be exactly those of the network, in order, without gaps.
    private static func fill(
        _ network: NetworkState, from header: SafeTensorsHeader, _ data: UnsafeRawPointer
    ) throws(BackpropError) {
        let expected = ModelFormat.tensors(of: network)
        guard header.tensors.count == expected.count else { throw malformed("tensors") }
        var offset = 0
        for (tensor, found) in zip(expected, header.tensors) {
            let end = offset + tensor.count * 4
            guard found.name.isSame(as: tensor.name), found.type.isSame(as: "F32"), found.shape == tensor.shape,
                found.begin == offset, found.end == end
            else { throw malformed(tensor.name) }
            tensor.copy(from: (data + offset).assumingMemoryBound(to: Float.self))
            offset = end
        }
    }

    // MARK: Words and numbers

    /// Whether a word is the first of two that it may be.
    private static func choice(_ word: String, _ first: String, _ second: String, _ key: String) throws(BackpropError) -> Bool {
        if word.isSame(as: first) { return true }
        guard word.isSame(as: second) else { throw malformed(key) }
        return false
    }

    private static func count(_ text: String, _ key: String) throws(BackpropError) -> Int {
        let value = try unsigned(text, key)
        guard value > 0, value < 1 << 40 else { throw malformed(key) }
        return Int(value)
    }

    private static func unsigned(_ text: String, _ key: String) throws(BackpropError) -> UInt64 {
        var value: UInt64 = 0
        for byte in text.utf8 {
            let (tens, over) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(UInt64(byte) &- 0x30)
            guard byte >= 0x30, byte <= 0x39, !over, !carry else { throw malformed(key) }
            value = sum
        }
        guard !text.isEmpty else { throw malformed(key) }
        return value
    }

    private static func hexadecimal(_ text: String) throws(BackpropError) -> UInt64 {
        guard text.utf8.count == 16 else { throw malformed("random") }
        var value: UInt64 = 0
        for byte in text.utf8 {
            guard let digit = hexDigit(byte) else { throw malformed("random") }
            value = value << 4 | UInt64(digit)
        }
        return value
    }

    private static func malformed(_ key: String) -> BackpropError {
        BackpropError(.corrupt, "the model's \"\(key)\" is malformed")
    }
}
