/// The position of a fit. It is part of the network, so that another fit can continue from it, also in another process. The
/// order of the rows and the learning rate follow from it.
struct FitPosition {
    /// The trainer's seed, and the number of the restart, from 0.
    var seed: UInt64 = 0
    var restart: UInt64 = 0
    /// The number of steps made.
    var step: UInt64 = 0

    /// In the epoch in progress: the sum of the rows' losses, and the number of these rows.
    var lossSum = 0.0
    var rows: UInt64 = 0

    /// The factor of the learning rate after plateaus and divergences.
    var rateFactor = 1.0
    /// The loss by which the fit selects weights: after the latest epoch, and the lowest; then the numbers of epochs without
    /// a better loss, for early stopping and for the plateau schedule.
    var loss = Double.nan
    var best = Double.infinity
    var waited: UInt64 = 0
    var plateauWaited: UInt64 = 0

    /// The number of training rows, and of rows of a minibatch, which a resumed fit must have, too; 0 if unknown: for the rows of
    /// a stream, and in files from before these numbers. The number of workers, if each had its own rows, is above the
    /// `rowBits` lowest bits of `trainingRows`.
    var trainingRows: UInt64 = 0
    var batchSize: UInt64 = 0

    static var rowBits: UInt64 { 48 }

    /// The position in a stream of minibatches; nil for a fit of arrays, in which it follows from `step`.
    var stream: StreamPosition?

    /// The mean loss of a row in the epoch in progress.
    var meanLoss: Double { lossSum / Double(rows) }

    /// All values as words, for files.
    var words: [UInt64] {
        [
            seed, restart, step, lossSum.bitPattern, rows, rateFactor.bitPattern, loss.bitPattern, best.bitPattern, waited,
            plateauWaited,
        ] + (batchSize > 0 ? [trainingRows, batchSize] : []) + (stream?.words ?? [])
    }

    func isSame(as other: FitPosition) -> Bool { words == other.words }

    /// The largest number of steps: more than a program makes in thirty years at one nanosecond each.
    static var maximumSteps: UInt64 { 1_000_000_000_000_000_000 }
    /// Above every finite Float.
    private static var maximumLoss: Double { 0x1p128 }

    init() {}

    /// Restores a position from `words`; nil if no fit can have that position.
    init?(words: [UInt64]) {
        guard words.count >= 10 else { return nil }
        seed = words[0]
        restart = words[1]
        step = words[2]
        lossSum = Double(bitPattern: words[3])
        rows = words[4]
        rateFactor = Double(bitPattern: words[5])
        loss = Double(bitPattern: words[6])
        best = Double(bitPattern: words[7])
        waited = words[8]
        plateauWaited = words[9]
        var more = words[10...]
        if more.count == 2 || more.count == 5 {
            trainingRows = words[10]
            batchSize = words[11]
            more = words[12...]
        }
        if !more.isEmpty {
            stream = StreamPosition(words: Array(more), step: step, rows: rows)
            guard stream != nil else { return nil }
        }
        guard restart < TrainerOption.mostRestarts, step <= Self.maximumSteps, rows < 1 << 59, waited <= step,
            plateauWaited <= step,
            rateFactor >= 0, rateFactor <= 1, lossSum.magnitude <= Self.maximumLoss * Double(rows),
            loss.isNaN || loss.magnitude <= Self.maximumLoss, best == .infinity || best.magnitude <= Self.maximumLoss
        else { return nil }
    }
}
