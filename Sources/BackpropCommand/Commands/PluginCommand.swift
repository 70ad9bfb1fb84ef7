import Backprop

/// `backprop plugin`
struct PluginCommand {
    private let path: Bytes

    init(_ arguments: Arguments) { path = arguments.operands[0] }

    func run() throws(BackpropError) -> Int32 {
        let activations = Help.names(.activations).count, losses = Help.names(.losses).count
        try load(plugin: path)
        var table = TextTable(areNumbers: false)
        var isSound = true
        for name in Help.names(.activations)[activations...] { Check.addActivation(name, to: &table, &isSound) }
        for name in Help.names(.losses)[losses...] { table.add(["loss " + Text(name)]) }
        let output = Output()
        try output.write(table.text.bytes.isEmpty ? "it registers nothing\n" : table.text)
        try output.flush()
        return isSound ? 0 : 1
    }
}
