import Backprop
import Testing

/// Gradients from the caller's own, Jacobians, outputs of layers and losses of rows. Tests/CTests/backpropagation.c has more.
@Suite struct BackpropagationTests {
    private let sizes = [4, 7, 3]

    private func network(_ activation: String, normalized: Bool = false) throws -> (Network, PlainNetwork) {
        let network = try Network(layers: sizes, seed: 5)
        for layer in 1...2 {
            try network.setActivation(.named(activation), layer: layer)
            try network.setBatchNormalization(normalized, layer: layer)
        }
        let plain = PlainNetwork(
            sizes: sizes, activations: [activation, activation], normalized: [normalized, normalized],
            parameters: try network.parameters())
        return (network, plain)
    }

    private static let smooth = ["identity", "logistic", "tanh", "elu", "softplus", "softsign", "silu", "gelu", "softmax"]

    @Test(arguments: smooth)
    func gradientOfSquaredErrorIsThatOfTheFormula(activation: String) throws {
        let (network, plain) = try network(activation)
        var numbers = TestNumbers(80)
        let x = numbers.array(6 * 4), y = numbers.array(6 * 3)
        let d = zip(try network.predict(x), y).map { $0 - $1 }
        let expected = plain.gradient(x, y).gradient
        #expect(relativeDifference(try network.backpropagate(x, outputGradients: d), expected) < 1e-5)
        let both = try network.backpropagateToInputs(x, outputGradients: d)
        #expect(bits(both.gradient) == bits(try network.backpropagate(x, outputGradients: d)))
        #expect(bits(both.inputGradients) == bits(try network.inputGradients(x, outputGradients: d)))
    }

    /// Against central differences of the plain network, with running statistics that have moved.
    @Test(arguments: smooth, [false, true])
    func jacobianEqualsCentralDifferences(activation: String, normalized: Bool) throws {
        let (network, plain) = try network(activation, normalized: normalized)
        var numbers = TestNumbers(81)
        let x = numbers.array(5 * 4), h: Float = 1 / 1024
        let jacobian = try network.inputJacobian(x)
        var expected = [Double](repeating: 0, count: 5 * 3 * 4)
        for input in 0..<4 {
            func moved(by distance: Float) -> [Double] {
                plain.predict(x.enumerated().map { $0.offset % 4 == input ? $0.element + distance : $0.element })
            }
            for (i, (above, below)) in zip(moved(by: h), moved(by: -h)).enumerated() {
                expected[i * 4 + input] = (above - below) / Double(2 * h)
            }
        }
        #expect(relativeDifference(jacobian, expected) < 1e-5)
        let d = numbers.array(5 * 3)
        var products = [Double](repeating: 0, count: 5 * 4)
        for i in 0..<5 * 3 { for j in 0..<4 { products[i / 3 * 4 + j] += Double(d[i]) * expected[i * 4 + j] } }
        #expect(relativeDifference(try network.inputGradients(x, outputGradients: d), products) < 1e-5)
    }

    @Test func aClosureIsAnActivationLikeAnother() throws {
        let (builtIn, _) = try network("softmax", normalized: true)
        let registered = try builtIn.clone()
        for layer in 1...2 { try registered.setActivation(HostActivation.of(.softmax), layer: layer) }
        var numbers = TestNumbers(82)
        let x = numbers.array(6 * 4), d = numbers.array(6 * 3)
        let expected = try builtIn.inputJacobian(x).asDoubles
        #expect(relativeDifference(try registered.inputJacobian(x), expected) < 1e-5)
        let gradient = try builtIn.backpropagate(x, outputGradients: d).asDoubles
        #expect(relativeDifference(try registered.backpropagate(x, outputGradients: d), gradient) < 1e-5)
    }

    @Test func layersComposeToThePrediction() throws {
        let (network, _) = try network("tanh", normalized: true)
        let upper = try Network(layers: [7, 3], seed: 1)
        var numbers = TestNumbers(83)
        let x = numbers.array(20 * 4)
        try network.setBatchNormalization(false, layer: 2)
        try upper.setActivation(.tanh, layer: 1)
        try upper.setParameters(Array(try network.parameters().suffix(7 * 3 + 3)))
        let hidden = try network.predict(x, layer: 1)
        #expect(relativeDifference(try upper.predict(hidden), try network.predict(x).asDoubles) < 1e-6)
        #expect(bits(try network.predict(x, layer: 2)) == bits(try network.predict(x)))
        #expect(try network.predict([], layer: 1) == [])
    }

    @Test func rowLossesAreHalfTheSquaredErrors() throws {
        let (network, plain) = try network("gelu")
        var numbers = TestNumbers(84)
        let x = numbers.array(9 * 4), y = numbers.array(9 * 3)
        let outputs = plain.predict(x)
        let expected = (0..<9).map { row in
            (0..<3).reduce(0.0) { sum, k in
                let error = outputs[row * 3 + k] - Double(y[row * 3 + k])
                return sum + error * error / 2
            }
        }
        #expect(relativeDifference(try network.rowLosses(x, y), expected) < 1e-5)
    }

    @Test func badInputIsRefusedAndChangesNothing() throws {
        let (network, _) = try network("tanh", normalized: true)
        let before = try network.savedBytes()
        let x: [Float] = [1, 2, 3, 4], d: [Float] = [1, 2, 3]
        expectFailure(.invalidValue, "outputGradients") { _ = try network.backpropagate(x, outputGradients: [1]) }
        expectFailure(.invalidValue) { _ = try network.backpropagate([1], outputGradients: d) }
        expectFailure(.invalidValue) { _ = try network.backpropagate([], outputGradients: []) }
        expectFailure(.invalidValue) { _ = try network.inputJacobian([]) }
        expectFailure(.invalidValue) { _ = try network.rowLosses([], []) }
        expectFailure(.notFinite) { _ = try network.inputGradients(x, outputGradients: [1, .nan, 1]) }
        expectFailure(.notFinite) { _ = try network.backpropagate([1, 2, .infinity, 4], outputGradients: d) }
        for layer in [0, 3, -1, Int.max] {
            expectFailure(.invalidValue, "layer") { _ = try network.predict(x, layer: layer) }
        }
        #expect(try network.savedBytes() == before)
    }
}
