import Testing

@testable import Backprop

@Suite struct LossTests {
    private static let x: [Float] = [0.5, -1, 0.25, 1, -0.75, 0.125]
    private static let y: [Float] = [0.25, 0.75, 0.5]

    private struct Lost: Error {}

    private static func network(_ loss: Network.Loss) throws -> Network {
        let network = try Network(layers: [2, 4, 1], seed: 3)
        try network.setActivation(.identity, layer: 2)
        try network.setLoss(loss)
        return network
    }

    @Test func aClosureTrainsLikeTheBuiltInLoss() throws {
        try Network.registerLoss("swift-square") { outputs, targets, losses, gradients in
            for i in outputs.indices {
                let e = outputs[i] - targets[i]
                losses[i] = 0.5 * Double(e) * Double(e)
                gradients?[i] = e
            }
        }
        let mine = try Self.network(.named("swift-square")), builtIn = try Self.network(.squaredError)
        for _ in 0..<10 {
            let ours = try mine.train(Self.x, Self.y, learningRate: 0.1)
            let theirs = try builtIn.train(Self.x, Self.y, learningRate: 0.1)
            #expect(abs(ours - theirs) < 1e-6)
        }
        #expect(try mine.loss == .named("swift-square"))
        #expect(try Network.checkLoss("swift-square", outputs: Self.y, targets: [0, 0, 1], columns: 1) < 1e-3)
        try Network.unregisterLoss("swift-square")
        expectFailure(.unknownName) { _ = try Self.network(.named("swift-square")) }
    }

    @Test func aThrownErrorIsCarriedThroughAndChangesNothing() throws {
        try Network.registerLoss("swift-lost", targetColumns: 2) { _, _, _, _ in throw Lost() }
        let network = try Self.network(.named("swift-lost"))
        let before = try network.savedBytes()
        do {
            _ = try network.train(Self.x, Self.y + Self.y, learningRate: 0.1)
            Issue.record("a loss that throws was accepted")
        } catch {
            #expect(error.code == .callback && error.underlying is Lost)
        }
        expectFailure(.invalidValue) { _ = try network.train(Self.x, Self.y, learningRate: 0.1) }
        #expect(try network.savedBytes() == before)
        try Network.unregisterLoss("swift-lost")
    }

    /// Batches of three targets a row. Before the first one, the loss changes to one of a single target.
    private struct Changing: Sequence {
        let network: Network

        func makeIterator() -> IndexingIterator<[Trainer.Batch]> {
            try? network.setLoss(.squaredError)
            return [Trainer.Batch(inputs: LossTests.x, targets: LossTests.y + LossTests.y + LossTests.y)].makeIterator()
        }
    }

    @Test func targetsOfALossThatChangesBeforeTheFitAreRefused() throws {
        try Network.registerLoss("swift-three", targetColumns: 3) { _, _, losses, _ in losses.initialize(repeating: 0) }
        let network = try Self.network(.named("swift-three"))
        expectFailure(.invalidValue) { _ = try Trainer().fit(network, batches: Changing(network: network)) }
        #expect(try network.loss == .squaredError)
        let trainer = try Handle(owning: TrainerState())
        defer { trainer.free() }
        expectFailure(.busy) {
            _ = try Self.x.withUnsafeBufferPointer { x in
                let start = try #require(x.baseAddress)
                return try trainer.fit(
                    network.handle, .rows(Rows(inputs: start, targets: start, count: 1, targetCount: 3)), validation: nil)
            }
        }
        try Network.unregisterLoss("swift-three")
    }

    @Test func swiftInterfaceListsAllBuiltInLosses() {
        let listed: [Network.Loss] = [
            .squaredError, .binaryCrossEntropy, .crossEntropy, .absoluteError, .huber, .logCosh, .quantile, .poisson,
        ]
        #expect(listed.map(\.name) == BuiltInLoss.allCases.map(\.name))
    }

    @Test func aLossThatIsRegisteredAfterItsModelIsLoadedCarriesItsErrorThrough() throws {
        let register = { try Network.registerLoss("swift-later", targetColumns: 2) { _, _, _, _ in throw Lost() } }
        try register()
        let model = try Self.network(.named("swift-later")).savedBytes()
        try Network.unregisterLoss("swift-later")
        let loaded = try Network.load(bytes: model)
        #expect(try loaded.savedBytes() == model && loaded.predict(Self.x).count == 3)
        expectFailure(.unknownName, "\"swift-later\" with target_columns 2 is not registered") {
            _ = try loaded.evaluate(Self.x, Self.y + Self.y)
        }
        expectFailure(.unsupported, "loss \"swift-later\" has target_columns 2") { _ = try loaded.score(.r2, Self.x, Self.y) }
        try register()
        do {
            _ = try loaded.evaluate(Self.x, Self.y + Self.y)
            Issue.record("evaluated")
        } catch {
            #expect(error.code == .callback && error.underlying is Lost)
        }
        try Network.unregisterLoss("swift-later")
    }
}
