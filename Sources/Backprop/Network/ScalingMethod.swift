/// How offset and scale of a column come from data.
public enum ScalingMethod: Int, Named, Sendable {
    case none, standard, minMax

    public var name: String {
        switch self {
        case .none: "none"
        case .standard: "standard"
        case .minMax: "min_max"
        }
    }
}
