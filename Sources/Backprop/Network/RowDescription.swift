/// Rows of numbers in the program's memory, of any type and layout, for the methods that take them instead of arrays of
/// Float. `backprop.h` describes the fields at `bp_rows`.
///
///     try matrix.withUnsafeBytes { bytes in  // column-major doubles
///         let x = RowDescription(bytes.baseAddress, .double, rows: 150, columns: 4, rowStride: 8, columnStride: 8 * 150)
///         return try network.predict(x)
///     }
public struct RowDescription {
    /// The type of the numbers. Raw values are the constants of `backprop.h`.
    public enum Element: Int32, Sendable {
        case float, double, half, int8, uint8

        var size: Int {
            switch self {
            case .double: 8
            case .float: 4
            case .half: 2
            case .int8, .uint8: 1
            }
        }
    }

    /// The address of the first number of the first row, which must be valid during each call.
    public var values: UnsafeRawPointer?
    public var element: Element
    public var rows, columns: Int
    /// Bytes from a row, or a column, to the next one. Both 0: row-major without gaps.
    public var rowStride, columnStride: Int
    /// Of 8-bit integers: a number is scale · (stored − zeroPoint). Scale 0 counts as 1.
    public var scale: Float = 0
    public var zeroPoint: Int32 = 0
    /// The weight of each row, of targets only: [rows], finite, at least 0. nil: all are 1.
    public var weights: UnsafePointer<Float>?

    public init(
        _ values: UnsafeRawPointer?, _ element: Element, rows: Int, columns: Int, rowStride: Int = 0, columnStride: Int = 0,
        weights: UnsafePointer<Float>? = nil
    ) {
        self.values = values
        self.element = element
        (self.rows, self.columns) = (rows, columns)
        (self.rowStride, self.columnStride) = (rowStride, columnStride)
        self.weights = weights
    }
}
