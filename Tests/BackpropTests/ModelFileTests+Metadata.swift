import Foundation
import Testing

@testable import Backprop

/// Files with a valid checksum and an invalid header.
extension ModelFileTests {
    /// A text of the header and its invalid replacement. The model is 2-3-1 with batch normalization in layer 1: 25 floats.
    static let invalidReplacements: [(text: String, replacement: String)] = [
        // Layers.
        ("2,3,1", "2,3"), ("2,3,1", "2,3,1,1"), ("2,3,1", "2"), ("2,3,1", ""), ("2,3,1", "2,0,1"), ("2,3,1", "2,-3,1"),
        ("2,3,1", "2,x,1"), ("2,3,1", "2,3,1,"), ("2,3,1", "2, 3,1"), ("2,3,1", "2,4,1"), ("2,3,1", "3,2,1"),
        ("2,3,1", "2,3.0,1"), ("2,3,1", "2,1099511627775,1"), ("2,3,1", "2,99999999999999999999,1"),
        // Activations.
        ("tanh,logistic", "tanh"), ("tanh,logistic", "tanh,logistic,tanh"), ("tanh,logistic", ""),
        // Batch normalization.
        ("on,none", "on"), ("on,none", "on,none,none"), ("on,none", "none,none"), ("on,none", "on,on"), ("on,none", "none,on"),
        ("on,none", "maybe,none"), ("on,none", "ON,none"), ("on,none", ",none"),
        // Numbers.
        ("\"seed\":\"7\"", "\"seed\":\"\""), ("\"seed\":\"7\"", "\"seed\":\"x\""), ("\"seed\":\"7\"", "\"seed\":\"-7\""),
        ("\"seed\":\"7\"", "\"seed\":\"18446744073709551616\""), ("\"seed\":\"7\"", "\"seed\":\" 7\""),
        ("\"steps\":\"1\"", "\"steps\":\"one\""), ("\"steps\":\"1\"", "\"steps\":\"99999999999999999999\""),
        ("\"pristine\":\"no\"", "\"pristine\":\"maybe\""), ("\"pristine\":\"no\"", "\"pristine\":\"\""),
        // Options.
        ("\"option.batchnorm_epsilon\":\"1e-05\"", "\"option.batchnorm_epsilon\":\"\""),
        ("\"option.batchnorm_epsilon\":\"1e-05\"", "\"option.batchnorm_epsilon\":\"small\""),
        ("\"option.batchnorm_epsilon\":\"1e-05\"", "\"option.batchnorm_epsilon\":\"2\""),
        ("\"option.batchnorm_epsilon\":\"1e-05\"", "\"option.batchnorm_epsilon\":\"nan\""),
        ("\"option.batchnorm_epsilon\":\"1e-05\"", "\"option.batchnorm_epsilon\":\"1e-05 \""),
        ("\"option.gradient_reduction\":\"0\"", "\"option.gradient_reduction\":\"0.5\""),
        ("\"option.gradient_reduction\":\"0\"", "\"option.gradient_reduction\":\"-1\""),
        ("\"option.gradient_reduction\":\"0\"", "\"option.gradient_reduction\":\"0x1\""),
        ("\"option.initialization\":\"0\"", "\"option.initialization\":\"4\""),
        // Tensors.
        ("layers.1.weight", "layers.1.weights"), ("layers.1.weight", "layers.2.weight"), ("layers.1.bias", "layers.1.beta"),
        ("\"F32\"", "\"F64\""), ("\"F32\"", "\"F16\""), ("\"F32\"", "\"I32\""), ("\"F32\"", "\"f32\""), ("\"F32\"", "32"),
        ("[3,2]", "[2,3]"), ("[3,2]", "[6]"), ("[3,2]", "[3,2,1]"), ("[3,2]", "[]"), ("[3,2]", "[3,-2]"), ("[3,2]", "[3,2.0]"),
        ("[3,2]", "[288230376151711743,288230376151711743]"), ("[3,2]", "[1,1,1,1,1,1,1,1,1]"),
        ("[0,24]", "[0,20]"), ("[0,24]", "[0,28]"), ("[0,24]", "[4,28]"), ("[0,24]", "[24,0]"), ("[0,24]", "[0]"),
        ("[0,24]", "[0,24,24]"), ("[0,24]", "[-24,0]"), ("[24,36]", "[28,40]"), ("[24,36]", "[0,12]"), ("[96,100]", "[96,104]"),
        ("\"dtype\":\"F32\",", ""), ("\"shape\":[3,2],", ""), (",\"data_offsets\":[0,24]", ""),
        ("\"dtype\":\"F32\",", "\"dtype\":\"F32\",\"dtype\":\"F32\","),
        ("\"shape\":[3,2],", "\"shape\":[3,2],\"shape\":[3,2],"),
        ("\"dtype\":\"F32\",", "\"dtype\":\"F32\",\"more\":\"\","),
        (",\"layers.2.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[96,100]}", ""),
        (
            "\"data_offsets\":[96,100]}",
            "\"data_offsets\":[96,100]},\"layers.3.bias\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[100,100]}"
        ),
        ("\"data_offsets\":[96,100]}}", "\"data_offsets\":[96,100]}"),
        ("\"data_offsets\":[96,100]}}", "\"data_offsets\":[96,100]}}}"),
        ("\"data_offsets\":[96,100]}}", "\"data_offsets\":[96,100]}}{}"),
    ]

    @Test(arguments: invalidReplacements.indices)
    func invalidHeadersAreRefused(index: Int) throws {
        let (text, replacement) = Self.invalidReplacements[index]
        let changed = try #require(ModelText(Self.model).replacing(text, with: replacement), "the model does not contain \(text)")
        do {
            try load(changed.sealed)
            Issue.record("accepted \(replacement) for \(text)")
        } catch {
            #expect(error.code == .corrupt, "\(replacement) for \(text): \(error.message)")
            expectOneLine(error.message)
        }
    }

    /// A name may be that of a loss which the host has not registered: only calls that need the loss fail.
    @Test func aModelOfAnUnknownLossPredicts() throws {
        let changed = try #require(ModelText(Self.model).replacing("squared_error", with: "nonsense"))
        let network = try Network.load(bytes: changed.sealed)
        #expect(try network.loss == .named("nonsense"))
        #expect(try network.predict([1, 2]) == Network.load(bytes: Self.model).predict([1, 2]))
        expectFailure(.unknownName, "loss \"nonsense\" with target_columns 0 is not registered") {
            _ = try network.evaluate([1, 2], [1])
        }
    }

    @Test(arguments: ["", "Squared_error"])
    func aNameThatNoLossCanHaveIsRefused(name: String) throws {
        let changed = try #require(ModelText(Self.model).replacing("squared_error", with: name))
        expectFailure(.corrupt, "\"loss\" is malformed") { _ = try load(changed.sealed) }
    }

    /// Layers that are too large for any file are refused before memory is allocated.
    @Test(arguments: ["1099511627775,1099511627775,1", "1099511627776,3,1"])
    func layersTooLargeToCountAreRefused(layers: String) throws {
        let changed = try #require(ModelText(Self.model).replacing("2,3,1", with: layers))
        do {
            try load(changed.sealed)
            Issue.record("accepted")
        } catch {
            #expect(error.code == .corrupt || error.code == .limit)
        }
    }

    @Test func anUnknownActivationIsRefusedWithItsName() throws {
        let changed = try #require(ModelText(Self.model).replacing("tanh,logistic", with: "tanh,nonsense"))
        expectFailure(.unknownName) { try load(changed.sealed) }
    }

    @Test(arguments: ["3f", "", "00000000000000zz", "0000000000000000,", "+000000000000001", "00000000000000000"])
    func randomStateMustBeFourWords(word: String) throws {
        let start = try #require(ModelText(Self.model).header.range(of: "\"random\":\""))
        let first = String(ModelText(Self.model).header[start.upperBound...].prefix(16))
        let changed = try #require(ModelText(Self.model).replacing(first, with: word))
        expectFailure(.corrupt) { try load(changed.sealed) }
    }

    /// A generator whose state is 0 returns only 0.
    @Test func randomStateMustNotBeZero() throws {
        let header = ModelText(Self.model).header
        let start = try #require(header.range(of: "\"random\":\""))
        let words = String(header[start.upperBound...].prefix(67))
        let zero = String(repeating: "0", count: 16)
        let zeros = [zero, zero, zero, zero].joined(separator: ",")
        let changed = try #require(ModelText(Self.model).replacing(words, with: zeros))
        expectFailure(.corrupt) { try load(changed.sealed) }
    }

    @Test(arguments: [
        "layers", "activations", "batchnorm", "loss", "seed", "steps", "pristine", "random", "option.gradient_reduction",
        "option.initialization", "option.batchnorm_epsilon", "option.batchnorm_momentum", "option.batchnorm_update",
        "optimizer", "optimizer.steps", "dropout", "scaling.inputs", "scaling.targets",
    ])
    func everyKeyMustOccurExactlyOnce(key: String) throws {
        let model = ModelText(Self.model)
        let renamed = try #require(model.replacing("\"\(key)\":", with: "\"x\(key)\":"))
        expectFailure(.corrupt) { try load(renamed.sealed) }
        let twice = try #require(model.replacing("\"\(key)\":", with: "\"\(key)\":\"1\",\"\(key)\":"))
        expectFailure(.corrupt) { try load(twice.sealed) }
    }

    @Test func dataShorterOrLongerThanTheLayersAreRefused() {
        for change in [-100, -4, -1, 1, 3, 4, 100] {
            var text = ModelText(Self.model)
            text.data = change < 0 ? text.data.dropLast(-change) : text.data + [UInt8](repeating: 0, count: change)
            expectFailure(.corrupt) { try load(text.sealed) }
        }
    }

    @Test func tensorsInAnotherOrderAreRefused() throws {
        let text = ModelText(Self.model)
        let swapped = try #require(
            text.replacing("layers.1.norm.weight", with: "layers.1.norm.x")?
                .replacing("layers.1.norm.bias", with: "layers.1.norm.weight")?
                .replacing("layers.1.norm.x", with: "layers.1.norm.bias"))
        expectFailure(.corrupt) { try load(swapped.sealed) }
    }
}
