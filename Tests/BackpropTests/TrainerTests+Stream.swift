import Testing

@testable import Backprop

extension TrainerTests {
    private func batch(_ rows: Range<Int>, weights: [Float]? = nil) -> Trainer.Batch {
        Trainer.Batch(
            inputs: Array(x[rows.lowerBound * 3..<rows.upperBound * 3]),
            targets: Array(y[rows.lowerBound * 2..<rows.upperBound * 2]), weights: weights)
    }

    /// The parameters after `epochs` epochs of minibatches of 6 rows, in order.
    private func stepped(epochs: Int) throws -> [Float] {
        let network = try network()
        for _ in 0..<epochs {
            for first in stride(from: 0, to: 20, by: 6) {
                let rows = batch(first..<min(first + 6, 20))
                _ = try network.train(rows.inputs, rows.targets, learningRate: 0.125)
            }
        }
        return try network.parameters()
    }

    private func trainer(_ more: [String: Double] = [:]) throws -> Trainer {
        try Trainer(["epochs": 3, "batch_size": 6, "learning_rate": 0.125].merging(more) { $1 })
    }

    @Test func batchesOfAnySizeEqualALoopOfSteps() throws {
        let expected = try stepped(epochs: 3)
        for cuts in [[0, 20], [0, 6, 12, 18, 20], [0, 1, 1, 9, 20], [0, 19, 20]] {
            let network = try network()
            let result = try trainer().fit(network, batches: zip(cuts, cuts.dropFirst()).map { batch($0..<$1) })
            #expect(try network.parameters() == expected)
            #expect(!result.isStopped)
        }
    }

    @Test func sequenceWithoutEndHasEpochsOfStepsPerEpoch() throws {
        let network = try network()
        var calls = 0
        let endless = AnyIterator {
            calls += 1
            return batch(0..<6)
        }
        #expect(try !trainer(["steps_per_epoch": 4]).fit(network, batches: endless).isStopped)
        #expect(calls == 12)
    }

    @Test func sequenceThatEndsOnceStopsTheFitAfterItsEpoch() throws {
        let network = try network()
        let once = [batch(0..<11), batch(11..<20)].makeIterator()
        var iterator = once
        #expect(try trainer().fit(network, batches: AnyIterator { iterator.next() }).isStopped)
        #expect(try network.parameters() == stepped(epochs: 1))
    }

    @Test func fitFromBatchesIsResumedAtEveryStep() throws {
        let expected = try stepped(epochs: 3), batches = [batch(0..<11), batch(11..<20)]
        for stop in 1...11 {
            let network = try network(), trainer = try trainer(["progress_interval": 1])
            try trainer.setProgress { $0.step == stop ? .stop : .goOn }
            #expect(try trainer.fit(network, batches: batches).isStopped)
            try trainer.setProgress(nil)
            try trainer.setOption("resume", 1)
            #expect(try !trainer.fit(network, batches: batches).isStopped)
            #expect(try network.parameters() == expected)
        }
    }

    @Test func weightsOfBatchesEqualRowWeights() throws {
        let network = try network(), other = try self.network(), weights = (0..<20).map { Float($0) / 10 }
        try trainer(["batch_size": 21]).fit(network, batches: [batch(0..<20, weights: weights)], validation: (x, y))
        let arrays = try trainer(["batch_size": 0])
        try arrays.setRowWeights(weights)
        try arrays.fit(other, x, y, validation: (x, y))
        #expect(try network.parameters() == other.parameters())
    }

    @Test func badBatchesAreRefusedAndChangeNothing() throws {
        let network = try network(), before = try network.parameters()
        let bad = [
            Trainer.Batch(inputs: [1, 2], targets: [0, 1]), Trainer.Batch(inputs: [1, 2, 3], targets: [0]),
            Trainer.Batch(inputs: [1, 2, 3], targets: [0, 1], weights: []),
        ]
        for each in bad {
            expectFailure(.invalidValue) { try trainer().fit(network, batches: [batch(0..<20), each]) }
        }
        expectFailure(.invalidValue) { try trainer().fit(network, batches: []) }
        expectFailure(.notFinite) {
            try trainer().fit(network, batches: [Trainer.Batch(inputs: [1, .nan, 3], targets: [0, 1])])
        }
        expectFailure(.unsupported) { try trainer(["restarts": 2]).fit(network, batches: [batch(0..<20)]) }
        #expect(try network.parameters() == before)
    }

    @Test func stratifiedSplitReportsAMissingClass() throws {
        let trainer = try Trainer(["epochs": 1, "validation_fraction": 0.25, "stratify": 1])
        let targets = (0..<20).flatMap { [Float]($0 == 7 ? [0, 1] : [1, 0]) }
        #expect(try trainer.fit(network(), x, targets).missingClass == 1)
        #expect(try trainer.fit(network(), x, y).missingClass == nil)
    }
}
