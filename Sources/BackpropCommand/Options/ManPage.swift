import Backprop

/// The manual page backprop(1), from the same tables as the help.
enum ManPage {
    static var text: Text {
        var text: Text = """
            .TH BACKPROP 1 "" "backprop \(version)" "User Commands"
            .SH NAME
            backprop \\- train and run neural networks on tables
            .SH SYNOPSIS
            .B backprop
            .I COMMAND
            [\\fIOPTION\\fR]... [\\fIFILE\\fR]...
            .PP
            .B backprop
            \\-\\-help | \\-\\-version | \\-\\-man | \\-\\-completion \\fISHELL\\fR
            .SH DESCRIPTION
            Trains fully connected neural networks on CSV files (RFC 4180), and uses them. A file "\\-" is standard input. Models are
            safetensors files, which C, Python and Swift programs load with libbackprop, too.
            .SH COMMANDS

            """
        for command in Command.allCases {
            text += ".SS \"backprop \(command.name) [OPTION]... \(command.operands)\"\n"
            text += escaped("\(command.description)") + "\n"
            for option in command.options {
                text += ".TP\n.B " + escaped(Help.synopsis(option)) + "\n" + escaped(Help.meaning(option, command)) + ".\n"
            }
        }
        return text + """
            .SH EXIT STATUS
            .TP
            .B 0
            The command has done its work.
            .TP
            .B 1
            It failed. Standard error has one line with the reason.
            .TP
            .B 2
            The arguments are wrong.
            .TP
            .B 130, 143
            SIGINT (Ctrl\\-C) or SIGTERM ended it. A network that was being trained is saved.
            .SH EXAMPLES
            .nf
            backprop train iris.csv \\-\\-target species \\-\\-hidden 32,16 \\-\\-validation 0.2 \\-\\-patience 20 \\-o iris.safetensors
            backprop predict iris.safetensors new.csv > predictions.csv
            .fi

            """
    }

    /// roff takes a backslash, a hyphen, and a point or quote at the start of a line for itself.
    private static func escaped(_ text: Text) -> Text {
        var bytes: Bytes = []
        for byte in text.bytes {
            if bytes.isEmpty, byte == UInt8(ascii: ".") || byte == UInt8(ascii: "'") { bytes += Bytes("\\&") }
            if byte == UInt8(ascii: "\\") {
                bytes += Bytes("\\e")
            } else if byte == UInt8(ascii: "-") {
                bytes += Bytes("\\-")
            } else {
                bytes.append(byte)
            }
        }
        return Text(bytes)
    }
}
