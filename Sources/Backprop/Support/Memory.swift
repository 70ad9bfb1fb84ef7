import CPlatform

/// An array of floats, aligned to a cache line, initially 0, freed with its owner. All memory whose size depends on a caller
/// is allocated this way: unlike Swift's collections, it throws if memory runs out.
struct Floats: ~Copyable {
    let base: UnsafeMutablePointer<Float>
    let count: Int

    init(_ count: Int) throws(BackpropError) {
        guard let base = cp_allocate_floats(count) else {
            throw BackpropError(.outOfMemory, "out of memory: cannot allocate \(counted(count, "float"))")
        }
        self.base = base
        self.count = count
    }

    init(copying other: borrowing Floats) throws(BackpropError) {
        try self.init(other.count)
        cp_copy(base, other.base, count * 4)
    }

    deinit { cp_free(base) }

    func clear() { cp_clear(base, count * 4) }

    func fill(_ value: Float, count: Int) {
        for i in 0..<count { base[i] = value }
    }
}

/// An array of doubles like `Floats`.
struct Doubles: ~Copyable {
    private let storage: Floats
    let base: UnsafeMutablePointer<Double>

    init(_ count: Int) throws(BackpropError) {
        storage = try Floats(2 * count)
        base = UnsafeMutableRawPointer(storage.base).assumingMemoryBound(to: Double.self)
    }
}

/// The number of floats between rows of that number of columns: a multiple of sixteen, but not of 128. Rows at distances of
/// a power of two would compete for the same sets of the caches.
func paddedStride(_ columns: Int) -> Int {
    let stride = paddedCount(columns)
    return stride % 128 == 0 ? stride + 16 : stride
}

/// The next multiple of sixteen.
func paddedCount(_ columns: Int) -> Int { (columns + 15) & ~15 }

/// Counts of numbers are at most this, so that their bytes can be counted, too.
package var mostNumbers: Int { Int.max >> 5 }

/// The sizes of layers and of rows of targets are below this.
var mostColumns: Int { min(mostNumbers, Int(clamping: 1 << 40 as Int64)) }

/// a · b for counts from a caller. Throws if the product is too large for any memory.
package func checkedProduct(_ a: Int, _ b: Int) throws(BackpropError) -> Int {
    let (product, overflow) = a.multipliedReportingOverflow(by: b)
    guard a >= 0, b >= 0, !overflow, product <= mostNumbers else {
        throw BackpropError(.limit, "\(UInt(bitPattern: a)) times \(UInt(bitPattern: b)) numbers are too many")
    }
    return product
}
