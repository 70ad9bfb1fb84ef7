import CPlatform

/// A run of floats on a cache line boundary, all 0 at first, freed with its owner. Anything as large as a caller's
/// numbers lives in one: unlike Swift's own collections it can be refused.
struct Floats: ~Copyable {
    let base: UnsafeMutablePointer<Float>
    let count: Int

    init(_ count: Int) throws(BackpropError) {
        guard let base = cp_allocate_floats(count) else {
            throw BackpropError(.outOfMemory, "out of memory: no room for \(count) floats")
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

/// The same for doubles.
struct Doubles: ~Copyable {
    private let storage: Floats
    let base: UnsafeMutablePointer<Double>

    init(_ count: Int) throws(BackpropError) {
        storage = try Floats(2 * count)
        base = UnsafeMutableRawPointer(storage.base).assumingMemoryBound(to: Double.self)
    }
}

/// The floats a row of that many columns takes: a multiple of sixteen, but not of 128. Rows a power of two apart would
/// share a few places of the caches, and drive each other out.
func paddedStride(_ columns: Int) -> Int {
    let stride = paddedCount(columns)
    return stride % 128 == 0 ? stride + 16 : stride
}

/// The next multiple of sixteen.
func paddedCount(_ columns: Int) -> Int { (columns + 15) & ~15 }

/// a · b for counts of a caller's; what memory cannot hold is refused here already.
package func checkedProduct(_ a: Int, _ b: Int) throws(BackpropError) -> Int {
    let (product, overflow) = a.multipliedReportingOverflow(by: b)
    guard a >= 0, b >= 0, !overflow, product < 1 << 58 else {
        throw BackpropError(.limit, "\(UInt(bitPattern: a)) times \(UInt(bitPattern: b)) numbers are more than can be counted")
    }
    return product
}
