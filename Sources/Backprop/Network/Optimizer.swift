import CPlatform

/// How a gradient becomes a step. The formulas are in Kernels/Optimizers.swift.
public enum Optimizer: Int32, Selectable, Sendable {
    case sgd, momentum, nesterov, rmsprop, adam, adamw, irpropMinus

    static var noun: StaticString { "optimizer" }
    static var synonyms: StaticString {
        """
        gd=sgd gradientdescent=sgd sgdm=momentum sgdmomentum=momentum heavyball=momentum nag=nesterov
        nesterovmomentum=nesterov rprop=irprop_minus irprop=irprop_minus adamoptimizer=adam
        """
    }

    public var name: String {
        switch self {
        case .sgd: "sgd"
        case .momentum: "momentum"
        case .nesterov: "nesterov"
        case .rmsprop: "rmsprop"
        case .adam: "adam"
        case .adamw: "adamw"
        case .irpropMinus: "irprop_minus"
        }
    }

    /// The number the kernels know it by.
    var kind: Int32 { rawValue }

    /// What it keeps for each parameter, as files name it.
    var slots: [String] {
        switch self {
        case .sgd: []
        case .momentum, .nesterov: ["momentum"]
        case .rmsprop: ["second_moment"]
        case .adam, .adamw: ["first_moment", "second_moment"]
        case .irpropMinus: ["gradient", "step_size"]
        }
    }
}
