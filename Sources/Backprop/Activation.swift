import CPlatform

/// What a layer applies to its weighted sums.
enum Activation {
    case builtIn(BuiltInActivation)
    /// Whether the library's own threads may call it is settled when a layer takes it up.
    case plugin(ActivationPlugin, isThreadSafe: Bool)

    var name: String {
        switch self {
        case .builtIn(let function): function.name
        case .plugin(let plugin, _): plugin.name
        }
    }

    static func find(_ name: String) throws(BackpropError) -> Activation {
        if let function = BuiltInActivation.named(name) { return .builtIn(function) }
        if let found = ActivationRegistry.find(name) { return .plugin(found.plugin, isThreadSafe: found.isThreadSafe) }
        throw BackpropError(.unknownName, "no activation is named \"\(name)\"")
    }

    func `is`(_ function: BuiltInActivation) -> Bool {
        if case .builtIn(let own) = self { own == function } else { false }
    }

    var isPlugin: Bool {
        if case .plugin = self { true } else { false }
    }

    /// Whether several threads may compute it at a time, each for rows of its own.
    var isThreadSafe: Bool {
        if case .plugin(_, let isThreadSafe) = self { isThreadSafe } else { true }
    }

    /// Whether it takes matrices without padding.
    var isMatrixFunction: Bool {
        if case .plugin(let plugin, _) = self { plugin.isMatrixFunction } else { false }
    }
}

/// The activations every network knows. Their formulas are in Kernels/Activations.swift.
enum BuiltInActivation: Int32, Named {
    case identity, sign, logistic, tanh, relu, leakyRelu, elu, softplus, softsign, silu, gelu, softmax

    var name: String {
        switch self {
        case .identity: "identity"
        case .sign: "sign"
        case .logistic: "logistic"
        case .tanh: "tanh"
        case .relu: "relu"
        case .leakyRelu: "leaky_relu"
        case .elu: "elu"
        case .softplus: "softplus"
        case .softsign: "softsign"
        case .silu: "silu"
        case .gelu: "gelu"
        case .softmax: "softmax"
        }
    }

    /// The number the kernels know it by.
    var kind: Int32 { rawValue }

    /// Whether about half of its inputs give (nearly) nothing, which He's initialization makes up for.
    var isRectifier: Bool {
        switch self {
        case .relu, .leakyRelu, .elu, .softplus, .silu, .gelu: true
        default: false
        }
    }
}
