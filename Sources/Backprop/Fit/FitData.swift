import CPlatform

/// The training rows and the validation rows of a fit, shared by all its runs.
final class FitData {
    let rows: Rows
    /// The weights of the rows: the trainer's, or those of described targets.
    let weights: UnsafePointer<Float>?
    /// The number of rows to train on.
    let trainingCount: Int
    /// The indices of all rows: first those to train on, then those to validate with. nil without a split.
    let split: RowIndices?
    /// nil without validation.
    let validation: Rows?
    /// The memory of `validation`, if it is from a split.
    private let heldOut: HeldOutRows?
    /// The first class without a training row or a validation row, of a stratified split.
    let missingClass: Int?

    private init(
        rows: Rows, weights: UnsafePointer<Float>?, trainingCount: Int, split: RowIndices? = nil, validation: Rows?,
        heldOut: HeldOutRows? = nil, missingClass: Int? = nil
    ) {
        self.rows = rows
        self.weights = weights
        self.trainingCount = trainingCount
        self.split = split
        self.validation = validation
        self.heldOut = heldOut
        self.missingClass = missingClass
    }

    /// Without `validation`, `fraction` of the rows, or of each class, drawn by `seed`, are held out for it.
    static func make(
        _ rows: Rows, weights: RowWeights?, validation: Rows?, fraction: Double, stratify: Bool, seed: UInt64,
        for network: NetworkState
    ) throws(BackpropError) -> FitData {
        try network.requireColumns(rows.described?.inputs, rows.described?.targets)
        try network.requireTrainable(rows, "inputs", "targets")
        if let weights {
            guard weights.count == rows.count else {
                throw BackpropError(
                    .invalidValue, "the trainer has weights for \(counted(weights.count, "row")), but rows is \(rows.count)")
            }
            guard rows.weights == nil else {
                throw BackpropError(.invalidValue, "both the trainer and targets have row weights")
            }
        }
        let weights = weights?.base ?? rows.weights
        try network.requireFittable(rows.targetSource, weights: weights, rows: rows.count)
        if let validation {
            try network.requireValidation(validation)
        } else if fraction > 0, network.workers == nil || rows.count > 1 {
            return try make(rows, weights, fraction: fraction, stratify: stratify, seed: seed, for: network)
        }
        return FitData(rows: rows, weights: weights, trainingCount: rows.count, validation: validation)
    }

    /// At least one row is trained on, and at least one is held out. The split depends on the seed only, so that all
    /// restarts have the same.
    private static func make(
        _ rows: Rows, _ weights: UnsafePointer<Float>?, fraction: Double, stratify: Bool, seed: UInt64, for network: NetworkState
    ) throws(BackpropError) -> FitData {
        guard rows.count > 1 else {
            throw BackpropError(.invalidValue, "a single row cannot be split: validation_fraction needs 2 rows or more")
        }
        var count = StratifiedSplit.validationCount(rows.count, fraction)
        var missingClass: Int?
        var split = try RowIndices.make(rows.count)
        for i in 0..<rows.count { split.base[i] = i }
        var random = Random(seed: seed, stream: UInt64.max)
        split.shuffle(rows.count, &random)
        if stratify {
            guard network.targetCount == network.outputCount else {
                throw BackpropError(
                    .unsupported,
                    "stratify needs a target for each output, but a row of targets of loss \"\(network.loss.name)\" has "
                        + counted(network.targetCount, "number"))
            }
            let stratified = try StratifiedSplit.make(
                split, rows.count, fraction: fraction, rows.targetSource, columns: network.targetCount)
            split = stratified.indices
            count = stratified.validationCount
            missingClass = stratified.missingClass
        }
        let heldOut = try HeldOutRows.make(
            rows, split.base + (rows.count - count), count, inputs: network.inputCount, targets: network.targetCount)
        return FitData(
            rows: rows, weights: weights, trainingCount: rows.count - count, split: split, validation: heldOut.rows,
            heldOut: heldOut, missingClass: missingClass)
    }
}

extension NetworkState {
    func requireValidation(_ rows: Rows) throws(BackpropError) {
        try requireColumns(
            rows.described?.inputs, rows.described?.targets, "validation_inputs", "validation_targets")
        try requireTrainable(rows, "validation_inputs", "validation_targets")
        if let error = undefinedTarget(rows.targetSource, rows.weights, rows: rows.count, "validation_targets") { throw error }
    }

    fileprivate func requireTrainable(_ rows: Rows, _ inputs: String, _ targets: String) throws(BackpropError) {
        if let count = rows.targetCount, count != targetCount {
            throw BackpropError(.busy, "another thread has set a loss of other targets")
        }
        try requireShare(rows.count)
        try rows.requireWeights()
        try requireFinite(rows, inputs, targets)
    }
}
