import Foundation
import Testing

@testable import Backprop

/// Custom activations of Swift programs: types, closures on buffers, which can throw, and functions of shared libraries.
@Suite struct SwiftActivationTests {
    /// z for z > knee, otherwise slope · z: leaky_relu for knee = 0.
    private struct Bent: ScalarActivation {
        let knee: Float
        let slope: Float
        func value(at z: Float) -> Float { z < knee ? slope * z : z }
        func derivative(at z: Float, value a: Float) -> Float { z > knee ? 1 : slope }
    }

    private struct Refusal: Error, Equatable {
        let reason: String
    }

    /// Two networks that differ only in their activations, after the same training.
    private func pair(_ one: String, _ other: String, rows: Int = 300, steps: Int = 5) throws -> (Network, Network) {
        var numbers = TestNumbers(70)
        let x = numbers.array(rows * 40)
        let y = numbers.shares(rows * 3)
        let networks = try [one, other].map { name in
            let network = try Network(layers: [40, 50, 20, 3], seed: 4)
            try network.setParameters(network.parameters())  // so that setActivation does not reinitialize them
            try network.setActivation(.named(name), layer: 1)
            try network.setActivation(.named(name), layer: 2)
            try network.setOption("gradient_reduction", 1)
            for _ in 0..<steps { try network.train(x, y, learningRate: 0.1) }
            return network
        }
        return (networks[0], networks[1])
    }

    @Test func aCustomTypeGivesTheBitsOfTheBuiltInActivation() throws {
        try Network.registerActivation("swift-bent", Bent(knee: 0, slope: 0.01))
        defer { try? Network.unregisterActivation("swift-bent") }
        let (own, builtIn) = try pair("swift-bent", "leaky_relu")
        #expect(try own.parameters() == builtIn.parameters())
        #expect(try PluginRegistry.kind(of: "swift-bent") == .scalar)
    }

    /// Each activation keeps the state with which it was registered.
    @Test func stateOfTypesAndClosuresIsKept() throws {
        for slope in [2, 3] as [Float] {
            try Network.registerActivation("swift-slope-\(slope)", Bent(knee: .infinity, slope: slope))
            let offset = slope
            try Network.registerActivation("swift-offset-\(slope)", function: { $0 + offset })
        }
        let network = try Network(layers: [1, 1], seed: 1)
        try network.setParameters([1, 0])
        for (name, value) in [("slope-2.0", 8), ("slope-3.0", 12), ("offset-2.0", 6), ("offset-3.0", 7)] as [(String, Float)] {
            try network.setActivation(.named("swift-" + name), layer: 1)
            #expect(try network.predict([4]) == [value])
            try Network.unregisterActivation("swift-" + name)
        }
    }

    @Test func closuresOnBuffersGiveTheBitsOfTheBuiltInActivation() throws {
        try Network.registerActivation(
            "swift-softsign",
            forward: { z, a, _ in for i in z.indices { a[i] = z[i] / (1 + z[i].magnitude) } },
            backward: { z, _, da, dz, _ in
                for i in z.indices { dz[i] = da[i] / ((1 + z[i].magnitude) * (1 + z[i].magnitude)) }
            })
        defer { try? Network.unregisterActivation("swift-softsign") }
        let (own, builtIn) = try pair("swift-softsign", "softsign")
        #expect(try own.parameters() == builtIn.parameters())
        #expect(try Network.checkActivation("swift-softsign").worstError < 1e-2)
        #expect(try PluginRegistry.kind(of: "swift-softsign") == .vector)
    }

    @Test(arguments: ["forward", "backward"], [true, false])
    func anErrorOfAClosureIsReportedAndNothingChanges(pass: String, isThreadSafe: Bool) throws {
        let throwing = Box(false)
        let name = "swift-throwing-\(pass)-\(isThreadSafe)"
        try Network.registerActivation(
            name, isThreadSafe: isThreadSafe,
            forward: { z, a, _ in
                _ = a.update(from: z)
                if throwing.value, pass == "forward" { throw Refusal(reason: "enough") }
            },
            backward: { _, _, da, dz, _ in
                _ = dz.update(from: da)
                if throwing.value, pass == "backward" { throw Refusal(reason: "enough") }
            })
        defer { try? Network.unregisterActivation(name) }
        let network = try Network(layers: [40, 60, 3], seed: 1)
        try network.setActivation(.named(name), layer: 1)
        try network.setOption("gradient_reduction", 1)
        var numbers = TestNumbers(71)
        let x = numbers.array(300 * 40)
        let y = numbers.shares(300 * 3)
        try network.train(x, y, learningRate: 0.01)
        let before = try network.savedBytes()
        throwing.change { $0 = true }
        let error = failure { try network.train(x, y, learningRate: 0.01) }
        #expect(error?.code == .callback)
        #expect(error?.underlying as? Refusal == Refusal(reason: "enough"))
        #expect(error?.message.contains("enough") == true && error?.message.contains(pass) == true)
        #expect(try network.savedBytes() == before)
        throwing.change { $0 = false }
        try network.train(x, y, learningRate: 0.01)
    }

    @Test func onlyThreadSafeClosuresRunOnOtherThreads() throws {
        let caller = pthread_self()
        for isThreadSafe in [false, true] {
            let callsOnOtherThreads = Box(0)
            let name = "swift-threads-\(isThreadSafe)"
            try Network.registerActivation(
                name, isThreadSafe: isThreadSafe, derivative: { _, _ in 1 },
                function: { z in
                    if !isThreadSafe, pthread_equal(pthread_self(), caller) == 0 { callsOnOtherThreads.change { $0 += 1 } }
                    return z
                })
            defer { try? Network.unregisterActivation(name) }
            let (own, builtIn) = try pair(name, "identity", steps: 2)
            #expect(try own.parameters() == builtIn.parameters())
            #expect(callsOnOtherThreads.value == 0)
        }
    }

    @Test func functionsOfSharedLibrariesCanBeUsed() throws {
        try Network.registerActivation("swift-erf", library: "libm.so.6", function: "erf", signature: "d(d)")
        try Network.registerActivation(
            "swift-ldexp", library: "libm.so.6", function: "ldexp", signature: "d(d,i)", constants: [3], isThreadSafe: true)
        try Network.registerActivation("swift-sin", library: nil, function: "sin", derivative: "cos", signature: "d(d)")
        let network = try Network(layers: [1, 1], seed: 1)
        try network.setParameters([1, 0])
        for (name, value) in [("swift-erf", Float(erf(0.75))), ("swift-ldexp", 6), ("swift-sin", Float(sin(0.75)))] {
            try network.setActivation(.named(name), layer: 1)
            #expect(try network.predict([0.75]) == [value])
            #expect(try Network.checkActivation(name).worstError < 1e-3)
            #expect(try PluginRegistry.kind(of: name) == .library)
            try Network.unregisterActivation(name)
        }
    }

    @Test func missingLibrariesAndBadSignaturesAreRefused() throws {
        let register = { (path: String?, symbol: String, signature: String, constants: [Double]) in
            failure {
                try Network.registerActivation(
                    "swift-none", library: path, function: symbol, signature: signature, constants: constants)
            }
        }
        #expect(register("./nowhere.so", "f", "d(d)", [])?.code == .library)
        #expect(register("libm.so.6", "no_such_function", "d(d)", [])?.code == .library)
        #expect(register("", "erf", "d(d)", [])?.code == .invalidValue)
        #expect(register("libm.so.6", "erf", "d(q)", [])?.message.contains("character 3") == true)
        #expect(register("libm.so.6", "ldexp", "d(d,i)", [])?.code == .invalidValue)
        #expect(register("libm.so.6", "ldexp", "d(d,i)", [0.5])?.code == .invalidValue)
        expectFailure(.unknownName) { try Network.unregisterActivation("swift-none") }
        expectFailure(.unknownName) { _ = try Network.checkActivation("swift-none") }
        expectFailure(.unsupported) { _ = try Network.checkActivation("sign") }
    }

    @Test func aWrongDerivativeIsDetected() throws {
        try Network.registerActivation("swift-wrong", derivative: { _, a in 1 - a }, function: { Float(tanh(Double($0))) })
        defer { try? Network.unregisterActivation("swift-wrong") }
        let report = try Network.checkActivation("swift-wrong")
        #expect(report.worstError > 0.1 && report.points > 150 && report.kinks == 0 && report.skipped == 0)
        #expect(try Network.checkActivation("relu").firstKink == 0)
    }
}
