/// The words of a file by key. What was never asked for is unknown, and a model that says it is refused: so whoever reads
/// one key more has made it known.
final class HeaderMetadata {
    private struct Word {
        let key, value: String
        var isKnown = false
    }

    /// Sorted by key.
    private var words: [Word]

    private init(_ words: [Word]) {
        self.words = words
    }

    /// Every key may be there once.
    static func make(_ pairs: [(key: String, value: String)]) throws(BackpropError) -> HeaderMetadata {
        let order = order(of: pairs.count) { pairs[$0].key.precedes(pairs[$1].key) }
        var words: [Word] = []
        words.reserveCapacity(pairs.count)
        for index in order {
            let (key, value) = pairs[index]
            if let last = words.last, last.key.isSame(as: key) {
                throw error(key, "is in the file twice")
            }
            words.append(Word(key: key, value: value))
        }
        return HeaderMetadata(words)
    }

    /// The value of a key that must be there.
    func value(_ key: String) throws(BackpropError) -> String {
        guard let value = valueIfAny(key) else { throw Self.error(key, "is not in the file") }
        return value
    }

    /// The value of a key that files of an older library need not have.
    func valueIfAny(_ key: String) -> String? {
        guard let place = find(words.count, { words[$0].key.precedes(key) }, { words[$0].key.isSame(as: key) }) else {
            return nil
        }
        words[place].isKnown = true
        return words[place].value
    }

    /// All keys that begin so, without that, and their values.
    func values(withPrefix prefix: String) -> [(key: String, value: String)] {
        var values: [(key: String, value: String)] = []
        for place in words.indices where words[place].key.starts(with: prefix) {
            words[place].isKnown = true
            // (Of an array: parts of strings bring kilobytes of the standard library along.)
            let key = Array(words[place].key.utf8)[prefix.utf8.count...]
            values.append((String(decoding: key, as: UTF8.self), words[place].value))
        }
        return values
    }

    /// Nothing was said that nobody asked for.
    func requireAllKnown() throws(BackpropError) {
        for word in words where !word.isKnown {
            throw Self.error(word.key, "is nothing this library knows")
        }
    }

    @inline(never)
    static func error(_ key: String, _ what: Text) -> BackpropError {
        BackpropError(.corrupt, "the model's \"\(key)\" \(what)")
    }
}
