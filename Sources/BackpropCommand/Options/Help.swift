import Backprop
import CBackprop

var version: Text { Text(Bytes(cString: bp_version_string())) }

/// Texts that `--help` prints.
enum Help {
    static var program: Text {
        var text: Text = """
            Trains and runs neural networks on tables.

            Usage: backprop COMMAND [OPTION]... [FILE]...

              backprop train iris.csv --target species --validation 0.2 -o iris.safetensors
              backprop predict iris.safetensors new.csv > predictions.csv

            Commands:

            """
        for command in Command.allCases { text += "  " + padded("\(command.name)", 10) + "\(command.summary)\n" }
        return text + """

            "backprop COMMAND --help" lists the options of a command. A file "-" is standard input. Other options:
              --version            print the version
              --man                print the manual page
              --completion SHELL   print completions for bash, zsh or fish

            Exit status: 0 done, 1 failed, 2 wrong arguments, 130 ended by SIGINT (Ctrl-C), 143 by SIGTERM.

            """
    }

    static func command(_ command: Command) -> Text {
        var text: Text = "Usage: backprop \(command.name) [OPTION]... \(command.operands)\n\n"
        text += wrapped("\(command.description)", indent: 0) + "\nOptions:\n"
        for option in command.options {
            text += "  " + synopsis(option) + "\n" + wrapped(meaning(option, command), indent: 6)
        }
        return text
    }

    /// "-o, --save FILE"
    static func synopsis(_ option: Option) -> Text {
        var text: Text = ""
        if let letter = option.letter { text += Text([UInt8(ascii: "-"), letter]) + ", " }
        text += "--\(option.name)"
        if let value = option.value { text += " \(value)" }
        return text
    }

    /// The meaning, with the values that can be selected.
    static func meaning(_ option: Option, _ command: Command) -> Text {
        let names = values(option)
        return names.isEmpty ? option.meaning : option.meaning + ". Values: " + list(names)
    }

    /// The values of an option that has a fixed set, in the library or here.
    static func values(_ option: Option) -> [Bytes] {
        if option.name == "activation" || option.name == "output" { return names(.activations) }
        if option.name == "loss" { return names(.losses) }
        if option.name == "optimizer" { return Optimizer.allCases.map { Bytes($0.name.utf8) } }
        return option.choices
    }

    static func names(_ registry: PluginRegistry) -> [Bytes] {
        var names: [Bytes] = []
        while let name = try? registry.name(at: names.count) { names.append(Bytes(name.utf8)) }
        return names
    }

    private static func padded(_ text: Text, _ width: Int) -> Text {
        text + Text(Bytes(repeating: 0x20, count: max(1, width - text.bytes.width)))
    }

    /// Breaks a text into lines of at most 80 characters.
    private static func wrapped(_ text: Text, indent: Int) -> Text {
        let margin = Bytes(repeating: 0x20, count: indent)
        var lines: Bytes = [], line = margin
        for word in text.bytes.split(separator: 0x20) {
            if line.count > indent, line.width + 1 + Bytes(word).width > 80 {
                lines += line + [0x0A]
                line = margin
            }
            if line.count > indent { line.append(0x20) }
            line += word
        }
        return Text(lines + line + [0x0A])
    }
}
