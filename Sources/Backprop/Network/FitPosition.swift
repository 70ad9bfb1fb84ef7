/// How far a fit has come. It is part of the network, so that another fit can go on from there, in another process too;
/// the order of the rows and the learning rate follow from it.
struct FitPosition {
    /// The trainer's seed, and which of the restarts this is.
    var seed: UInt64 = 0
    var restart: UInt64 = 0
    /// Steps done.
    var step: UInt64 = 0

    /// Of the epoch in progress: the sum of its rows' losses, and how many rows that is.
    var lossSum = 0.0
    var rows: UInt64 = 0

    /// What plateaus and divergence have left of the rate.
    var rateFactor = 1.0
    /// The loss the fit watches: after the latest epoch, the lowest, and epochs since there was a better one.
    var loss = Double.nan
    var best = Double.infinity
    var waited: UInt64 = 0
    var plateauWaited: UInt64 = 0

    /// The mean loss of a row in the epoch in progress.
    var meanLoss: Double { lossSum / Double(rows) }

    /// All of it as words, for files.
    var words: [UInt64] {
        [
            seed, restart, step, lossSum.bitPattern, rows, rateFactor.bitPattern, loss.bitPattern, best.bitPattern, waited,
            plateauWaited,
        ]
    }

    func isSame(as other: FitPosition) -> Bool { words == other.words }

    /// No program makes more steps, in a fit or by single calls: more than fit into thirty years at a nanosecond each.
    static var mostSteps: UInt64 { 1_000_000_000_000_000_000 }
    /// Beyond all floats.
    private static var mostLoss: Double { 0x1p128 }

    init() {}

    /// From such words, where they can be those of a fit.
    init?(words: [UInt64]) {
        guard words.count == 10 else { return nil }
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
        guard restart < TrainerOption.mostRestarts, step <= Self.mostSteps, rows < 1 << 59, waited <= step, plateauWaited <= step,
            rateFactor >= 0, rateFactor <= 1, lossSum.magnitude <= Self.mostLoss * Double(rows),
            loss.isNaN || loss.magnitude <= Self.mostLoss, best == .infinity || best.magnitude <= Self.mostLoss
        else { return nil }
    }
}
