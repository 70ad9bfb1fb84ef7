import Backprop
import Testing

/// Notes, §4: minibatches.
extension FormulaTests {
    /// x = (1, −2), w = w₀ = 0: ŷ = ½ for both. y = (1, 0): δ = (−0.125, 0.125), ∇ = Σ δ x = −0.125 − 0.25 = −0.375, and
    /// 0 for the bias; f = 0.125 + 0.125.
    @Test func minibatchGradientMatchesHandComputation() throws {
        let network = try Network(layers: [1, 1], seed: 1)
        try network.setParameters([0, 0])
        let (gradient, loss) = try network.gradient([1, -2], [1, 0])
        #expect(gradient == [-0.375, 0])
        #expect(loss == 0.25)
        try network.setOption("gradient_reduction", 1)
        let (mean, meanLoss) = try network.gradient([1, -2], [1, 0])
        #expect(mean == [-0.1875, 0])
        #expect(meanLoss == 0.125)
    }

    @Test(arguments: [Network.Loss.squaredError, .binaryCrossEntropy, .crossEntropy], [2, 3, 16, 17, 40])
    func minibatchGradientIsTheSumOfSingleGradients(loss: Network.Loss, rows: Int) throws {
        var numbers = TestNumbers(UInt64(rows))
        let network = try Network(layers: [6, 19, 5], seed: 4)
        try network.setActivation(.tanh, layer: 1)
        if loss == .crossEntropy { try network.setActivation(.softmax, layer: 2) }
        try network.setLoss(loss)
        let x = numbers.array(rows * 6)
        let y = numbers.shares(rows * 5)
        var sum = [Double](repeating: 0, count: try network.parameters().count)
        var lossSum = 0.0
        for row in 0..<rows {
            let single = try network.gradient(Array(x[row * 6..<row * 6 + 6]), Array(y[row * 5..<row * 5 + 5]))
            for i in sum.indices { sum[i] += Double(single.gradient[i]) }
            lossSum += Double(single.loss)
        }
        let (gradient, value) = try network.gradient(x, y)
        #expect(relativeDifference(gradient, sum) < 1e-6)
        #expect(relativeDifference([value], [lossSum]) < 1e-6)

        try network.setOption("gradient_reduction", 1)
        let (mean, meanValue) = try network.gradient(x, y)
        #expect(relativeDifference(mean, sum.map { $0 / Double(rows) }) < 1e-6)
        #expect(relativeDifference([meanValue], [lossSum / Double(rows)]) < 1e-6)
        #expect(relativeDifference([try network.evaluate(x, y)], [lossSum / Double(rows)]) < 1e-6)
    }

    /// B = 16: the step of the mean with rate 16 α equals the step of the sum with rate α.
    @Test func stepOfTheMeanEqualsTheStepOfTheSumAtASmallerRate() throws {
        var numbers = TestNumbers(2)
        let x = numbers.array(16 * 4)
        let y = numbers.shares(16 * 3)
        let sum = try Network(layers: [4, 10, 3], seed: 6)
        let mean = try sum.clone()
        try mean.setOption("gradient_reduction", 1)
        let sumLoss = try sum.train(x, y, learningRate: 0.125)
        let meanLoss = try mean.train(x, y, learningRate: 2)
        #expect(meanLoss == sumLoss / 16)
        #expect(relativeDifference(try mean.parameters(), try sum.parameters().asDoubles) < 1e-6)
    }

    /// gradient followed by apply equals train. With few rows the results can differ by rounding.
    @Test(arguments: [1, 2, 7, 33], [false, true])
    func trainEqualsGradientFollowedByApply(rows: Int, normalized: Bool) throws {
        var numbers = TestNumbers(UInt64(rows))
        let trained = try Network(layers: [5, 20, 18, 2], seed: 2)
        try trained.setBatchNormalization(normalized, layer: 2)
        let applied = try trained.clone()
        for _ in 0..<20 {
            let x = numbers.array(rows * 5)
            let y = numbers.shares(rows * 2)
            let loss = try trained.train(x, y, learningRate: 0.3)
            let (gradient, same) = try applied.gradient(x, y)
            try applied.apply(gradient: gradient, learningRate: 0.3)
            #expect(relativeDifference([same], [Double(loss)]) < 1e-5)
        }
        #expect(relativeDifference(try applied.parameters(), try trained.parameters().asDoubles) < 2e-6)
        if rows > 4 { #expect(try sameState(trained, applied), "not the same bits") }
    }
}
