/// The result of a fit.
public struct FitResult: Sendable {
    /// The reason why a fit ended. Raw values are the constants of `backprop.h`.
    public enum End: Int32, Sendable {
        /// All epochs or steps were made.
        case complete = 1
        /// Option "patience": too many epochs without a better loss.
        case patience = 2
        /// Option "target_loss" was reached.
        case targetLoss = 3
        /// Option "time_limit" was reached.
        case timeLimit = 4
        /// The progress function, or the function of a stream, stopped the fit.
        case stopped = 5
        /// `Trainer.cancel` stopped the fit.
        case cancelled = 6
        /// A loss or a step was not finite: in a fit of several networks, this one was left unchanged.
        case diverged = 7

        var isStop: Bool { self == .stopped || self == .cancelled }
    }

    /// The mean loss per row with the weights that the network has after the fit: of the validation rows, if there are any.
    public let loss: Double
    /// The reason why the fit ended.
    public internal(set) var end: End
    /// The number of finished epochs, and of steps, counted as in `Progress`.
    public var epochs: Int { Int(clamping: counts.epochs) }
    public var steps: Int { Int(clamping: counts.steps) }
    /// The finished epoch with the best loss, counted from 1; 0 if no epoch was finished.
    public var bestEpoch: Int { Int(clamping: counts.bestEpoch) }
    /// The index of the restart that gave the weights, from 0.
    public internal(set) var restart: Int

    /// Whether the progress function or `cancel` stopped the fit early.
    public var isStopped: Bool { end.isStop }
    /// With option "stratify", the first class that has no training row or no validation row; nil if there is none.
    public let missingClass: Int?
    package let counts: (epochs: UInt64, steps: UInt64, bestEpoch: UInt64)
}
