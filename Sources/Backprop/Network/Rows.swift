/// Rows in the caller's memory: inputs [count × inputs], targets [count × targetCount].
package struct Rows {
    /// The arrays, unless the rows must be narrowed.
    let inputs, targets: UnsafePointer<Float>
    let count: Int
    /// The targets of a row, if the caller knows them. Another thread can set a loss of another number before the fit begins.
    let targetCount: Int?
    /// The rows as a caller described them; nil for arrays.
    let described: DescribedPair?

    /// The description, if the rows must be converted to arrays, a block at a time.
    @inline(__always)
    var narrowed: DescribedPair? { described.flatMap { $0.isInPlace ? nil : $0 } }
    /// The weights of described rows; nil: all are 1.
    var weights: UnsafePointer<Float>? { described?.weights }
    /// The targets, for checks of single numbers.
    var targetSource: RowSource { described.map { $0.targets.source } ?? .floats(targets) }

    package init(inputs: UnsafePointer<Float>, targets: UnsafePointer<Float>, count: Int, targetCount: Int? = nil) {
        self.inputs = inputs
        self.targets = targets
        self.count = count
        self.targetCount = targetCount
        described = nil
    }

    init(_ described: DescribedPair) {
        inputs = described.inputs.floats
        targets = described.targets.floats
        count = described.inputs.rows
        targetCount = nil
        self.described = described
    }

    /// The rows that a caller describes, whose numbers must be the same.
    @inline(never)
    package init(
        pairing inputs: DescribedRows, _ targets: DescribedRows, _ nameOfInputs: StaticString = "inputs",
        _ nameOfTargets: StaticString = "targets"
    ) throws(BackpropError) {
        guard inputs.rows == targets.rows else {
            throw BackpropError(
                .mismatch, "\(nameOfTargets) has \(targets.rows) rows, but \(nameOfInputs) has \(inputs.rows)")
        }
        self.init(DescribedPair(inputs, targets, weights: targets.weights))
    }
}

extension Rows {
    /// Some of the rows, without their weights.
    func part(_ range: Range<Int>, inputs inputCount: Int, targets targetCount: Int) -> Rows {
        if let described {
            return Rows(
                DescribedPair(described.inputs.part(range), described.targets.part(range), weights: nil))
        }
        return Rows(
            inputs: inputs + range.lowerBound * inputCount, targets: targets + range.lowerBound * targetCount, count: range.count)
    }

    /// Checks the weights of described rows.
    func requireWeights() throws(BackpropError) {
        if let weights { try RowWeights.require(weights, rows: count) }
    }
}

/// Inputs and targets that a caller described.
final class DescribedPair {
    let inputs, targets: DescribedRows
    let weights: UnsafePointer<Float>?
    /// Whether both are arrays.
    let isInPlace: Bool

    init(_ inputs: DescribedRows, _ targets: DescribedRows, weights: UnsafePointer<Float>?) {
        self.inputs = inputs
        self.targets = targets
        self.weights = weights
        isInPlace = inputs.isInPlace && targets.isInPlace
    }
}

extension NetworkState {
    /// Checks that described rows have the columns of this network.
    @inline(never)
    func requireColumns(
        _ inputs: DescribedRows?, _ targets: DescribedRows?, _ nameOfInputs: StaticString = "inputs",
        _ nameOfTargets: StaticString = "targets"
    ) throws(BackpropError) {
        let areInputsWrong = (inputs?.columns ?? inputCount) != inputCount
        guard areInputsWrong || (targets?.columns ?? targetCount) != targetCount else { return }
        let columns = (areInputsWrong ? inputs : targets)?.columns ?? 0
        throw BackpropError(
            .mismatch,
            "\(areInputsWrong ? nameOfInputs : nameOfTargets) has \(columns) columns, but the network needs "
                + "\(areInputsWrong ? inputCount : targetCount)")
    }

    /// The described rows of a call on this network. `areShare`: whether they are those of one of several workers.
    @inline(never)
    func rows(_ inputs: DescribedRows, _ targets: DescribedRows, areShare: Bool = false) throws(BackpropError) -> Rows {
        try requireColumns(inputs, targets)
        if areShare { try requireShare(inputs.rows) } else { try requireRows(inputs.rows) }
        let rows = try Rows(pairing: inputs, targets)
        try rows.requireWeights()
        return rows
    }
}
