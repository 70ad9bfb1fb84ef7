import Backprop

/// Completions for shells, from the same tables as the help.
enum Completion: CaseIterable {
    case bash, zsh, fish

    var name: StaticString {
        switch self {
        case .bash: "bash"
        case .zsh: "zsh"
        case .fish: "fish"
        }
    }

    var text: Text {
        switch self {
        case .bash: Self.function + "complete -o default -F _backprop backprop\n"
        case .zsh: Self.zshText
        case .fish: Self.fishText
        }
    }

    private static var commands: [Bytes] { Command.allCases.map { Bytes($0.name) } }

    private static func words(_ names: [Bytes]) -> Text {
        var text: Text = ""
        for (index, name) in names.enumerated() { text += "\(index == 0 ? "" : " ")\(name)" }
        return text
    }

    /// A function for bash. After an option with a fixed set of values it completes these; otherwise it
    /// completes options after "-", and files.
    private static var function: Text {
        var text: Text = """
            _backprop() {
                local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=
                COMPREPLY=()
                if [ "$COMP_CWORD" -eq 1 ]; then
                    words='\(words(commands)) --help --version --man --completion'
                else
                    case ${COMP_WORDS[1]}$before in

            """
        for command in Command.allCases {
            for option in command.options {
                let values = Help.values(option)
                if !values.isEmpty { text += "    \(command.name)--\(option.name)) words='\(words(values))' ;;\n" }
            }
            let options = command.options.map { Bytes("--") + $0.name }
            text += "    \(command.name)*) case $word in -*) words='\(words(options))' ;; esac ;;\n"
        }
        return text + """
                    --completion*) words='bash zsh fish' ;;
                    esac
                fi
                [ -n "$words" ] && COMPREPLY=($(compgen -W "$words" -- "$word"))
            }

            """
    }

    private static var zshText: Text {
        var text: Text = """
            #compdef backprop
            local -a commands=(

            """
        for command in Command.allCases { text += "    '\(command.name):\(command.summary)'\n" }
        text += """
                --help --version --man --completion
            )
            if (( CURRENT == 2 )); then
                _describe command commands
                return
            fi
            case $words[2] in
            --completion) _values shell bash zsh fish ;;

            """
        for command in Command.allCases {
            text += "\(command.name)) (( CURRENT-- )); shift words; _arguments"
            for option in command.options {
                let values = Help.values(option)
                let action: Text =
                    values.isEmpty ? option.value.map { $0.bytes == "FILE" ? "_files" : " " } ?? "" : "(\(words(values)))"
                let rest = "[\(shortMeaning(option))]" + (option.value.map { ":\($0):" + action } ?? "")
                text += " \\\n    '*--\(option.name)\(rest)'"
                if let letter = option.letter { text += " '*-" + Text([letter]) + rest + "'" }
            }
            text += " \\\n    '*:file:_files' ;;\n"
        }
        return text + "esac\n"
    }

    private static var fishText: Text {
        var text: Text = ""
        for command in Command.allCases {
            text += "complete -c backprop -n __fish_use_subcommand -f -a \(command.name) -d '\(command.summary)'\n"
            for option in command.options {
                text += "complete -c backprop -n '__fish_seen_subcommand_from \(command.name)' -l \(option.name)"
                if let letter = option.letter { text += " -s " + Text([letter]) }
                if option.value != nil { text += " -r" }
                let values = Help.values(option)
                if !values.isEmpty { text += " -f -a '\(words(values))'" }
                text += " -d '" + shortMeaning(option) + "'\n"
            }
        }
        return text
    }

    /// The meaning up to the first character that zsh would interpret, or that starts a remark.
    private static func shortMeaning(_ option: Option) -> Text {
        let end = option.meaning.bytes.firstIndex { Bytes(";:(['").contains($0) }
        let part = option.meaning.bytes[..<(end ?? option.meaning.bytes.count)]
        return Text(Bytes(part.last == 0x20 ? part.dropLast() : part))
    }
}
