import Backprop
import Glibc
import Testing

/// Refused calls: their error codes. A refused call changes nothing.
extension NetworkTests {
    @Test(arguments: [[], [3], [0, 3], [3, 0], [3, 0, 2]] as [[Int]])
    func invalidLayersAreRefused(sizes: [Int]) {
        expectFailure(.invalidValue) { _ = try Network(layers: sizes, seed: 1) }
    }

    @Test(
        arguments: [
            [-1, 2], [2, -1], [.min, 2], [.max, 2], [2, .max], [.max, .max], [1 << 39, 1 << 39], [1 << 33, 1 << 33, 1 << 33],
            Array(repeating: 1, count: 1025),
        ] as [[Int]])
    func layersTooLargeToCountAreRefused(sizes: [Int]) {
        expectFailure(.limit) { _ = try Network(layers: sizes, seed: 1) }
    }

    @Test func layersTooLargeForMemoryAreRefused() {
        expectFailure(.outOfMemory) { _ = try Network(layers: [1 << 28, 1 << 28], seed: 1) }
    }

    @Test func aNetworkCanHave1024Layers() throws {
        let network = try Network(layers: Array(repeating: 1, count: 1024), seed: 1)
        #expect(network.layers.count == 1024)
        #expect(try network.train([1], [1], learningRate: 0.1) >= 0)
    }

    @Test(arguments: [0, -1, 3, .max, .min])
    func layersOutOfRangeAreRefused(layer: Int) throws {
        let network = try Network(layers: [2, 3, 1], seed: 1)
        expectFailure(.invalidValue) { try network.setActivation(.tanh, layer: layer) }
        expectFailure(.invalidValue) { try network.setBatchNormalization(true, layer: layer) }
    }

    @Test(arguments: ["", "nonsense", "Tanh", "tanh ", "sigmoid", "\n", "täñh"])
    func unknownNamesAreRefused(name: String) throws {
        let network = try Network(layers: [2, 1], seed: 1)
        expectFailure(.unknownName) { try network.setActivation(.named(name), layer: 1) }
        expectFailure(.unknownName) { try network.setOption(name, 0) }
        expectFailure(.unknownName) { _ = try network.option(name) }
        expectFailure(.unknownName) { try Network.unregisterActivation(name) }
    }

    @Test(arguments: [
        ("gradient_reduction", [0.0, 1], [-1, 0.5, 2]), ("initialization", [0, 1, 2, 3], [-1, 1.5, 4]),
        ("batchnorm_epsilon", [1e-12, 0.25, 1], [0, 1e-13, 1.0001, -1]), ("batchnorm_momentum", [0, 0.5, 1], [-0.01, 1.01]),
        ("batchnorm_update", [0, 1], [-1, 0.5, 2]),
    ])
    func optionsAcceptOnlyTheirValues(name: String, good: [Double], bad: [Double]) throws {
        let network = try Network(layers: [2, 1], seed: 1)
        for value in good {
            try network.setOption(name, value)
            #expect(try network.option(name) == value)
        }
        for value in bad + [.nan, .infinity, -.infinity] {
            expectFailure(.invalidValue) { try network.setOption(name, value) }
            #expect(try network.option(name) == good.last)
        }
    }

    @Test func wrongCountsAreRefused() throws {
        let network = try Network(layers: [3, 2], seed: 1)
        let before = try network.clone()
        expectFailure(.invalidValue) { _ = try network.predict([1, 2]) }
        for (inputs, targets) in [(2, 2), (4, 2), (3, 3), (6, 2), (3, 0), (0, 2), (0, 0)] {
            let x = [Float](repeating: 0, count: inputs)
            let y = [Float](repeating: 0, count: targets)
            expectFailure(.invalidValue) { _ = try network.train(x, y, learningRate: 1) }
            expectFailure(.invalidValue) { _ = try network.gradient(x, y) }
            expectFailure(.invalidValue) { _ = try network.evaluate(x, y) }
            expectFailure(.invalidValue) { _ = try network.checkGradient(x, y) }
        }
        for count in [0, 7, 9] {
            expectFailure(.mismatch) { try network.setParameters([Float](repeating: 0, count: count)) }
            expectFailure(.mismatch) { try network.apply(gradient: [Float](repeating: 0, count: count), learningRate: 1) }
        }
        #expect(try sameState(network, before))
    }

    @Test(arguments: [-0.1, -.infinity, .infinity, .nan] as [Float])
    func invalidLearningRatesAreRefused(rate: Float) throws {
        let network = try Network(layers: [2, 1], seed: 1)
        let before = try network.clone()
        expectFailure(.invalidValue) { _ = try network.train([1, 2], [0], learningRate: rate) }
        expectFailure(.invalidValue) { _ = try network.train([1, 2, 3, 4], [0, 1], learningRate: rate) }
        expectFailure(.invalidValue) { try network.apply(gradient: [0, 0, 0], learningRate: rate) }
        #expect(try sameState(network, before))
    }

    /// At every position, for one row and for several. The next step is not affected.
    @Test(arguments: [.nan, .infinity, -.infinity] as [Float], [1, 3])
    func numbersThatAreNotFiniteAreRefused(bad: Float, rows: Int) throws {
        for normalized in [false, true] {
            let network = try Network(layers: [3, 4, 2], seed: 1)
            try network.setBatchNormalization(normalized, layer: 1)
            let twin = try network.clone()
            let good = (x: (0..<rows * 3).map { Float($0) / 8 }, y: (0..<rows * 2).map { Float($0) / 8 })
            for place in 0..<rows * 5 {
                var (x, y) = good
                if place < x.count { x[place] = bad } else { y[place - x.count] = bad }
                expectFailure(.notFinite) { _ = try network.train(x, y, learningRate: 0.5) }
                expectFailure(.notFinite) { _ = try network.gradient(x, y) }
                expectFailure(.notFinite) { _ = try network.evaluate(x, y) }
            }
            #expect(try sameState(network, twin))
            #expect(try network.train(good.x, good.y, learningRate: 0.5) == twin.train(good.x, good.y, learningRate: 0.5))
            #expect(try network.train(good.x, good.y, learningRate: 0.5) == twin.train(good.x, good.y, learningRate: 0.5))
            #expect(try sameState(network, twin))
        }
    }

    @Test(arguments: [.nan, .infinity, -.infinity] as [Float])
    func parametersAndGradientsMustBeFinite(bad: Float) throws {
        let network = try Network(layers: [1, 2], seed: 1)
        try network.setBatchNormalization(true, layer: 1)
        let before = try network.clone()
        for place in 0..<8 {
            var flat = [Float](repeating: 0.5, count: 8)
            flat[place] = bad
            expectFailure(.notFinite) { try network.setParameters(flat) }
            expectFailure(.notFinite) { try network.apply(gradient: flat, learningRate: 0.5) }
        }
        expectFailure(.notFinite) { try network.apply(gradient: [Float](repeating: 3e38, count: 8), learningRate: 100) }
        #expect(try sameState(network, before))
    }

    /// Finite numbers whose sums, loss, gradient or step overflow.
    @Test(arguments: [1, 2])
    func stepsThatWouldOverflowChangeNothing(rows: Int) throws {
        func many(_ number: Float) -> [Float] { Array(repeating: number, count: rows) }
        var refused = 0
        for (weight, x, y, rate) in [
            (1e30, 1e30, 0, 1), (1, 3e38, -3e38, 1), (1e-10, 1e30, 1e30, 1e-9), (1, 1e19, 0, 1e30), (1, 1, 0, 3e38),
            (1e20, 1, 0, 1e30), (1e10, 1e10, 0, 1), (1, 1, 1, 3e38),
        ] as [(Float, Float, Float, Float)] {
            let network = try Network(layers: [1, 1, 1], seed: 1)
            for layer in 1...2 { try network.setActivation(.identity, layer: layer) }
            try network.setParameters([weight, 0, weight, 0])
            let before = try network.clone()
            guard let error = failure({ try network.train(many(x), many(y), learningRate: rate) }) else {
                #expect(try network.parameters().allSatisfy { $0.isFinite }, "\((weight, x, y, rate))")
                continue
            }
            refused += 1
            #expect(error.code == .notFinite)
            expectOneLine(error.message)
            #expect(try sameState(network, before))
            let loss = try network.train(many(0), many(0), learningRate: 0.1)
            #expect(try before.train(many(0), many(0), learningRate: 0.1) == loss)
        }
        #expect(refused >= 4)
    }

    @Test(arguments: [[3e38], [3e38, -3e38], [1e25, -1e25, 1e25]] as [[Float]])
    func runningStatisticsThatWouldOverflowChangeNothing(x: [Float]) throws {
        let network = try Network(layers: [1, 1], seed: 1)
        try network.setParameters([1, 0])
        try network.setBatchNormalization(true, layer: 1)
        let before = try network.clone()
        expectFailure(.notFinite) { _ = try network.train(x, x.map { _ in 0 }, learningRate: 0.1) }
        #expect(try sameState(network, before))
        #expect(try network.predict([1])[0].isFinite)
    }

    // MARK: Files and activations

    @Test func invalidPathsAreRefused() throws {
        let network = try Network(layers: [2, 1], seed: 1)
        expectFailure(.invalidValue) { try network.save(to: "") }
        expectFailure(.invalidValue) { _ = try Network.load(from: "") }
        expectFailure(.io) { try network.save(to: "/nowhere/at/all/model.safetensors") }
        expectFailure(.io) { try network.save(to: "/") }
        expectFailure(.io) { _ = try Network.load(from: "/nowhere/at/all/model.safetensors") }
        expectFailure(.io) { _ = try Network.load(from: "/") }
        expectFailure(.io) { _ = try Network.load(from: "/dev/null") }
        expectFailure(.io) { _ = try Network.load(from: "/line\nbreak") }
    }

    @Test func fileErrorsHaveTheErrnoOfTheOperatingSystem() throws {
        #expect(failure { _ = try Network.load(from: "/nowhere/at/all/model.safetensors") }?.systemError == ENOENT)
        #expect(failure { _ = try Network.load(from: "/") }?.systemError == EISDIR)
        #expect(failure { _ = try Network(layers: [2], seed: 1) }?.systemError == 0)
    }

    @Test(arguments: ["", "Upper", "with space", "é", "a\n", "a,b", "a\"b", String(repeating: "a", count: 65)])
    func malformedActivationNamesAreRefused(name: String) {
        expectFailure(.invalidValue) { try Network.registerActivation(name, function: { $0 }) }
    }

    @Test func registeredNamesAreRefused() throws {
        for name in PlainActivation.names + ["softmax"] {
            expectFailure(.invalidValue) { try Network.registerActivation(name, function: { $0 }) }
            expectFailure(.unsupported) { try Network.unregisterActivation(name) }
        }
        try Network.registerActivation("error-taken", function: { $0 })
        expectFailure(.invalidValue) { try Network.registerActivation("error-taken", function: { $0 }) }
        try Network.unregisterActivation("error-taken")
        expectFailure(.unknownName) { try Network.unregisterActivation("error-taken") }
        let longest = String(repeating: "z", count: 64)
        try Network.registerActivation(longest, function: { $0 })
        try Network.unregisterActivation(longest)
    }
}
