import Backprop
import CPlatform

/// Rows of doubles, initially 0, in memory that can be refused.
final class Matrix {
    let columns: Int
    /// The number of rows in use, at most those that were allocated.
    var rows = 0
    let base: UnsafeMutablePointer<Double>

    private init(_ columns: Int, _ base: UnsafeMutablePointer<Double>) {
        self.columns = columns
        self.base = base
    }

    deinit { cp_free(base) }

    static func make(rows: Int, columns: Int) throws(BackpropError) -> Matrix {
        let count = try checkedProduct(try checkedProduct(rows, columns), 2)
        guard let memory = cp_allocate_floats(count) else {
            throw BackpropError(.outOfMemory, "out of memory: cannot allocate \(rows) times \(columns) numbers")
        }
        return Matrix(columns, UnsafeMutableRawPointer(memory).assumingMemoryBound(to: Double.self))
    }

    func row(_ index: Int) -> UnsafeMutablePointer<Double> { base + index * columns }

    /// The rows of a range, for the library.
    func rows(_ range: Range<Int>) -> RowDescription {
        RowDescription(row(range.lowerBound), .double, rows: range.count, columns: columns)
    }

    func swapRows(_ a: Int, _ b: Int) {
        let a = row(a), b = row(b)
        for i in 0..<columns { (a[i], b[i]) = (b[i], a[i]) }
    }

    /// The column of the largest number of a row.
    func largest(ofRow index: Int) -> Int { largestIndex(row(index), columns) }
}

func largestIndex(_ values: UnsafePointer<Double>, _ count: Int) -> Int {
    var largest = 0
    for i in 1..<max(count, 1) where values[i] > values[largest] { largest = i }
    return largest
}
