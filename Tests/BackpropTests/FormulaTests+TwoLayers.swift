import Backprop
import Foundation
import Testing

/// Notes, §1: two layers, one output.
extension FormulaTests {
    /// x = (1, 2), w = (0.5, −0.25), w₀ = 0: z = 0, ŷ = ½. y = 1: f = ½ · ¼ = 0.125,
    /// δ = (ŷ − y) ŷ (1 − ŷ) = −½ · ¼ = −0.125. α = 0.8: w ← w + 0.1 x = (0.6, −0.05), w₀ ← 0.1.
    @Test func deltaRuleStepMatchesHandComputation() throws {
        let network = try Network(layers: [2, 1], seed: 1)
        try network.setParameters([0.5, -0.25, 0])
        let loss = try network.train([1, 2], [1], learningRate: 0.8)
        #expect(loss == 0.125)
        expectNumbers(try network.parameters(), [0.6, -0.05, 0.1], within: 1e-7)
    }

    /// x = (1, ½), w = (ln 3, 0), w₀ = 0: e^−z = ⅓, ŷ = ¾. y = 0: f = 0.28125, δ = ¾ · ¾ · ¼ = 0.140625.
    /// α = 2: w ← (ln 3 − 0.28125, −0.140625), w₀ ← −0.28125.
    @Test func deltaRuleStepWithSaturatedOutputMatchesHandComputation() throws {
        let network = try Network(layers: [2, 1], seed: 1)
        try network.setParameters([Float(log(3.0)), 0, 0])
        let loss = try network.train([1, 0.5], [0], learningRate: 2)
        expectNumbers([loss], [0.28125])
        expectNumbers(try network.parameters(), [log(3.0) - 0.28125, -0.140625, -0.28125])
    }

    /// ∇f = δ x with δ = (ŷ − y) ŷ (1 − ŷ), so that the bias gradient divided by (ŷ − y) is σ′(z).
    @Test func logisticDerivativeIsSigmaTimesOneMinusSigma() throws {
        let network = try Network(layers: [1, 1], seed: 1)
        for step in -40...40 {
            let z = Float(step) / 8
            try network.setParameters([0, z])
            let sigma = 1 / (1 + exp(-Double(z)))
            let slope = Double(try network.gradient([1], [2]).gradient[1]) / (sigma - 2)
            #expect((slope - sigma * (1 - sigma)).magnitude < 1e-6, "z = \(z)")
        }
    }

    /// The gradient of weight j is δ xⱼ; δ does not depend on j.
    @Test func gradientIsDeltaTimesTheInput() throws {
        var numbers = TestNumbers(11)
        let network = try Network(layers: [9, 1], seed: 3)
        let x = numbers.array(9)
        let (gradient, _) = try network.gradient(x, [0.25])
        for j in 0..<9 { #expect((gradient[j] - gradient[9] * x[j]).magnitude <= 1e-7) }
        let y = Double(try network.predict(x)[0])
        expectNumbers([gradient[9]], [(y - 0.25) * y * (1 - y)])
    }

    /// With labels −1 and 1, α = ½ and σ = sign: w ← w − ½ (sign z − y) x, which is w + y x for a mistake, w otherwise,
    /// and w + ½ y x for z = 0. All numbers are small dyadic fractions, so that no result is rounded.
    @Test func signUpdatesAreThePerceptronRule() throws {
        var numbers = TestNumbers(5)
        let network = try Network(layers: [3, 1], seed: 1)
        try network.setActivation(.sign, layer: 1)
        try network.setParameters([0, 0, 0, 0])
        var w: [Float] = [0, 0, 0, 0]
        var mistakes = 0
        for _ in 0..<200 {
            let x = (0..<3).map { _ in Float(numbers.below(17) - 8) / 8 } + [1]
            let y: Float = numbers.below(2) == 0 ? -1 : 1
            let z = zip(w, x).reduce(0) { $0 + $1.0 * $1.1 }
            let factor: Float = z == 0 ? 0.5 : z * y < 0 ? 1 : 0
            mistakes += factor == 1 ? 1 : 0
            for j in 0..<4 { w[j] += factor * y * x[j] }
            let loss = try network.train(Array(x[..<3]), [y], learningRate: 0.5)
            #expect(loss == 2 * factor * factor)
            #expect(try network.parameters() == w)
        }
        #expect(mistakes > 20)
    }

    /// Novikoff's theorem: for points whose distance to a separating line is at least `margin`, the perceptron algorithm makes
    /// at most (R / margin)² mistakes.
    @Test(arguments: [UInt64(1), 2, 3])
    func signConvergesOnASeparableSet(seed: UInt64) throws {
        var numbers = TestNumbers(seed)
        var points: [(x: [Float], y: Float)] = []
        var margin = Float.infinity
        while points.count < 60 {
            let x = numbers.array(2)
            let side = 0.6 * x[0] - 0.8 * x[1] + 0.1  // (0.6, −0.8, 0.1) has length √1.01
            guard side.magnitude > 0.05 else { continue }
            margin = min(margin, side.magnitude / Float(1.01).squareRoot())
            points.append((x, side > 0 ? 1 : -1))
        }
        let network = try Network(layers: [2, 1], seed: seed)
        try network.setActivation(.sign, layer: 1)
        try network.setParameters([0, 0, 0])
        var mistakes = 0
        var mistakesInPass = 1
        for _ in 0..<1000 where mistakesInPass > 0 {
            mistakesInPass = 0
            for (x, y) in points where try network.train(x, [y], learningRate: 0.5) > 0 { mistakesInPass += 1 }
            mistakes += mistakesInPass
        }
        #expect(mistakesInPass == 0)
        #expect(mistakes > 1 && Float(mistakes) <= 3 / (margin * margin) + 1)  // R² ≤ 1 + 1 + 1
        #expect(try network.predict(points.flatMap { $0.x }) == points.map { $0.y })
    }

    /// SGD: iₜ uniform in 1 … n, w ← w − αₜ ∇fᵢ. The objective over all samples decreases from every start.
    @Test(arguments: [UInt64(1), 2, 3, 4, 5])
    func stochasticGradientDescentReducesTheObjective(seed: UInt64) throws {
        var numbers = TestNumbers(seed)
        let inputs = numbers.array(50 * 3)
        let targets: [Float] = (0..<50).map { inputs[$0 * 3] + inputs[$0 * 3 + 1] > 0.2 ? 1 : 0 }
        let network = try Network(layers: [3, 1], seed: seed)
        let before = try network.evaluate(inputs, targets)
        for t in 0..<3000 {
            let i = numbers.below(50)
            try network.train(Array(inputs[i * 3..<i * 3 + 3]), [targets[i]], learningRate: 2 / (1 + Float(t) / 1000))
        }
        let after = try network.evaluate(inputs, targets)
        #expect(after < before / 4, "from \(before) to \(after)")
    }
}
