import Backprop
import Testing

/// `checkGradient` is small for right derivatives and large for wrong ones, and changes nothing.
@Suite struct GradientCheckTests {
    /// Without the activations that have kinks: these can cause large differences.
    @Test(
        arguments: [
            "identity", "logistic", "tanh", "elu", "softplus", "softsign", "silu", "gelu", "mish", "sine", "gaussian",
            "softmax",
        ],
        [[false, false], [true, false], [true, true]])
    func isSmallForEveryBuiltInActivation(name: String, normalized: [Bool]) throws {
        let network = try Network(layers: [4, 7, 3], seed: 5)
        try network.setActivation(.named(name), layer: 1)
        for layer in 1...2 { try network.setBatchNormalization(normalized[layer - 1], layer: layer) }
        var numbers = TestNumbers(70)
        for rows in [1, 6] {
            for reduction in [0.0, 1] {
                try network.setOption("gradient_reduction", reduction)
                let worst = try network.checkGradient(numbers.array(rows * 4), numbers.shares(rows * 3))
                #expect(worst < 1e-2, "\(rows) rows")
                #expect(worst > 0, "nothing was compared")
            }
        }
    }

    @Test(arguments: NetworkTests.lossesAndOutputs)
    func isSmallForEveryLoss(loss: Network.Loss, output: Network.Activation) throws {
        let network = try Network(layers: [4, 7, 3], seed: 5)
        try network.setActivation(output, layer: 2)
        try network.setLoss(loss)
        var numbers = TestNumbers(71)
        #expect(try network.checkGradient(numbers.array(20), numbers.shares(15)) < 1e-2)
    }

    /// The second network has more parameters than checkGradient compares.
    @Test(arguments: [[64, 32, 10], [100, 60, 10]])
    func isSmallForARightCustomDerivative(sizes: [Int]) throws {
        let name = "check-right-\(sizes[0])"
        try Network.registerActivation(
            name, derivative: { _, a in a * (1 - a) }, function: { Float(PlainActivation.logistic(Double($0))) })
        defer { try? Network.unregisterActivation(name) }
        let network = try Network(layers: sizes, seed: 5)
        try network.setActivation(.named(name), layer: 1)
        var numbers = TestNumbers(72)
        #expect(try network.checkGradient(numbers.array(8 * sizes[0]), numbers.shares(80)) < 1e-2)
    }

    /// Derivatives with a wrong factor, a wrong sign, an error of 10 %, and 0.
    @Test(arguments: [2, -1, 1.1, 0] as [Float])
    func isLargeForAWrongDerivative(factor: Float) throws {
        let name = "check-wrong-\(Int(factor * 10) + 100)"
        try Network.registerActivation(
            name, derivative: { _, a in factor * a * (1 - a) }, function: { Float(PlainActivation.logistic(Double($0))) })
        defer { try? Network.unregisterActivation(name) }
        let network = try Network(layers: [4, 7, 3], seed: 5)
        try network.setActivation(.named(name), layer: 1)
        var numbers = TestNumbers(73)
        let worst = try network.checkGradient(numbers.array(20), numbers.shares(15))
        #expect(worst > (factor == 1.1 ? 0.05 : 0.4))
    }

    @Test func changesNothing() throws {
        let network = try Network(layers: [3, 4, 2], seed: 5)
        try network.setBatchNormalization(true, layer: 1)
        let before = try network.savedBytes()
        var numbers = TestNumbers(74)
        for rows in [1, 5] { _ = try network.checkGradient(numbers.array(rows * 3), numbers.shares(rows * 2)) }
        #expect(try network.savedBytes() == before)
        try network.setActivation(.relu, layer: 1)  // the initial weights still follow the settings
        #expect(try network.savedBytes() != before)
    }

    @Test func signIsUnsupported() throws {
        let network = try Network(layers: [3, 4, 2], seed: 5)
        try network.setActivation(.sign, layer: 1)
        expectFailure(.unsupported) { _ = try network.checkGradient([1, 2, 3], [0, 1]) }
    }

    @Test func refusesWhatTrainingRefuses() throws {
        let network = try Network(layers: [1, 1], seed: 5)
        expectFailure(.notFinite) { _ = try network.checkGradient([.nan], [0]) }
        expectFailure(.notFinite) { _ = try network.checkGradient([0], [.infinity]) }
        expectFailure(.invalidValue) { _ = try network.checkGradient([], []) }
    }
}
