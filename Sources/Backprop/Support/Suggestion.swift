/// A fixed set from which callers select by name.
protocol Selectable: Named {
    static var noun: StaticString { get }
    /// Names in other libraries: words "other=name", each `other` in small letters and digits only.
    static var synonyms: StaticString { get }
}

extension Selectable {
    static func find(_ name: String) throws(BackpropError) -> Self {
        if let found = named(name) { return found }
        throw unknownName(name, noun, among: allCases.map { $0.name }, synonyms)
    }
}

/// The error for a name that is not one of a few, which it lists, or names the one that was probably meant.
@inline(never)
func unknownName(
    _ name: String, _ noun: StaticString, among names: [String], _ synonyms: StaticString
) -> BackpropError {
    var suggestion = Suggestion(for: name)
    for each in names { suggestion.consider(each) }
    suggestion.consider(synonyms: synonyms)
    var text: Text = "no \(noun) is named \"\(name)\": "
    if let found = suggestion.found {
        text += "did you mean \"\(found)\"?"
    } else {
        for (index, each) in names.enumerated() { text += "\(index == 0 ? "there are " : ", ")\"\(each)\"" }
    }
    return BackpropError(.unknownName, text)
}

/// Finds the name that was probably meant by one that does not exist: the same but for case and punctuation, a synonym, a
/// longer one, or one that differs by few letters.
struct Suggestion {
    private let wanted: [UInt8]
    /// Of the best so far; at first, the least that is too much.
    private var distance: Int
    private(set) var found: String?

    init(for name: String) {
        wanted = name.utf8.count <= 64 ? letters(of: name) : []
        distance = (wanted.count + 1) / 4 + 1
    }

    mutating func consider(_ name: String) { consider(letters(of: name), for: name) }

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

/// A-Z as a-z; without what is neither letter nor digit.
private func letters(of name: String) -> [UInt8] {
    var letters: [UInt8] = []
    for byte in name.utf8 {
        let small = byte >= 0x41 && byte <= 0x5A ? byte + 0x20 : byte
        if (small >= 0x61 && small <= 0x7A) || (small >= 0x30 && small <= 0x39) { letters.append(small) }
    }
    return letters
}

/// Insertions, deletions, replacements and swaps of neighbours that make `b` of `a` (optimal string alignment).
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
