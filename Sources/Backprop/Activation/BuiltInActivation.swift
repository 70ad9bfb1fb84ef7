import CPlatform

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
