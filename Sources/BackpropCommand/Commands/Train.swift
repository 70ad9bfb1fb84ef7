import Backprop
import CConsole
import CPlatform

/// `backprop train`
struct Train {
    private let data: Bytes
    private let test, save: Bytes?
    private let format: FileFormat
    private let notes: Notes
    private var columns = ColumnChoices()
    private let missing: MissingValues
    private let validation: Double
    private let hidden: [Int]
    private let activation: Bytes
    private let output, loss: Bytes?
    private let optimizer: Optimizer
    private let hasBatchNormalization: Bool
    private let dropout: Double
    private let scaling, targetScaling: ScalingMethod
    private let options: [(option: OptionDescription, value: Double)]

    init(_ arguments: Arguments) throws(BackpropError) {
        try arguments.prepare()
        data = arguments.operands[0]
        test = arguments.text("test")
        save = arguments.text("save")
        format = try arguments.fileFormat()
        notes = arguments.notes
        columns.targets = arguments.all("target")
        columns.ignored = arguments.all("ignore")
        columns.categories = arguments.all("categories")
        columns.hasHeader = format.hasHeader
        columns.hasClasses = arguments.has("classes")
        missing = try arguments.missingValues()
        validation = try arguments.number("validation", 0...0.99) ?? 0
        hidden = try Self.sizes(arguments.text("hidden") ?? Bytes("32"))
        let activations = Help.names(.activations)
        activation = try arguments.name("activation", among: activations) ?? Bytes("tanh")
        output = try arguments.name("output", among: activations)
        loss = try arguments.name("loss", among: Help.names(.losses))
        let optimizers = Optimizer.allCases
        let name = try arguments.name("optimizer", among: optimizers.map { Bytes($0.name.utf8) }) ?? Bytes("adam")
        optimizer = optimizers.first { name == Bytes($0.name.utf8) } ?? .adam
        hasBatchNormalization = arguments.has("batchnorm")
        dropout = try arguments.number("dropout", 0...0.999) ?? 0
        scaling = Self.method(try arguments.name("scaling", among: Option.scaling.choices), .standard)
        targetScaling = Self.method(try arguments.name("target-scaling", among: Option.targetScaling.choices), .auto)
        options = try arguments.engineOptions()
        if data == "-", let test, test == "-" { throw failure("standard input cannot be both the data and --test") }
        if columns.targets.count > 1, columns.hasClasses { throw failure("--classes needs a single --target") }
    }

    private static func method(_ name: Bytes?, _ standard: ScalingMethod) -> ScalingMethod {
        ScalingMethod.allCases.first { Bytes($0.name.utf8) == name } ?? standard
    }

    /// The sizes of "32,16"; none for "0".
    private static func sizes(_ text: Bytes) throws(BackpropError) -> [Int] {
        if text == "0" { return [] }
        var sizes: [Int] = []
        for part in text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            sizes.append(try Arguments.count(part, "hidden", 1...1_000_000_000))
        }
        return sizes
    }

    /// The seed of the weights, the split and the order of the rows.
    private var seed: UInt64 { UInt64(value("seed") ?? 0) }

    private func value(_ name: StaticString) -> Double? {
        options.last { Bytes($0.option.name.utf8) == name }?.value
    }

    // MARK: Running

    func run() throws(BackpropError) -> Int32 {
        if let save {  // before the work
            let error = try withCString(save) { con_check_writable($0) }
            guard error == 0 else { throw systemFailure(Text(save), error) }
        } else {
            notes.note("without -o FILE the network is not saved")
        }
        let contents = try FileContents.read(data)
        let schema = try ColumnScan.run(CSVReader(contents, delimiter: format.delimiter), columns, notes).schema
        let table = try Table.read(contents, schema, format, missing, notes)
        let trainingRows = try table.split(validation: validation, seed: seed, areClasses: schema.classes != nil)
        if missing == .mean { try table.fillMissing(schema, trainingRows: trainingRows) }
        noteConstantTargets(schema, table, trainingRows)
        var testTable: Table?
        if let test { testTable = try .read(try .read(test), schema, format, missing, notes) }

        let network = try makeNetwork(schema, table, trainingRows)
        let trainer = try Trainer()
        for (option, value) in options where option.owner == .trainer { try trainer.setOption(option.name, value) }
        try trainer.setOption("progress_seconds", 0.1)  // so that a signal stops a long epoch
        let progress = TrainingProgress(restarts: Int(value("restarts") ?? 0), isQuiet: notes.isQuiet)
        try trainer.setProgress { progress.receive($0) }
        con_catch_signals()
        defer { progress.end() }
        let result = try trainer.fit(
            network, table.inputs.rows(0..<trainingRows), table.targets.rows(0..<trainingRows),
            validation: trainingRows == table.rows
                ? nil : (table.inputs.rows(trainingRows..<table.rows), table.targets.rows(trainingRows..<table.rows)))
        progress.end()
        let signal = con_caught_signal()
        guard result.steps > 0 else {
            writeError("backprop: interrupted before the first step; nothing is saved\n")
            return 128 + signal
        }

        try progress.history(of: result.restart).store(in: network)
        if let save { try withCString(save) { (path) throws(BackpropError) in try network.save(to: path) } }
        try report(network, schema, table, trainingRows, testTable, result)
        return signal == 0 ? 0 : 128 + signal
    }

    private func makeNetwork(_ schema: Schema, _ table: Table, _ trainingRows: Int) throws(BackpropError) -> Network {
        let network = try Network(layers: [schema.inputCount] + hidden + [schema.targetCount], seed: seed)
        let last = network.layers.count - 1
        let loss = self.loss ?? Bytes(schema.classes == nil ? "squared_error" : "cross_entropy")
        try network.setLoss(.named(loss.string))
        try network.setOptimizer(optimizer)
        for (option, value) in options where option.owner == .network { try network.setOption(option.name, value) }
        for layer in 1..<last {
            try network.setActivation(.named(activation.string), layer: layer)
            if hasBatchNormalization { try network.setBatchNormalization(true, layer: layer) }
            if dropout > 0 { try network.setDropout(dropout, layer: layer) }
        }
        let output = self.output ?? Self.output(for: loss, isClassification: schema.classes != nil)
        try network.setActivation(.named(output.string), layer: last)
        try network.fitScaling(
            inputs: scaling, targets: schema.classes == nil ? targetScaling : .none, table.inputs.rows(0..<trainingRows),
            table.targets.rows(0..<trainingRows))
        try schema.store(in: network)
        return network
    }

    private static func output(for loss: Bytes, isClassification: Bool) -> Bytes {
        if loss == "binary_cross_entropy" { return Bytes("logistic") }
        if loss == "poisson" { return Bytes("softplus") }
        return Bytes(isClassification || loss == "cross_entropy" ? "softmax" : "identity")
    }

    private func noteConstantTargets(_ schema: Schema, _ table: Table, _ trainingRows: Int) {
        guard schema.classes == nil else { return }
        for (index, column) in schema.targets.enumerated() {
            let first = table.targets.row(0)[index]
            if (0..<trainingRows).allSatisfy({ table.targets.row($0)[index] == first }) {
                notes.note("column \(quoted: column.name) is \(first) in all training rows")
            }
        }
    }

    // MARK: The report

    private func report(
        _ network: Network, _ schema: Schema, _ table: Table, _ trainingRows: Int, _ test: Table?, _ result: FitResult
    ) throws(BackpropError) {
        let output = Output()
        var text = Info.layers(network) + ", \(try network.parameterCount) parameters\n"
        text += "ended after \(counted(result.epochs, "epoch")): \(Self.reason(result.end))"
        if result.bestEpoch > 0, result.bestEpoch < result.epochs, value("keep") != 1 {
            text += "; best epoch: \(result.bestEpoch)"
        }
        if let restarts = value("restarts"), restarts > 1 { text += "; best start: \(result.restart + 1)" }
        text += "\n\n"
        var scores = TextTable()
        scores.add(Scores.heading(schema))
        var confusion: Text = ""
        func add(_ name: StaticString, _ rows: Table, _ range: Range<Int>) throws(BackpropError) {
            let score = try Scores(network, schema, rows, range)
            scores.add(score.line("\(name)"))
            confusion = score.confusionTable(of: name)
        }
        try add("training", table, 0..<trainingRows)
        if trainingRows < table.rows { try add("validation", table, trainingRows..<table.rows) }
        if let test { try add("test", test, 0..<test.rows) }
        text += scores.text + confusion
        if let save { text += "\nsaved in \(Text(save.printable))\n" }
        try output.write(text)
        try output.flush()
    }

    private static func reason(_ end: FitResult.End) -> Text {
        switch end {
        case .complete: "all were made"
        case .patience: "no better loss for --patience epochs"
        case .targetLoss: "--target-loss was reached"
        case .timeLimit: "--time-limit was reached"
        case .stopped, .cancelled: "interrupted by a signal"
        case .diverged: "a loss was not finite"
        }
    }
}
