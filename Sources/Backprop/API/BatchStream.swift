import CPlatform

/// Fills the minibatches of a stream from a sequence of batches of any numbers of rows.
final class BatchStream<Batches: Sequence> where Batches.Element == Trainer.Batch {
    private let batches: Batches
    private let network: Handle<NetworkState>
    private var inputs = 0, targets = 0
    private var iterator: Batches.Iterator
    /// The epoch and the row of the next minibatch, if it follows the previous one.
    private var epoch: UInt64?
    private var nextRow: UInt64 = 0
    /// The batch in use, its number of rows, and the number of these that are used.
    private var batch = Trainer.Batch(inputs: [], targets: [])
    private var count = 0, used = 0

    init(_ batches: Batches, for network: Handle<NetworkState>) {
        self.batches = batches
        self.network = network
        iterator = batches.makeIterator()
    }

    /// Fills a minibatch. Returns false if a later epoch has no rows.
    func fill(_ request: inout MinibatchStream.Request) throws(BackpropError) -> Bool {
        if epoch == nil {  // only now, since the loss cannot change during the fit
            (inputs, targets) = try network.read { (state) throws(BackpropError) in (state.inputCount, state.targetCount) }
        }
        if request.epoch != epoch || request.firstRow != nextRow {
            if epoch != nil { iterator = batches.makeIterator() }
            (count, used) = (0, 0)
            nextRow = 0
            while nextRow < request.firstRow, let rows = try take(Int(clamping: request.firstRow - nextRow)) {
                nextRow += UInt64(rows)
            }
        }
        while request.rows < request.capacity, let rows = try take(request.capacity - request.rows) {
            let first = used - rows
            copy(batch.inputs, first, rows, inputs, request.inputs + request.rows * inputs)
            copy(batch.targets, first, rows, targets, request.targets + request.rows * targets)
            if let weights = batch.weights { copy(weights, first, rows, 1, request.weights + request.rows) }
            request.rows += rows
        }
        let isExhausted = request.rows == 0 && request.firstRow == 0 && epoch != nil
        epoch = request.epoch
        nextRow += UInt64(request.rows)
        return !isExhausted
    }

    /// Uses at most `most` rows of the batch in use, or of the next one. Returns their number; nil at the end.
    private func take(_ most: Int) throws(BackpropError) -> Int? {
        while used == count {
            guard let next = iterator.next() else { return nil }
            batch = next
            (count, used) = (next.inputs.count / inputs, 0)
            guard next.inputs.count == count * inputs, next.targets.count == count * targets,
                next.weights.map({ $0.count == count }) ?? true
            else {
                throw BackpropError(
                    .invalidValue,
                    """
                    a batch of \(next.inputs.count) inputs, \(next.targets.count) targets and \
                    \(next.weights?.count ?? count) weights does not match the network's rows
                    """)
            }
        }
        let rows = min(most, count - used)
        used += rows
        return rows
    }

    private func copy(
        _ values: [Float], _ first: Int, _ rows: Int, _ columns: Int, _ destination: UnsafeMutablePointer<Float>
    ) {
        values.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { cp_copy(destination, base + first * columns, rows * columns * 4) }
        }
    }
}
