import Backprop
import Testing

/// Notes, §5: batch normalization.
extension FormulaTests {
    /// One input, one unit with identity: z = w x + b with w = 1, b = 0. Minibatch x = (0, 1.5): μ = 0.75, σ² = 0.5625.
    /// With ε = 1 the deviation is √1.5625 = 1.25, z̃ = (−0.6, 0.6). γ = 2, β = 1: ẑ = (−0.2, 2.2).
    private func exampleNetwork(update: Double) throws -> Network {
        let network = try Network(layers: [1, 1], seed: 1)
        try network.setActivation(.identity, layer: 1)
        try network.setBatchNormalization(true, layer: 1)
        try network.setOption("batchnorm_epsilon", 1)
        try network.setOption("batchnorm_update", update)
        try network.setParameters([1, 0, 2, 1])
        return network
    }

    /// The argument of the activation is ẑ.
    @Test func normalizedSumsMatchHandComputation() throws {
        let recorder = Recorder()
        try Network.registerActivation("formula-recorder", derivative: { _, _ in 1 }, function: { recorder.record($0) })
        defer { try? Network.unregisterActivation("formula-recorder") }
        let network = try exampleNetwork(update: 0)
        try network.setActivation(.named("formula-recorder"), layer: 1)
        try network.train([0, 1.5], [0, 0], learningRate: 0)
        expectNumbers(recorder.arguments, [-0.2, 2.2])
    }

    /// y = (−1.2, 2.2): ŷ − y = (1, 0), f = ½. ∂f/∂β = 1, ∂f/∂γ = Σ d z̃ = −0.6. Through μ and σ²,
    ///
    ///     ∂f/∂z = γ / 1.25 · (d − ½ ∂f/∂β − z̃ ½ ∂f/∂γ) = 1.6 · (1 − 0.5 − 0.18, 0 − 0.5 + 0.18) = (0.512, −0.512)
    ///
    /// so ∂f/∂w = −0.512 · 1.5 = −0.768 and ∂f/∂b = 0.
    @Test func gradientThroughMeanAndVarianceMatchesHandComputation() throws {
        let (gradient, loss) = try exampleNetwork(update: 0).gradient([0, 1.5], [-1.2, 2.2])
        expectNumbers([loss], [0.5])
        expectNumbers(gradient, [-0.768, 0, -0.6, 1])
    }

    /// α = ½. All parameters together: w ← 1 + 0.384, γ ← 2 + 0.3, β ← 1 − 0.5.
    @Test func updateTogetherMatchesHandComputation() throws {
        let network = try exampleNetwork(update: 0)
        try network.train([0, 1.5], [-1.2, 2.2], learningRate: 0.5)
        expectNumbers(try network.parameters(), [1.384, 0, 2.3, 0.5])
    }

    /// γ and β first, then w through the new γ = 2.3: ∂f/∂w = −0.768 · 2.3 / 2 = −0.8832, w ← 1 + 0.4416.
    @Test func updateOfGammaFirstMatchesHandComputation() throws {
        let network = try exampleNetwork(update: 1)
        try network.train([0, 1.5], [-1.2, 2.2], learningRate: 0.5)
        expectNumbers(try network.parameters(), [1.4416, 0, 2.3, 0.5])
    }

    /// Momentum 0.1: mean ← 0 + 0.1 · 0.75; the variance with its unbiased value 2 · 0.5625 = 1.125, ← 0.9 + 0.1125.
    /// Afterwards x = 2.075 predicts γ (2.075 − 0.075) / √(1.0125 + 1) + β.
    @Test func runningStatisticsMatchHandComputation() throws {
        let network = try exampleNetwork(update: 0)
        try network.train([0, 1.5], [0, 0], learningRate: 0)
        expectNumbers(try network.tensor("layers.1.norm.running_mean"), [0.075])
        expectNumbers(try network.tensor("layers.1.norm.running_var"), [1.0125])
        expectNumbers(try network.predict([2.075]), [2 * 2 / 2.0125.squareRoot() + 1])
        try network.setOption("batchnorm_momentum", 1)
        try network.train([0, 1.5], [0, 0], learningRate: 0)
        expectNumbers(try network.tensor("layers.1.norm.running_mean"), [0.75])
        expectNumbers(try network.tensor("layers.1.norm.running_var"), [1.125])
    }

    /// A single row is normalized with the running statistics 0 and 1: x = 3, ε = 1, so z̃ = 3 / √2, and the statistics
    /// do not depend on it: ∂f/∂z = γ / √2 · d. With d = 3: mean ← 0.3, variance ← 0.9 (1 + 0.1 · 9) = 1.71.
    @Test func singleRowUsesAndUpdatesTheRunningStatistics() throws {
        let network = try exampleNetwork(update: 0)
        let output = 2 * 3 / 2.0.squareRoot() + 1
        expectNumbers(try network.predict([3]), [output], within: 2e-6)
        let copy = try network.clone()
        let (gradient, loss) = try copy.gradient([3], [0])
        expectNumbers([loss], [output * output / 2], within: 1e-5)
        let toZ = 2 / 2.0.squareRoot() * output
        expectNumbers(gradient, [toZ * 3, toZ, output * 3 / 2.0.squareRoot(), output], within: 1e-5)
        for updated in [network, copy] {
            if updated === network { try network.train([3], [0], learningRate: 0) }
            expectNumbers(try updated.tensor("layers.1.norm.running_mean"), [0.3])
            expectNumbers(try updated.tensor("layers.1.norm.running_var"), [1.71])
        }
    }

    /// Notes: "(a) optimize γ and β, (b) update the w". The gradients of the layers below still use the old γ and w.
    @Test func gammaFirstAffectsOnlyTheWeightsOfItsLayer() throws {
        var numbers = TestNumbers(31)
        let x = numbers.array(8 * 3)
        let y = numbers.shares(8 * 2)
        let together = try Network(layers: [3, 4, 2], seed: 7)
        try together.setBatchNormalization(true, layer: 2)
        let gammaFirst = try together.clone()
        try gammaFirst.setOption("batchnorm_update", 1)
        try together.train(x, y, learningRate: 1)
        try gammaFirst.train(x, y, learningRate: 1)
        let one = try together.tensors()
        let other = try gammaFirst.tensors()
        #expect(one.count == 8)
        for (name, values) in one {
            let isItsOwn = name == "layers.2.weight" || name == "layers.2.bias"
            #expect((bits(values) != bits(other[name] ?? [])) == isItsOwn, "\(name)")
        }
    }

    /// All combinations of the settings that §5 does not fix, compared with the chain rule step by step.
    @Test(arguments: [0.0, 1], [1, 2, 3, 16, 21])
    func normalizedNetworksFollowTheChainRule(update: Double, rows: Int) throws {
        let sizes = [4, 17, 6, 3]
        let activations = ["tanh", "gelu", "logistic"]
        for normalized in [[true, false, false], [false, true, true], [true, true, true]] {
            var numbers = TestNumbers(UInt64(rows))
            let network = try Network(layers: sizes, seed: 12)
            for layer in 1...3 {
                try network.setActivation(.named(activations[layer - 1]), layer: layer)
                try network.setBatchNormalization(normalized[layer - 1], layer: layer)
            }
            try network.setOption("batchnorm_update", update)
            try network.setOption("batchnorm_momentum", 0.25)
            try network.setOption("batchnorm_epsilon", 1e-3)
            try network.setParameters(try network.parameters().map { $0 + 0.5 * numbers.next() })
            var plain = PlainNetwork(
                sizes: sizes, activations: activations, normalized: normalized, parameters: try network.parameters())
            (plain.gammaFirst, plain.momentum, plain.epsilon) = (update == 1, 0.25, 1e-3)
            for _ in 0..<5 {
                let x = numbers.array(rows * 4)
                let y = numbers.shares(rows * 3)
                let expectedLoss = plain.train(x, y, learningRate: 0.2)
                let loss = try network.train(x, y, learningRate: 0.2)
                #expect(relativeDifference([loss], [expectedLoss]) < 1e-5)
                #expect(relativeDifference(try network.parameters(), plain.parameters) < 1e-5)
                #expect(relativeDifference(try network.predict(x), plain.predict(x)) < 1e-5)
            }
            let tensors = try network.tensors()
            for (index, layer) in plain.layers.enumerated() where layer.isNormalized {
                let prefix = "layers.\(index + 1).norm."
                #expect(relativeDifference(tensors[prefix + "running_mean"] ?? [], layer.runningMean) < 1e-5)
                #expect(relativeDifference(tensors[prefix + "running_var"] ?? [], layer.runningVariance) < 1e-5)
            }
        }
    }

    /// Normalization subtracts the bias with the mean; β takes its place.
    @Test func biasBeforeNormalizationHasNoEffect() throws {
        var numbers = TestNumbers(3)
        let x = numbers.array(12 * 3)
        let y = numbers.shares(12)
        let network = try Network(layers: [3, 1], seed: 1)
        try network.setBatchNormalization(true, layer: 1)
        try network.setParameters([0.5, -0.25, 1, 0, 1, 0])
        let loss = try network.train(x, y, learningRate: 0)
        try network.setParameters([0.5, -0.25, 1, 0.75, 1, 0])
        #expect((try network.train(x, y, learningRate: 0) - loss).magnitude < 1e-6)
        #expect(try network.gradient(x, y).gradient[3].magnitude < 1e-6)
    }

    /// Disabled and enabled again: γ, β and the statistics are kept, so that the predictions have the same bits as before.
    @Test func disablingAndEnablingKeepsGammaBetaAndStatistics() throws {
        var numbers = TestNumbers(14)
        let x = numbers.array(10 * 3)
        let y = numbers.shares(10 * 2)
        let network = try Network(layers: [3, 5, 2], seed: 3)
        let plainCount = try network.parameters().count
        try network.setBatchNormalization(true, layer: 1)
        #expect(try network.parameters().count == plainCount + 10)
        for _ in 0..<30 { try network.train(x, y, learningRate: 0.5) }
        let parameters = try network.parameters()
        let predictions = try network.predict(x)
        #expect(parameters[20..<25] != [1, 1, 1, 1, 1])

        try network.setBatchNormalization(false, layer: 1)
        #expect(try network.parameters().count == plainCount)
        #expect(try network.parameters() == Array(parameters[..<20] + parameters[30...]))
        #expect(try network.predict(x) != predictions)
        let reloaded = try Network.load(bytes: network.savedBytes())  // a file keeps them, too

        for network in [network, reloaded] {
            try network.setBatchNormalization(true, layer: 1)
            #expect(bits(try network.parameters()) == bits(parameters))
            #expect(bits(try network.predict(x)) == bits(predictions))
        }
    }

    /// While normalization is disabled, a layer trains like a layer that never had it.
    @Test func trainingWhileDisabledIgnoresNormalization() throws {
        var numbers = TestNumbers(15)
        let x = numbers.array(10 * 3)
        let y = numbers.shares(10 * 2)
        let network = try Network(layers: [3, 5, 2], seed: 3)
        try network.setBatchNormalization(true, layer: 1)
        for _ in 0..<5 { try network.train(x, y, learningRate: 0.5) }
        let gammaBefore = try network.tensor("layers.1.norm.weight")
        try network.setBatchNormalization(false, layer: 1)
        let never = try Network(layers: [3, 5, 2], seed: 4)
        try never.setParameters(try network.parameters())
        for _ in 0..<5 {
            #expect(try network.train(x, y, learningRate: 0.5) == never.train(x, y, learningRate: 0.5))
        }
        #expect(bits(try network.parameters()) == bits(try never.parameters()))
        #expect(bits(try network.tensor("layers.1.norm.weight")) == bits(gammaBefore))
    }

    @Test func firstEnablingStartsWithTheIdentity() throws {
        let network = try Network(layers: [2, 3], seed: 1)
        #expect(try network.tensors().count == 2)
        try network.setBatchNormalization(true, layer: 1)
        let tensors = try network.tensors()
        #expect(tensors["layers.1.norm.weight"] == [1, 1, 1])
        #expect(tensors["layers.1.norm.bias"] == [0, 0, 0])
        #expect(tensors["layers.1.norm.running_mean"] == [0, 0, 0])
        #expect(tensors["layers.1.norm.running_var"] == [1, 1, 1])
    }
}

/// Records the arguments of an activation. For tests that call the network from one thread.
private final class Recorder: @unchecked Sendable {
    private(set) var arguments: [Float] = []

    func record(_ z: Float) -> Float {
        arguments.append(z)
        return z
    }
}
