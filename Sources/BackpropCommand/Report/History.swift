import Backprop

/// The losses of a training, by epoch. Of a long training, each second, fourth, … epoch is kept.
struct History {
    private(set) var epochs: [Int] = []
    private(set) var losses: [Double] = [], validationLosses: [Double] = []
    private var step = 1
    private static var limit: Int { 256 }

    mutating func add(epoch: Int, loss: Double, validationLoss: Double) {
        guard epoch % step == 0 else { return }
        if epochs.count == Self.limit {
            step *= 2
            let kept = epochs.indices.filter { epochs[$0] % step == 0 }
            (epochs, losses, validationLosses) = (
                kept.map { epochs[$0] }, kept.map { losses[$0] }, kept.map { validationLosses[$0] }
            )
            guard epoch % step == 0 else { return }
        }
        epochs.append(epoch)
        losses.append(loss)
        validationLosses.append(validationLoss)
    }

    /// The losses that the training minimizes or selects by: of the validation rows, if there are any.
    var curve: [Double] { validationLosses.contains { !$0.isNaN } ? validationLosses : losses }

    // MARK: Metadata

    /// Stores the history as metadata "history" of a network: CSV with the columns epoch, loss and validation_loss.
    func store(in network: Network) throws(BackpropError) {
        var text: Text = "epoch,loss,validation_loss\n"
        for i in epochs.indices {
            text += "\(epochs[i]),\(Double(Float(losses[i]))),"
            if !validationLosses[i].isNaN { text += "\(Double(Float(validationLosses[i])))" }
            text += "\n"
        }
        try network.setMetadata("history", String(decoding: text.bytes, as: UTF8.self))
    }

    /// The history of a model; nil if it has none.
    static func read(from network: Network) throws(BackpropError) -> History? {
        guard let text = try? network.metadata("history") else { return nil }
        let bytes = Bytes(text.utf8)
        var history = History()
        try bytes.withUnsafeBufferPointer { (bytes) throws(BackpropError) in
            let reader = CSVReader("metadata \"history\"", bytes)
            _ = try reader.next()
            while try reader.next() {
                guard reader.count == 3, case .number(let epoch) = FieldValue(reader.field(0)), abs(epoch) < 1e15,
                    case .number(let loss) = FieldValue(reader.field(1))
                else {
                    return
                }
                var validationLoss = Double.nan
                if case .number(let loss) = FieldValue(reader.field(2)) { validationLoss = loss }
                history.epochs.append(Int(epoch))
                history.losses.append(loss)
                history.validationLosses.append(validationLoss)
            }
        }
        return history.epochs.isEmpty ? nil : history
    }
}
