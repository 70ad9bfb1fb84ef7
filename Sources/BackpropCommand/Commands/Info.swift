import Backprop
import CConsole

/// `backprop info`
struct Info {
    private let path: Bytes

    init(_ arguments: Arguments) throws(BackpropError) {
        try arguments.prepare()
        path = arguments.operands[0]
    }

    func run() throws(BackpropError) -> Int32 {
        let model = try Model.load(path)
        let network = model.network
        let output = Output()
        var text = "\(Text(path.printable)): " + Self.layers(network) + "\n\n"
        text += try Self.layerTable(network) + "\n"
        text += try Self.settings(network)
        if let schema = model.schema { text += Self.columns(schema) }
        text += try Self.metadata(network)
        if let history = try History.read(from: network) { text += Self.losses(history) }
        try output.write(text)
        try output.flush()
        return 0
    }

    /// "network 4-32-3"
    static func layers(_ network: Network) -> Text {
        var text: Text = "network "
        for (index, size) in network.layers.enumerated() { text += "\(index == 0 ? "" : "-")\(size)" }
        return text
    }

    private static func layerTable(_ network: Network) throws(BackpropError) -> Text {
        var table = TextTable()
        table.add(["layer", "units", "activation", "parameters", "batch norm", "dropout", "frozen"])
        table.add(["0", "\(network.layers[0])"])
        for layer in 1..<network.layers.count {
            let isNormalized = try network.isBatchNormalized(layer: layer), size = network.layers[layer]
            let isHidden = layer < network.layers.count - 1
            let parameters = size * (network.layers[layer - 1] + 1 + (isNormalized ? 2 : 0))
            table.add([
                "\(layer)", "\(size)", "\(try network.activation(layer: layer).name)", "\(parameters)",
                isNormalized ? "yes" : "", isHidden ? "\(short(try network.dropout(layer: layer)))" : "",
                try network.isTrainable(layer: layer) ? "" : "yes",
            ])
        }
        return table.text
    }

    private static func settings(_ network: Network) throws(BackpropError) -> Text {
        var table = TextTable(areNumbers: false)
        table.add(["parameters", "\(try network.parameterCount)"])
        table.add(["loss", "\(try network.loss.name)"])
        table.add(["optimizer", "\(try network.optimizer.name)"])
        table.add(["steps", "\(try network.stepCount)"])
        table.add(["input scaling", "\(try network.inputScaling.name)"])
        table.add(["target scaling", "\(try network.targetScaling.name)"])
        for option in OptionDescription.all where option.owner == .network {
            let value = try network.option(option.name)
            guard value != option.standard else { continue }
            table.add(["\(option.name)", option.choices.isEmpty ? "\(value)" : "\(option.choices[Int(value)])"])
        }
        return table.text
    }

    private static func columns(_ schema: Schema) -> Text {
        var table = TextTable(areNumbers: false)
        for (columns, role) in [(schema.inputs, "input" as Text), (schema.targets, "target")] {
            for column in columns {
                let kind: Text = column.categories.map { "one of " + cut(list($0)) } ?? "number"
                let mean: Text = column.means.isEmpty ? "" : ", missing values are replaced by means"
                table.add([role + " " + Text(column.name), kind + mean])
            }
        }
        return "\n" + table.text
    }

    /// The start of a long text.
    private static func cut(_ text: Text) -> Text {
        if text.bytes.count <= 60 { return text }
        var start = Bytes(text.bytes.prefix(60))
        while let last = start.last, last & 0xC0 == 0x80 { start.removeLast() }
        if let last = start.last, last >= 0xC0 { start.removeLast() }
        return Text(start) + "..."
    }

    /// The metadata of other programs.
    private static func metadata(_ network: Network) throws(BackpropError) -> Text {
        var table = TextTable(areNumbers: false)
        for key in try network.metadataKeys {
            let name = Bytes(key.utf8)
            if name == "table" || name == "classes" || name == "history" { continue }
            table.add(["metadata " + Text(name), cut(Text(Bytes(try network.metadata(key).utf8)))])
        }
        return table.text.bytes.isEmpty ? "" : "\n" + table.text
    }

    private static func losses(_ history: History) -> Text {
        let hasValidation = history.validationLosses.contains { !$0.isNaN }
        var table = TextTable()
        table.add(["epoch", "loss"] + (hasValidation ? ["validation loss"] : []))
        let count = history.epochs.count, shown = min(count, 10)
        for i in 0..<shown {
            let index = shown == 1 ? 0 : i * (count - 1) / (shown - 1)
            table.add(
                ["\(history.epochs[index])", short(history.losses[index])]
                    + (hasValidation ? [short(history.validationLosses[index])] : []))
        }
        let curve: Text = con_terminal_width(1) > 0 && con_is_utf8() ? sparkline(history.curve, width: 40) + "\n" : ""
        return "\n" + table.text + curve
    }
}
