/// The result of comparing f′ with differences of f.
public struct ActivationReport: Sendable {
    /// The number of points z at which they were compared.
    public internal(set) var points = 0
    /// The number of these points at which f has a kink or a jump.
    public internal(set) var kinks = 0
    /// The first of the kinks; NaN if there is none.
    public internal(set) var firstKink = Double.nan
    /// The number of points that were skipped, because f is not finite around them.
    public internal(set) var skipped = 0
    /// The largest relative error.
    public internal(set) var worstError = 0.0
    /// The point with the largest relative error.
    public internal(set) var worstZ = Double.nan
}
