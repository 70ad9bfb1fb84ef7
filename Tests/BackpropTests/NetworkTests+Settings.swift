import Testing

@testable import Backprop

/// Getters return the settings. Names are the same as in backprop.h.
extension NetworkTests {
    @Test func gettersOfANetworkAndItsClonesReturnTheSettings() throws {
        let network = try Network(layers: [2, 3, 4, 1], seed: 1)
        #expect(network.layers == [2, 3, 4, 1])
        #expect(try network.activation(layer: 1) == .logistic && network.loss == .squaredError && network.optimizer == .sgd)
        #expect(try network.inputScaling == .none && network.targetScaling == .none && network.stepCount == 0)
        try Network.registerActivation("settings-own", function: { $0 / 2 })
        try network.setActivation(.leakyRelu, layer: 1)
        try network.setActivation(.named("settings-own"), layer: 2)
        try network.setBatchNormalization(true, layer: 2)
        try network.setLoss(.binaryCrossEntropy)
        try network.setOptimizer(.irpropMinus)
        try network.fitScaling(inputs: .standard, targets: .minMax, [0, 1, 2, 3], [1, 3])
        try network.train([0, 1, 2, 3], [1, 3], learningRate: 0.1)
        try Network.unregisterActivation("settings-own")
        for each in [network, try network.clone()] {
            #expect(try each.activation(layer: 1) == .leakyRelu && each.activation(layer: 2).name == "settings-own")
            #expect(try !each.isBatchNormalized(layer: 1) && each.isBatchNormalized(layer: 2))
            #expect(try each.loss == .binaryCrossEntropy && each.optimizer == .irpropMinus)
            #expect(try each.inputScaling == .standard && each.targetScaling == .minMax)
            #expect(try each.stepCount == 1 && each.parameterCount == each.parameters().count)
            #expect(each.layers == network.layers)
        }
        expectFailure(.invalidValue) { _ = try network.activation(layer: 0) }
        expectFailure(.invalidValue) { _ = try network.isBatchNormalized(layer: 4) }
    }

    @Test func swiftInterfaceListsAllBuiltInActivations() {
        let listed: [Network.Activation] = [
            .identity, .sign, .logistic, .tanh, .relu, .leakyRelu, .elu, .softplus, .softsign, .silu, .gelu, .selu,
            .mish, .hardSigmoid, .hardSwish, .relu6, .sine, .gaussian, .softmax,
        ]
        #expect(listed.map(\.name) == BuiltInActivation.allCases.map(\.name))
        #expect(listed.allSatisfy { $0 == .named($0.name) })
    }

    @Test func tensorsAreReadAndSetByTheirNamesInTheFile() throws {
        let network = try Network(layers: [2, 3, 1], seed: 1)
        try network.setBatchNormalization(true, layer: 1)
        #expect(
            try network.tensorNames == [
                "layers.1.weight", "layers.1.bias", "layers.1.norm.weight", "layers.1.norm.bias",
                "layers.1.norm.running_mean", "layers.1.norm.running_var", "layers.2.weight", "layers.2.bias",
            ])
        #expect(try network.tensorShape("layers.1.weight") == (3, 2) && network.tensorShape("layers.1.bias") == (1, 3))
        #expect(try network.tensor("layers.1.weight") == Array(network.parameters()[..<6]))
        try network.setTensor("layers.1.norm.running_mean", [1, 2, 3])
        #expect(try network.tensor("layers.1.norm.running_mean") == [1, 2, 3])
        let before = try network.clone()
        expectFailure(.mismatch) { try network.setTensor("layers.2.bias", [1, 2]) }
        expectFailure(.notFinite) { try network.setTensor("layers.2.bias", [.nan]) }
        expectFailure(.invalidValue) { try network.setTensor("layers.1.norm.running_var", [1, 1, -1]) }
        expectFailure(.unknownName) { try network.setTensor("layers.3.bias", [1]) }
        expectFailure(.unknownName) { _ = try network.tensor("layers.3.bias") }
        expectFailure(.unknownName) { _ = try network.tensorShape("layers.3.bias") }
        #expect(try sameState(network, before))
    }

    @Test func everyChoiceHasOneWordForEachNumber() throws {
        let schedule = try #require(OptionDescription.all.first { $0.name == "schedule" })
        #expect(schedule.choices == ["constant", "step", "exponential", "cosine", "inverse_time", "one_cycle", "plateau"])
        for option in OptionDescription.all where !option.choices.isEmpty {
            #expect(option.isWhole && option.low == 0 && option.standard == 0 && Int(option.high) == option.choices.count - 1)
        }
        #expect(try #require(OptionDescription.all.first { $0.name == "momentum" }).choices.isEmpty)
    }
}
