/// What a progress function is told, at the end of an epoch or within one.
public struct Progress: Sendable {
    /// Which of the restarts, from 0.
    public let restart: Int
    /// Epochs finished, of how many.
    public let epoch, epochs: Int
    /// Steps done, of how many.
    public let step, steps: Int
    /// The mean loss of a row: of the epoch finished, or so far of the one in progress. A row's is that before its step.
    public let loss: Double
    /// The same of the validation rows, after an epoch; NaN within one, and without such rows.
    public let validationLoss: Double
    /// Of the latest step.
    public let learningRate: Double
    /// Whether an epoch has just been finished.
    public let isEpochEnd: Bool
}
