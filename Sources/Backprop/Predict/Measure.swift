/// How good predictions are, in the terms of their use: of outputs and targets as they are in the data.
public enum Measure: Int, Named, Sendable {
    case accuracy, r2, meanAbsoluteError

    public var name: String {
        switch self {
        case .accuracy: "accuracy"
        case .r2: "r2"
        case .meanAbsoluteError: "mean_absolute_error"
        }
    }
}
