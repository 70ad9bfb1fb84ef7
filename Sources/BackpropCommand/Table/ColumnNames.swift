import Backprop

/// The names of a file's columns, from its first record.
struct ColumnNames {
    let all: [Bytes]
    private let reader: CSVReader
    /// The index of each name; nil for a name of several columns.
    private var indices: [Bytes: Int?] = [:]

    init(_ reader: CSVReader, hasHeader: Bool) {
        self.reader = reader
        all = hasHeader ? reader.fields : (0..<reader.count).map { Text("\($0 + 1)").bytes }
        for (index, name) in all.enumerated() { indices[name] = indices[name] == nil ? .some(index) : .some(nil) }
    }

    /// The index of a column, which must exist once; nil if there is none.
    func index(of name: Bytes) throws(BackpropError) -> Int? {
        guard let found = indices[name] else { return nil }
        guard let index = found else { throw reader.failure("several columns are named \(quoted: name)") }
        return index
    }

    @discardableResult
    func require(_ name: Bytes) throws(BackpropError) -> Int {
        if let index = try index(of: name) { return index }
        var suggestion = Suggestion(for: name.string)
        for each in all { suggestion.consider(each.string) }
        let advice: Text = suggestion.found.map { ": did you mean \(quoted: Bytes($0.utf8))?" } ?? ""
        throw reader.failure("no column is named \(quoted: name)" + advice)
    }
}
