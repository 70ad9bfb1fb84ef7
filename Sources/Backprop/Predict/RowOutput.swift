/// Outputs in a caller's memory, which need not be aligned.
struct RowOutput {
    private let values: UnsafeMutableRawPointer
    private let isDouble: Bool
    private let rowStride, columnStride: Int

    @inline(never)
    init(
        _ values: UnsafeMutableRawPointer, _ element: RowDescription.Element?, rows: Int, columns: Int, rowStride: Int,
        columnStride: Int
    ) throws(BackpropError) {
        guard let element, element == .float || element == .double else {
            throw DescribedRows.malformed("outputs_out", "has a type that is neither BP_FLOAT nor BP_DOUBLE")
        }
        self.values = values
        isDouble = element == .double
        (self.rowStride, self.columnStride) = try DescribedRows.strides(
            rowStride, columnStride, rows: rows, columns: columns, element, "outputs_out")
    }

    /// Row-major without gaps.
    init(floats: UnsafeMutablePointer<Float>, columns: Int) {
        values = UnsafeMutableRawPointer(floats)
        isDouble = false
        (rowStride, columnStride) = (4 * columns, 4)
    }

    /// Stores rows from `first` on, in the caller's units. outputs: [count × columns], as the network computes them; they are
    /// changed.
    func store(_ outputs: UnsafeMutablePointer<Float>, first: Int, count: Int, columns: Int, scaling: Scaling?) {
        if !isDouble { scaling?.undo(outputs, rows: count) }
        for row in 0..<count {
            for column in 0..<columns {
                let at = values + (first + row) * rowStride + column * columnStride
                let output = outputs[row * columns + column]
                if isDouble {
                    let value = scaling.map { $0.unscaled(Double(output), column: column) } ?? Double(output)
                    at.storeBytes(of: value.bitPattern, as: UInt64.self)
                } else {
                    at.storeBytes(of: output.bitPattern, as: UInt32.self)
                }
            }
        }
    }
}
