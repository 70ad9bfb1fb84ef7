/// The range random weights come from.
enum InitializationRule: Int {
    case automatic, glorot, he, leCun

    /// The one that suits the activation, where the rule is automatic.
    func resolved(for activation: Activation) -> InitializationRule {
        guard self == .automatic else { return self }
        if case .builtIn(let function) = activation, function.isRectifier { return .he }
        return .glorot
    }

    /// r of the uniform distribution on [−r, r]: r² / 3 is the variance that keeps signals at their size
    /// (Glorot and Bengio 2010; He et al. 2015; LeCun et al. 1998).
    func bound(inputs: Int, outputs: Int) -> Float {
        switch self {
        case .automatic, .glorot: Float((6 / (Double(inputs) + Double(outputs))).squareRoot())
        case .he: Float((6 / Double(inputs)).squareRoot())
        case .leCun: Float((3 / Double(inputs)).squareRoot())
        }
    }
}
