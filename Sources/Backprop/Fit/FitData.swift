import CPlatform

/// What a fit learns from, and what it is validated with. Read by all its runs.
final class FitData {
    let rows: Rows
    let weights: RowWeights?
    /// Rows to train on; with a split, those that its first numbers name.
    let trainingCount: Int
    let split: RowNumbers?
    /// nil where there is none.
    let validation: Rows?
    private let heldOut: HeldOut?

    private init(
        rows: Rows, weights: RowWeights?, trainingCount: Int, split: RowNumbers?, validation: Rows?, heldOut: HeldOut?
    ) {
        self.rows = rows
        self.weights = weights
        self.trainingCount = trainingCount
        self.split = split
        self.validation = validation
        self.heldOut = heldOut
    }

    /// `fraction`, `seed`: of the rows to hold out where no validation set is given.
    static func make(
        _ rows: Rows, weights: RowWeights?, validation: Rows?, fraction: Double, seed: UInt64, for network: NetworkState
    ) throws(BackpropError) -> FitData {
        try network.requireTrainable(rows, "inputs", "targets")
        if let weights, weights.count != rows.count {
            throw BackpropError(.invalidValue, "the trainer has weights for \(weights.count) rows, and rows is \(rows.count)")
        }
        try network.requireFittable(rows.targets, weights: weights?.base, rows: rows.count)
        if let validation {
            try network.requireTrainable(validation, "validation_inputs", "validation_targets")
            if let error = network.undefinedTarget(validation.targets, rows: validation.count, "validation_targets") {
                throw error
            }
        } else if fraction > 0 {
            return try make(rows, weights, fraction: fraction, seed: seed, for: network)
        }
        return FitData(
            rows: rows, weights: weights, trainingCount: rows.count, split: nil, validation: validation, heldOut: nil)
    }

    /// At least one row for each, drawn by the seed alone: all restarts have the same.
    private static func make(
        _ rows: Rows, _ weights: RowWeights?, fraction: Double, seed: UInt64, for network: NetworkState
    ) throws(BackpropError) -> FitData {
        guard rows.count > 1 else {
            throw BackpropError(.invalidValue, "a single row cannot be split: validation_fraction needs 2 rows or more")
        }
        let share = Int((fraction * Double(rows.count)).rounded())
        let count = max(1, min(share, rows.count - 1))
        let split = try RowNumbers.make(rows.count)
        for i in 0..<rows.count { split.base[i] = i }
        var random = Random(seed: seed, stream: UInt64.max)
        split.shuffle(rows.count, &random)
        let heldOut = try HeldOut.make(
            rows, split.base + (rows.count - count), count, inputs: network.inputCount, outputs: network.outputCount)
        return FitData(
            rows: rows, weights: weights, trainingCount: rows.count - count, split: split, validation: heldOut.rows,
            heldOut: heldOut)
    }
}

extension NetworkState {
    fileprivate func requireTrainable(_ rows: Rows, _ inputs: String, _ targets: String) throws(BackpropError) {
        try requireRows(rows.count)
        try requireFinite(rows.inputs, rows: rows.count, columns: inputCount, inputs)
        try requireFinite(rows.targets, rows: rows.count, columns: outputCount, targets)
    }
}
