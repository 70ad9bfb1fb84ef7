/// The rule for the range of random weights.
enum InitializationRule: Int {
    case automatic, glorot, he, leCun

    /// The rule that `automatic` selects for an activation; any other rule itself.
    func resolved(for activation: Activation) -> InitializationRule {
        guard self == .automatic else { return self }
        if case .builtIn(let function) = activation { return function.initialization }
        return .glorot
    }

    /// The bound r of the uniform distribution on [−r, r]. Its variance r² / 3 preserves the variance of the signals
    /// (Glorot and Bengio 2010; He et al. 2015; LeCun et al. 1998).
    func bound(inputs: Int, outputs: Int) -> Float {
        switch self {
        case .automatic, .glorot: Float((6 / (Double(inputs) + Double(outputs))).squareRoot())
        case .he: Float((6 / Double(inputs)).squareRoot())
        case .leCun: Float((3 / Double(inputs)).squareRoot())
        }
    }
}

extension BuiltInActivation {
    /// The rule for its weights that preserves the variance of the signals. He's rule compensates for a rectifier, whose value
    /// is 0, or near 0, for about half of its inputs. Sitzmann et al. 2020 use the same bound for sine, and Klambauer et al.
    /// 2017 LeCun's rule for selu.
    fileprivate var initialization: InitializationRule {
        switch self {
        case .relu, .leakyRelu, .elu, .softplus, .silu, .gelu, .mish, .hardSwish, .relu6, .sine: .he
        case .selu: .leCun
        default: .glorot
        }
    }
}
