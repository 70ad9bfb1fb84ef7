/// Names are compared byte by byte, which needs no Unicode tables in the shared library.
extension String {
    @inline(__always)
    func isSame(as other: String) -> Bool {
        utf8.elementsEqual(other.utf8)
    }

    func starts(with start: String) -> Bool {
        utf8.starts(with: start.utf8)
    }

    func ends(with end: String) -> Bool {
        utf8.reversed().starts(with: end.utf8.reversed())
    }

    func precedes(_ other: String) -> Bool {
        utf8.lexicographicallyPrecedes(other.utf8)
    }
}

/// A fixed set of things with names: the built-in activations, losses, options.
package protocol Named: CaseIterable {
    var name: String { get }
}

extension Named {
    static func named(_ name: String) -> Self? {
        for each in allCases where each.name.isSame(as: name) { return each }
        return nil
    }
}

extension Named where AllCases == [Self] {
    /// For callers that count up until there are no more.
    package static func name(at index: Int) throws(BackpropError) -> String {
        let all = allCases
        guard index >= 0, index < all.count else {
            throw BackpropError(.unknownName, "index \(UInt(bitPattern: index)) is out of range: there are \(all.count)")
        }
        return all[index].name
    }
}
