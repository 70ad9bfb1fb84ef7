import Backprop

/// An option of a command.
struct Option {
    /// The name after "--", and the letter after "-" if there is one.
    let name: Bytes
    let letter: UInt8?
    /// The name of the value in the help; nil for an option without a value.
    let value: Text?
    let meaning: Text
    /// The values that shells complete.
    let choices: [Bytes]
    /// The option of networks or trainers that this option sets.
    let engine: OptionDescription?

    private init(
        _ name: StaticString, _ value: StaticString?, _ meaning: Text, letter: UInt8? = nil, choices: [StaticString] = []
    ) {
        self.name = Bytes(name)
        self.letter = letter
        self.value = value.map { "\($0)" }
        self.meaning = meaning
        self.choices = choices.map { Bytes($0) }
        engine = nil
    }

    /// An option of the library, with its name, values and default.
    private init(_ engine: OptionDescription) {
        name = engine.name.utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 }
        letter = nil
        choices = engine.choices.map { Bytes($0.utf8) }
        value = choices.isEmpty ? (engine.isWhole ? "COUNT" : "NUMBER") : "WORD"
        let standard = choices.isEmpty ? "\(engine.standard)" : Text(choices[Int(engine.standard)])
        meaning = "\(engine.meaning) (default \(standard))"
        self.engine = engine
    }

    /// The options of networks and trainers that suit a file of rows.
    static var engine: [Option] {
        OptionDescription.all.filter { option in
            let name = option.name.utf8
            return
                !(name == "resume" || name == "steps_per_epoch" || name == "progress_interval" || name == "progress_seconds"
                || name == "validation_fraction" || name == "stratify" || name == "missing_targets")
        }.map { Option($0) }
    }

    static var save: Option {
        Option(
            "save", "FILE", "the model's file, in the safetensors format; without it the network is not saved",
            letter: UInt8(ascii: "o"))
    }
    static var target: Option {
        Option("target", "COLUMN", "a column to predict (default: the last one); repeat it for several columns of numbers")
    }
    static var classes: Option { Option("classes", nil, "the target holds classes, also if they are numbers") }
    static var ignore: Option { Option("ignore", "COLUMN", "a column that is not used; can be repeated") }
    static var categories: Option {
        Option("categories", "COLUMN", "a column whose numbers are texts, such as postal codes; can be repeated")
    }
    static var missing: Option {
        Option(
            "missing", "WORD",
            """
            rows with missing values (empty, NA, NaN, null and other words of pandas.read_csv): refuse, an error; mean, a missing \
            input becomes the mean of its column, and rows without a target are dropped; drop, the rows are dropped (default refuse)
            """, choices: ["refuse", "mean", "drop"])
    }
    static var missingRows: Option {
        Option(
            "missing", "WORD",
            "rows with missing values for which the model has no means: refuse, an error; drop (default refuse)",
            choices: ["refuse", "drop"])
    }
    static var hidden: Option {
        Option("hidden", "SIZES", "the sizes of the hidden layers, such as 32,16; 0 for none (default 32)")
    }
    static var activation: Option { Option("activation", "NAME", "the activation of the hidden layers (default tanh)") }
    static var output: Option {
        Option(
            "output", "NAME",
            "the activation of the last layer (default softmax for classes, and for numbers the one that the loss needs, or identity)"
        )
    }
    static var loss: Option {
        Option("loss", "NAME", "the loss that training minimizes (default cross_entropy for classes, squared_error for numbers)")
    }
    static var optimizer: Option {
        Option("optimizer", "NAME", "the optimizer (default adam)", choices: [])
    }
    static var batchnorm: Option { Option("batchnorm", nil, "normalize the hidden layers over each minibatch") }
    static var dropout: Option {
        Option("dropout", "RATE", "the probability with which a step omits a hidden unit (default 0)")
    }
    static var scaling: Option {
        Option(
            "scaling", "METHOD", "the scaling of the inputs (default standard)",
            choices: ["none", "standard", "min_max", "symmetric"])
    }
    static var targetScaling: Option {
        Option(
            "target-scaling", "METHOD", "the scaling of targets that are numbers (default auto: by loss and output)",
            choices: ["auto", "none", "standard", "min_max", "symmetric"])
    }
    static var validation: Option {
        Option("validation", "SHARE", "the share of the rows that is held out for validation, of each class alike (default 0)")
    }
    static var test: Option {
        Option("test", "FILE", "a CSV file of the same columns; the network is scored on it after training")
    }
    static var header: Option { Option("no-header", nil, "the first row is data; the columns are named 1, 2, ...") }
    static var delimiter: Option {
        Option(
            "delimiter", "CHARACTER", "the character between fields, or tab (default: comma, semicolon or tab, by the first row)")
    }
    static var plugin: Option { Option("plugin", "FILE", "load a plug-in with activations and losses; can be repeated") }
    static var threads: Option { Option("threads", "COUNT", "the number of threads (default 0: one for each processor)") }
    static var quiet: Option { Option("quiet", nil, "no progress and no notes", letter: UInt8(ascii: "q")) }
    static var seconds: Option { Option("seconds", "NUMBER", "the time for each measurement (default 1)") }
    static var exported: Option { Option("save", "FILE", "the file to write, which is needed", letter: UInt8(ascii: "o")) }
    static var format: Option {
        Option(
            "format", "WORD", "what to write (default swift for FILE.swift, onnx for FILE.onnx, otherwise c)",
            choices: ["c", "swift", "onnx"])
    }
    static var bits: Option {
        Option("bits", "COUNT", "bits of a weight: 32, float; 8, with a scale for each unit (default 32)", choices: ["32", "8"])
    }
    static var fold: Option {
        Option("fold", nil, "fold batch normalization and scaling into the weights: faster, not the same bits")
    }
    static var prefix: Option {
        Option("prefix", "NAME", "the start of the names in C, the type in Swift (default: from the name of FILE)")
    }
    static var help: Option { Option("help", nil, "print this help", letter: UInt8(ascii: "h")) }
}
