/// The method that computes the scaling of a column from data.
public enum ScalingMethod: Int, Selectable, Sendable {
    /// No scaling.
    case none
    /// (x − mean) / standard deviation.
    case standard
    /// (x − minimum) / (maximum − minimum): from 0 to 1.
    case minMax
    /// (x − middle) / ((maximum − minimum) / 2): from −1 to 1.
    case symmetric
    /// Selects one of the others: for inputs `standard`, for targets by the last activation and the loss. A network never
    /// returns it.
    case auto

    /// The name of the method, as in model files.
    public var name: String {
        switch self {
        case .none: "none"
        case .standard: "standard"
        case .minMax: "min_max"
        case .symmetric: "symmetric"
        case .auto: "auto"
        }
    }

    static var typeName: StaticString { "scaling" }
    static var synonyms: StaticString {
        """
        zscore=standard standardize=standard standardscaler=standard normalize=standard minmaxscaler=min_max
        range=min_max unit=min_max maxabs=symmetric maxabsscaler=symmetric identity=none automatic=auto default=auto
        """
    }

    func resolved(_ automatic: ScalingMethod) -> ScalingMethod { self == .auto ? automatic : self }
}
