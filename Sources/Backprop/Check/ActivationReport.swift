/// What comparing f′ with differences of f found.
public struct ActivationReport: Sendable {
    /// Numbers z at which they were compared.
    public internal(set) var points = 0
    /// Of these, the ones where f has a kink or a jump; and the first of them, NaN for none.
    public internal(set) var kinks = 0
    public internal(set) var firstKink = Double.nan
    /// Numbers z left out, f not being finite around them.
    public internal(set) var skipped = 0
    /// The largest relative error.
    public internal(set) var worstError = 0.0
    /// Where that was.
    public internal(set) var worstZ = Double.nan
}
