import Backprop
import Testing

/// Notes, §2 (three layers) and §3 (deeper networks).
extension FormulaTests {
    /// Layer 1: w = w₀ = 0, so h = ½. Layer 2: v = 2, v₀ = −1, so z = 0, ŷ = ½. y = 0: f = 0.125, δ = ½ · ¼ = 0.125.
    /// α = 8: v ← 2 − 8 · 0.125 · ½ = 1.5, v₀ ← −1 − 1 = −2. With the old v, γ = δ v h (1 − h) = 0.125 · 2 · ¼ = 0.0625
    /// (the new one would give 0.046875). x = 3: w ← −8 · 0.0625 · 3 = −1.5, w₀ ← −0.5.
    @Test func threeLayerStepUsesTheOldWeights() throws {
        let network = try Network(layers: [1, 1, 1], seed: 1)
        try network.setParameters([0, 0, 2, -1])
        let loss = try network.train([3], [0], learningRate: 8)
        #expect(loss == 0.125)
        expectNumbers(try network.parameters(), [-1.5, -0.5, 1.5, -2], within: 0)
    }

    /// Two outputs, γ = Σₖ δₖ vₖ h (1 − h). h = ½; v = (2, 4), v₀ = (−1, −2): ŷ = (½, ½). y = (0, 1): f = ¼,
    /// δ = (0.125, −0.125), γ = (0.125 · 2 − 0.125 · 4) · ¼ = −0.0625. α = 8, x = 2: v ← (1.5, 4.5), v₀ ← (−2, −1),
    /// w ← 8 · 0.0625 · 2 = 1, w₀ ← 0.5.
    @Test func hiddenDeltaSumsOverTheOutputs() throws {
        let network = try Network(layers: [1, 1, 2], seed: 1)
        try network.setParameters([0, 0, 2, 4, -1, -2])
        let loss = try network.train([2], [0, 1], learningRate: 8)
        #expect(loss == 0.25)
        expectNumbers(try network.parameters(), [1, 0.5, 1.5, 4.5, -2, -1], within: 0)
    }

    /// The formulas of §2 with p = 3, M = 4, q = 2, for ten consecutive steps.
    @Test func threeLayerStepsEqualTheFormulas() throws {
        let (p, hidden, q) = (3, 4, 2)
        let rate = 0.75
        var numbers = TestNumbers(21)
        let network = try Network(layers: [p, hidden, q], seed: 5)
        var flat = numbers.array(hidden * (p + 1) + q * (hidden + 1))
        try network.setParameters(flat)
        // w[m][j], v[k][m], with the bias at index 0, as in the notes.
        var w = (0..<hidden).map { m in [Double(flat[hidden * p + m])] + (0..<p).map { Double(flat[m * p + $0]) } }
        flat.removeFirst(hidden * (p + 1))
        var v = (0..<q).map { k in [Double(flat[q * hidden + k])] + (0..<hidden).map { Double(flat[k * hidden + $0]) } }

        for _ in 0..<10 {
            let x = numbers.array(p)
            let y = numbers.shares(q)
            let xWithOne = [1] + x.asDoubles
            let h = [1] + w.map { PlainActivation.logistic(product($0, xWithOne)) }
            let output = v.map { PlainActivation.logistic(product($0, h)) }
            var delta = [Double](repeating: 0, count: q)
            for k in 0..<q { delta[k] = (output[k] - Double(y[k])) * output[k] * (1 - output[k]) }
            var gamma = [Double](repeating: 0, count: hidden)
            for m in 0..<hidden {
                for k in 0..<q { gamma[m] += delta[k] * v[k][m + 1] * h[m + 1] * (1 - h[m + 1]) }
            }
            for k in 0..<q { for m in 0...hidden { v[k][m] -= rate * delta[k] * h[m] } }
            for m in 0..<hidden { for j in 0...p { w[m][j] -= rate * gamma[m] * xWithOne[j] } }

            try network.train(x, y, learningRate: Float(rate))
            let expected = w.flatMap { $0.dropFirst() } + w.map { $0[0] } + v.flatMap { $0.dropFirst() } + v.map { $0[0] }
            expectNumbers(try network.parameters(), expected, within: 2e-6)
        }
    }

    /// The chain rule at each layer, with the values of the forward pass and the old weights.
    @Test(arguments: [
        ([2, 3, 2], ["tanh", "logistic"], 5e-6),
        ([4, 5, 6, 3], ["logistic", "tanh", "identity"], 5e-6),
        ([3, 17, 5, 18, 2], ["relu", "tanh", "softplus", "logistic"], 5e-6),
        ([7, 16, 16, 16, 16, 16, 4], ["tanh", "gelu", "silu", "elu", "leaky_relu", "softsign"], 5e-6),
        ([7, 16, 16, 16, 16, 4], ["mish", "sine", "gaussian", "selu", "hard_swish"], 1e-5),
        ([5, 33, 9, 3], ["tanh", "softmax", "softmax"], 5e-6),
        ([6, 4, 4, 4, 4, 4, 4, 4, 4, 4, 1], Array(repeating: "tanh", count: 10), 5e-6),
    ])
    func deeperNetworksFollowTheChainRule(sizes: [Int], activations: [String], error: Double) throws {
        var numbers = TestNumbers(UInt64(sizes.count))
        let network = try Network(layers: sizes, seed: 8)
        for (index, name) in activations.enumerated() { try network.setActivation(.named(name), layer: index + 1) }
        var plain = PlainNetwork(sizes: sizes, activations: activations, parameters: try network.parameters())
        for rows in [1, 1, 5, 13] {
            let x = numbers.array(rows * sizes[0])
            let y = numbers.shares(rows * sizes[sizes.count - 1])
            let (expectedGradient, expectedLoss) = plain.gradient(x, y)
            let (gradient, loss) = try network.gradient(x, y)
            #expect(relativeDifference(gradient, expectedGradient) < error)
            #expect(relativeDifference([loss], [expectedLoss]) < 1e-5)

            plain.train(x, y, learningRate: 0.1)
            let trainingLoss = try network.train(x, y, learningRate: 0.1)
            #expect(relativeDifference([trainingLoss], [expectedLoss]) < 1e-5)
            #expect(relativeDifference(try network.parameters(), plain.parameters) < error)
        }
    }

    /// Notes: "many different initial values … choose the lowest local minimum". Exclusive or with two hidden units.
    @Test func bestOfManyStartsSolvesExclusiveOrWhileSomeStartsDoNot() throws {
        let network = try Network(layers: [2, 2, 1], seed: 0)
        var losses: [Float] = []
        var best: (loss: Float, parameters: [Float]) = (.infinity, [])
        for seed in 1...20 {
            try network.initialize(seed: UInt64(seed))
            for _ in 0..<4000 { try network.train(inputBit, exclusiveOr, learningRate: 2) }
            let loss = try network.evaluate(inputBit, exclusiveOr)
            losses.append(loss)
            if loss < best.loss { best = (loss, try network.parameters()) }
        }
        #expect(losses.contains { $0 > 0.1 }, "no start ended in a local minimum: \(losses)")
        #expect(best.loss < 0.005)
        try network.setParameters(best.parameters)
        for (output, target) in zip(try network.predict(inputBit), exclusiveOr) {
            #expect((output - target).magnitude < 0.1)
        }
    }
}

private func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
