/// How good predictions are, in the terms of their use: of outputs and targets as they are in the data.
public enum Measure: Int, Selectable, Sendable {
    case accuracy, r2, meanAbsoluteError

    static var noun: StaticString { "measure" }
    static var synonyms: StaticString {
        """
        acc=accuracy accuracyscore=accuracy r2score=r2 rsquared=r2 determination=r2 mae=mean_absolute_error
        l1=mean_absolute_error
        """
    }

    public var name: String {
        switch self {
        case .accuracy: "accuracy"
        case .r2: "r2"
        case .meanAbsoluteError: "mean_absolute_error"
        }
    }
}
