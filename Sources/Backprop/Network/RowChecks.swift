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
            throw BackpropError(
                .notFinite, "\(name): row \(i / columns), column \(i % columns) is \(decimal(values[i]))")
        }
        return size
    }

    func requireRows(_ rows: Int) throws(BackpropError) {
        guard rows != 0 else { throw BackpropError(.invalidValue, "rows is 0: at least 1 is needed") }
        _ = try checkedProduct(rows, max(inputCount, outputCount))
    }
}
