import Testing

@testable import Backprop

/// The optimizer in a file.
extension ModelFileTests {
    private static func adam() throws -> Network {
        let network = try Network(layers: [2, 3, 1], seed: 7)
        try network.setBatchNormalization(true, layer: 1)
        try network.setOptimizer(.adam)
        return network
    }

    private static func trained() throws -> Network {
        let network = try adam()
        for _ in 0..<3 { try network.train([1, 2, 3, 4], [0.5, 1], learningRate: 0.1) }
        return network
    }

    @Test func optimizerStateIsSavedUnderTheNamesOfTheParameters() throws {
        #expect(try Self.adam().tensors().keys.allSatisfy { !$0.hasPrefix("optimizer") })
        let tensors = try Self.trained().tensors()
        for slot in ["first_moment", "second_moment"] {
            for (name, count) in [
                ("layers.1.weight", 6), ("layers.1.bias", 3), ("layers.1.norm.weight", 3), ("layers.1.norm.bias", 3),
                ("layers.2.weight", 3), ("layers.2.bias", 1),
            ] {
                #expect(tensors["optimizer.\(slot).\(name)"]?.count == count)
            }
        }
        #expect(tensors.count == 8 + 12)
        let text = ModelText(try Self.trained().savedBytes()).header
        #expect(text.contains("\"optimizer\":\"adam\"") && text.contains("\"optimizer.steps\":\"3\""))
    }

    @Test(arguments: [
        ("\"optimizer\":\"adam\"", "\"optimizer\":\"adamw2\""), ("\"optimizer\":\"adam\"", "\"optimizer\":\"\""),
        ("\"optimizer\":\"adam\"", "\"optimizer\":\"momentum\""), ("\"optimizer\":\"adam\"", "\"optimizer\":\"sgd\""),
        ("\"optimizer.steps\":\"3\"", "\"optimizer.steps\":\"0\""), ("\"optimizer.steps\":\"3\"", "\"optimizer.steps\":\"-3\""),
        ("\"optimizer.steps\":\"3\"", "\"optimizer.steps\":\"\""), (",\"optimizer.steps\":\"3\"", ""),
        ("optimizer.first_moment.layers.1.weight", "optimizer.first_moment.layers.3.weight"),
        ("optimizer.second_moment.layers.2.bias", "optimizer.momentum.layers.2.bias"),
        ("\"option.beta1\":\"0.9\"", "\"option.beta1\":\"1\""), ("\"option.l1\":\"0\"", "\"option.l1\":\"-1\""),
    ])
    func wrongOptimizerEntriesAreRefused(text: String, replacement: String) throws {
        let model = ModelText(try Self.trained().savedBytes())
        let changed = try #require(model.replacing(text, with: replacement))
        expectFailure(.corrupt) { try load(changed.sealed) }
    }

    /// A negative mean of squares has no square root; a NaN would reach all parameters.
    @Test(arguments: [-1, .nan, .infinity] as [Float])
    func invalidOptimizerStateIsRefused(value: Float) throws {
        var model = ModelText(try Self.trained().savedBytes())
        let bytes = withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
        model.data.replaceSubrange((model.data.count - 4)..., with: bytes)  // the last second moment
        expectFailure(.corrupt) { try load(model.sealed) }
    }

    /// The state of the optimizer is saved with the weights.
    @Test func trainingContinuesFromAFileWithTheSameBits() throws {
        let network = try Self.trained()
        let loaded = try Network.load(bytes: network.savedBytes())
        for network in [network, loaded] { try network.train([1, 2, 3, 4], [0.5, 1], learningRate: 0.1) }
        #expect(try sameState(network, loaded))
    }
}

/// Dropout, scaling and metadata in a file.
extension ModelFileTests {
    private static func scaled() throws -> [UInt8] {
        let network = try Network(layers: [2, 3, 1], seed: 7)
        try network.setDropout(0.25, layer: 1)
        try network.fitScaling(inputs: .standard, targets: .minMax, [1, 2, 3, 5], [0.5, 1])
        return try network.savedBytes()
    }

    @Test(arguments: [
        ("\"dropout\":\"0.25,0\"", "\"dropout\":\"0.25\""), ("\"dropout\":\"0.25,0\"", "\"dropout\":\"0.25,0.25\""),
        ("\"dropout\":\"0.25,0\"", "\"dropout\":\"1,0\""), ("\"dropout\":\"0.25,0\"", "\"dropout\":\"-0.1,0\""),
        ("\"dropout\":\"0.25,0\"", "\"dropout\":\"x,0\""), ("\"scaling.inputs\":\"standard\"", "\"scaling.inputs\":\"none\""),
        ("\"scaling.inputs\":\"standard\"", "\"scaling.inputs\":\"robust\""),
        ("\"scaling.targets\":\"min_max\"", "\"scaling.targets\":\"none\""),
        ("scaling.inputs.offset", "scaling.inputs.mean"),
    ])
    func wrongDropoutAndScalingEntriesAreRefused(text: String, replacement: String) throws {
        let changed = try #require(ModelText(Self.scaled()).replacing(text, with: replacement))
        expectFailure(.corrupt) { try load(changed.sealed) }
    }

    /// A C program would read a text only up to a null character.
    @Test(arguments: ["\\u0000", "a\\u0000b"])
    func textsWithNullCharactersAreRefused(text: String) throws {
        let network = try Network(layers: [2, 1], seed: 7)
        try network.setMetadata("KEY", "VALUE")
        let model = ModelText(try network.savedBytes())
        for place in ["KEY", "VALUE"] {
            let changed = try #require(model.replacing(place, with: text))
            expectFailure(.corrupt) { try load(changed.sealed) }
        }
        #expect(try load(model.sealed).metadata("KEY") == "VALUE")
        #expect(try network.metadataKeys == ["KEY"])
        expectFailure(.invalidValue) { try network.setMetadata("a\0b", "") }
        try network.removeMetadata("KEY")
        expectFailure(.unknownName) { _ = try network.metadata("KEY") }
    }

    @Test(arguments: [0, -1, .nan] as [Float])
    func scalesThatAreNotPositiveAreRefused(value: Float) throws {
        var model = ModelText(try Self.scaled())
        let bytes = withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
        model.data.replaceSubrange((model.data.count - 4)..., with: bytes)  // the scale of the targets
        expectFailure(.corrupt) { try load(model.sealed) }
    }
}
