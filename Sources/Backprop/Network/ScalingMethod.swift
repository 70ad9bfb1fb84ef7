/// How offset and scale of a column come from data.
public enum ScalingMethod: Int, Selectable, Sendable {
    case none, standard, minMax, symmetric
    /// One of the others: for targets, the one that suits the last activation and the loss. No network answers it.
    case auto

    public var name: String {
        switch self {
        case .none: "none"
        case .standard: "standard"
        case .minMax: "min_max"
        case .symmetric: "symmetric"
        case .auto: "auto"
        }
    }

    static var noun: StaticString { "scaling" }
    static var synonyms: StaticString {
        """
        zscore=standard standardize=standard standardscaler=standard normalize=standard minmaxscaler=min_max
        range=min_max unit=min_max maxabs=symmetric maxabsscaler=symmetric identity=none automatic=auto default=auto
        """
    }

    func resolved(_ automatic: ScalingMethod) -> ScalingMethod { self == .auto ? automatic : self }
}
