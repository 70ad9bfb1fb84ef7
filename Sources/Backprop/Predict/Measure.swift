/// A measure of predictions, of unscaled outputs and targets.
public enum Measure: Int, Selectable, Sendable {
    /// The share of rows whose largest output is that of the largest target. With a single output, the share of rows whose
    /// output and target lie on the same side of the middle of the activation's range.
    case accuracy
    /// 1 − Σ (ŷ − y)² / Σ (y − ȳ)², the mean over the outputs.
    case r2
    /// The mean of |ŷ − y|.
    case meanAbsoluteError

    static var typeName: StaticString { "measure" }
    static var synonyms: StaticString {
        """
        acc=accuracy accuracyscore=accuracy r2score=r2 rsquared=r2 determination=r2 mae=mean_absolute_error
        l1=mean_absolute_error mse= rmse= meansquarederror=
        """
    }

    /// The name of the measure in the C interface.
    public var name: String {
        switch self {
        case .accuracy: "accuracy"
        case .r2: "r2"
        case .meanAbsoluteError: "mean_absolute_error"
        }
    }
}
