import Foundation
import Testing

@testable import Backprop

/// Several networks in threads that train like one with all rows.
@Suite struct WorkersTests {
    /// Adds in the order of the workers.
    private final class Engine: @unchecked Sendable {
        private let condition = NSCondition(), count: Int
        private var parts: [Int: [Double]] = [:], result: [Double] = [], generation = 0

        init(_ count: Int) { self.count = count }

        func combine(_ worker: Int, _ own: [Double], _ reduction: Network.Reduction) -> [Double] {
            condition.withLock {
                let started = generation
                parts[worker] = own
                if parts.count == count {
                    result = own.indices.map { i in
                        let values = (0..<count).map { parts[$0]?[i] ?? 0 }
                        return reduction == .sum ? values.reduce(0, +) : values.max() ?? 0
                    }
                    parts = [:]
                    generation += 1
                    condition.broadcast()
                }
                while generation == started { condition.wait() }
                return result
            }
        }
    }

    private struct Broken: Error {}

    @Test func sharesOfAMinibatchTrainLikeTheWholeMinibatch() async throws {
        var numbers = TestNumbers(5)
        let x = numbers.array(12 * 3), y = numbers.shares(12 * 2)
        func network() throws -> Network {
            let network = try Network(layers: [3, 5, 2], seed: 1)
            try network.setBatchNormalization(true, layer: 1)
            return network
        }
        let alone = try network(), engine = Engine(3)
        var loss: Float = 0
        for _ in 0..<20 { loss = try alone.train(x, y, learningRate: 0.05) }
        let members = try (0..<3).map { worker in
            let member = try network()
            try member.setAllReduce(worker: worker, of: 3) { exchange, reduction in
                switch exchange {
                case .floats(let values):
                    let sums = engine.combine(worker, values.map { Double($0) }, reduction)
                    for i in values.indices { values[i] = Float(sums[i]) }
                case .doubles(let values):
                    let sums = engine.combine(worker, Array(values), reduction)
                    for i in values.indices { values[i] = sums[i] }
                }
            }
            return member
        }
        let bounds = [0, 0, 5, 12]  // worker 0 has no rows
        let losses = try await withThrowingTaskGroup(of: Float.self) { group in
            for worker in 0..<3 {
                group.addTask {
                    try await withCheckedThrowingContinuation { continuation in
                        Thread.detachNewThread {
                            continuation.resume(
                                with: Result {
                                    var loss: Float = 0
                                    for _ in 0..<20 {
                                        loss = try members[worker].train(
                                            Array(x[3 * bounds[worker]..<3 * bounds[worker + 1]]),
                                            Array(y[2 * bounds[worker]..<2 * bounds[worker + 1]]), learningRate: 0.05)
                                    }
                                    return loss
                                })
                        }
                    }
                }
            }
            return try await group.reduce(into: [Float]()) { $0.append($1) }
        }
        #expect(losses.allSatisfy { abs($0 - loss) < 1e-5 })
        let parameters = try members.map { try $0.parameters() }
        #expect(parameters[1] == parameters[0] && parameters[2] == parameters[0])
        #expect(try zip(parameters[0], alone.parameters()).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    @Test func anErrorOfTheEngineIsTheUnderlyingError() throws {
        let network = try Network(layers: [2, 1], seed: 1)
        let before = try network.parameters()
        try network.setAllReduce(worker: 0, of: 1) { _, _ in throw Broken() }
        let error = #expect(throws: BackpropError.self) { try network.train([1, 2], [1], learningRate: 0.1) }
        #expect(error?.code == .callback && error?.underlying is Broken)
        #expect(try network.parameters() == before)
        try network.removeAllReduce()
        try network.train([1, 2], [1], learningRate: 0.1)
        #expect(throws: BackpropError.self) { try network.setAllReduce(worker: 1, of: 1) { _, _ in } }
    }

    @Test func anErrorOfAnOverlappedExchangeIsTheUnderlyingError() throws {
        let network = try Network(layers: [1000, 1100, 1], seed: 1)
        #expect(throws: BackpropError.self) { try network.setAllReduceOverlap(start: { _, _ in }, finish: {}) }
        try network.setAllReduce(worker: 0, of: 1) { _, _ in }
        let before = try network.parameters(), x = [Float](repeating: 1, count: 1000)
        nonisolated(unsafe) var starts = 0
        nonisolated(unsafe) var finishes = 0
        try network.setAllReduceOverlap(
            start: { _, _ in
                starts += 1
                if starts == 2 { throw Broken() }
            }, finish: { finishes += 1 })
        let error = #expect(throws: BackpropError.self) { try network.train(x, [1], learningRate: 0.1) }
        #expect(error?.code == .callback && error?.underlying is Broken)
        #expect(try network.parameters() == before && starts == 2 && finishes == 1)
        try network.train(x, [1], learningRate: 0.1)
        #expect(starts == 4 && finishes == 2)
    }
}
