import Backprop
import Foundation
import Testing

/// Calls from several threads.
extension NetworkTests {
    /// Each prediction equals the prediction after some complete step.
    @Test func predictionsDuringTrainingNeverSeeAPartialStep() throws {
        let steps = 300
        var numbers = TestNumbers(40)
        let x = numbers.array(20 * 6)
        let y = numbers.shares(20 * 3)
        let network = try Network(layers: [6, 30, 3], seed: 1)
        try network.setBatchNormalization(true, layer: 1)
        let twin = try network.clone()
        var known: Set = [bits(try twin.predict(x))]
        for _ in 0..<steps {
            try twin.train(x, y, learningRate: 0.1)
            known.insert(bits(try twin.predict(x)))
        }
        #expect(known.count > steps / 2)

        let seen = Box<Set<[UInt32]>>([])
        let isDone = Box(false)
        let errors = onThreads(4) { index in
            if index == 0 {
                defer { isDone.change { $0 = true } }
                for _ in 0..<steps { try network.train(x, y, learningRate: 0.1) }
            } else {
                repeat {
                    let found = bits(try network.predict(x))
                    seen.change { $0.insert(found) }
                } while !isDone.value
            }
        }
        #expect(errors.isEmpty, "\(errors)")
        #expect(seen.value.isSubset(of: known))
        #expect(try sameState(network, twin))
    }

    @Test func concurrentPredictionsAreEqual() throws {
        var numbers = TestNumbers(41)
        let x = numbers.array(300 * 5)
        let network = try Network(layers: [5, 40, 2], seed: 2)
        let expected = bits(try network.predict(x))
        let errors = onThreads(12) { _ in
            for _ in 0..<20 where bits(try network.predict(x)) != expected { Issue.record("another prediction") }
        }
        #expect(errors.isEmpty)
    }

    @Test func networksOnDifferentThreadsAreIndependent() throws {
        @Sendable func train(_ index: Int) throws -> [UInt8] {
            var numbers = TestNumbers(UInt64(index))
            let network = try Network(layers: [4 + index, 10, 20 - index, 2], seed: UInt64(index))
            try network.setBatchNormalization(index % 2 == 0, layer: 2)
            for step in 0..<40 {
                let rows = [1, 5, 64][step % 3]
                try network.train(numbers.array(rows * (4 + index)), numbers.shares(rows * 2), learningRate: 0.1)
            }
            return try network.clone().savedBytes()
        }
        let alone = try (0..<8).map { try train($0) }
        let together = Box([[UInt8]](repeating: [], count: 8))
        let errors = onThreads(8) { index in
            let bytes = try train(index)
            together.change { $0[index] = bytes }
        }
        #expect(errors.isEmpty)
        #expect(together.value == alone)
    }

    /// The gradient is constant, so that the order of the steps does not matter.
    @Test func trainingFromManyThreadsLosesNoStep() throws {
        let network = try Network(layers: [1, 1], seed: 1)
        try network.setParameters([0, 0])
        let errors = onThreads(6) { _ in
            for _ in 0..<500 { try network.apply(gradient: [-1, 1], learningRate: 0.5) }
        }
        #expect(errors.isEmpty)
        #expect(try network.parameters() == [1500, -1500])
    }

    @Test func tasksCanShareANetwork() async throws {
        let network = try Network(layers: [2, 8, 1], seed: 3)
        let losses = try await withThrowingTaskGroup(of: Float.self) { group in
            for index in 0..<40 {
                group.addTask {
                    switch index % 4 {
                    case 0: try network.train(inputBit, exclusiveOr, learningRate: 0.1)
                    case 1: try network.evaluate(inputBit, exclusiveOr)
                    case 2: Float(try network.parameters().count)
                    default: try network.clone().train(inputBit, exclusiveOr, learningRate: 0.1)
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(losses.count == 40 && losses.allSatisfy { $0.isFinite && $0 > 0 })
    }

    @Test func registeringFromManyThreadsKeepsEveryName() throws {
        let errors = onThreads(6) { index in
            for round in 0..<50 {
                let name = "thread-\(index)-\(round % 5)"
                try Network.registerActivation(name, function: { $0 + Float(index) })
                let network = try Network(layers: [1, 1], seed: 1)
                try network.setActivation(.named(name), layer: 1)
                try network.setParameters([0, 0])
                if try network.predict([0]) != [Float(index)] { Issue.record("\(name) is the activation of another thread") }
                try Network.unregisterActivation(name)
            }
        }
        #expect(errors.isEmpty, "\(errors)")
    }
}
