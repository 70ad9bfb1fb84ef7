import Backprop

/// `backprop predict`
struct Predict {
    private static var blockRows: Int { 1024 }

    private let model: Bytes, data: Bytes
    private let format: FileFormat
    private let notes: Notes

    init(_ arguments: Arguments) throws(BackpropError) {
        try arguments.prepare()
        model = arguments.operands[0]
        data = arguments.operands.count > 1 ? arguments.operands[1] : Bytes("-")
        format = try arguments.fileFormat()
        notes = arguments.notes
    }

    func run() throws(BackpropError) -> Int32 {
        let model = try Model.load(model)
        let network = model.network
        let reader = try CSVReader(try ByteSource.open(data), delimiter: format.delimiter)
        let schema = model.schema ?? Self.plainSchema(network)
        let hasHeader = format.hasHeader && schema.hasHeader
        var encoder = try Encoder(
            reader, schema, hasHeader: hasHeader, needsTargets: false, isPositional: model.schema == nil, notes)
        let output = Output()
        try output.write(Self.heading(schema))
        let inputs = try Matrix.make(rows: Self.blockRows, columns: schema.inputCount)
        var hasRow = true
        while hasRow {
            var rows = 0
            while rows < Self.blockRows {
                hasRow = try encoder.next()
                guard hasRow else { break }
                if try encoder.encode(inputs.row(rows)).inputs {
                    throw encoder.missingValue("; a model trained with --missing mean accepts the row")
                }
                rows += 1
            }
            if rows > 0 { try write(try network.predict(inputs.rows(0..<rows)), rows, schema, output) }
        }
        try output.flush()
        return 0
    }

    private func write(_ outputs: [Double], _ rows: Int, _ schema: Schema, _ output: Output) throws(BackpropError) {
        let columns = schema.targetCount
        for row in 0..<rows {
            let values = outputs[(row * columns)..<((row + 1) * columns)]
            var line: Text = ""
            if let classes = schema.classes {
                var largest = values.startIndex
                for index in values.indices where values[index] > values[largest] { largest = index }
                line += csvField(classes[largest - values.startIndex]) + ","
            }
            for (index, value) in values.enumerated() {
                if index > 0 { line += "," }
                // Outputs that are not unscaled are floats, which have fewer digits.
                line += schema.classes == nil ? "\(value)" : "\(decimal(Float(value)))"
            }
            try output.write(line + "\n")
        }
    }

    private static func heading(_ schema: Schema) -> Text {
        var names = schema.targets.map { $0.name }
        if let classes = schema.classes { names += classes }
        var text: Text = ""
        for (index, name) in names.enumerated() { text += (index == 0 ? "" : ",") + csvField(name) }
        return text + "\n"
    }

    /// Columns without names, for a model of another program.
    private static func plainSchema(_ network: Network) -> Schema {
        func columns(_ count: Int, _ name: StaticString) -> [Column] {
            (0..<count).map { Column(Text("\(name)\($0 + 1)").bytes, categories: nil) }
        }
        return Schema(inputs: columns(network.layers.first ?? 0, "input"), targets: columns(network.layers.last ?? 0, "output"))
    }
}
