/// A list of row indices, in memory whose allocation can fail and report it.
final class RowIndices {
    private let storage: Floats
    let base: UnsafeMutablePointer<Int>

    private init(storage: consuming Floats) {
        base = UnsafeMutableRawPointer(storage.base).assumingMemoryBound(to: Int.self)
        self.storage = storage
    }

    static func make(_ count: Int) throws(BackpropError) -> RowIndices {
        let storage = try Floats(try checkedProduct(count, 2))
        return RowIndices(storage: storage)
    }

    /// Shuffles the first `count` indices; all orders are equally likely (Fisher and Yates; Durstenfeld 1964).
    func shuffle(_ count: Int, _ random: inout Random) {
        var i = count - 1
        while i > 0 {
            let j = random.next(below: i + 1)
            (base[i], base[j]) = (base[j], base[i])
            i -= 1
        }
    }
}
