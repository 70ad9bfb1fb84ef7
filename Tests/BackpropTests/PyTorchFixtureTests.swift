import Backprop
import Testing

/// Fifty steps of forty networks, compared with PyTorch in double precision (Tests/Fixtures/README.md).
@Suite struct PyTorchFixtureTests {
    @Test func theFixturesHaveFortyCases() throws {
        let fixtures = try #require(Fixtures.pyTorch)
        #expect(fixtures.cases.count == 40)
        #expect(fixtures.steps == 50)
        #expect(Set(Fixtures.caseNames).count == 40)
        #expect(fixtures.cases.allSatisfy { $0.losses.count == 50 && $0.predictions.count == 8 })
    }

    @Test(arguments: Fixtures.caseNames)
    func fiftyStepsAgreeWithPyTorch(name: String) throws {
        let run = try Run(#require(Fixtures.named(name)))
        for (value, difference) in run.differences {
            #expect(difference <= 1e-4, "\(value) of \(name): relative difference \(difference)")
        }
    }

    /// Prints the largest relative difference of the weights after fifty steps.
    @Test func worstDifferenceOfTheFinalWeightsIsBelowTheTolerance() throws {
        var worst: [String: Double] = [:]
        for name in Fixtures.caseNames {
            for (value, difference) in try Run(#require(Fixtures.named(name))).differences {
                let kind = String(value.prefix { $0 != "," })
                worst[kind] = max(worst[kind] ?? 0, difference)
            }
        }
        let final = try #require(worst["final parameters"])
        let list = worst.sorted { $0.key < $1.key }.map { "\($0.key) \(Figures.short($0.value))" }.joined(separator: ", ")
        print("PyTorch fixtures: worst relative difference of final weights \(Figures.short(final)) (\(list))")
        #expect(final > 0 && final < 1e-4)
    }
}

/// Trains one case with the library and records the relative difference of each compared value.
private struct Run {
    private(set) var differences: [(name: String, relative: Double)] = []

    init(_ fixture: Fixtures.Case) throws {
        let network = try Network(layers: fixture.layerSizes, seed: 1)
        let loss = Network.Loss.named(fixture.loss)
        for (index, name) in fixture.activations.enumerated() {
            let isLast = index + 1 == fixture.activations.count
            try network.setActivation(isLast ? HostActivation.of(.named(name), with: loss) : .named(name), layer: index + 1)
        }
        for (index, isOn) in fixture.batchnorm.enumerated() { try network.setBatchNormalization(isOn == 1, layer: index + 1) }
        try network.setLoss(loss)
        try network.setOption("gradient_reduction", fixture.gradientReduction)
        try network.setParameters(fixture.initialParameters)

        let ranges = tensorRanges(fixture)
        func compare(_ value: String, _ found: [Float], _ expected: [Double]) {
            differences.append((value, relativeDifference(found, expected)))
        }
        let batches = fixture.inputs.count / fixture.batchSize
        for step in 0..<50 {
            let rows = (step % batches) * fixture.batchSize..<(step % batches + 1) * fixture.batchSize
            let inputs = Array(fixture.inputs[rows].joined())
            let targets = Array(fixture.targets[rows].joined())
            if step == 0 {  // on a clone, because gradient updates the running statistics
                let gradient = try network.clone().gradient(inputs, targets).gradient
                compareGradient(gradient, fixture.firstGradient, ranges)
            }
            let loss = try network.train(inputs, targets, learningRate: Float(fixture.learningRate))
            compare("loss, step \(step)", [loss], [fixture.losses[step]])
        }
        let parameters = try network.parameters()
        for (layer, range) in ranges.joined() {
            let expected = Array(fixture.finalParameters[range])
            compare("final parameters, layer \(layer), \(range)", Array(parameters[range]), expected)
        }
        let tensors = fixture.batchnorm.contains(1) ? try network.tensors() : [:]
        for (index, isOn) in fixture.batchnorm.enumerated() where isOn == 1 {
            let prefix = "layers.\(index + 1).norm."
            compare("running mean, layer \(index + 1)", tensors[prefix + "running_mean"] ?? [], fixture.runningMean[index])
            compare("running variance, layer \(index + 1)", tensors[prefix + "running_var"] ?? [], fixture.runningVar[index])
        }
        let firstRows = Array(fixture.inputs.prefix(8).joined())
        compare("predictions", try network.predict(firstRows), fixture.predictions.flatMap { $0 })
    }

    /// The difference of a gradient that is 0 except for rounding is relative to the largest gradient of its layer.
    private mutating func compareGradient(_ found: [Float], _ expected: [Double], _ ranges: [[(Int, Range<Int>)]]) {
        for layer in ranges {
            let all = expected[(layer.first?.1.lowerBound ?? 0)..<(layer.last?.1.upperBound ?? 0)]
            for (number, range) in layer {
                let own = expected[range].reduce(0) { max($0, $1.magnitude) }
                let scale = own > 1e-12 ? own : all.reduce(0) { max($0, $1.magnitude) }
                let difference = relativeDifference(Array(found[range]), Array(expected[range]), scale: scale)
                differences.append(("first gradient, layer \(number), \(range)", difference))
            }
        }
    }
}

/// The range of each tensor in the flat parameters, by layer.
private func tensorRanges(_ fixture: Fixtures.Case) -> [[(Int, Range<Int>)]] {
    var at = 0
    return (1..<fixture.layerSizes.count).map { layer in
        let outputs = fixture.layerSizes[layer]
        var sizes = [outputs * fixture.layerSizes[layer - 1], outputs]
        if fixture.batchnorm[layer - 1] == 1 { sizes += [outputs, outputs] }
        return sizes.map { size in
            defer { at += size }
            return (layer, at..<at + size)
        }
    }
}
