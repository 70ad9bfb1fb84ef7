import Foundation
import Testing

@testable import Backprop

/// Results of the Swift interface do not depend on the rounding mode of the calling thread, and callbacks run with that
/// rounding mode. (Tests/CTests/environment.c has more tests.) While the mode is changed, the tests compute nothing themselves
/// and await nothing.
@Suite struct FloatingPointEnvironmentTests {
    private static let toNearest = Int32(0), roundings: [Int32] = [0x800, 0x400, 0xC00]  // <fenv.h> of x86-64

    private struct Halving: ScalarActivation {
        func value(at z: Float) -> Float { 0.5 * z }
        func derivative(at z: Float, value a: Float) -> Float { 0.3 }
    }

    /// Results of networks that are created, trained, fitted and evaluated in a rounding mode.
    private func results(rounding: Int32) throws -> [[UInt32]] {
        var numbers = TestNumbers(3)
        let inputs = numbers.array(40 * 5), targets = numbers.shares(40 * 3)
        var results: [[UInt32]] = []
        let custom = ["type", "closure", "differences", "buffers"].map { Network.Activation.named("environment-\($0)") }
        for activation in [.tanh] + custom {
            fesetround(rounding)
            defer { fesetround(Self.toNearest) }
            let network = try Network(layers: [5, 9, 3], seed: 1)
            try network.setActivation(activation, layer: 1)
            try network.setOptimizer(.adam)
            try network.train(inputs, targets, learningRate: 0.125)
            try Trainer(["epochs": 2]).fit(network, inputs, targets)
            let outputs = try network.predict(inputs)
            let loss = try network.evaluate(inputs, targets)
            let parameters = try network.parameters()
            #expect(fegetround() == rounding)
            results += [bits(outputs), [loss.bitPattern], bits(parameters)]
        }
        return results
    }

    @Test func resultsDoNotDependOnTheRoundingModeOfTheCaller() throws {
        let seen = Box<Set<Int32>>([])
        let record: @Sendable () -> Void = {
            let rounding = fegetround()
            seen.change { _ = $0.insert(rounding) }
        }
        try Network.registerActivation("environment-type", Halving())
        try Network.registerActivation("environment-closure", derivative: { _, _ in 0.3 }) { z in
            record()
            return 0.1
        }
        try Network.registerActivation("environment-differences") { z in 4 * z }
        try Network.registerActivation(
            "environment-buffers",
            forward: { z, a, _ in
                record()
                for i in z.indices { a[i] = 0.1 }
            },
            backward: { _, _, da, dz, _ in for i in da.indices { dz[i] = da[i] } })
        defer {
            for name in ["type", "closure", "differences", "buffers"] {
                try? Network.unregisterActivation("environment-\(name)")
            }
        }
        let expected = try results(rounding: Self.toNearest)
        for rounding in Self.roundings {
            seen.change { $0 = [] }
            #expect(try results(rounding: rounding) == expected)
            #expect(seen.value == [rounding])
        }
    }

    @Test func numbersAreParsedEquallyInEveryRoundingMode() throws {
        for rounding in Self.roundings {
            fesetround(rounding)
            defer { fesetround(Self.toNearest) }
            let read = inDefaultEnvironment { number("0.1") }
            #expect(read == 0.1)
            #expect(fegetround() == rounding)
        }
    }
}
