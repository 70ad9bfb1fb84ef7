/// A matrix as the kernels take it, in memory that shows what was written where it should not: before, behind and, unless
/// it is to be clean, between columns and stride.
final class Matrix {
    let rows, columns, stride: Int
    let base: UnsafeMutablePointer<Float>
    private let memory: UnsafeMutableBufferPointer<Float>
    private static let fence = 64
    /// A NaN like no other: reading it spoils a result, writing over it shows.
    private static let canary = Float(bitPattern: 0x7FED_CBA9)

    /// `padding` is what lies between columns and stride; 0 as the library keeps it, unless told.
    init(_ rows: Int, _ columns: Int, _ numbers: [Float]? = nil, stride: Int? = nil, padding: Float = 0) {
        self.rows = rows
        self.columns = columns
        self.stride = stride ?? (columns + 15) / 16 * 16
        let count = rows * self.stride + 2 * Self.fence
        let raw = UnsafeMutableRawBufferPointer.allocate(byteCount: count * 4, alignment: 64)  // as the library's
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

    /// Without padding.
    var numbers: [Float] {
        (0..<rows).flatMap { row in (0..<columns).map { base[row * stride + $0] } }
    }

    subscript(row: Int, column: Int) -> Float { base[row * stride + column] }

    /// Everything between the fences, padding included.
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
