import Backprop
import BackpropC
import CConsole

/// The arguments of a command.
struct Arguments {
    let command: Command
    private(set) var operands: [Bytes] = []
    private var values: [(option: Option, value: Bytes)] = []

    /// Parses the arguments after the command's name.
    init(_ command: Command, _ words: ArraySlice<Bytes>) throws(BackpropError) {
        self.command = command
        let options = command.options
        var isOption = true
        var index = words.startIndex
        while index < words.endIndex {
            let word = words[index]
            index += 1
            guard isOption, word.count > 1, word[0] == UInt8(ascii: "-") else {
                operands.append(word)
                continue
            }
            if word == "--" {
                isOption = false
                continue
            }
            var (option, value) = try Self.find(word, options, command)
            if option.value == nil {
                guard value == nil else { throw failure("option --\(option.name) takes no value") }
            } else if value == nil {
                guard index < words.endIndex else { throw failure("option --\(option.name) needs a value") }
                value = words[index]
                index += 1
            }
            values.append((option, value ?? []))
        }
        guard !has("help") else { return }
        guard command.operandCount.contains(operands.count) else {
            let usage: Text = command.operands.utf8CodeUnitCount > 0 ? " \(command.operands)" : ""
            throw failure("\(counted(operands.count, "argument")) for \"backprop \(command.name) [OPTION]...\(usage)\"")
        }
    }

    /// Finds the option of "--name", "--name=value", "-o" or "-ovalue".
    private static func find(
        _ word: Bytes, _ options: [Option], _ command: Command
    ) throws(BackpropError) -> (Option, Bytes?) {
        if word[1] != UInt8(ascii: "-") {
            guard let option = options.first(where: { $0.letter == word[1] }) else {
                throw failure("\(command.name) has no option \(quoted: word)")
            }
            return (option, word.count > 2 ? Bytes(word[2...]) : nil)
        }
        let parts = word.dropFirst(2).split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
        let name = parts[0].map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 }
        guard let option = options.first(where: { $0.name == name }) else {
            var suggestion = Suggestion(for: name.string)
            for option in options { suggestion.consider(option.name.string) }
            let advice: Text = suggestion.found.map { ": did you mean --\($0)?" } ?? ""
            throw failure("\(command.name) has no option \(quoted: word.prefix(2) + name)" + advice)
        }
        return (option, parts.count > 1 ? Bytes(parts[1]) : nil)
    }

    // MARK: Values

    func has(_ name: StaticString) -> Bool { values.contains { $0.option.name == name } }

    /// The value of an option that was given last.
    func text(_ name: StaticString) -> Bytes? { values.last { $0.option.name == name }?.value }

    func all(_ name: StaticString) -> [Bytes] { values.filter { $0.option.name == name }.map { $0.value } }

    func number(_ name: StaticString, _ range: ClosedRange<Double>) throws(BackpropError) -> Double? {
        guard let text = text(name) else { return nil }
        guard case .number(let value) = FieldValue(text[...]), range.contains(value) else {
            throw failure(
                "option --\(name) must be a number from \(range.lowerBound) to \(range.upperBound), not \(quoted: text)")
        }
        return value
    }

    func count(_ name: StaticString, _ range: ClosedRange<Int>) throws(BackpropError) -> Int? {
        guard let text = text(name) else { return nil }
        return try Self.count(text[...], name, range)
    }

    static func count(_ text: ArraySlice<UInt8>, _ name: StaticString, _ range: ClosedRange<Int>) throws(BackpropError) -> Int {
        guard case .number(let value) = FieldValue(text), value == value.rounded(.down), abs(value) < 1e15,
            range.contains(Int(value))
        else {
            throw failure(
                "option --\(name) must be an integer from \(range.lowerBound) to \(range.upperBound), not \(quoted: text)")
        }
        return Int(value)
    }

    /// The value of an option that is one of the names, with a suggestion for an unknown one.
    func name(_ name: StaticString, among names: [Bytes]) throws(BackpropError) -> Bytes? {
        guard let text = text(name) else { return nil }
        return try Self.name(text, name, among: names)
    }

    static func name(_ text: Bytes, _ option: StaticString, among names: [Bytes]) throws(BackpropError) -> Bytes {
        if names.contains(text) { return text }
        var suggestion = Suggestion(for: text.string)
        var list: Text = ""
        for (index, each) in names.enumerated() {
            suggestion.consider(each.string)
            list += "\(index == 0 ? "" : ", ")\(each)"
        }
        let advice: Text = suggestion.found.map { "did you mean \(quoted: Bytes($0.utf8))?" } ?? "the names are " + list
        throw failure("option --\(option) has no value \(quoted: text): \(advice)")
    }

    /// The options of the library that were given, with their values.
    func engineOptions() throws(BackpropError) -> [(option: OptionDescription, value: Double)] {
        var found: [(option: OptionDescription, value: Double)] = []
        for (option, text) in values {
            guard let engine = option.engine else { continue }
            var value = Double.nan
            if let index = option.choices.firstIndex(of: text) {
                value = Double(index)
            } else if case .number(let number) = FieldValue(text[...]) {
                value = number
            }
            guard !value.isNaN else {
                let kind: Text = option.choices.isEmpty ? "a number" : "one of \(list(option.choices))"
                throw failure("option --\(option.name) must be \(kind), not \(quoted: text)")
            }
            try engine.require(value)
            found.append((engine, value))
        }
        return found
    }

    // MARK: What several commands use

    /// Loads the plug-ins and sets the number of threads.
    func prepare() throws(BackpropError) {
        for path in all("plugin") { try load(plugin: path) }
        if let threads = try count("threads", 0...256) { try Threads.setCount(threads) }
    }

    var notes: Notes { Notes(isQuiet: has("quiet")) }

    func missingValues() throws(BackpropError) -> MissingValues {
        let choices = command.options.first { $0.name == "missing" }?.choices ?? []
        let word = try name("missing", among: choices)
        return word == Bytes("mean") ? .mean : word == Bytes("drop") ? .drop : .refuse
    }

    func fileFormat() throws(BackpropError) -> FileFormat {
        var format = FileFormat(hasHeader: !has("no-header"))
        if let text = text("delimiter") {
            let word = text == "tab" || text == "\\t" ? [UInt8(ascii: "\t")] : text
            guard word.count == 1, word[0] != UInt8(ascii: "\""), word[0] != 0x0A, word[0] != 0x0D, word[0] < 0x80 else {
                throw failure("option --delimiter must be one ASCII character or tab, not \(quoted: text)")
            }
            format.delimiter = word[0]
        }
        return format
    }
}

func list(_ names: [Bytes]) -> Text {
    var text: Text = ""
    for (index, name) in names.enumerated() { text += "\(index == 0 ? "" : ", ")\(name)" }
    return text
}

/// Loads a plug-in. As for the shell, a name without a slash is a file in the current folder.
func load(plugin path: Bytes) throws(BackpropError) {
    let path = path.contains(UInt8(ascii: "/")) ? path : Bytes("./") + path
    try withCString(path) { (path) throws(BackpropError) in try loadPlugin(CString(path)) }
}

func withCString<Result>(
    _ bytes: Bytes, _ body: (UnsafePointer<CChar>) throws(BackpropError) -> Result
) throws(BackpropError) -> Result {
    let ended = bytes.map { CChar(bitPattern: $0) } + [0]
    return try ended.withUnsafeBufferPointer { (buffer) throws(BackpropError) in
        guard let base = buffer.baseAddress else { throw failure("a path is empty") }
        return try body(base)
    }
}
