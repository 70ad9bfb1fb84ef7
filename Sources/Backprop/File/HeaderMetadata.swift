/// The metadata of a file's header: values by key. A key becomes known when its value is read. A model with an unknown key
/// is refused.
final class HeaderMetadata {
    private struct Entry {
        let key, value: String
        var isKnown = false
    }

    /// Sorted by key.
    private var entries: [Entry]

    private init(_ entries: [Entry]) {
        self.entries = entries
    }

    /// A key must not occur twice.
    static func make(_ pairs: [(key: String, value: String)]) throws(BackpropError) -> HeaderMetadata {
        let order = sortedIndices(of: pairs.count) { pairs[$0].key.precedes(pairs[$1].key) }
        var entries: [Entry] = []
        entries.reserveCapacity(pairs.count)
        for index in order {
            let (key, value) = pairs[index]
            if let last = entries.last, last.key.isSame(as: key) {
                throw error(key, "is in the file twice")
            }
            entries.append(Entry(key: key, value: value))
        }
        return HeaderMetadata(entries)
    }

    /// The value of a required key.
    func value(_ key: String) throws(BackpropError) -> String {
        guard let value = valueIfAny(key) else { throw Self.error(key, "is not in the file") }
        return value
    }

    /// The value of an optional key, which files of older versions of the library may lack.
    func valueIfAny(_ key: String) -> String? {
        guard let index = binarySearch(entries.count, { entries[$0].key.precedes(key) }, { entries[$0].key.isSame(as: key) })
        else {
            return nil
        }
        entries[index].isKnown = true
        return entries[index].value
    }

    /// The keys that begin with a prefix, without the prefix, and their values.
    func values(withPrefix prefix: String) -> [(key: String, value: String)] {
        var values: [(key: String, value: String)] = []
        for index in entries.indices where entries[index].key.starts(with: prefix) {
            entries[index].isKnown = true
            // (From an array: substrings would link kilobytes of the standard library.)
            let key = Array(entries[index].key.utf8)[prefix.utf8.count...]
            values.append((String(decoding: key, as: UTF8.self), entries[index].value))
        }
        return values
    }

    /// Throws if a key has not been read.
    func requireAllKnown() throws(BackpropError) {
        for entry in entries where !entry.isKnown {
            throw Self.error(entry.key, "is not known to this library")
        }
    }

    @inline(never)
    static func error(_ key: String, _ problem: Text) -> BackpropError {
        BackpropError(.corrupt, "the model's \"\(key)\" \(problem)")
    }
}
