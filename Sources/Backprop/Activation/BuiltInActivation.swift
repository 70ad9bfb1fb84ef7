import CPlatform

/// The built-in activations. Their formulas are in Kernels/Elementwise/Activations.swift.
enum BuiltInActivation: Int32, Selectable {
    case identity, sign, logistic, tanh, relu, leakyRelu, elu, softplus, softsign, silu, gelu, selu, mish
    case hardSigmoid, hardSwish, relu6, sine, gaussian, softmax

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
        case .selu: "selu"
        case .mish: "mish"
        case .hardSigmoid: "hard_sigmoid"
        case .hardSwish: "hard_swish"
        case .relu6: "relu6"
        case .sine: "sine"
        case .gaussian: "gaussian"
        case .softmax: "softmax"
        }
    }

    static var typeName: StaticString { "activation" }
    static var synonyms: StaticString {
        """
        sigmoid=logistic expit=logistic sigm=logistic linear=identity none=identity pass=identity swish=silu step=sign
        heaviside=sign signum=sign hyperbolictangent=tanh rectifier=relu lrelu=leaky_relu celu=elu
        hsigmoid=hard_sigmoid hardlogistic=hard_sigmoid hswish=hard_swish hardsilu=hard_swish sin=sine sinus=sine siren=sine
        gauss=gaussian rbf=gaussian radbas=gaussian
        """
    }

    /// Its number in kernels.h.
    var kind: Int32 { rawValue }

    /// Whether f′ follows from a = f(z) alone: the kernels then get the same with a in the place of z.
    var derivesFromValue: Bool {
        switch self {
        case .identity, .sign, .logistic, .tanh, .relu, .leakyRelu, .elu, .selu: true
        default: false
        }
    }

    /// The closed range of its values. It includes bounds that are only approached.
    var range: (least: Float, greatest: Float) {
        switch self {
        case .identity, .leakyRelu: (-.infinity, .infinity)
        case .sign, .tanh, .softsign, .sine: (-1, 1)
        case .logistic, .hardSigmoid, .gaussian, .softmax: (0, 1)
        case .relu6: (0, 6)
        case .relu, .softplus: (0, .infinity)
        case .elu: (-1, .infinity)
        case .silu: (-0.27846454, .infinity)  // at z = -1.2784645
        case .gelu: (-0.16997121, .infinity)  // at z = -0.75179157
        case .selu: (-1.7580994, .infinity)
        case .mish: (-0.30884033, .infinity)  // at z = -1.1924582
        case .hardSwish: (-0.375, .infinity)  // at z = -1.5
        }
    }
}
