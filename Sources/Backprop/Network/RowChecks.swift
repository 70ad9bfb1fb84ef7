import CKernels
import CPlatform

/// Checks of a caller's rows.
extension NetworkState {
    /// Checks that values [rows × columns] are finite. Returns the sum of their magnitudes.
    @discardableResult
    func requireFinite(
        _ values: UnsafePointer<Float>, rows: Int, columns: Int, _ name: String
    ) throws(BackpropError) -> Float {
        let count = rows * columns
        let size = sumOfMagnitudes(values, count)
        if size.isFinite { return size }
        for i in 0..<count where !values[i].isFinite {
            throw notFinite(values, i, columns: columns, name)
        }
        return size
    }

    /// Σ |x|, which is not finite if an element is not finite. Threads that are awake share the work: a minibatch often comes from
    /// memory. The parts depend only on the count, so the sum does not depend on the threads.
    func sumOfMagnitudes(_ values: UnsafePointer<Float>, _ count: Int) -> Float {
        let parts = min(count / 8192, 16)
        guard parts > 1 else { return kernels.sum_of_magnitudes(values, count) }
        var sums = SIMD16<Float>.zero
        withUnsafeMutableBytes(of: &sums) { sums in
            let sums = sums.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: Float.self)
            Parallel.run(parts, parallel: cp_thread_count() > 1, brief: true) { part in
                let first = count * part / parts
                sums[part] = kernels.sum_of_magnitudes(values + first, count * (part + 1) / parts - first)
            }
        }
        return sums.sum()
    }

    private func notFinite(_ values: UnsafePointer<Float>, _ i: Int, columns: Int, _ name: String) -> BackpropError {
        BackpropError(.notFinite, "\(name): row \(i / columns), column \(i % columns) is \(decimal(values[i]))")
    }

    /// Whether a NaN is a missing target.
    var acceptsMissingTargets: Bool { options[.missingTargets] != 0 }

    /// Checks targets [rows × targetCount]. With option "missing_targets", a NaN is a missing target.
    func requireFiniteTargets(_ targets: UnsafePointer<Float>, rows: Int, _ name: String) throws(BackpropError) {
        if !acceptsMissingTargets {
            try requireFinite(targets, rows: rows, columns: targetCount, name)
        } else {
            for i in 0..<rows * targetCount where targets[i].isInfinite {
                throw notFinite(targets, i, columns: targetCount, name)
            }
        }
    }

    func requireRows(_ rows: Int) throws(BackpropError) {
        guard rows != 0 else { throw BackpropError(.invalidValue, "rows is 0: at least 1 is needed") }
        _ = try checkedProduct(rows, max(inputCount, max(outputCount, targetCount)))
    }

    /// Rows that are converted at a time. It bounds the memory.
    static var blockRows: Int { 1024 }

    /// Checks that described rows are finite as the network computes with them, or missing if that is accepted.
    func requireFinite(
        _ rows: DescribedRows, _ scaling: Scaling?, _ name: String, acceptsMissing: Bool = false
    ) throws(BackpropError) {
        let size = min(rows.rows, Self.blockRows)
        let block = try Floats(try checkedProduct(size, rows.columns))
        for first in stride(from: 0, to: rows.rows, by: Self.blockRows) {
            try fill(
                block.base, rows, first: first, count: min(size, rows.rows - first), scaling, name,
                acceptsMissing: acceptsMissing)
        }
    }

    /// Writes described rows as the network computes with them, and checks them.
    @inline(never)
    func fill(
        _ out: UnsafeMutablePointer<Float>, _ rows: DescribedRows, first: Int = 0, count: Int, _ scaling: Scaling?,
        _ name: String, acceptsMissing: Bool = false
    ) throws(BackpropError) {
        rows.fill(out, first: first, count: count, scaling: scaling)
        if kernels.sum_of_magnitudes(out, count * rows.columns).isFinite { return }
        for i in 0..<count * rows.columns where !out[i].isFinite && !(acceptsMissing && out[i].isNaN) {
            let (row, column) = (first + i / rows.columns, i % rows.columns)
            let reason: Text = rows.number(row, column).isFinite ? ", which is too large" : ""
            throw BackpropError(
                .notFinite,
                "\(name): row \(row), column \(column) is "
                    + "\(RowSource.described(rows).text(row, column, columns: rows.columns))" + reason)
        }
    }

    /// Checks the rows of a fit as the network computes with them.
    func requireFinite(_ rows: Rows, _ inputs: String, _ targets: String) throws(BackpropError) {
        if let narrowed = rows.narrowed {
            try requireFinite(narrowed.inputs, inputScaling, inputs)
            return try requireFinite(narrowed.targets, targetScaling, targets, acceptsMissing: acceptsMissingTargets)
        }
        try requireFinite(rows.inputs, rows: rows.count, columns: inputCount, inputs)
        try requireFiniteTargets(rows.targets, rows: rows.count, targets)
    }
}
