import Foundation
import Testing

@testable import Backprop

/// Custom activations: closures of one number and functions of whole matrices, with and without a derivative.
@Suite struct PluginActivationTests {
    @Test func aClosureEqualsTheBuiltInActivation() throws {
        try Network.registerActivation("plugin-tanh", derivative: { _, a in 1 - a * a }, function: { Float(tanh(Double($0))) })
        defer { try? Network.unregisterActivation("plugin-tanh") }
        let own = try Network(layers: [5, 18, 3], seed: 4)
        let builtIn = try own.clone()
        try own.setActivation(.named("plugin-tanh"), layer: 1)
        try builtIn.setActivation(.tanh, layer: 1)
        var numbers = TestNumbers(60)
        for rows in [1, 7, 300, 2, 1] {
            let x = numbers.array(rows * 5)
            let y = numbers.shares(rows * 3)
            #expect(relativeDifference(try own.predict(x), try builtIn.predict(x).asDoubles) < 1e-6)
            let loss = try own.train(x, y, learningRate: 0.02)
            #expect(relativeDifference([loss], [Double(try builtIn.train(x, y, learningRate: 0.02))]) < 1e-5)
        }
        #expect(relativeDifference(try own.parameters(), try builtIn.parameters().asDoubles) < 1e-5)
    }

    /// f(z) = z³ with f′ = 3 z², by hand: z = 2, a = 8, y = 7: f = ½, ∂f/∂w = (8 − 7) · 12 · x.
    @Test func valueAndDerivativeMatchHandComputation() throws {
        try Network.registerActivation("plugin-cube", derivative: { z, _ in 3 * z * z }, function: { $0 * $0 * $0 })
        defer { try? Network.unregisterActivation("plugin-cube") }
        let network = try Network(layers: [1, 1], seed: 1)
        try network.setActivation(.named("plugin-cube"), layer: 1)
        try network.setParameters([4, 0])
        #expect(try network.predict([0.5]) == [8])
        let (gradient, loss) = try network.gradient([0.5], [7])
        #expect(gradient == [6, 12] && loss == 0.5)
    }

    /// The derivative gets the value a that was computed for z.
    @Test func theDerivativeGetsZAndA() throws {
        let pairs = Box<[(Float, Float)]>([])
        try Network.registerActivation(
            "plugin-pairs",
            derivative: { z, a in
                pairs.change { $0.append((z, a)) }
                return 1
            }, function: { 2 * $0 + 1 })
        defer { try? Network.unregisterActivation("plugin-pairs") }
        let network = try Network(layers: [1, 17], seed: 1)
        try network.setActivation(.named("plugin-pairs"), layer: 1)
        try network.train([0.5, -1, 2], [Float](repeating: 0, count: 51), learningRate: 0.1)
        #expect(pairs.value.count == 51)
        #expect(pairs.value.allSatisfy { $0.1 == 2 * $0.0 + 1 })
    }

    /// backprop.h: central differences have "about 4 correct digits where f is smooth".
    @Test(arguments: ["tanh", "logistic", "softplus", "silu", "gelu"])
    func anOmittedDerivativeIsApproximated(name: String) throws {
        let own = "plugin-without-\(name)"
        try Network.registerActivation(own, function: { Float(PlainActivation.value(name, Double($0))) })
        defer { try? Network.unregisterActivation(own) }
        let network = try Network(layers: [1, 1], seed: 1)
        try network.setActivation(.named(own), layer: 1)
        for step in -60...60 {
            let z = Float(step) / 10
            try network.setParameters([0, z])
            let a = try network.predict([0])[0]
            let slope = Double(try network.gradient([0], [a - 1]).gradient[1])  // ŷ − y = 1
            #expect((slope - PlainActivation.derivative(name, Double(z))).magnitude < 1e-3, "\(name)′(\(z))")
        }
        let sizes = [4, 9, 3]
        let deep = try Network(layers: sizes, seed: 2)
        let plain = PlainNetwork(sizes: sizes, activations: [name, "logistic"], parameters: try deep.parameters())
        try deep.setParameters(deep.parameters())  // so that setActivation does not reinitialize them
        try deep.setActivation(.named(own), layer: 1)
        var numbers = TestNumbers(61)
        let x = numbers.array(40)
        let y = numbers.shares(30)
        #expect(relativeDifference(try deep.gradient(x, y).gradient, plain.gradient(x, y).gradient) < 1e-3)
    }

    // MARK: Whole matrices

    /// z / Σ |z| over the columns of a row. dzⱼ = (dⱼ − sign zⱼ Σ aᵢ dᵢ) / Σ |z|.
    @Test func aFunctionThatCouplesColumnsCanBeTrained() throws {
        try PluginRegistry.activations.register(
            ActivationPlugin(
                name: "plugin-share", kind: .vector,
                .matrices(
                    { z, a, rows, columns in
                        for row in 0..<rows {
                            let size = (0..<columns).reduce(Float(0)) { $0 + z[row * columns + $1].magnitude }
                            for i in row * columns..<(row + 1) * columns { a[i] = z[i] / size }
                        }
                        return 0
                    },
                    { z, a, da, dz, rows, columns in
                        for row in 0..<rows {
                            let range = row * columns..<(row + 1) * columns
                            let size = range.reduce(Float(0)) { $0 + z[$1].magnitude }
                            let along = range.reduce(Float(0)) { $0 + a[$1] * da[$1] }
                            for i in range { dz[i] = (da[i] - (z[i] < 0 ? -along : along)) / size }
                        }
                        return 0
                    })))
        defer { try? Network.unregisterActivation("plugin-share") }
        let network = try Network(layers: [3, 5, 4], seed: 3)
        try network.setActivation(.named("plugin-share"), layer: 1)
        var numbers = TestNumbers(62)
        let x = numbers.array(6 * 3)
        let y = numbers.shares(6 * 4)
        #expect(try network.checkGradient(x, y) < 1e-2)
        let before = try network.evaluate(x, y)
        for _ in 0..<200 { try network.train(x, y, learningRate: 0.1) }
        #expect(try network.evaluate(x, y) < before)
    }

    /// A failing step is undone, and does not affect the next step.
    @Test(arguments: ["forward", "backward"], [1, 5])
    func aFailingCallbackChangesNothing(pass: String, rows: Int) throws {
        let name = "plugin-failing-\(pass)-\(rows)"
        let fails = Box(false)
        try PluginRegistry.activations.register(
            ActivationPlugin(
                name: name, kind: .vector,
                .matrices(
                    { z, a, rows, columns in
                        for i in 0..<rows * columns { a[i] = fails.value && pass == "forward" ? .nan : z[i] }
                        return fails.value && pass == "forward" ? 7 : 0
                    },
                    { _, _, da, dz, rows, columns in
                        for i in 0..<rows * columns { dz[i] = fails.value && pass == "backward" ? .nan : da[i] }
                        return fails.value && pass == "backward" ? -8 : 0
                    })))
        defer { try? Network.unregisterActivation(name) }
        let network = try Network(layers: [2, 3, 2], seed: 3)
        try network.setActivation(.named(name), layer: 1)
        try network.setBatchNormalization(true, layer: 1)
        let twin = try network.clone()
        var numbers = TestNumbers(63)
        for _ in 0..<3 {
            let x = numbers.array(rows * 2)
            let y = numbers.shares(rows * 2)
            fails.change { $0 = true }
            let error = failure { try network.train(x, y, learningRate: 0.5) }
            #expect(error?.code == .callback)
            #expect(error?.message.contains(name) == true)
            #expect(error?.message.contains(pass == "forward" ? "7" : "-8") == true)
            expectFailure(.callback) { _ = try network.gradient(x, y) }
            if pass == "forward" {
                expectFailure(.callback) { _ = try network.predict(x) }
                expectFailure(.callback) { _ = try network.evaluate(x, y) }
            }
            fails.change { $0 = false }
            #expect(try sameState(network, twin))
            let loss = try network.train(x, y, learningRate: 0.5)
            #expect(try twin.train(x, y, learningRate: 0.5) == loss)
        }
        #expect(try sameState(network, twin))
    }

    @Test func aNaNFromACallbackIsRefused() throws {
        try Network.registerActivation("plugin-nan", derivative: { _, _ in 1 }, function: { $0 > 1 ? .nan : $0 })
        try Network.registerActivation("plugin-nan-slope", derivative: { z, _ in z > 1 ? .infinity : 1 }, function: { $0 })
        for name in ["plugin-nan", "plugin-nan-slope"] {
            defer { try? Network.unregisterActivation(name) }
            let network = try Network(layers: [1, 1, 1], seed: 1)
            try network.setParameters([1, 0, 1, 0])
            try network.setActivation(.named(name), layer: 1)
            let before = try network.savedBytes()
            for x in [[2], [2, 0.5]] as [[Float]] {
                expectFailure(.notFinite) { _ = try network.train(x, x.map { _ in 0.1 }, learningRate: 0.1) }
            }
            #expect(try network.savedBytes() == before)
        }
    }

    // MARK: Lifetime

    @Test func unregisteringDoesNotAffectNetworks() throws {
        try Network.registerActivation("plugin-life", derivative: { _, _ in 2 }, function: { 2 * $0 })
        let network = try Network(layers: [1, 1], seed: 1)
        try network.setParameters([1, 0])
        try network.setActivation(.named("plugin-life"), layer: 1)
        try Network.unregisterActivation("plugin-life")
        #expect(try network.predict([3]) == [6])
        expectFailure(.unknownName) { try Network(layers: [1, 1], seed: 1).setActivation(.named("plugin-life"), layer: 1) }
        try Network.registerActivation("plugin-life", function: { 5 * $0 })  // the name is available again
        #expect(try network.predict([3]) == [6])
        #expect(try network.clone().predict([3]) == [6])
        let other = try Network(layers: [1, 1], seed: 1)
        try other.setParameters([1, 0])
        try other.setActivation(.named("plugin-life"), layer: 1)
        #expect(try other.predict([3]) == [15])
        try Network.unregisterActivation("plugin-life")
    }

    /// Once, after the activation is unregistered and no network uses it any more; never if registering fails.
    @Test func destroyIsCalledOnceAfterTheLastUse() throws {
        let destroyed = Box(0)
        func make(_ name: String) -> ActivationPlugin {
            ActivationPlugin(
                name: name, kind: .scalar, .closure({ $0 }, derivative: nil), destroy: { destroyed.change { $0 += 1 } })
        }
        expectFailure(.invalidValue) { try PluginRegistry.activations.register(make("tanh")) }
        expectFailure(.invalidValue) { try PluginRegistry.activations.register(make("Bad name")) }
        #expect(destroyed.value == 0)
        try PluginRegistry.activations.register(make("plugin-destroy"))
        do {
            let network = try Network(layers: [1, 2, 1], seed: 1)
            try network.setActivation(.named("plugin-destroy"), layer: 1)
            try network.setActivation(.named("plugin-destroy"), layer: 2)
            let clone = try network.clone()
            try network.train([1], [1], learningRate: 0.1)
            try Network.unregisterActivation("plugin-destroy")
            #expect(destroyed.value == 0)
            try network.setActivation(.tanh, layer: 1)
            try network.setActivation(.tanh, layer: 2)
            #expect(destroyed.value == 0)
            _ = try clone.predict([1])
        }
        #expect(destroyed.value == 1)
    }

    @Test func builtInNamesAreListedFirst() throws {
        try Network.registerActivation("plugin-listed", function: { $0 })
        var names: [String] = []
        while let name = try? PluginRegistry.activations.name(at: names.count) { names.append(name) }
        #expect(Array(names.prefix(19)) == PlainActivation.names + ["softmax"])
        #expect(names.contains("plugin-listed"))
        expectFailure(.unknownName) { _ = try PluginRegistry.activations.name(at: 100_000) }
        expectFailure(.unknownName) { _ = try PluginRegistry.activations.name(at: -1) }
        try Network.unregisterActivation("plugin-listed")
    }

    // MARK: Calls from a callback

    /// In a callback, a call that changes the same network fails with `busy`, a reading call within a reading call succeeds,
    /// and calls on other networks succeed.
    @Test func aCallbackCanUseOtherNetworksAndReadItsOwn() throws {
        let own = Box<Network?>(nil)
        let codes = Box<[String]>([])
        let other = try Network(layers: [1, 1], seed: 2)
        let isInside = Box(false)
        @Sendable func record(_ name: String, _ call: () throws -> some Any) {
            let error = failure(call)
            codes.change { $0.append("\(name): \(error.map { "\($0.code)" } ?? "done")") }
        }
        let body: @Sendable (Float) -> Float = { z in
            guard let network = own.value, !isInside.value else { return z }
            isInside.change { $0 = true }
            record("predict", { try network.predict([1]) })
            record("train", { try network.train([1], [1], learningRate: 0.1) })
            record("set", { try network.setOption("initialization", 0) })
            record("other", { try other.train([1], [1], learningRate: 0.1) })
            isInside.change { $0 = false }
            return z
        }
        try Network.registerActivation("plugin-calling", derivative: { _, _ in 1 }, function: body)
        defer { try? Network.unregisterActivation("plugin-calling") }
        let network = try Network(layers: [1, 1], seed: 1)
        try network.setActivation(.named("plugin-calling"), layer: 1)
        own.change { $0 = network }
        defer { own.change { $0 = nil } }
        try network.train([1], [1], learningRate: 0.1)
        #expect(codes.value == ["predict: busy", "train: busy", "set: busy", "other: done"])
        codes.change { $0 = [] }
        _ = try network.predict([1])
        #expect(codes.value == ["predict: done", "train: busy", "set: busy", "other: done"])
    }
}
