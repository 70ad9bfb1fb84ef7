import Foundation
import Testing

@testable import Backprop

/// backprop.h: "The same seed, calls and data give the same bits".
extension NetworkTests {
    /// A network with batch normalization, several activations and non-default options.
    private func networkWithManySettings(seed: UInt64) throws -> Network {
        let network = try Network(layers: [6, 19, 16, 3], seed: seed)
        try network.setActivation(.gelu, layer: 1)
        try network.setActivation(.tanh, layer: 2)
        try network.setBatchNormalization(true, layer: 1)
        try network.setBatchNormalization(true, layer: 2)
        try network.setActivation(.softmax, layer: 3)
        try network.setLoss(.crossEntropy)
        try network.setOption("gradient_reduction", 1)
        try network.setOption("batchnorm_update", 1)
        try network.setOption("batchnorm_momentum", 0.3)
        return network
    }

    /// Steps with 8, 1, 3 and 30 rows, each on other data.
    private func train(_ network: Network, from first: Int = 0, steps: Int) throws {
        for step in first..<first + steps {
            var numbers = TestNumbers(UInt64(step) + 100)
            let rows = [8, 1, 3, 30][step % 4]
            let inputs = network.layers[0]
            let outputs = network.layers.last ?? 0
            try network.train(numbers.array(rows * inputs), numbers.shares(rows * outputs), learningRate: 0.2)
        }
    }

    @Test(arguments: [UInt64(0), 1, .max])
    func theSameSeedGivesTheSameBits(seed: UInt64) throws {
        let one = try networkWithManySettings(seed: seed)
        let other = try networkWithManySettings(seed: seed)
        #expect(bits(try one.parameters()) == bits(try other.parameters()))
        try train(one, steps: 12)
        try train(other, steps: 12)
        #expect(try sameState(one, other))
    }

    @Test func differentSeedsGiveDifferentWeights() throws {
        var seen = Set<[UInt32]>()
        for seed in 0..<100 { seen.insert(bits(try Network(layers: [2, 2], seed: UInt64(seed)).parameters())) }
        #expect(seen.count == 100)
    }

    @Test func layersOfOneNetworkHaveDifferentWeights() throws {
        let tensors = try Network(layers: [8, 8, 8], seed: 1).tensors()
        #expect(tensors["layers.1.weight"] != tensors["layers.2.weight"])
    }

    @Test func aCloneIsEqualAndIndependent() throws {
        let network = try networkWithManySettings(seed: 5)
        try train(network, steps: 4)
        let clone = try network.clone()
        let third = try network.clone()
        #expect(try sameState(network, clone))
        try train(clone, from: 4, steps: 4)
        #expect(try sameState(network, third), "training a clone changed its original")
        try train(network, from: 4, steps: 4)
        #expect(try sameState(network, clone), "a clone continues differently")
        try clone.setActivation(.relu, layer: 1)
        try clone.setOption("batchnorm_epsilon", 0.5)
        try clone.setBatchNormalization(false, layer: 2)
        try clone.initialize(seed: 2)
        try train(third, from: 4, steps: 4)
        #expect(try sameState(network, third))
    }

    @Test func aLoadedNetworkIsEqualAndContinuesWithTheSameBits() throws {
        let network = try networkWithManySettings(seed: 6)
        try train(network, steps: 5)
        let loaded = try withTemporaryPath { path in
            try network.save(to: path)
            return try Network.load(from: path)
        }
        #expect(try sameState(network, loaded))
        var numbers = TestNumbers(1)
        let x = numbers.array(60)
        #expect(bits(try network.predict(x)) == bits(try loaded.predict(x)))
        #expect(try loaded.option("batchnorm_momentum") == 0.3)
        #expect(loaded.layers == [6, 19, 16, 3])
        try train(network, from: 5, steps: 8)
        try train(loaded, from: 5, steps: 8)
        #expect(try sameState(network, loaded))
    }

    /// Steps on one row without normalization, with other calls in between.
    @Test(arguments: ["clone", "load", "gradient", "check", "evaluate"])
    func singleRowStepsContinueWithTheSameBits(call: String) throws {
        var numbers = TestNumbers(30)
        let network = try Network(layers: [5, 21, 3], seed: 1)
        let twin = try Network(layers: [5, 21, 3], seed: 1)
        for step in 0..<6 {
            let x = numbers.array(5)
            let y = numbers.shares(3)
            var other = twin
            switch call {
            case "clone": other = try network.clone()
            case "load": other = try Network.load(bytes: network.savedBytes())
            case "gradient": _ = try twin.gradient(x, y)
            case "check": _ = try twin.checkGradient(x, y)
            default: _ = try twin.evaluate(x, y)
            }
            let loss = try other.train(x, y, learningRate: 0.1)
            #expect(try network.train(x, y, learningRate: 0.1) == loss, "step \(step)")
            #expect(try sameState(network, other), "step \(step)")
        }
    }

    /// The initial weights of an untrained network change with its settings, also after loading.
    @Test func aLoadedUntrainedNetworkStillFollowsItsSettings() throws {
        let network = try Network(layers: [4, 5, 2], seed: 8)
        let loaded = try Network.load(bytes: network.savedBytes())
        try network.setActivation(.relu, layer: 1)
        try loaded.setActivation(.relu, layer: 1)
        #expect(try sameState(network, loaded))
        #expect(bits(try network.parameters()) != bits(try Network(layers: [4, 5, 2], seed: 8).parameters()))
    }

    /// Extreme floats: the smallest, the largest, subnormal numbers, negative zero.
    @Test func filesKeepEveryBit() throws {
        let flat: [Float] = [
            .leastNonzeroMagnitude, -.leastNormalMagnitude, -0.0, .greatestFiniteMagnitude, 0.1, -1.0 / 3,
            Float(bitPattern: 0x11A7E), Float(1).nextUp, 0,
        ]
        let network = try Network(layers: [2, 3], seed: 1)
        try network.setParameters(flat)
        #expect(bits(try Network.load(bytes: network.savedBytes()).parameters()) == bits(flat))
    }

    @Test func savingReplacesTheOldFileAndLeavesNoOtherFile() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "backprop-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "model").path
        let network = try networkWithManySettings(seed: 1)
        try network.save(to: path)
        try train(network, steps: 1)
        try network.save(to: path)
        #expect(try sameState(Network.load(from: path), network))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["model"])
    }

    /// Results do not depend on the number of threads.
    @Test func anyNumberOfThreadsGivesTheSameBits() throws {
        defer { try? Threads.setCount(0) }
        var states: [[UInt8]] = []
        var predictions: [[UInt32]] = []
        var numbers = TestNumbers(50)
        let x = numbers.array(400 * 70)
        let y = numbers.shares(400 * 20)
        for threads in [1, 2, 3, 5, 16] {
            try Threads.setCount(threads)
            let network = try Network(layers: [70, 150, 90, 20], seed: 3)
            try network.setBatchNormalization(true, layer: 2)
            try network.setOption("gradient_reduction", 1)
            for rows in [400, 33, 1, 250] {
                try network.train(Array(x[..<(rows * 70)]), Array(y[..<(rows * 20)]), learningRate: 0.1)
            }
            let (gradient, loss) = try network.gradient(x, y)
            states.append(try network.savedBytes())
            predictions.append(bits(try network.predict(x) + gradient + [loss, network.evaluate(x, y)]))
        }
        #expect(Set(states).count == 1)
        #expect(Set(predictions).count == 1)
        expectFailure(.invalidValue) { try Threads.setCount(257) }
        expectFailure(.invalidValue) { try Threads.setCount(-1) }
    }

    /// Threads share the panels of a layer that has more weights than numbers in its rows. Its activation may need the whole rows:
    /// batch normalization, dropout, softmax, registered activations that are or are not thread-safe.
    @Test(arguments: ["sgd", "adam"])
    func anyNumberOfThreadsThatShareThePanelsOfLayersGivesTheSameBits(optimizer: String) throws {
        defer { try? Threads.setCount(0) }
        for isThreadSafe in [false, true] {
            let name = "panels-\(optimizer)-\(isThreadSafe)"
            try Network.registerActivation(name, isThreadSafe: isThreadSafe, derivative: { _, _ in 0.5 }, function: { 0.5 * $0 })
        }
        defer { for isThreadSafe in [false, true] { try? Network.unregisterActivation("panels-\(optimizer)-\(isThreadSafe)") } }
        var numbers = TestNumbers(51)
        let x = numbers.array(48 * 180), y = numbers.shares(48 * 9)
        func trained(threads: Int) throws -> [UInt8] {
            try Threads.setCount(threads)
            let network = try Network(layers: [180, 250, 200, 190, 170, 160, 150, 9], seed: 4)
            try network.setActivation(.tanh, layer: 1)
            try network.setBatchNormalization(true, layer: 2)
            try network.setDropout(0.25, layer: 3)
            try network.setActivation(.softmax, layer: 4)
            try network.setActivation(.named("panels-\(optimizer)-true"), layer: 5)
            try network.setActivation(.named("panels-\(optimizer)-false"), layer: 6)
            try network.setTrainable(false, layer: 1)
            try network.setOptimizer(#require(Optimizer.named(optimizer)))
            try network.setOption("gradient_reduction", 1)
            for rows in [32, 5, 48, 17] {
                let shared = try network.handle.read { (state) throws(BackpropError) in
                    (0..<6).filter { state.panelShares(of: $0, rows: rows, threads: threads) > 0 }
                }
                // A thread has at least four panels. Where more threads can share the rows, they do.
                #expect(shared == (threads == 1 ? [] : threads > 2 && rows == 48 ? [0, 1, 2] : [0, 1, 2, 3, 4, 5]))
                try network.train(Array(x[..<(rows * 180)]), Array(y[..<(rows * 9)]), learningRate: 0.01)
            }
            return try network.savedBytes()
        }
        let alone = try trained(threads: 1)
        for threads in [2, 3, 7] { #expect(try trained(threads: threads) == alone) }
    }
}
