import Backprop
import CConsole

/// The program `backprop`. The library's own errors, and those of this program, have one line.
@main
struct Program {
    static func main() {
        con_end_on_closed_pipe()
        let words = (1..<max(1, con_argument_count())).map { Bytes(cString: con_argument($0)) }
        con_exit(run(words))
    }

    private static func run(_ words: [Bytes]) -> Int32 {
        let task: () throws(BackpropError) -> Int32
        do throws(BackpropError) {
            task = try self.task(words)
        } catch {
            report(error)
            // A plug-in that cannot be loaded is no mistake in the arguments.
            return error.code == .invalidValue || error.code == .unknownName ? 2 : 1
        }
        do throws(BackpropError) {
            return try task()
        } catch {
            report(error)
            return 1
        }
    }

    private static func report(_ error: BackpropError) { writeError("backprop: \(error.message)\n") }

    /// Parses the arguments. Returns the work.
    private static func task(_ words: [Bytes]) throws(BackpropError) -> () throws(BackpropError) -> Int32 {
        guard let first = words.first else { throw failure("no command is given; \"backprop --help\" lists all") }
        if first == "--help" || first == "-h" || first == "help" {
            return { () throws(BackpropError) in try print(Help.program) }
        }
        if first == "--version" { return { () throws(BackpropError) in try print("backprop \(version)\n") } }
        if first == "--man" { return { () throws(BackpropError) in try print(ManPage.text) } }
        if first == "--completion" {
            let names = Completion.allCases.map { Bytes($0.name) }
            let name = try Arguments.name(words.count > 1 ? words[1] : [], "completion", among: names)
            let completion = Completion.allCases.first { name == $0.name } ?? .bash
            return { () throws(BackpropError) in try print(completion.text) }
        }
        guard let command = Command.allCases.first(where: { first == $0.name }) else { throw unknown(first) }
        let arguments = try Arguments(command, words.dropFirst())
        if arguments.has("help") { return { () throws(BackpropError) in try print(Help.command(command)) } }
        switch command {
        case .train: return try Train(arguments).run
        case .predict: return try Predict(arguments).run
        case .evaluate: return try Evaluate(arguments).run
        case .info: return try Info(arguments).run
        case .check: return try Check(arguments).run
        case .export: return try Export(arguments).run
        case .bench: return try Bench(arguments).run
        case .plugin: return PluginCommand(arguments).run
        }
    }

    private static func unknown(_ word: Bytes) -> BackpropError {
        var suggestion = Suggestion(for: word.string)
        for command in Command.allCases { suggestion.consider(Bytes(command.name).string) }
        let advice: Text = suggestion.found.map { "did you mean \($0)?" } ?? "\"backprop --help\" lists all"
        return failure("no command is named \(quoted: word): " + advice)
    }

    private static func print(_ text: Text) throws(BackpropError) -> Int32 {
        let output = Output()
        try output.write(text)
        try output.flush()
        return 0
    }
}
