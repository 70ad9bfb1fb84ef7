import Backprop
import Foundation
import Testing

/// The universal approximation theorem: one hidden layer with a bounded, increasing σ and a linear output.
extension FormulaTests {
    @Test(arguments: ["logistic", "tanh"])
    func oneHiddenLayerFitsASineWave(activation: String) throws {
        let network = try Network(layers: [1, 24, 1], seed: 2)
        try network.setActivation(.named(activation), layer: 1)
        try network.setActivation(.identity, layer: 2)
        try network.setOption("gradient_reduction", 1)
        let x: [Float] = (0..<32).map { Float($0) / 31 }
        let y = x.map { Float(sin(2 * Double.pi * Double($0))) }
        // Large first weights, so that the centres of the units are spread over [0, 1].
        var numbers = TestNumbers(7)
        let slopes = (0..<24).map { _ in (numbers.below(2) == 0 ? -1 : 1) * (8 + 8 * numbers.next()) }
        let biases = slopes.map { -$0 * (0.5 + 0.5 * numbers.next()) }
        try network.setParameters(slopes + biases + numbers.array(24, scale: 0.1) + [0])

        var steps = 0
        var error = Float.infinity
        let fine: [Float] = (0...500).map { Float($0) / 500 }
        while steps < 60_000, error >= 0.02 {
            for _ in 0..<1000 { try network.train(x, y, learningRate: 0.1) }
            steps += 1000
            error = zip(fine, try network.predict(fine)).reduce(0) { worst, point in
                max(worst, (point.1 - Float(sin(2 * Double.pi * Double(point.0)))).magnitude)
            }
        }
        #expect(error < 0.02, "largest error \(error) after \(steps) steps")
    }
}
