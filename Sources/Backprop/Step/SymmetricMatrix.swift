import CKernels
import CPlatform

/// A symmetric matrix A in double precision, with the Cholesky factor U of A + D: A + D = Uᵀ U. Tiles are computed on several
/// threads, each by one thread.
final class SymmetricMatrix {
    /// The numbers of rows and of columns in memory: multiples of eight.
    private let rows, stride: Int
    private let memory: Doubles
    /// A, on and below the diagonal; and eight columns further right, so that their tiles are disjoint, A during its
    /// computation, or U, on and above the diagonal.
    private let values, u: UnsafeMutablePointer<Double>
    /// Rows of U, as panels of eight columns.
    private let panels: UnsafeMutablePointer<Double>
    private let kernels: cp_kernels

    /// The number of rows of U that are computed together.
    private static var block: Int { 32 }

    private init(rows: Int, memory: consuming Doubles, _ kernels: cp_kernels) {
        self.rows = rows
        stride = rows + 8
        values = memory.base
        u = values + 8
        panels = values + rows * stride
        self.memory = memory
        self.kernels = kernels
    }

    @inline(__always)
    static func make(_ count: Int, _ kernels: cp_kernels) throws(BackpropError) -> SymmetricMatrix {
        let rows = padded(count)
        let memory = try Doubles(try checkedProduct(rows, rows + 8 + block))
        return SymmetricMatrix(rows: rows, memory: memory, kernels)
    }

    /// The next multiple of eight.
    static func padded(_ count: Int) -> Int { (count + 7) & ~7 }

    /// The bytes of a matrix.
    static func bytes(_ count: Int) -> Double { 8 * Double(padded(count)) * Double(padded(count) + 8 + block) }

    /// A += Jᵀ J. The columns of J are in panels of eight, each of `capacity` rows, of which `depth` are used.
    func addGram(of panels: UnsafePointer<Double>, depth: Int, capacity: Int) {
        addTiles(of: panels, from: 0, depth: depth, panelSize: 8 * capacity, sign: 1)
    }

    /// Adds the products of panels to the tiles on and above the diagonal, from row and column `first` on.
    private func addTiles(of panels: UnsafePointer<Double>, from first: Int, depth: Int, panelSize: Int, sign: Double) {
        let tiles = (rows - first) / 8
        Parallel.run(tiles, parallel: Parallel.threads(for: 32 * Int64(tiles * tiles) * Int64(depth)) > 1) { i in
            let row = first + 8 * i
            kernels.gram(panels + i * panelSize, tiles - i, panelSize, depth, sign, u + row * stride + row, stride)
        }
    }

    /// Replaces the products by the sums over all workers, before `finishGram`.
    func addUp(_ workers: Workers) throws(BackpropError) { try workers.exchange(values, rows * stride, .double) }

    /// Completes A after the last product.
    func finishGram() {
        for i in 0..<rows {
            for j in 0...i { values[i * stride + j] = u[j * stride + i] }
        }
    }

    /// An element of A on or below the diagonal.
    func element(_ row: Int, _ column: Int) -> Double { values[row * stride + column] }

    /// Factors the first `size` rows and columns of A + D, with D = λ, or λ plus a vector. Returns false if rounding has made the
    /// sum indefinite.
    func factor(_ size: Int, plus shift: Double, _ shifts: UnsafePointer<Double>?) -> Bool {
        for i in 0..<size {
            for j in i..<rows { u[i * stride + j] = j < size ? values[j * stride + i] : 0 }
            u[i * stride + i] += shift + (shifts?[i] ?? 0)
        }
        for first in Swift.stride(from: 0, to: size, by: Self.block) {
            let end = min(first + Self.block, size)
            for k in first..<end {
                let row = u + k * stride
                for i in first..<k { add(-u[i * stride + k], u + i * stride + k, to: row + k, size - k) }
                guard row[k] > 1e-15 * element(k, k), row[k] > 0, row[k] < .infinity else { return false }
                let scale = 1 / row[k].squareRoot()
                for j in k..<size { row[j] *= scale }
            }
            if end < size { subtractRows(first..<end, size) }
        }
        return true
    }

    /// Subtracts the products of rows of U from the rows below them.
    private func subtractRows(_ block: Range<Int>, _ size: Int) {
        let first = block.upperBound
        for column in first..<rows {
            let to = panels + (column - first) / 8 * 8 * Self.block + (column & 7)
            for row in block { to[(row - block.lowerBound) * 8] = u[row * stride + column] }
        }
        addTiles(of: panels, from: first, depth: Self.block, panelSize: 8 * Self.block, sign: -1)
    }

    /// Solves Uᵀ U x = b in place.
    func solve(_ x: UnsafeMutablePointer<Double>, _ size: Int) {
        solveTransposed(x, from: 0, size)
        for i in (0..<size).reversed() {
            let row = u + i * stride
            x[i] = (x[i] - dot(row + i + 1, x + i + 1, size - i - 1)) / row[i]
        }
    }

    /// Solves Uᵀ x = b in place; the elements before `first` are 0.
    private func solveTransposed(_ x: UnsafeMutablePointer<Double>, from first: Int, _ size: Int) {
        for i in first..<size {
            let row = u + i * stride
            x[i] /= row[i]
            add(-x[i], row + i + 1, to: x + i + 1, size - i - 1)
        }
    }

    /// The trace of the inverse of Uᵀ U: the squares of U⁻ᵀ.
    func inverseTrace(_ size: Int) throws(BackpropError) -> Double {
        let shares = 16
        let memory = try Doubles(shares * (rows + 1)), sums = memory.base + shares * rows
        Parallel.run(shares, parallel: Parallel.threads(for: Int64(size * size / 8) * Int64(size)) > 1) { share in
            let column = memory.base + share * rows
            for first in Swift.stride(from: share, to: size, by: shares) {
                cp_clear(column, rows * 8)
                column[first] = 1
                solveTransposed(column, from: first, size)
                sums[share] += dot(column + first, column + first, size - first)
            }
        }
        var trace = 0.0
        for share in 0..<shares { trace += sums[share] }
        return trace
    }
}
