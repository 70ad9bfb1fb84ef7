import Backprop
import Testing

/// Frozen layers and new last layers in the Swift interface. Tests/CTests/finetuning.c and weights.c compare the numbers.
@Suite struct FineTuningTests {
    private static func network() throws -> Network {
        let network = try Network(layers: [3, 5, 4, 2], seed: 3)
        try network.setActivation(.tanh, layer: 1)
        try network.setBatchNormalization(true, layer: 1)
        return network
    }

    private static let x: [Float] = [1, 2, -1, 0.5, 0, 1, -0.5, 2, 1, 0, 1, 1]
    private static let y: [Float] = [0, 1, 1, 0, 1, 0, 0, 1]

    @Test func frozenLayersKeepTheirTensors() throws {
        let network = try Self.network()
        try network.setTrainable(false, layer: 1)
        #expect(try (1...3).map { try network.isTrainable(layer: $0) } == [false, true, true])
        let before = try network.clone()
        for _ in 0..<3 { try network.train(Self.x, Self.y, learningRate: 0.5) }
        try network.initialize(seed: 9)
        for name in try network.tensorNames {
            let isSame = try network.tensor(name) == before.tensor(name)
            #expect(isSame == (name.hasPrefix("layers.1.") || name.hasSuffix(".bias")), "\(name)")
        }
    }

    @Test func aStepWithoutTrainableLayersIsRefused() throws {
        let network = try Self.network()
        for layer in 1...3 { try network.setTrainable(false, layer: layer) }
        expectFailure(.invalidValue) { try network.train(Self.x, Self.y, learningRate: 0.5) }
        expectFailure(.invalidValue) { try network.setTrainable(true, layer: 0) }
        expectFailure(.invalidValue) { _ = try network.isTrainable(layer: 4) }
    }

    @Test func replacingTheOutputGivesAnotherNetwork() throws {
        let network = try Self.network()
        let other = try network.replacingOutput(size: 7, seed: 4)
        #expect(other.layers == [3, 5, 4, 7] && network.layers == [3, 5, 4, 2])
        #expect(try other.predict(Self.x).count == 4 * 7)
        #expect(try other.tensor("layers.2.weight") == network.tensor("layers.2.weight"))
        #expect(try other.tensor("layers.3.weight") == Network(layers: [3, 5, 4, 7], seed: 4).tensor("layers.3.weight"))
        try other.train(Self.x, Array(repeating: 0.5, count: 28), learningRate: 0.5)
        try network.train(Self.x, Self.y, learningRate: 0.5)
        expectFailure(.invalidValue) { _ = try network.replacingOutput(size: 0, seed: 1) }
        expectFailure(.limit) { _ = try network.replacingOutput(size: 1 << 50, seed: 1) }
        expectFailure(.limit) { _ = try network.replacingOutput(size: -1, seed: 1) }
    }

    @Test func weightsAndLayersAreLoadedFromBytes() throws {
        let header = "{\"w\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}"
        var file = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8)
        for value: Float in [2, -3] { file += withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
        let network = try Network(layers: [2, 1], seed: 1)
        try network.setParameters([1, 1, 1])
        expectFailure(.mismatch) { try network.loadWeights(bytes: file) }
        expectFailure(.unknownName) { try network.loadLayer(1, bytes: file, weight: "v", bias: nil) }
        expectFailure(.invalidValue) { try network.loadLayer(2, bytes: file, weight: "w", bias: nil) }
        expectFailure(.io) { try network.loadLayer(1, from: "no such file", weight: "w", bias: nil) }
        #expect(try network.parameters() == [1, 1, 1])
        try network.loadLayer(1, bytes: file, weight: "w", bias: nil)
        #expect(try network.parameters() == [2, -3, 0])
    }
}
