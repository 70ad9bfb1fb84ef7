/// The error for an unknown name. The message suggests the name that was probably intended, or lists all names.
@inline(never)
func unknownName(
    _ name: String, _ typeName: StaticString, among names: [String], _ synonyms: StaticString
) -> BackpropError {
    var suggestion = Suggestion(for: name)
    for each in names { suggestion.consider(each) }
    suggestion.consider(synonyms: synonyms)
    var text: Text = "no \(typeName) is named \"\(name)\": "
    if let found = suggestion.found, !found.isEmpty {
        text += "did you mean \"\(found)\"?"
    } else {
        for (index, each) in names.enumerated() { text += "\(index == 0 ? "the names are " : ", ")\"\(each)\"" }
    }
    return BackpropError(.unknownName, text)
}

/// Finds the name that was probably intended by an unknown name: one that differs in case, punctuation or a few letters, a
/// synonym, or a longer name.
package struct Suggestion {
    private let wanted: [UInt8]
    /// The edit distance of `found`; before any is found, the smallest distance that is too large.
    private var distance: Int
    package private(set) var found: String?

    package init(for name: String) {
        wanted = name.utf8.count <= 64 ? letters(of: name) : []
        distance = (wanted.count + 1) / 4 + 1
    }

    package mutating func consider(_ name: String) { consider(letters(of: name), for: name) }

    mutating func consider(synonyms: StaticString) {
        let text = UnsafeBufferPointer(start: synonyms.utf8Start, count: synonyms.utf8CodeUnitCount)
        var spelling: [UInt8] = [], word: [UInt8] = []
        for i in 0...text.count {
            let byte = i < text.count ? text[i] : 0
            if byte == UInt8(ascii: "=") {
                (spelling, word) = (word, [])
            } else if byte > UInt8(ascii: " ") {
                word.append(byte)
            } else {
                consider(spelling, for: String(decoding: word, as: UTF8.self))
                word = []
            }
        }
    }

    private mutating func consider(_ spelling: [UInt8], for name: String) {
        guard !wanted.isEmpty else { return }
        let isStart = wanted.count >= 3 && spelling.starts(with: wanted)
        let edits = isStart ? min(1, spelling.count - wanted.count) : editDistance(wanted, spelling)
        if edits < distance { (distance, found) = (edits, name) }
    }
}

/// The letters and digits of a name, in lower case.
private func letters(of name: String) -> [UInt8] {
    var letters: [UInt8] = []
    for byte in name.utf8 {
        let small = byte >= 0x41 && byte <= 0x5A ? byte + 0x20 : byte
        if (small >= 0x61 && small <= 0x7A) || (small >= 0x30 && small <= 0x39) { letters.append(small) }
    }
    return letters
}

/// The number of insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string
/// alignment distance).
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var beforeLast = [Int](repeating: 0, count: b.count + 1)
    var last = Array(0...b.count)
    for i in 1...a.count {
        var row = [i]
        for j in 0..<b.count {
            var edits = min(min(last[j + 1], row[j]) + 1, last[j] + (a[i - 1] == b[j] ? 0 : 1))
            if i > 1, j > 0, a[i - 1] == b[j - 1], a[i - 2] == b[j] { edits = min(edits, beforeLast[j - 1] + 1) }
            row.append(edits)
        }
        beforeLast = last
        last = row
    }
    return last[b.count]
}
