/// A matrix for the kernels. Fences before and after it, and the padding between columns and stride, detect writes outside of
/// the matrix.
final class Matrix {
    let rows, columns, stride: Int
    let base: UnsafeMutablePointer<Float>
    private let memory: UnsafeMutableBufferPointer<Float>
    private static let fence = 64
    /// A NaN with a unique bit pattern: a result computed from it is a NaN, and overwriting it is detected.
    private static let canary = Float(bitPattern: 0x7FED_CBA9)

    /// `padding`: the value between columns and stride. It is 0 in the library.
    init(_ rows: Int, _ columns: Int, _ numbers: [Float]? = nil, stride: Int? = nil, padding: Float = 0) {
        self.rows = rows
        self.columns = columns
        self.stride = stride ?? (columns + 15) / 16 * 16
        let count = rows * self.stride + 2 * Self.fence
        let raw = UnsafeMutableRawBufferPointer.allocate(byteCount: count * 4, alignment: 64)  // as in the library
        memory = raw.bindMemory(to: Float.self)
        memory.initialize(repeating: Self.canary)
        base = memory.baseAddress.unsafelyUnwrapped + Self.fence
        for row in 0..<rows {
            for column in 0..<self.stride {
                base[row * self.stride + column] = column < columns ? numbers?[row * columns + column] ?? 0 : padding
            }
        }
    }

    deinit { memory.deallocate() }

    /// The elements without padding.
    var numbers: [Float] {
        (0..<rows).flatMap { row in (0..<columns).map { base[row * stride + $0] } }
    }

    subscript(row: Int, column: Int) -> Float { base[row * stride + column] }

    /// All elements between the fences, with padding.
    var contents: [Float] { Array(UnsafeBufferPointer(start: base, count: rows * stride)) }

    func fill(_ value: Float) {
        for i in 0..<rows * stride { base[i] = value }
    }

    var isFenceWhole: Bool {
        let end = Self.fence + rows * stride
        for i in 0..<Self.fence {
            for at in [i, end + i] where memory[at].bitPattern != Self.canary.bitPattern { return false }
        }
        return true
    }

    func paddingIs(_ value: Float) -> Bool {
        for row in 0..<rows {
            for column in columns..<max(columns, stride) where base[row * stride + column] != value { return false }
        }
        return true
    }
}
