import CPlatform

/// The rule that computes a step from a gradient. `backprop.h` lists the formulas at `bp_network_set_optimizer`.
public enum Optimizer: Int32, Selectable, Sendable {
    case sgd, momentum, nesterov, rmsprop, adam, adamw, irpropMinus
    case lbfgs, levenbergMarquardt, bayesianRegularization

    static var typeName: StaticString { "optimizer" }
    static var synonyms: StaticString {
        """
        gd=sgd gradientdescent=sgd sgdm=momentum sgdmomentum=momentum heavyball=momentum nag=nesterov
        nesterovmomentum=nesterov rprop=irprop_minus irprop=irprop_minus adamoptimizer=adam
        bfgs=lbfgs lbfgsb=lbfgs lm=levenberg_marquardt trainlm=levenberg_marquardt levenberg=levenberg_marquardt
        marquardt=levenberg_marquardt trainbr=bayesian_regularization br=bayesian_regularization
        """
    }

    /// The name of the optimizer, as in model files.
    public var name: String {
        switch self {
        case .sgd: "sgd"
        case .momentum: "momentum"
        case .nesterov: "nesterov"
        case .rmsprop: "rmsprop"
        case .adam: "adam"
        case .adamw: "adamw"
        case .irpropMinus: "irprop_minus"
        case .lbfgs: "lbfgs"
        case .levenbergMarquardt: "levenberg_marquardt"
        case .bayesianRegularization: "bayesian_regularization"
        }
    }

    /// Whether a step evaluates the loss at several points, and so needs the rows (Step/SecondOrder.swift).
    var isSecondOrder: Bool { rawValue >= Self.lbfgs.rawValue }

    /// The optimizer's number in the kernels (Kernels/Products/Optimizers.swift).
    var kind: Int32 { rawValue }

    /// A value that an optimizer stores for each parameter.
    enum Slot {
        case momentum, firstMoment, secondMoment, gradient, stepSize

        /// The name in model files.
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

    var slots: Slots {
        switch self {
        case .sgd, .lbfgs, .levenbergMarquardt, .bayesianRegularization: Slots(first: nil, second: nil)
        case .momentum, .nesterov: Slots(first: .momentum, second: nil)
        case .rmsprop: Slots(first: .secondMoment, second: nil)
        case .adam, .adamw: Slots(first: .firstMoment, second: .secondMoment)
        case .irpropMinus: Slots(first: .gradient, second: .stepSize)
        }
    }

    /// At most two slots. Not an array: the compiler gives constant arrays that it copies into another module the same names in a
    /// different order, and the linker then takes the wrong ones (Tests/Library/weak_data.py).
    struct Slots: Sequence, IteratorProtocol {
        var first, second: Slot?

        var count: Int { first == nil ? 0 : second == nil ? 1 : 2 }

        mutating func next() -> Slot? {
            defer { (first, second) = (second, nil) }
            return first
        }
    }

    /// The number of vectors as long as the parameters that an optimizer stores: its slots, or the pairs of L-BFGS.
    func vectorCount(_ options: Options<NetworkOption>) -> Int {
        self == .lbfgs ? 2 * Int(options[.lbfgsHistory]) : slots.count
    }

    /// The range of the step sizes of iRprop⁻ (Kernels/Products/Optimizers.swift).
    static var stepSizes: ClosedRange<Float> { 1e-6...50 }
}
