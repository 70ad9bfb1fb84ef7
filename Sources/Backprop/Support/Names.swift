/// Comparison of names byte by byte, which needs no Unicode tables in the shared library.
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

/// A fixed set of values with names, such as the built-in activations, the losses and the options.
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
    /// The name at an index, for callers that enumerate names until this throws.
    package static func name(at index: Int) throws(BackpropError) -> String {
        let all = allCases
        guard index >= 0, index < all.count else {
            throw BackpropError(.unknownName, "index \(UInt(bitPattern: index)) is out of range: there are \(all.count)")
        }
        return all[index].name
    }
}

/// A fixed set from which callers select by name.
protocol Selectable: Named {
    /// The name of the set's element in messages, such as "loss".
    static var typeName: StaticString { get }
    /// Names in other libraries, as words "other=name" with `other` in lower-case letters and digits only.
    static var synonyms: StaticString { get }
}

extension Selectable {
    static func find(_ name: String) throws(BackpropError) -> Self {
        if let found = named(name) { return found }
        throw unknownName(name, typeName, among: allCases.map { $0.name }, synonyms)
    }
}
