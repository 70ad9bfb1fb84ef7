import Backprop
import Testing

/// The Swift interface of networks. Extensions in other files test one topic each.
@Suite struct NetworkTests {
    @Test func aNetworkHasTheGivenLayers() throws {
        let network = try Network(layers: [5, 17, 3], seed: 1)
        #expect(network.layers == [5, 17, 3])
        #expect(try network.parameters().count == 17 * 6 + 3 * 18)
    }

    @Test func aNewNetworkHasTheDefaultSettings() throws {
        let network = try Network(layers: [3, 4, 2], seed: 9)
        let plain = PlainNetwork(sizes: [3, 4, 2], activations: ["logistic", "logistic"], parameters: try network.parameters())
        let x: [Float] = [0.5, -1, 2]
        #expect(relativeDifference(try network.predict(x), plain.predict(x)) < 1e-6)
        for (name, value) in [
            ("gradient_reduction", 0.0), ("initialization", 0), ("batchnorm_epsilon", 1e-5), ("batchnorm_momentum", 0.1),
            ("batchnorm_update", 0),
        ] {
            #expect(try network.option(name) == value)
        }
        for option in OptionDescription.all where option.owner == .network {
            #expect(try network.option(option.name) == option.standard)
        }
    }

    @Test func parametersAreOrderedByLayerAndRow() throws {
        let network = try Network(layers: [2, 3, 1], seed: 1)
        for layer in 1...2 { try network.setActivation(.identity, layer: layer) }
        // w = [[1, 2], [3, 4], [5, 6]], b = (7, 8, 9); v = (10, 11, 12), c = 13. x = (1, −1):
        // h = (6, 7, 8), y = 60 + 77 + 96 + 13.
        let flat = (1...13).map { Float($0) }
        try network.setParameters(flat)
        #expect(try network.parameters() == flat)
        #expect(try network.predict([1, -1]) == [246])
        let tensors = try network.tensors()
        #expect(tensors["layers.1.weight"] == [1, 2, 3, 4, 5, 6] && tensors["layers.2.bias"] == [13])
    }

    @Test(arguments: [1, 2, 15, 16, 17, 40], [1, 5, 16, 33])
    func parametersReturnsWhatWasSet(inputs: Int, outputs: Int) throws {
        var numbers = TestNumbers(UInt64(inputs))
        let network = try Network(layers: [inputs, outputs, 3], seed: 1)
        try network.setBatchNormalization(true, layer: 1)
        let flat = numbers.array(outputs * (inputs + 3) + 3 * (outputs + 1))
        try network.setParameters(flat)
        #expect(bits(try network.parameters()) == bits(flat))
    }

    /// Spans are parts of larger arrays. Elements outside of them are neither read nor written.
    @Test(arguments: [1, 3, 40])
    func spansGiveTheSameBitsAsArrays(rows: Int) throws {
        var numbers = TestNumbers(UInt64(rows))
        let byArrays = try Network(layers: [3, 7, 2], seed: 5)
        let bySpans = try byArrays.clone()
        let x = [.nan, .nan] + numbers.array(rows * 3) + [.nan]
        let y = [.nan] + numbers.shares(rows * 2) + [.nan]
        for _ in 0..<3 {
            let loss = try byArrays.train(Array(x[2..<2 + rows * 3]), Array(y[1..<1 + rows * 2]), learningRate: 0.5)
            let same = try bySpans.train(
                x.span.extracting(2..<2 + rows * 3), y.span.extracting(1..<1 + rows * 2), learningRate: 0.5)
            #expect(loss == same)
        }
        #expect(bits(try bySpans.parameters()) == bits(try byArrays.parameters()))
        var outputs = [Float](repeating: 99, count: rows * 2 + 2)
        var all = outputs.mutableSpan
        var middle = all.extracting(1..<1 + rows * 2)
        try bySpans.predict(x.span.extracting(2..<2 + rows * 3), into: &middle)
        #expect(bits(Array(outputs[1..<1 + rows * 2])) == bits(try byArrays.predict(Array(x[2..<2 + rows * 3]))))
        #expect(outputs.first == 99 && outputs.last == 99)
    }

    @Test func spansOfOtherLengthsAreRefused() throws {
        let network = try Network(layers: [3, 2], seed: 1)
        let before = try network.parameters()
        let x = [Float](repeating: 1, count: 7), y = x, nothing: [Float] = []
        var outputs = [Float](repeating: 99, count: 7)
        #expect(throws: BackpropError.self) { try network.train(x.span, y.span.extracting(0..<2), learningRate: 1) }
        #expect(throws: BackpropError.self) { try network.train(x.span.extracting(0..<6), y.span, learningRate: 1) }
        #expect(throws: BackpropError.self) { try network.train(x.span.extracting(0..<3), nothing.span, learningRate: 1) }
        #expect(throws: BackpropError.self) { try network.train(nothing.span, nothing.span, learningRate: 1) }
        for count in [3, 6, 7] {
            #expect(throws: BackpropError.self) {
                var span = outputs.mutableSpan
                try network.predict(x.span.extracting(0..<count), into: &span)
            }
        }
        #expect(outputs == [Float](repeating: 99, count: 7))
        #expect(try network.parameters() == before)
        var none: [Float] = []
        var span = none.mutableSpan
        try network.predict(nothing.span, into: &span)  // no rows, no outputs
    }

    /// Rows are computed in blocks. The position of a row must not change its outputs.
    @Test func outputsOfARowDoNotDependOnTheOtherRows() throws {
        var numbers = TestNumbers(3)
        let network = try Network(layers: [7, 20, 5], seed: 2)
        try network.setBatchNormalization(true, layer: 1)
        try network.setActivation(.softmax, layer: 2)
        let x = numbers.array(500 * 7)
        let all = try network.predict(x)
        #expect(all.count == 2500)
        for row in [0, 1, 191, 192, 193, 383, 384, 499] {
            let alone = try network.predict(Array(x[row * 7..<row * 7 + 7]))
            #expect(bits(alone) == bits(Array(all[row * 5..<row * 5 + 5])), "row \(row)")
        }
        #expect(try network.predict([]) == [])
    }

    /// predict accepts NaN and infinity, and computes with them.
    @Test func predictAcceptsNaNWhichAffectsOnlyItsRow() throws {
        let network = try Network(layers: [2, 3, 1], seed: 1)
        let outputs = try network.predict([1, 2, .nan, 2, 1, 2])
        #expect(outputs[1].isNaN && outputs[0] == outputs[2] && outputs[0].isFinite)
    }

    @Test func applySubtractsTheGradientTimesTheRate() throws {
        let network = try Network(layers: [2, 1], seed: 1)
        try network.setBatchNormalization(true, layer: 1)
        try network.setParameters([1, 2, 3, 4, 5])
        try network.apply(gradient: [2, 4, 6, 8, 10], learningRate: 0.25)
        #expect(try network.parameters() == [0.5, 1, 1.5, 2, 2.5])
    }

    @Test func aLearningRateOfZeroChangesNoParameter() throws {
        let network = try Network(layers: [2, 3, 1], seed: 1)
        let before = try network.parameters()
        #expect(try network.train([1, 2], [0], learningRate: 0) > 0)
        #expect(bits(try network.parameters()) == bits(before))
    }

    /// Small networks of random sizes, with one row and with several rows.
    @Test func stepsOfEveryShapeFollowTheFormulas() throws {
        var numbers = TestNumbers(77)
        let names = PlainActivation.names.filter { $0 != "sign" }
        for _ in 0..<400 {
            let depth = 1 + numbers.below(3)
            let sizes = (0...depth).map { _ in 1 + numbers.below(numbers.below(3) == 0 ? 40 : 10) }
            let activations = (0..<depth).map { _ in names[numbers.below(names.count)] }
            let network = try Network(layers: sizes, seed: 1)
            for (index, name) in activations.enumerated() { try network.setActivation(.named(name), layer: index + 1) }
            var plain = PlainNetwork(sizes: sizes, activations: activations, parameters: try network.parameters())
            for rows in [1, 1, 3, 1] {
                let x = numbers.array(rows * sizes[0])
                let y = numbers.array(rows * sizes[depth])
                let expected = plain.train(x, y, learningRate: 0.05)
                let loss = try network.train(x, y, learningRate: 0.05)
                #expect(relativeDifference([loss], [expected], scale: max(expected, 1e-2)) < 2e-5, "\(sizes) \(activations)")
            }
            #expect(relativeDifference(try network.parameters(), plain.parameters) < 1e-5, "\(sizes) \(activations)")
        }
    }

    /// Values that a network caches between steps must follow every setting. After each change, the network trains with the same
    /// bits as a loaded network with the same settings and parameters.
    @Test(arguments: [1, 4])
    func settingsChangedBetweenStepsTakeEffect(rows: Int) throws {
        var numbers = TestNumbers(78)
        let network = try Network(layers: [3, 9, 2], seed: 1)
        let changes: [@Sendable (Network) throws -> Void] = [
            { _ in },
            { try $0.setActivation(.tanh, layer: 1) },
            { try $0.setLoss(.binaryCrossEntropy) },
            { try $0.setLoss(.squaredError) },
            { try $0.setActivation(.softmax, layer: 2) },
            { try $0.setLoss(.crossEntropy) },
            { try $0.setOption("gradient_reduction", 1) },
            { try $0.setBatchNormalization(true, layer: 1) },
            { try $0.setOption("batchnorm_update", 1) },
            { try $0.setBatchNormalization(true, layer: 2) },
            { try $0.setBatchNormalization(false, layer: 1) },
            { try $0.setOption("batchnorm_epsilon", 0.1) },
            { try $0.setBatchNormalization(false, layer: 2) },
            { try $0.setLoss(.squaredError) },
            { try $0.setActivation(.identity, layer: 2) },
            { try $0.setOption("gradient_reduction", 0) },
        ]
        for count in changes.indices {
            try changes[count](network)
            // A loaded network has all settings and parameters, but no cached values.
            let fresh = try Network.load(bytes: network.savedBytes())
            for _ in 0..<2 {
                let x = numbers.array(rows * 3)
                let y = numbers.shares(rows * 2)
                let loss = try fresh.train(x, y, learningRate: 0.1)
                #expect(try network.train(x, y, learningRate: 0.1) == loss, "after change \(count)")
                #expect(bits(try network.predict(x)) == bits(try fresh.predict(x)), "after change \(count)")
            }
            #expect(try sameState(network, fresh), "after change \(count)")
        }
    }

    /// Numbers of rows that grow and shrink. Data of an earlier minibatch must have no effect.
    @Test func theNumberOfRowsCanChangeBetweenSteps() throws {
        var numbers = TestNumbers(79)
        for normalized in [false, true] {
            let network = try Network(layers: [5, 21, 3], seed: 1)
            try network.setBatchNormalization(normalized, layer: 1)
            for rows in [1, 2, 1, 300, 1, 17, 2, 1, 5, 600, 3] {
                let x = numbers.array(rows * 5)
                let y = numbers.shares(rows * 3)
                let fresh = try Network.load(bytes: network.savedBytes())
                let loss = try fresh.train(x, y, learningRate: 0.01)
                #expect(try network.train(x, y, learningRate: 0.01) == loss, "\(rows) rows")
                #expect(try sameState(network, fresh), "\(rows) rows")
            }
        }
    }
}
