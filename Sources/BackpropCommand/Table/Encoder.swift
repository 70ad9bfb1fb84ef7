import Backprop

/// Writes rows of a file as rows of numbers for a network. Columns are found by their names.
struct Encoder {
    /// Whether a row lacks values.
    struct Missing {
        var inputs = false, targets = false
    }

    private let schema: Schema
    private let reader: CSVReader
    private let inputs: [Int], targets: [Int]
    private let fieldCount: Int

    /// Whether the reader's record is a row that was not taken yet.
    private var isAtRow: Bool

    /// Reads the first record. `isPositional`: the columns are the inputs, in order, whatever their names are.
    init(
        _ reader: CSVReader, _ schema: Schema, hasHeader: Bool, needsTargets: Bool, isPositional: Bool = false, _ notes: Notes
    ) throws(BackpropError) {
        guard try reader.next() else { throw failure(reader.name + ": the file is empty") }
        let names = ColumnNames(reader, hasHeader: hasHeader)
        self.schema = schema
        self.reader = reader
        fieldCount = reader.count
        isAtRow = !hasHeader
        if isPositional {
            guard reader.count == schema.inputs.count else {
                throw reader.failure(
                    "\(counted(reader.count, "column")), but the model has \(counted(schema.inputs.count, "input"))")
            }
            (inputs, targets) = (Array(0..<reader.count), [])
            return
        }
        var inputs: [Int] = [], targets: [Int] = []
        for column in schema.inputs { inputs.append(try names.require(column.name)) }
        if needsTargets {
            for column in schema.targets { targets.append(try names.require(column.name)) }
        }
        (self.inputs, self.targets) = (inputs, targets)
        let used = Set(schema.inputs.map { $0.name } + schema.targets.map { $0.name })
        let extra = hasHeader ? names.all.filter { !used.contains($0) } : []
        if let first = extra.first {
            let others: Text = extra.count > 1 ? " and \(extra.count - 1) more" : ""
            notes.note("\(reader.name): column \(quoted: first)\(others) is not used")
        }
    }

    /// Reads the next row. Returns false at the end of the file.
    mutating func next() throws(BackpropError) -> Bool {
        if isAtRow {
            isAtRow = false
            return true
        }
        return try reader.next()
    }

    /// Writes the row that was read. A missing value is NaN, or the mean that the column has.
    func encode(
        _ x: UnsafeMutablePointer<Double>, _ y: UnsafeMutablePointer<Double>? = nil
    ) throws(BackpropError) -> Missing {
        guard reader.count == fieldCount else {
            throw reader.failure("\(counted(reader.count, "field")), but the first row has \(fieldCount)")
        }
        var missing = Missing()
        missing.inputs = try encode(schema.inputs, inputs, x)
        if let y { missing.targets = try encode(schema.targets, targets, y) }
        return missing
    }

    /// Returns whether a value is missing.
    private func encode(
        _ columns: [Column], _ indices: [Int], _ values: UnsafeMutablePointer<Double>
    ) throws(BackpropError) -> Bool {
        var values = values
        var isMissing = false
        for (column, index) in zip(columns, indices) {
            let field = reader.field(index)
            if try !encode(field, column, values) {
                if column.means.isEmpty { isMissing = true }
                for i in 0..<column.width { values[i] = column.means.isEmpty ? .nan : column.means[i] }
            }
            values += column.width
        }
        return isMissing
    }

    /// Returns false for a missing value.
    private func encode(
        _ field: ArraySlice<UInt8>, _ column: Column, _ values: UnsafeMutablePointer<Double>
    ) throws(BackpropError) -> Bool {
        if let categories = column.categories {
            if FieldValue.isMissing(field) { return false }
            guard let unit = column.unit(of: Bytes(field)) else {
                throw refused(column, field, "not among the \(counted(categories.count, "value")) of the model")
            }
            for i in 0..<categories.count { values[i] = i == unit ? 1 : 0 }
            return true
        }
        switch FieldValue(field) {
        case .number(let number):
            guard abs(number) <= Double(Float.greatestFiniteMagnitude) else {
                throw refused(column, field, "too large: the limit is 3.4e38")
            }
            values[0] = number
            return true
        case .missing: return false
        case .notFinite: throw refused(column, field, "not a finite number")
        case .text: throw refused(column, field, "not a number")
        }
    }

    private func refused(_ column: Column, _ field: ArraySlice<UInt8>, _ problem: Text) -> BackpropError {
        reader.failure("column \(quoted: column.name): \(quoted: field) is \(problem)")
    }

    /// The error for the missing value of the row that was read.
    func missingValue(_ advice: Text) -> BackpropError {
        for (column, index) in zip(schema.inputs + (targets.isEmpty ? [] : schema.targets), inputs + targets) {
            let field = reader.field(index)
            if FieldValue.isMissing(field), column.means.isEmpty {
                return reader.failure("column \(quoted: column.name): a value is missing" + advice)
            }
        }
        return reader.failure("a value is missing" + advice)
    }
}
