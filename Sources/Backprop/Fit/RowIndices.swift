/// Numbers of rows, as many as the caller has.
final class RowNumbers {
    private let storage: Floats
    let base: UnsafeMutablePointer<Int>

    private init(storage: consuming Floats) {
        base = UnsafeMutableRawPointer(storage.base).assumingMemoryBound(to: Int.self)
        self.storage = storage
    }

    static func make(_ count: Int) throws(BackpropError) -> RowNumbers {
        let storage = try Floats(try checkedProduct(count, 2))
        return RowNumbers(storage: storage)
    }

    /// The first ones, every order equally likely (Fisher and Yates; Durstenfeld 1964).
    func shuffle(_ count: Int, _ random: inout Random) {
        var i = count - 1
        while i > 0 {
            let j = random.next(below: i + 1)
            let other = base[j]
            base[j] = base[i]
            base[i] = other
            i -= 1
        }
    }
}
