import CPlatform

/// The built-in activations. Their formulas are in Kernels/Elementwise/Activations.swift.
enum BuiltInActivation: Int32, Selectable {
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

    static var typeName: StaticString { "activation" }
    static var synonyms: StaticString {
        """
        sigmoid=logistic expit=logistic sigm=logistic linear=identity none=identity pass=identity swish=silu step=sign
        heaviside=sign signum=sign hyperbolictangent=tanh rectifier=relu lrelu=leaky_relu selu=elu celu=elu
        """
    }

    /// Its number in kernels.h.
    var kind: Int32 { rawValue }

    /// Whether its value is 0, or near 0, for about half of its inputs. He's initialization compensates for that.
    var isRectifier: Bool {
        switch self {
        case .relu, .leakyRelu, .elu, .softplus, .silu, .gelu: true
        default: false
        }
    }

    /// The closed range of its values. It includes bounds that are only approached.
    var range: (least: Float, greatest: Float) {
        switch self {
        case .identity, .leakyRelu: (-.infinity, .infinity)
        case .sign, .tanh, .softsign: (-1, 1)
        case .logistic, .softmax: (0, 1)
        case .relu, .softplus: (0, .infinity)
        case .elu: (-1, .infinity)
        case .silu: (-0.27846454, .infinity)  // at z = -1.2784645
        case .gelu: (-0.16997121, .infinity)  // at z = -0.75179157
        }
    }
}
