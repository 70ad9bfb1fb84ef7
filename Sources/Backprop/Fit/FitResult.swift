/// The result of a fit.
public struct FitResult: Sendable {
    /// The mean loss per row with the weights that the network has after the fit: of the validation rows, if there are any.
    public let loss: Double
    /// Whether the progress function or `cancel` stopped the fit early.
    public let isStopped: Bool
    /// With option "stratify", the first class that has no training row or no validation row; nil if there is none.
    public let missingClass: Int?
}
