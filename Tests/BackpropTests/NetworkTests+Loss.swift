import Backprop
import Foundation
import Testing

/// The three losses in `evaluate` and in training.
extension NetworkTests {
    static let lossesAndOutputs: [(Network.Loss, Network.Activation)] = [
        (.squaredError, .identity), (.squaredError, .softmax), (.binaryCrossEntropy, .logistic),
        (.binaryCrossEntropy, .softmax), (.crossEntropy, .softmax), (.crossEntropy, .logistic),
    ]

    @Test(arguments: lossesAndOutputs, [0.0, 1])
    func evaluateEqualsTheFormula(which: (loss: Network.Loss, output: Network.Activation), reduction: Double) throws {
        var numbers = TestNumbers(17)
        let sizes = [4, 9, 5]
        for rows in [1, 2, 37, 400] {
            let network = try Network(layers: sizes, seed: 3)
            try network.setActivation(.tanh, layer: 1)
            try network.setActivation(HostActivation.of(which.output, with: which.loss), layer: 2)
            try network.setLoss(which.loss)
            try network.setOption("gradient_reduction", reduction)
            var plain = PlainNetwork(
                sizes: sizes, activations: ["tanh", which.output.name], parameters: try network.parameters())
            plain.loss = which.loss.name
            plain.usesMean = reduction == 1
            let x = numbers.array(rows * 4, scale: 2)
            let y = numbers.shares(rows * 5)
            let expected = plain.evaluate(x, y)
            #expect(relativeDifference([try network.evaluate(x, y)], [expected]) < 2e-6)
            #expect(relativeDifference([try network.gradient(x, y).loss], [expected]) < 2e-6)
            let (gradient, _) = plain.gradient(x, y)
            #expect(relativeDifference(try network.gradient(x, y).gradient, gradient) < 5e-6)
            #expect(relativeDifference([try network.train(x, y, learningRate: 0.01)], [expected]) < 2e-6)
        }
    }

    /// `evaluate` normalizes with the running statistics, not with the statistics of the rows, and changes nothing.
    @Test func evaluateUsesTheRunningStatistics() throws {
        var numbers = TestNumbers(18)
        let network = try Network(layers: [3, 4, 2], seed: 3)
        try network.setBatchNormalization(true, layer: 1)
        for _ in 0..<5 { try network.train(numbers.array(30), numbers.shares(20), learningRate: 0.3) }
        let x = numbers.array(30)
        let y = numbers.shares(20)
        let before = try network.savedBytes()
        let loss = try network.evaluate(x, y)
        let expected = zip(try network.predict(x), y).reduce(0) { $0 + pow(Double($1.0) - Double($1.1), 2) / 2 }
        #expect(relativeDifference([loss], [expected]) < 1e-6)
        #expect(try network.savedBytes() == before)
        #expect(relativeDifference([loss], [Double(try network.clone().train(x, y, learningRate: 0))]) > 1e-3)
    }

    /// The logarithm is computed from z, without a bound: logistic(200) is 1 as a float, but −log(1 − a) = 200.
    @Test func crossEntropiesOfSaturatedOutputsAreExact() throws {
        let binary = try Network(layers: [1, 1], seed: 1)
        try binary.setLoss(.binaryCrossEntropy)
        try binary.setParameters([0, 200])
        #expect(try binary.evaluate([0], [0]) == 200)
        #expect(try binary.evaluate([0], [1]) < 1e-30)
        #expect(try binary.evaluate([0], [0.25]) == 150)
        #expect(try binary.gradient([0], [0]).gradient == [0, 1])  // ŷ − y

        let categorical = try Network(layers: [1, 3], seed: 1)
        try categorical.setActivation(.softmax, layer: 1)
        try categorical.setLoss(.crossEntropy)
        try categorical.setParameters([0, 0, 0, 500, 0, -500])
        #expect(try categorical.evaluate([0], [1, 0, 0]) == 0)
        #expect(try categorical.evaluate([0], [0, 1, 0]) == 500)
        #expect(try categorical.evaluate([0], [0, 0, 1]) == 1000)
        #expect(try categorical.gradient([0], [0, 0, 1]).gradient == [0, 0, 0, 1, 0, -1])
    }

    /// backprop.h: other logarithms are at least −100.
    @Test func otherLogarithmsAreAtLeastMinusOneHundred() throws {
        let network = try Network(layers: [1, 1], seed: 1)
        try network.setActivation(HostActivation.of(.relu), layer: 1)
        try network.setLoss(.binaryCrossEntropy)
        try network.setParameters([0, 0])
        #expect(try network.evaluate([1], [1]) == 100)
        try network.setParameters([0, 1])
        #expect(try network.evaluate([1], [0]) == 100)
        try network.setLoss(.crossEntropy)
        try network.setParameters([0, 0])
        #expect(try network.evaluate([1], [2]) == 200)
        #expect(try network.gradient([1], [2]).gradient.allSatisfy { $0.isFinite })
    }
}
