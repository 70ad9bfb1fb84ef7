import Foundation
import Testing

@testable import Backprop

@Suite struct TrainerTests {
    let x: [Float], y: [Float]

    init() {
        var numbers = TestNumbers(1)
        x = numbers.array(60)
        y = numbers.shares(40)
    }

    func network() throws -> Network { try Network(layers: [3, 5, 2], seed: 1) }

    @Test func fitWithMinibatchesOfAllRowsEqualsALoopOfSteps() throws {
        let fitted = try network(), stepped = try network()
        let result = try Trainer(["epochs": 20, "batch_size": 0, "learning_rate": 0.125]).fit(fitted, x, y)
        var loss: Float = 0
        for _ in 0..<20 { loss = try stepped.train(x, y, learningRate: 0.125) }
        #expect(try fitted.parameters() == stepped.parameters())
        #expect(abs(result.loss - Double(loss) / 20) < 1e-6)
        #expect(!result.isStopped && result.end == .complete && result.epochs == result.steps && result.restart == 0)
    }

    @Test func progressFunctionCanStopOrAbortTheFit() throws {
        let stopped = try network(), whole = try network()
        let trainer = try Trainer(["epochs": 9, "batch_size": 4])
        let epochs = Box(0)
        try trainer.setProgress { progress in
            epochs.change { $0 = progress.epoch }
            return progress.epoch == 5 ? .stop : .goOn
        }
        #expect(try trainer.fit(stopped, x, y).isStopped)
        #expect(epochs.value == 5)
        try Trainer(["epochs": 5, "batch_size": 4]).fit(whole, x, y)
        #expect(try stopped.parameters() == whole.parameters())

        let before = try stopped.parameters()
        try trainer.setProgress { _ in .abort(-9) }
        expectFailure(.callback) { _ = try trainer.fit(stopped, x, y) }
        #expect(try stopped.parameters() == before)
    }

    @Test func progressFunctionCanReadButNotChangeTheNetwork() throws {
        let network = try network()
        let trainer = try Trainer(["epochs": 2])
        let x = x, y = y
        let calls = Box(0)
        try trainer.setProgress { _ in
            calls.change { $0 += 1 }
            expectFailure(.busy) { _ = try network.train(x, y, learningRate: 1) }
            expectFailure(.busy) { try trainer.setOption("epochs", 1) }
            expectFailure(.busy) { _ = try trainer.fit(network, x, y) }
            return (try? network.predict(x)) == nil ? .abort(-1) : .goOn
        }
        try trainer.fit(network, x, y)
        #expect(calls.value == 2)
    }

    @Test func validationSetsMustHaveCompleteRows() throws {
        let network = try network(), trainer = try Trainer()
        for (inputs, targets) in [(7, 4), (6, 5), (6, 2)] {
            let validation = ([Float](repeating: 0, count: inputs), [Float](repeating: 0, count: targets))
            expectFailure(.invalidValue) { _ = try trainer.fit(network, x, y, validation: validation) }
        }
        expectFailure(.invalidValue) { _ = try trainer.fit(network, x, y, validation: ([], [])) }
        expectFailure(.invalidValue) { _ = try trainer.fit(network, [], []) }
        try trainer.fit(network, x, y, validation: (Array(x[..<6]), Array(y[..<4])))
    }

    @Test func unknownOptionsAreRefused() {
        expectFailure(.unknownName) { _ = try Trainer(["epoch": 1]) }
        expectFailure(.invalidValue) { _ = try Trainer(["epochs": 0]) }
    }

    @Test func eachNetworkOfAnEnsembleGetsTheBitsOfItsOwnFit() throws {
        let networks = try (0..<5).map { try Network(layers: [2, 9, 1], seed: UInt64($0)) }
        let rates = [0.1, 0.2, 0.3, 0.1, 0.5]
        let x = (0..<80).map { Float($0 * 37 % 80) / 40 - 1 }, y = (0..<40).map { abs(x[2 * $0]) }
        let trainer = try Trainer(["epochs": 3, "batch_size": 20])
        let copies = try networks.map { try $0.clone() }
        let results = try trainer.fit(
            ensemble: networks, x, y, validation: (Array(x[..<6]), Array(y[..<3])), learningRates: rates)
        for (index, copy) in copies.enumerated() {
            try trainer.setOption("learning_rate", rates[index])
            let alone = try trainer.fit(copy, x, y, validation: (Array(x[..<6]), Array(y[..<3])))
            #expect(try copy.parameters() == networks[index].parameters())
            #expect(alone.loss == results[index].loss && alone.bestEpoch == results[index].bestEpoch)
        }
        expectFailure(.invalidValue) { _ = try trainer.fit(ensemble: [], x, y) }
        expectFailure(.invalidValue) { _ = try trainer.fit(ensemble: networks, x, y, learningRates: [1]) }
        expectFailure(.invalidValue) { _ = try trainer.fit(ensemble: networks + networks, x, y) }
        expectFailure(.mismatch) { _ = try trainer.fit(ensemble: networks + [try Network(layers: [2, 8, 1], seed: 1)], x, y) }
    }

    @Test func anotherTaskCanCancelAFit() async throws {
        let network = try network(), trainer = try Trainer(["epochs": 1e9])
        trainer.cancel()  // without a fit, does nothing
        let begun = Box(false)
        try trainer.setProgress { _ in
            begun.change { $0 = true }
            return .goOn
        }
        let x = x, y = y
        let fit = Task { try trainer.fit(network, x, y) }
        while !begun.value { await Task.yield() }
        trainer.cancel()
        #expect(try await fit.value.end == .cancelled)
    }
}

@Suite struct ScheduleNumbersTests {
    @Test func cosineAndRootMatchTheCLibrary() {
        for i in 0...1000 {
            let x = Double(i) / 1000
            #expect(abs(cosineOfHalfTurns(x) - cos(Double.pi * x)) < 4e-16)
        }
        for n in [1, 2, 3, 10, 1000] as [UInt64] {
            for x in [1e-30, 0.001, 0.5, 0.999, 1] { #expect(abs(power(root(x, n), n) / x - 1) < 1e-12) }
        }
        #expect(root(0, 7) == 0)
    }
}
