import Foundation
import Testing

@testable import Backprop

/// The format of model files. A truncated or changed file is refused.
@Suite struct ModelFileTests {
    /// A network 2-3-1 with batch normalization in layer 1, after one step.
    static let model: [UInt8] = {
        guard let network = try? Network(layers: [2, 3, 1], seed: 7) else { return [] }
        try? network.setActivation(.tanh, layer: 1)
        try? network.setBatchNormalization(true, layer: 1)
        _ = try? network.train([1, 0, 0, 1], [1, 0], learningRate: 0.5)
        return (try? network.savedBytes()) ?? []
    }()

    /// Parsed with JSONSerialization: names, shapes and order are as documented in backprop.h, there are no gaps, and the
    /// floats are the parameters.
    @Test func aModelIsASafetensorsFile() throws {
        let network = try Network.load(bytes: Self.model)
        let text = ModelText(Self.model)
        let header = try #require(
            try JSONSerialization.jsonObject(with: Data(text.header.utf8)) as? [String: [String: Any]])
        let expected: [(name: String, shape: [Int])] = [
            ("layers.1.weight", [3, 2]), ("layers.1.bias", [3]), ("layers.1.norm.weight", [3]), ("layers.1.norm.bias", [3]),
            ("layers.1.norm.running_mean", [3]), ("layers.1.norm.running_var", [3]), ("layers.2.weight", [1, 3]),
            ("layers.2.bias", [1]),
        ]
        #expect(header.count == expected.count + 1)
        var at = 0
        for (name, shape) in expected {
            let entry = try #require(header[name])
            let end = at + 4 * shape.reduce(1, *)
            #expect(entry["dtype"] as? String == "F32")
            #expect(entry["shape"] as? [Int] == shape)
            #expect(entry["data_offsets"] as? [Int] == [at, end])
            at = end
        }
        #expect(at == text.data.count)
        #expect(text.header.utf8.count % 8 == 0)

        let tensors = try network.tensors()
        let names = ["1.weight", "1.bias", "1.norm.weight", "1.norm.bias", "2.weight", "2.bias"]
        #expect(bits(names.flatMap { tensors["layers." + $0] ?? [] }) == bits(try network.parameters()))

        let metadata = try #require(header["__metadata__"] as? [String: String])
        #expect(metadata["format"] == "libbackprop")
        #expect(metadata["format_version"] == "1")
        #expect(metadata["layers"] == "2,3,1")
        #expect(metadata["activations"] == "tanh,logistic")
    }

    @Test func parsedAndReassembledModelIsTheSame() throws {
        #expect(ModelText(Self.model).sealed == Self.model)
        try load(Self.model)
    }

    @Test func everyPrefixIsRefused() {
        let model = Self.model
        let opening = 8 + ModelFormat.opening.bytes.count
        for count in 0..<model.count {
            expectFailure(count < opening ? .notAModel : .corrupt) { try load(Array(model[..<count])) }
        }
    }

    @Test func everyChangedByteIsRefused() {
        var changed = Self.model
        for at in changed.indices {
            for mask: UInt8 in [1 << UInt8(at % 8), 0xFF] {
                changed[at] ^= mask
                do {
                    try load(changed)
                    Issue.record("byte \(at) changed by \(mask) was accepted")
                } catch {
                    #expect([.notAModel, .corrupt, .version].contains(error.code), "byte \(at): \(error.message)")
                }
                changed[at] ^= mask
            }
        }
    }

    @Test func bytesAfterAModelAreRefused() {
        expectFailure(.corrupt) { try load(Self.model + [0]) }
        expectFailure(.corrupt) { try load(Self.model + Self.model) }
        var text = ModelText(Self.model)
        text.data += [0, 0, 0, 0]
        expectFailure(.corrupt) { try load(text.sealed) }
    }

    @Test(arguments: ["2", "10", "17", "99999999"])
    func anUnknownVersionIsRefusedWithItsNumber(version: String) throws {
        let text = try #require(
            ModelText(Self.model).replacing("\"format_version\":\"1\"", with: "\"format_version\":\"\(version)\""))
        for bytes in [text.sealed, Array(text.sealed.prefix(300))] {  // the rest of a file of another version is not checked
            do {
                try load(bytes)
                Issue.record("accepted")
            } catch {
                #expect(error.code == .version)
                #expect(error.message.contains("version \(version);"), "\(error.message)")
                expectOneLine(error.message)
            }
        }
    }

    @Test(arguments: ["", "x", "1x", "-1", "1.0", "999999999999999999999"])
    func aVersionThatIsNoNumberIsRefused(version: String) throws {
        let text = try #require(
            ModelText(Self.model).replacing("\"format_version\":\"1\"", with: "\"format_version\":\"\(version)\""))
        expectFailure(.corrupt) { try load(text.sealed) }
    }

    @Test func otherFilesAreNoModels() throws {
        let others: [[UInt8]] = [
            [], [0], Array("hello".utf8), [UInt8](repeating: 0, count: 4096), [UInt8](repeating: 0xFF, count: 4096),
            Array("\u{89}PNG\r\n".utf8), Array(Self.model.dropFirst()),
        ]
        for bytes in others { expectFailure(.notAModel) { try load(bytes) } }
        var foreign = ModelText(Self.model)  // a safetensors file of another program
        foreign.header = "{\"weight\":{\"dtype\":\"F32\",\"shape\":[25],\"data_offsets\":[0,100]}}"
        expectFailure(.notAModel) { try load(foreign.sealed) }
    }

    @Test(arguments: [UInt64(0), 8, 127, .max, 1 << 63, 1 << 32])
    func aWrongHeaderLengthIsRefused(length: UInt64) {
        var model = Self.model
        for i in 0..<8 { model[i] = UInt8(truncatingIfNeeded: length >> (8 * UInt64(i))) }
        expectFailure(.corrupt) { try load(model) }
    }

    /// A header can be padded with any number of spaces.
    @Test(arguments: 0..<9)
    func spacesAfterTheHeaderChangeNothing(count: Int) throws {
        var text = ModelText(Self.model)
        text.header += String(repeating: " ", count: count)
        #expect(try parameters(of: load(text.sealed)) == parameters(of: load(Self.model)))
    }

    @Test func theMessageListsMissingActivations() throws {
        try Network.registerActivation("file-one", function: { $0 })
        try Network.registerActivation("file-two", function: { $0 })
        let network = try Network(layers: [1, 1, 1, 1, 1], seed: 1)
        for (layer, name) in ["file-one", "file-two", "file-one"].enumerated() {
            try network.setActivation(.named(name), layer: layer + 1)
        }
        let bytes = try network.savedBytes()
        try load(bytes)
        try Network.unregisterActivation("file-one")
        try Network.unregisterActivation("file-two")
        do {
            try load(bytes)
            Issue.record("accepted")
        } catch {
            #expect(error.code == .unknownName)
            #expect(error.message.contains("file-one") && error.message.contains("file-two"))
            expectOneLine(error.message)
        }
    }

    /// The path ends in "\xe9", which is not UTF-8: the file name has exactly these bytes.
    @Test func pathsCanBeAnyBytes() throws {
        let network = try Network(layers: [2, 3, 1], seed: 8)
        let other = try Network(layers: [2, 3, 1], seed: 9)
        try withTemporaryPath { path in
            let name = Array(path.utf8CString.dropLast()) + [CChar(bitPattern: 0xE9), 0]
            try network.save(to: name)
            #expect(access(name, F_OK) == 0)
            let loaded = try Network.load(from: name)
            #expect(bits(try loaded.parameters()) == bits(try network.parameters()))
            try other.loadWeights(from: name)
            #expect(bits(try other.parameters()) == bits(try network.parameters()))
            unlink(name)
            let error = #expect(throws: BackpropError.self) { _ = try Network.load(from: name) }
            #expect(error?.code == .io)
            #expect(error?.message.contains("\(path)\\xe9: No such file") == true)
        }
    }

    @Test func aPathWithANulIsRefused() throws {
        let network = try Network(layers: [2, 3, 1], seed: 8)
        withTemporaryPath { path in
            expectFailure(.invalidValue) { try network.save(to: path + "\0other") }
            #expect(access(path, F_OK) != 0)
            expectFailure(.invalidValue) { _ = try Network.load(from: path + "\0") }
            expectFailure(.invalidValue) { try network.loadWeights(from: path + "\0") }
            expectFailure(.invalidValue) {
                try Network.registerActivation("nul", library: "libm.so.6\0", function: "erf", signature: "d(d)")
            }
            expectFailure(.invalidValue) {
                try Network.registerActivation("nul", library: "libm.so.6", function: "erf\0x", signature: "d(d)")
            }
        }
    }

    @Test func loadWeightsReplacesTheParameters() throws {
        let source = try Network(layers: [2, 3, 1], seed: 8)
        let target = try Network(layers: [2, 3, 1], seed: 9)
        let other = try Network(layers: [2, 4, 1], seed: 9)
        try withTemporaryPath { path in
            try source.save(to: path)
            try target.loadWeights(from: path)
            expectFailure(.mismatch) { try other.loadWeights(from: path) }
        }
        #expect(bits(try target.parameters()) == bits(try source.parameters()))
    }
}
