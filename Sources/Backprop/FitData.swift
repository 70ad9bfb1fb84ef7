import CPlatform

/// Rows of a caller's: inputs [count × inputs], targets [count × outputs].
package struct Rows {
    let inputs, targets: UnsafePointer<Float>
    let count: Int

    package init(inputs: UnsafePointer<Float>, targets: UnsafePointer<Float>, count: Int) {
        self.inputs = inputs
        self.targets = targets
        self.count = count
    }
}

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
        if let validation {
            try network.requireTrainable(validation, "validation_inputs", "validation_targets")
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

/// The rows of a split that are for validation, side by side.
private final class HeldOut {
    private let inputs, targets: Floats
    private let count: Int

    var rows: Rows { Rows(inputs: inputs.base, targets: targets.base, count: count) }

    private init(inputs: consuming Floats, targets: consuming Floats, count: Int) {
        self.inputs = inputs
        self.targets = targets
        self.count = count
    }

    static func make(
        _ rows: Rows, _ numbers: UnsafePointer<Int>, _ count: Int, inputs: Int, outputs: Int
    ) throws(BackpropError) -> HeldOut {
        let x = try Floats(try checkedProduct(count, inputs)), y = try Floats(try checkedProduct(count, outputs))
        for i in 0..<count {
            cp_copy(x.base + i * inputs, rows.inputs + numbers[i] * inputs, inputs * 4)
            cp_copy(y.base + i * outputs, rows.targets + numbers[i] * outputs, outputs * 4)
        }
        return HeldOut(inputs: x, targets: y, count: count)
    }
}

/// Numbers of rows, as many as the caller has.
final class RowNumbers {
    private let storage: Floats
    let base: UnsafeMutablePointer<Int>

    private init(storage: consuming Floats) {
        base = UnsafeMutableRawPointer(storage.base).assumingMemoryBound(to: Int.self)
        self.storage = storage
    }

    static func make(_ count: Int) throws(BackpropError) -> RowNumbers {
        let storage = try Floats(try checkedProduct(count, 2))
        return RowNumbers(storage: storage)
    }

    /// The first ones, every order equally likely (Fisher and Yates; Durstenfeld 1964).
    func shuffle(_ count: Int, _ random: inout Random) {
        var i = count - 1
        while i > 0 {
            let j = random.next(below: i + 1)
            let other = base[j]
            base[j] = base[i]
            base[i] = other
            i -= 1
        }
    }
}

/// How much each row counts.
final class RowWeights {
    private let values: Floats

    var base: UnsafePointer<Float> { UnsafePointer(values.base) }
    var count: Int { values.count }

    private init(values: consuming Floats) { self.values = values }

    static func make(copying weights: UnsafePointer<Float>, count: Int) throws(BackpropError) -> RowWeights {
        let values = try Floats(try checkedProduct(count, 1))
        for i in 0..<count {
            guard weights[i] >= 0, weights[i].isFinite else {
                let weight = decimal(Double(weights[i]))
                throw BackpropError(.invalidValue, "the weight of row \(i) is \(weight): a weight is finite and at least 0")
            }
            values.base[i] = weights[i]
        }
        return RowWeights(values: values)
    }
}

extension NetworkState {
    fileprivate func requireTrainable(_ rows: Rows, _ inputs: String, _ targets: String) throws(BackpropError) {
        try requireRows(rows.count)
        try requireFinite(rows.inputs, rows: rows.count, columns: inputCount, inputs)
        try requireFinite(rows.targets, rows: rows.count, columns: outputCount, targets)
    }
}
