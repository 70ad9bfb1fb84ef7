import Backprop
import Testing

/// The Swift side of what Tests/CTests examines: optimizers, dropout, scaling, scores, folding, metadata.
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

    @Test func dropoutIsSetByLayer() throws {
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

    @Test func aFoldedCloneGivesTheSame() throws {
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
