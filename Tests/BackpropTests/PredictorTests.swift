import Backprop
import Testing

@Suite struct PredictorTests {
    private func trained() throws -> Network {
        var numbers = TestNumbers(50)
        let network = try Network(layers: [5, 12, 3], seed: 1)
        try network.setBatchNormalization(true, layer: 1)
        for _ in 0..<5 { try network.train(numbers.array(20 * 5), numbers.shares(20 * 3), learningRate: 0.1) }
        return network
    }

    private func folded(_ network: Network) throws -> Network {
        let copy = try network.clone()
        try copy.foldBatchNormalization()
        return copy
    }

    @Test func outputsHaveTheBitsOfTheFoldedNetwork() throws {
        var numbers = TestNumbers(51)
        let x = numbers.array(40 * 5)
        let network = try trained()
        let expected = try folded(network).predict(x)
        let predictor = try Predictor(network)
        #expect(predictor.inputs == 5 && predictor.outputs == 3)
        #expect(bits(try predictor.run(x)) == bits(expected))
        #expect(bits(try predictor.run(Array(x.prefix(5)))) == bits(Array(expected.prefix(3))))
        #expect(try predictor.run([]).isEmpty)
        var outputs = [Float](repeating: 0, count: 3)
        var span = outputs.mutableSpan
        try predictor.run(x.span.extracting(0..<5), into: &span)
        #expect(bits(outputs) == bits(Array(expected.prefix(3))))
    }

    @Test func updateReplacesTheCopyAndFailsWithoutAChange() throws {
        var numbers = TestNumbers(52)
        let x = numbers.array(4 * 5)
        let network = try trained()
        let predictor = try Predictor(network)
        let before = bits(try predictor.run(x))
        try network.train(numbers.array(20 * 5), numbers.shares(20 * 3), learningRate: 0.1)
        #expect(bits(try predictor.run(x)) == before)
        #expect(throws: BackpropError.self) { try predictor.update(from: Network(layers: [5, 11, 3], seed: 1)) }
        #expect(bits(try predictor.run(x)) == before)
        try predictor.update(from: network)
        #expect(bits(try predictor.run(x)) == bits(try folded(network).predict(x)))
    }

    @Test func wrongCountsAreRefused() throws {
        let predictor = try Predictor(try trained())
        #expect(throws: BackpropError.self) { try predictor.run([1, 2, 3]) }
        var outputs = [Float](repeating: 0, count: 4)
        #expect(throws: BackpropError.self) {
            var span = outputs.mutableSpan
            try predictor.run([Float](repeating: 0, count: 5).span, into: &span)
        }
    }

    @Test func runsBesideUpdatesSeeWholeNetworks() throws {
        var numbers = TestNumbers(53)
        let x = numbers.array(20 * 5), y = numbers.shares(20 * 3)
        let network = try trained(), twin = try network.clone()
        let predictor = try Predictor(network)
        var known: Set = [bits(try folded(twin).predict(x))]
        for _ in 0..<100 {
            try twin.train(x, y, learningRate: 0.1)
            known.insert(bits(try folded(twin).predict(x)))
        }
        let seen = Box<Set<[UInt32]>>([])
        let isDone = Box(false)
        let errors = onThreads(4) { index in
            if index == 0 {
                defer { isDone.change { $0 = true } }
                for _ in 0..<100 {
                    try network.train(x, y, learningRate: 0.1)
                    try predictor.update(from: network)
                }
            } else {
                repeat {
                    let found = bits(try predictor.run(x))
                    seen.change { $0.insert(found) }
                } while !isDone.value
            }
        }
        #expect(errors.isEmpty)
        #expect(seen.value.isSubset(of: known))
    }

    @Test func thrownErrorOfAnActivationIsTheCause() throws {
        struct Failure: Error {}
        try Network.registerActivation(
            "predictor.fails", forward: { _, _, _ in throw Failure() }, backward: { _, _, _, _, _ in })
        let network = try Network(layers: [5, 3], seed: 1)
        try network.setActivation(.named("predictor.fails"), layer: 1)
        try Network.unregisterActivation("predictor.fails")
        let predictor = try Predictor(network)
        do {
            _ = try predictor.run([1, 2, 3, 4, 5])
            Issue.record("no error")
        } catch let error as BackpropError {
            #expect(error.code == .callback && error.underlying is Failure)
        }
    }
}
