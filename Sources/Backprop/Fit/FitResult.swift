/// How a fit ended.
public struct FitResult: Sendable {
    /// The mean loss of a row, of the validation rows where there are any: that of the weights kept.
    public let loss: Double
    /// Whether the progress function or `cancel` ended it early.
    public let isStopped: Bool
}
