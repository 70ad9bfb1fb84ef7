import CKernels

/// Checks of a caller's rows.
extension NetworkState {
    /// Checks that values [rows × columns] are finite. Returns the sum of their magnitudes.
    @discardableResult
    func requireFinite(
        _ values: UnsafePointer<Float>, rows: Int, columns: Int, _ name: String
    ) throws(BackpropError) -> Float {
        let count = rows * columns
        let size = kernels.sum_of_magnitudes(values, count)
        if size.isFinite { return size }
        for i in 0..<count where !values[i].isFinite {
            throw notFinite(values, i, columns: columns, name)
        }
        return size
    }

    private func notFinite(_ values: UnsafePointer<Float>, _ i: Int, columns: Int, _ name: String) -> BackpropError {
        BackpropError(.notFinite, "\(name): row \(i / columns), column \(i % columns) is \(decimal(values[i]))")
    }

    /// Checks targets [rows × targetCount]. With option "missing_targets", a NaN is a missing target.
    func requireFiniteTargets(_ targets: UnsafePointer<Float>, rows: Int, _ name: String) throws(BackpropError) {
        if options[.missingTargets] == 0 {
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
}
