/// The argument of a progress function, at the end of an epoch or within an epoch.
public struct Progress: Sendable {
    /// The index of the restart or, in a fit of several networks, of the network, from 0.
    public internal(set) var restart: Int
    /// The number of finished epochs, and of all epochs.
    public var epoch: Int { Int(clamping: counts.epoch) }
    public var epochs: Int { Int(clamping: counts.epochs) }
    /// The number of steps made, and of all steps.
    public var step: Int { Int(clamping: counts.step) }
    public var steps: Int { Int(clamping: counts.steps) }
    /// The mean loss per training row: of the finished epoch, or of the steps so far of the epoch in progress. The loss of a
    /// row is computed before the weights are changed by its step.
    public let loss: Double
    /// The mean loss per validation row after an epoch; NaN within an epoch, and without validation rows.
    public let validationLoss: Double
    /// The learning rate of the latest step.
    public let learningRate: Double
    /// Whether the report is at the end of an epoch.
    public let isEpochEnd: Bool
    package let counts: (epoch: UInt64, epochs: UInt64, step: UInt64, steps: UInt64)
}
