import Backprop
import Testing

/// Optimizers, dropout, scaling, scores and folding in the Swift interface. Tests/CTests tests their results in detail.
extension NetworkTests {
    private static let inputs: [Float] = [100, 0.1, 200, 0.4, 300, 0.2, 400, 0.3]
    private static let targets: [Float] = [1000, 2000, 3000, 4000]

    @Test func scaledNumbersAreLearnedWithAdam() throws {
        let network = try Network(layers: [2, 8, 1], seed: 1)
        try network.setActivation(.tanh, layer: 1)
        try network.setActivation(.identity, layer: 2)
        try network.setOptimizer(.adam)
        try network.fitScaling(inputs: .standard, targets: .minMax, Self.inputs, Self.targets)
        for _ in 0..<2000 { try network.train(Self.inputs, Self.targets, learningRate: 0.01) }
        #expect(try network.score(.meanAbsoluteError, Self.inputs, Self.targets) < 10)
        #expect(try network.score(.r2, Self.inputs, Self.targets) > 0.999)
        expectFailure(.invalidValue) { try network.fitScaling(inputs: .standard, Self.inputs, [1]) }
    }

    @Test func defaultTargetScalingDependsOnTheLastActivation() throws {
        let cases: [(Network.Activation, ScalingMethod)] = [(.logistic, .minMax), (.tanh, .symmetric), (.identity, .standard)]
        for (activation, scaling) in cases {
            let network = try Network(layers: [2, 8, 1], seed: 1)
            try network.setActivation(activation, layer: 2)
            let twin = try network.clone()
            try network.fitScaling(Self.inputs, Self.targets)
            try twin.fitScaling(inputs: .standard, targets: scaling, Self.inputs, Self.targets)
            #expect(try sameState(network, twin), "\(activation.name)")
            #expect(try network.targetScaling == scaling)
            try network.checkSettings(targets: Self.targets)
        }
    }

    @Test func incompatibleSettingsAndTargetsAreRefused() throws {
        let network = try Network(layers: [2, 8, 1], seed: 1)
        let before = try network.savedBytes()
        try network.checkSettings()
        try network.checkSettings(targets: [0, 1, 0.5])
        let calls: [() throws -> Void] = [
            { try network.checkSettings(targets: Self.targets) },
            { _ = try Trainer().fit(network, Self.inputs, Self.targets) },
        ]
        for call in calls {
            expectFailure(.invalidValue, "targets: row 3, column 0 is 4000, and \"logistic\" in layer 2 outputs 0 to 1", call)
        }
        expectFailure(.notFinite, "row 1, column 0") { try network.checkSettings(targets: [0, .nan]) }
        #expect(try network.savedBytes() == before)

        try network.setLoss(.crossEntropy)
        expectFailure(.invalidValue, "set activation \"logistic\"") { try network.checkSettings() }
        expectFailure(.invalidValue) { _ = try network.train([1, 2], [1], learningRate: 0.1) }
        expectFailure(.invalidValue) { _ = try network.evaluate([1, 2], [1]) }
        let wide = try Network(layers: [2, 3], seed: 1)
        expectFailure(.invalidValue, "not a multiple of the 3 targets of a row") { try wide.checkSettings(targets: [1, 2]) }
    }

    @Test func theMessageForAnUnknownNameSuggestsTheNearestName() throws {
        let network = try Network(layers: [2, 8, 1], seed: 1)
        expectFailure(.unknownName, "\"logistic\"") { try network.setActivation(.named("sigmoid"), layer: 1) }
        expectFailure(.unknownName, "is an option of a trainer") { try network.setOption("learning_rate", 0.1) }
        expectFailure(.unknownName, "\"epochs\"") { _ = try Trainer(["n_epochs": 3]) }
    }

    @Test func dropoutIsSetForEachLayer() throws {
        let network = try Network(layers: [2, 8, 4, 1], seed: 1)
        try network.setDropout(0.5, layer: 1)
        try network.setDropout(0.25, layer: 2)
        #expect(try network.dropout(layer: 1) == 0.5)
        #expect(try network.dropout(layer: 2) == 0.25)
        expectFailure(.invalidValue) { try network.setDropout(0.5, layer: 3) }
        expectFailure(.invalidValue) { try network.setDropout(1, layer: 1) }
        let twin = try network.clone()
        for each in [network, twin] { try each.train(Self.inputs, Self.targets, learningRate: 1e-6) }
        #expect(try sameState(network, twin))
    }

    @Test func aFoldedClonePredictsTheSame() throws {
        let network = try Network(layers: [2, 8, 1], seed: 1)
        try network.setBatchNormalization(true, layer: 1)
        for _ in 0..<10 { try network.train(Self.inputs, [0, 1, 0, 1], learningRate: 0.1) }
        let folded = try network.clone()
        try folded.foldBatchNormalization()
        #expect(try folded.parameters().count == network.parameters().count - 16)
        #expect(relativeDifference(try folded.predict(Self.inputs), try network.predict(Self.inputs).map { Double($0) }) < 5e-6)
    }

    @Test func everyOptionIsDescribed() throws {
        let names = OptionDescription.all.map { $0.name }
        #expect(Set(names).count == names.count && names.count >= 16)
        for option in OptionDescription.all {
            #expect(!option.meaning.isEmpty && option.low <= option.standard && option.standard <= option.high)
        }
    }
}
