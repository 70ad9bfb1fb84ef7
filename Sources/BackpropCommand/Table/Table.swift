import Backprop

/// How rows with missing values are treated.
enum MissingValues: CaseIterable {
    /// They are an error.
    case refuse
    /// A missing input becomes the mean of its column in the training rows. Rows without a target are dropped.
    case mean
    /// Rows with missing values are dropped.
    case drop
}

/// The rows of a file as numbers for a network.
final class Table {
    let inputs, targets: Matrix
    var rows: Int { inputs.rows }

    private init(_ inputs: Matrix, _ targets: Matrix) {
        self.inputs = inputs
        self.targets = targets
    }

    /// Reads all rows of a file.
    static func read(
        _ contents: FileContents, _ schema: Schema, _ format: FileFormat, _ missing: MissingValues, _ notes: Notes
    ) throws(BackpropError) -> Table {
        var count = 0
        let counter = CSVReader(contents, delimiter: format.delimiter)
        while try counter.next() { count += 1 }
        let table = Table(
            try .make(rows: count, columns: schema.inputCount), try .make(rows: count, columns: schema.targetCount))
        var encoder = try Encoder(
            CSVReader(contents, delimiter: format.delimiter), schema, hasHeader: format.hasHeader, needsTargets: true, notes)
        var row = 0, dropped = 0
        while try encoder.next() {
            let found = try encoder.encode(table.inputs.row(row), table.targets.row(row))
            if missing == .refuse, found.inputs || found.targets {
                throw encoder.missingValue("; see --missing")
            }
            if found.targets || (found.inputs && missing == .drop) { dropped += 1 } else { row += 1 }
        }
        (table.inputs.rows, table.targets.rows) = (row, row)
        if dropped > 0 {
            notes.note("\(contents.name): \(counted(dropped, "row")) with missing values \(dropped == 1 ? "is" : "are") dropped")
        }
        guard row > 0 else { throw failure(contents.name + ": no row is left") }
        return table
    }

    /// Replaces missing inputs by the means of their columns in the first rows, and keeps the means in the columns.
    func fillMissing(_ schema: Schema, trainingRows: Int) throws(BackpropError) {
        var first = 0
        for column in schema.inputs {
            for unit in first..<first + column.width {
                var sum = 0.0, count = 0.0
                for row in 0..<trainingRows {
                    let value = inputs.row(row)[unit]
                    if !value.isNaN { (sum, count) = (sum + value, count + 1) }
                }
                guard count > 0 else {
                    throw failure("column \(quoted: column.name) has no value in the training rows")
                }
                column.means.append(sum / count)
                for row in 0..<rows where inputs.row(row)[unit].isNaN { inputs.row(row)[unit] = sum / count }
            }
            first += column.width
        }
    }
}
