import Backprop

/// The scores of a network on rows, as a line of a table, and the confusion of its classes.
struct Scores {
    private static var blockRows: Int { 1024 }
    private static var mostClasses: Int { 30 }

    private let loss: Double
    private var measures: [Text] = []
    /// [actual × predicted] numbers of rows; empty for a regression.
    private var confusion: [Int] = []
    private let classes: [Bytes]
    private let rows: Int

    init(_ network: Network, _ schema: Schema, _ table: Table, _ range: Range<Int>) throws(BackpropError) {
        rows = range.count
        classes = schema.classes ?? []
        let x = table.inputs.rows(range), y = table.targets.rows(range)
        let sum = Double(try network.evaluate(x, y))
        loss = try network.option("gradient_reduction") == 0 ? sum / Double(rows) : sum
        if classes.isEmpty {
            measures = [
                fixed(try network.score(.r2, x, y), decimals: 4), short(try network.score(.meanAbsoluteError, x, y)),
            ]
            return
        }
        try countConfusion(network, table, range)
        var correct = 0
        for each in classes.indices { correct += confusion[each * (classes.count + 1)] }
        measures = [fixed(100 * Double(correct) / Double(rows), decimals: 2) + " %"]
    }

    private mutating func countConfusion(
        _ network: Network, _ table: Table, _ range: Range<Int>
    ) throws(BackpropError) {
        confusion = [Int](repeating: 0, count: classes.count * classes.count)
        for first in stride(from: range.lowerBound, to: range.upperBound, by: Self.blockRows) {
            let block = first..<min(first + Self.blockRows, range.upperBound)
            let outputs = try network.predict(table.inputs.rows(block))
            outputs.withUnsafeBufferPointer { outputs in
                guard let base = outputs.baseAddress else { return }
                for row in block {
                    let predicted = largestIndex(base + (row - first) * classes.count, classes.count)
                    confusion[table.targets.largest(ofRow: row) * classes.count + predicted] += 1
                }
            }
        }
    }

    static func heading(_ schema: Schema) -> [Text] {
        ["", "rows", "loss"] + (schema.classes == nil ? ["r2", "mean absolute error"] : ["accuracy"])
    }

    func line(_ name: Text) -> [Text] { [name, "\(rows)", short(loss)] + measures }

    /// The confusion table; empty for a regression, or for more classes than a terminal shows. `rows`: such as "test".
    func confusionTable(of rows: StaticString = "") -> Text {
        guard !confusion.isEmpty, classes.count <= Self.mostClasses else { return "" }
        var table = TextTable()
        table.add(["actual"] + classes.map { Text($0) })
        for (row, name) in classes.enumerated() {
            table.add([Text(name)] + classes.indices.map { "\(confusion[row * classes.count + $0])" })
        }
        return "\nConfusion\(rows.utf8CodeUnitCount > 0 ? " of the \(rows) rows" as Text : "") (columns: the predicted class)\n\n"
            + table.text
    }
}
