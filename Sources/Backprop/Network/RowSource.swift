/// Single numbers of [rows × columns] numbers of a caller, for checks and statistics.
enum RowSource {
    /// Row-major without gaps.
    case floats(UnsafePointer<Float>)
    case described(DescribedRows)

    /// A number, unscaled.
    @inline(__always)
    func number(_ row: Int, _ column: Int, columns: Int) -> Double {
        switch self {
        case .floats(let floats): Double(floats[row * columns + column])
        case .described(let rows): rows.number(row, column)
        }
    }

    /// A number as the network computes with it.
    @inline(__always)
    func scaled(_ row: Int, _ column: Int, columns: Int, _ scaling: Scaling?) -> Float {
        switch self {
        case .floats(let floats):
            let value = floats[row * columns + column]
            return scaling.map { $0.scaled(value, column: column) } ?? value
        case .described(let rows): return rows.scaled(row, column, scaling)
        }
    }

    /// A number as text.
    func text(_ row: Int, _ column: Int, columns: Int) -> String {
        let value = number(row, column, columns: columns)
        return isDouble ? decimal(value) : decimal(Float(value))
    }

    var isDouble: Bool {
        if case .described(let rows) = self { rows.element == .double } else { false }
    }
}
