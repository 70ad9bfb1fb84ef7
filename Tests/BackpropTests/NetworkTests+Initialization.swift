import Backprop
import Testing

/// The range of the initial weights, and which calls change them.
extension NetworkTests {
    /// r² = 6 / (inputs + outputs) for Glorot (1), 6 / inputs for He (2), 3 / inputs for LeCun (3); 0 selects by activation.
    @Test(arguments: PlainActivation.names + ["softmax"], [0, 1, 2, 3])
    func weightsAreUniformWithinTheirBound(activation: String, rule: Int) throws {
        let (inputs, outputs) = (60, 100)
        let network = try Network(layers: [inputs, outputs], seed: 12)
        try network.setActivation(.named(activation), layer: 1)
        try network.setOption("initialization", Double(rule))
        let rectifier = [
            "relu", "leaky_relu", "elu", "softplus", "silu", "gelu", "mish", "hard_swish", "relu6", "sine",
        ].contains(activation)
        let square =
            switch rule == 0 ? (rectifier ? 2 : activation == "selu" ? 3 : 1) : rule {
            case 1: 6 / Double(inputs + outputs)
            case 2: 6 / Double(inputs)
            default: 3 / Double(inputs)
            }
        let bound = square.squareRoot()
        let parameters = try network.parameters().asDoubles
        let weights = parameters[..<(inputs * outputs)]
        #expect(weights.allSatisfy { $0.magnitude <= bound * 1.000_000_1 })
        #expect((weights.max() ?? 0) > 0.99 * bound && (weights.min() ?? 0) < -0.99 * bound)
        // Mean 0 and variance r²/3, within 5 standard deviations of the mean of 6000 numbers.
        let mean = weights.reduce(0, +) / 6000
        let variance = weights.reduce(0) { $0 + $1 * $1 } / 6000
        #expect(mean.magnitude < 5 * bound / (3.0 * 6000).squareRoot())
        #expect((variance / (square / 3) - 1).magnitude < 5 * (0.8 / 6000.0).squareRoot())
        #expect(parameters[(inputs * outputs)...].allSatisfy { $0 == 0 }, "biases start at 0")
    }

    @Test func settingsBeforeTrainingReinitializeInAnyOrder() throws {
        let one = try Network(layers: [5, 6, 2], seed: 4)
        try one.setActivation(.relu, layer: 1)
        try one.setOption("initialization", 3)
        let other = try Network(layers: [5, 6, 2], seed: 4)
        try other.setOption("initialization", 3)
        _ = try other.gradient([1, 2, 3, 4, 5], [0, 1])  // does not train or set parameters
        _ = try? other.train([.nan, 2, 3, 4, 5], [0, 1], learningRate: 1)  // refused: changes nothing
        try other.setActivation(.relu, layer: 1)
        #expect(bits(try one.parameters()) == bits(try other.parameters()))
        try other.setOption("initialization", 1)
        try other.initialize(seed: 4)
        try other.setOption("initialization", 3)
        #expect(bits(try one.parameters()) == bits(try other.parameters()))
    }

    @Test(arguments: ["train", "train on rows", "apply", "set", "clone", "load"])
    func settingsAfterTrainingDoNotReinitialize(call: String) throws {
        var network = try Network(layers: [2, 3, 1], seed: 4)
        switch call {
        case "train": try network.train([1, 2], [0], learningRate: 0)
        case "train on rows": try network.train([1, 2, 3, 4], [0, 1], learningRate: 0)
        case "apply": try network.apply(gradient: [Float](repeating: 0, count: 13), learningRate: 0)
        case "set": try network.setParameters(network.parameters())
        default:
            try network.train([1, 2], [0], learningRate: 0.5)
            network = call == "clone" ? try network.clone() : try Network.load(bytes: network.savedBytes())
        }
        let before = try network.parameters()
        try network.setActivation(.relu, layer: 1)
        try network.setOption("initialization", 3)
        #expect(bits(try network.parameters()) == bits(before))
        try network.initialize(seed: 4)  // the weights follow the settings again
        let fresh = try network.parameters()
        try network.setOption("initialization", 2)
        #expect(bits(try network.parameters()) != bits(fresh))
    }

    /// initialize draws the weights as for a new network with this seed, and resets batch normalization.
    @Test func initializeEqualsANewNetworkWithTheSameSettings() throws {
        let network = try Network(layers: [2, 3, 1], seed: 1)
        try network.setActivation(.elu, layer: 1)
        try network.setBatchNormalization(true, layer: 1)
        for _ in 0..<5 { try network.train([1, 2, 3, 5], [0, 1], learningRate: 0.5) }
        try network.initialize(seed: 99)
        let fresh = try Network(layers: [2, 3, 1], seed: 99)
        try fresh.setActivation(.elu, layer: 1)
        try fresh.setBatchNormalization(true, layer: 1)
        #expect(try sameState(network, fresh))
    }

    /// Rule 0 selects Glorot for registered activations.
    @Test func registeredActivationsStartWithGlorot() throws {
        try Network.registerActivation("initialization-own", function: { $0 })
        defer { try? Network.unregisterActivation("initialization-own") }
        let network = try Network(layers: [5, 6], seed: 4)
        let before = try network.parameters()
        try network.setActivation(.relu, layer: 1)
        #expect(bits(try network.parameters()) != bits(before))
        try network.setActivation(.named("initialization-own"), layer: 1)
        #expect(bits(try network.parameters()) == bits(before))
    }
}
