import Backprop

/// `backprop check`
struct Check {
    private static var rows: Int { 16 }
    /// Larger relative errors are failures, as `backprop.h` says.
    static var limit: Double { 1e-2 }

    private let model: Bytes
    private let data: Bytes?
    private let format: FileFormat
    private let notes: Notes

    init(_ arguments: Arguments) throws(BackpropError) {
        try arguments.prepare()
        model = arguments.operands[0]
        data = arguments.operands.count > 1 ? arguments.operands[1] : nil
        format = try arguments.fileFormat()
        notes = arguments.notes
    }

    func run() throws(BackpropError) -> Int32 {
        let model = try Model.load(model)
        var table = TextTable(areNumbers: false)
        var isSound = true
        table.add(["", "largest relative error"])
        var seen: [Bytes] = []
        for layer in 1..<model.network.layers.count {
            let name = Bytes(try model.network.activation(layer: layer).name.utf8)
            if seen.contains(name) { continue }
            seen.append(name)
            Self.addActivation(name, to: &table, &isSound)
        }
        if let data {
            let error = try gradientError(model, data)
            table.add(["gradient", short(error) + Self.verdict(error, &isSound)])
        }
        let output = Output()
        try output.write(table.text)
        try output.flush()
        return isSound ? 0 : 1
    }

    /// Adds the result for an activation, or the reason why it cannot be checked.
    static func addActivation(_ name: Bytes, to table: inout TextTable, _ isSound: inout Bool) {
        do throws(BackpropError) {
            let report = try Network.checkActivation(name.string)
            table.add(["activation " + Text(name), short(report.worstError) + verdict(report.worstError, &isSound)])
        } catch {
            if error.code != .unsupported { isSound = false }
            table.add(["activation " + Text(name), "not checked: \(error.message)"])
        }
    }

    private static func verdict(_ error: Double, _ isSound: inout Bool) -> Text {
        if error < limit { return " ok" }
        isSound = false
        return " WRONG"
    }

    private func gradientError(_ model: Model, _ data: Bytes) throws(BackpropError) -> Double {
        let schema = try model.requireSchema()
        let format = FileFormat(hasHeader: format.hasHeader && schema.hasHeader, delimiter: format.delimiter)
        let table = try Table.read(try .read(data), schema, format, .drop, notes)
        func floats(_ matrix: Matrix) -> [Float] {
            (0..<min(Self.rows, table.rows) * matrix.columns).map { Float(matrix.base[$0]) }
        }
        return try model.network.checkGradient(floats(table.inputs), floats(table.targets))
    }
}
