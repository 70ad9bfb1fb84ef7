/// The position in a stream of minibatches, whose epochs may have different lengths.
struct StreamPosition {
    /// The number of finished epochs.
    var epoch: UInt64 = 0
    /// The number of minibatches of the epoch in progress.
    var batch: UInt64 = 0
    /// Whether the stream has ended this epoch, which the fit has not finished yet.
    var isEpochEnded = false

    var words: [UInt64] { [epoch, batch, isEpochEnded ? 1 : 0] }

    init() {}

    /// Counts a minibatch.
    mutating func advance(endsEpoch: Bool) {
        batch += 1
        isEpochEnded = endsEpoch
    }

    mutating func finishEpoch() {
        epoch += 1
        batch = 0
        isEpochEnded = false
    }

    /// Restores a position from `words`; nil if no fit of `step` steps, and `rows` rows in its epoch, can have that position.
    init?(words: [UInt64], step: UInt64, rows: UInt64) {
        guard words.count == 3, words[0] <= step, words[1] <= step - words[0], (words[1] == 0) == (rows == 0),
            words[2] <= (rows == 0 ? 0 : 1)
        else { return nil }
        epoch = words[0]
        batch = words[1]
        isEpochEnded = words[2] == 1
    }
}
