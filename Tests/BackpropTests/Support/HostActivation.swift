import Backprop

/// Built-in activations, registered under other names. The library does not know their range, so it accepts them with every
/// loss.
enum HostActivation {
    /// The registered activation for logistic, relu or softmax.
    static func of(_ builtIn: Network.Activation) -> Network.Activation {
        _ = registered
        return .named("host-\(builtIn.name)")
    }

    /// The registered activation if the library refuses the built-in one with this loss; otherwise the built-in one.
    static func of(_ builtIn: Network.Activation, with loss: Network.Loss) -> Network.Activation {
        let isRefused = loss == .binaryCrossEntropy && builtIn == .softmax || loss == .crossEntropy && builtIn == .logistic
        return isRefused ? of(builtIn) : builtIn
    }

    private static let registered: Void = {
        for name in ["logistic", "relu"] {
            try? Network.registerActivation(
                "host-\(name)", derivative: { z, _ in Float(PlainActivation.derivative(name, Double(z))) },
                function: { Float(PlainActivation.value(name, Double($0))) })
        }
        try? Network.registerActivation(
            "host-softmax",
            forward: { z, a, columns in
                for start in stride(from: 0, to: z.count, by: columns) {
                    let row = PlainActivation.softmax((0..<columns).map { Double(z[start + $0]) })
                    for k in 0..<columns { a[start + k] = Float(row[k]) }
                }
            },
            backward: { _, a, da, dz, columns in
                for start in stride(from: 0, to: a.count, by: columns) {
                    let common = (0..<columns).reduce(Float(0)) { $0 + a[start + $1] * da[start + $1] }
                    for k in 0..<columns { dz[start + k] = a[start + k] * (da[start + k] - common) }
                }
            })
    }()
}
