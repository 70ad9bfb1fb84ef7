import CPlatform

extension NetworkState {
    package static func load(_ path: CString) throws(BackpropError) -> NetworkState {
        do throws(BackpropError) {
            return try load(.file(try InputFile(reading: path)))
        } catch {
            throw error.naming(path)
        }
    }

    /// Loads a network from the bytes of a model file.
    package static func load(_ file: UnsafeBufferPointer<UInt8>) throws(BackpropError) -> NetworkState {
        try load(.memory(file))
    }

    /// Checks, in this order, that the source is a model, of a known version, of the size in its header, and unchanged. Only
    /// then it reads the contents.
    private static func load(_ source: consuming FileSource) throws(BackpropError) -> NetworkState {
        let start = try ModelFormat.start(of: source)
        guard ModelFormat.isModel(start.buffer) else {
            throw BackpropError(
                .notAModel,
                "not a model of this library; bp_network_load_weights and bp_network_load_layer load other safetensors files")
        }
        let model = try ModelFormat.verified(source, start.buffer)
        let header = model.header
        guard !header.hasOtherFields else {
            throw BackpropError(.corrupt, "the model's tensors have fields that this library does not know")
        }
        let data = model.data.buffer
        return try inDefaultEnvironment { () throws(BackpropError) in try network(of: header, data) }
    }

    private static func network(
        of header: SafeTensorsHeader, _ data: UnsafeBufferPointer<UInt8>
    ) throws(BackpropError) -> NetworkState {
        let network = try make(from: header.metadata, dataCount: data.count)
        try fill(network, from: header, data)
        network.optimizerState?.recomputeBounds(network.optimizer, network.kernels)
        network.best?.optimizerState?.recomputeBounds(network.optimizer, network.kernels)
        try network.readUserMetadata(from: header.metadata)
        for key in ModelFormat.openingKeys { _ = try header.metadata.value(key) }
        try header.metadata.requireAllKnown()
        return network
    }

    // MARK: Contents

    /// A network as the metadata describe it, before the tensors are read. A key that was added after the first release of
    /// format 1 must be read by `valueIfAny`, so that files without it still load.
    private static func make(from metadata: HeaderMetadata, dataCount: Int) throws(BackpropError) -> NetworkState {
        var sizes: [Int] = []
        for item in ModelFormat.items(try metadata.value("layers")) { sizes.append(try count(item, "layers")) }
        let batchnorm = ModelFormat.items(try metadata.value("batchnorm"))
        let names = ModelFormat.items(try metadata.value("activations"))
        guard sizes.count >= 2, batchnorm.count == sizes.count - 1, names.count == sizes.count - 1 else {
            throw BackpropError(.corrupt, "the model's lists of layers differ in length")
        }
        let (optimizer, optimizerSteps) = try ModelFormat.optimizer(in: metadata)
        let inputScaling = try ModelFormat.scaling("scaling.inputs", in: metadata)
        let targetScaling = try ModelFormat.scaling("scaling.targets", in: metadata)
        let scalingFloats = inputScaling.floats * sizes[0] + targetScaling.floats * sizes[sizes.count - 1]
        let (fit, best) = try ModelFormat.fit(in: metadata)
        let options = try options(in: metadata)
        var copies = [optimizerSteps]  // the optimizer's step count of each copy of the parameters
        if let best { copies.append(best.optimizerSteps) }
        let vectors = optimizer.vectorCount(options)
        let numbers = optimizer.isSecondOrder ? copies.reduce(0) { $0 + ($1 == 0 ? 0 : OptimizerState.numberCount) } : 0
        try requireData(
            dataCount - 4 * (scalingFloats + numbers), sizes, batchnorm, slots: copies.map { $0 == 0 ? 0 : vectors })
        let activations = try activations(names)
        let seed = try unsigned(try metadata.value("seed"), "seed")
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
        let loss = try loss(
            try metadata.value("loss"), targetColumns: metadata.valueIfAny("loss.target_columns"), outputs: network.outputCount)
        network.options = options
        try setDropout(of: network, metadata.valueIfAny("dropout"))
        try setTrainable(of: network, metadata.valueIfAny("trainable"))
        network.inputScaling = try Scaling.make(
            inputScaling.method, columns: network.inputCount, hasRemainder: inputScaling.hasRemainder)
        network.targetScaling = try Scaling.make(
            targetScaling.method, columns: network.outputCount, hasRemainder: targetScaling.hasRemainder)
        try network.install(loss)
        network.optimizer = optimizer
        if optimizerSteps > 0 {
            let state = try OptimizerState.make(for: network)
            state.steps = optimizerSteps
            network.optimizerState = state
        }
        network.steps = try steps(try metadata.value("steps"), "steps")
        network.hasInitialWeights = try choice(try metadata.value("pristine"), "yes", "no", "pristine")
        guard let random = Random(words: try words(of: try metadata.value("random"), "random")) else { throw malformed("random") }
        network.random = random
        network.fit = fit
        if let best { try network.makeBest(best) }
        return network
    }

    private static func options(in metadata: HeaderMetadata) throws(BackpropError) -> Options<NetworkOption> {
        var options = Options<NetworkOption>()
        for option in NetworkOption.allCases {
            let key = "option.\(option.name)"
            guard let text = metadata.valueIfAny(key) else { continue }  // keeps its default
            guard let value = number(text), (try? options.set(option, to: value)) != nil else { throw malformed(key) }
        }
        _ = metadata.valueIfAny("option.dropout")  // of version 0.1; the rates of the layers include it
        return options
    }

    static func words(of text: String, _ key: String) throws(BackpropError) -> [UInt64] {
        var words: [UInt64] = []
        for item in ModelFormat.items(text) { words.append(try hexadecimal(item, key)) }
        return words
    }

    private static func setDropout(of network: NetworkState, _ list: String?) throws(BackpropError) {
        guard let list else { return }
        let rates = ModelFormat.items(list)
        guard rates.count == network.layers.count, rates[rates.count - 1].isSame(as: "0") else { throw malformed("dropout") }
        for (index, text) in rates.dropLast().enumerated() {
            guard let rate = number(text), (try? network.setDropout(index + 1, rate: rate)) != nil else {
                throw malformed("dropout")
            }
        }
    }

    private static func setTrainable(of network: NetworkState, _ list: String?) throws(BackpropError) {
        guard let list else { return }
        let words = ModelFormat.items(list)
        guard words.count == network.layers.count else { throw malformed("trainable") }
        for (layer, word) in zip(network.layers, words) { layer.isTrainable = try choice(word, "yes", "no", "trainable") }
    }

    /// Checks the size of the data before memory is allocated for the layers. The file contains `slots.count` copies of the
    /// parameters. `slots` is the number of vectors of the optimizer that are stored with each copy.
    private static func requireData(
        _ dataCount: Int, _ sizes: [Int], _ batchnorm: [String], slots: [Int]
    ) throws(BackpropError) {
        var floats = 0
        for index in 1..<sizes.count {
            let vectors = batchnorm[index - 1].isSame(as: "none") ? 1 : 5
            let ofSlot = sizes[index - 1] + (batchnorm[index - 1].isSame(as: "on") ? 3 : 1)
            var perOutput = 0
            for count in slots { perOutput += sizes[index - 1] + vectors + (try checkedProduct(count, ofSlot)) }
            floats += try checkedProduct(sizes[index], perOutput)
            guard floats <= dataCount / 4 else { break }
        }
        guard floats == dataCount / 4, dataCount % 4 == 0 else {
            throw BackpropError(.corrupt, "the size of the model's data does not match its layers")
        }
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

    /// The loss of a file. One that is not registered, or has other target columns, is an error of the calls that need it.
    /// `columns`: nil in files from before the key.
    private static func loss(_ name: String, targetColumns columns: String?, outputs: Int) throws(BackpropError) -> Loss {
        let found = try? Loss.find(name)
        if let found, columns == nil || !found.isPlugin { return found }
        let count = try unsigned(columns ?? "0", "loss.target_columns")
        guard PluginRegistry.isValid(name), count < UInt64(mostColumns) else { throw malformed("loss") }
        let loss = LossPlugin.unregistered(name, targetColumns: Int(count))
        return .plugin((try? loss.requireRegistered(outputs: outputs)) ?? loss)
    }

    /// Copies the tensors to the network. The file must contain exactly the network's tensors, in order, without gaps.
    private static func fill(
        _ network: NetworkState, from header: SafeTensorsHeader, _ data: UnsafeBufferPointer<UInt8>
    ) throws(BackpropError) {
        let expected = ModelFormat.tensors(of: network)
        guard header.tensors.count == expected.count else {
            throw BackpropError(.corrupt, "the model has \(counted(header.tensors.count, "tensor")), but needs \(expected.count)")
        }
        let base = UnsafeRawPointer(data.baseAddress.unsafelyUnwrapped)
        var offset = 0
        for (tensor, found) in zip(expected, header.tensors) {
            let end = offset + tensor.count * 4
            guard found.name.isSame(as: tensor.name), found.type.isSame(as: "F32"), found.shape == tensor.shape,
                found.begin == offset, found.end == end
            else { throw found.error(.corrupt, "is not the expected \(tensor.text) of type F32 at byte \(offset)") }
            let values = (base + offset).assumingMemoryBound(to: Float.self)
            guard tensor.accepts(values) else { throw found.error(.corrupt, tensor.refusal) }
            tensor.copy(from: values)
            offset = end
        }
    }

    // MARK: Values

    /// Whether a value is the first of two allowed words. Throws if it is neither.
    private static func choice(_ word: String, _ first: String, _ second: String, _ key: String) throws(BackpropError) -> Bool {
        if word.isSame(as: first) { return true }
        guard word.isSame(as: second) else { throw malformed(key) }
        return false
    }

    private static func count(_ text: String, _ key: String) throws(BackpropError) -> Int {
        let value = try unsigned(text, key)
        guard value > 0, value < UInt64(mostColumns) else { throw malformed(key) }
        return Int(value)
    }

    static func unsigned(_ text: String, _ key: String) throws(BackpropError) -> UInt64 {
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

    /// A number of steps, at most `FitPosition.maximumSteps`.
    static func steps(_ text: String, _ key: String) throws(BackpropError) -> UInt64 {
        let steps = try unsigned(text, key)
        guard steps <= FitPosition.maximumSteps else { throw malformed(key) }
        return steps
    }

    private static func hexadecimal(_ text: String, _ key: String) throws(BackpropError) -> UInt64 {
        guard text.utf8.count == 16 else { throw malformed(key) }
        var value: UInt64 = 0
        for byte in text.utf8 {
            guard let digit = hexDigit(byte) else { throw malformed(key) }
            value = value << 4 | UInt64(digit)
        }
        return value
    }

    private static func malformed(_ key: String) -> BackpropError {
        HeaderMetadata.error(key, "is malformed")
    }
}

extension BackpropError {
    /// The error of a call with a path. Messages about the contents of a file do not name the file themselves.
    func naming(_ path: CString) -> BackpropError {
        switch code {
        case .notAModel, .corrupt, .version, .mismatch, .unknownName: BackpropError(code, "\(path.shown): \(message)")
        default: self
        }
    }
}
