import Backprop

/// `backprop evaluate`
struct Evaluate {
    private let model: Bytes, data: Bytes
    private let format: FileFormat
    private let missing: MissingValues
    private let notes: Notes

    init(_ arguments: Arguments) throws(BackpropError) {
        try arguments.prepare()
        (model, data) = (arguments.operands[0], arguments.operands[1])
        format = try arguments.fileFormat()
        missing = try arguments.missingValues()
        notes = arguments.notes
    }

    func run() throws(BackpropError) -> Int32 {
        let model = try Model.load(model)
        let schema = try model.requireSchema()
        let table = try Table.read(
            try .read(data), schema, FileFormat(hasHeader: format.hasHeader && schema.hasHeader, delimiter: format.delimiter),
            missing,
            notes)
        let score = try Scores(model.network, schema, table, 0..<table.rows)
        var scores = TextTable()
        scores.add(Scores.heading(schema))
        scores.add(score.line(Text(data)))
        let output = Output()
        try output.write(scores.text + score.confusionTable())
        try output.flush()
        return 0
    }
}
