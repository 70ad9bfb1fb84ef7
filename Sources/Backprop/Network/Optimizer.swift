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

    /// What an optimizer keeps for a parameter.
    enum Slot {
        case momentum, firstMoment, secondMoment, gradient, stepSize

        /// In files.
        var name: String {
            switch self {
            case .momentum: "momentum"
            case .firstMoment: "first_moment"
            case .secondMoment: "second_moment"
            case .gradient: "gradient"
            case .stepSize: "step_size"
            }
        }
    }

    var slots: [Slot] {
        switch self {
        case .sgd: []
        case .momentum, .nesterov: [.momentum]
        case .rmsprop: [.secondMoment]
        case .adam, .adamw: [.firstMoment, .secondMoment]
        case .irpropMinus: [.gradient, .stepSize]
        }
    }

    /// What iRprop⁻ keeps a step size within (Kernels/Optimizers.swift).
    static var stepSizes: ClosedRange<Float> { 1e-6...50 }
}
