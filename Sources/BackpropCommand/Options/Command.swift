import Backprop

/// The commands of the program.
enum Command: CaseIterable {
    case train, predict, evaluate, info, check, export, bench, plugin

    var name: StaticString {
        switch self {
        case .train: "train"
        case .predict: "predict"
        case .evaluate: "evaluate"
        case .info: "info"
        case .check: "check"
        case .export: "export"
        case .bench: "bench"
        case .plugin: "plugin"
        }
    }

    var operands: StaticString {
        switch self {
        case .train: "DATA"
        case .predict: "MODEL [DATA]"
        case .evaluate: "MODEL DATA"
        case .info, .export: "MODEL"
        case .check: "MODEL [DATA]"
        case .bench: ""
        case .plugin: "FILE"
        }
    }

    /// The number of operands.
    var operandCount: ClosedRange<Int> {
        switch self {
        case .bench: 0...0
        case .train, .info, .export, .plugin: 1...1
        case .evaluate: 2...2
        case .predict, .check: 1...2
        }
    }

    var summary: StaticString {
        switch self {
        case .train: "train a network on a CSV file and save it"
        case .predict: "predict the rows of a CSV file"
        case .evaluate: "score predictions of a CSV file with known targets"
        case .info: "describe a model"
        case .check: "check gradients and activations of a model"
        case .export: "write the prediction of a model as C or Swift source, or as an ONNX model"
        case .bench: "measure training and prediction rates"
        case .plugin: "list and check what a plug-in registers"
        }
    }

    var description: StaticString {
        switch self {
        case .train:
            """
            Reads DATA, trains a network that predicts the target from all other columns, saves it and prints its scores. A target \
            of numbers gives a regression, a target of texts or --classes a classification. Columns of texts become one input for \
            each distinct text. SIGINT (Ctrl-C) and SIGTERM end the training: the network is saved and the status is 130 or 143. \
            A second signal ends the program at once. The file of the model is replaced completely or not at all.
            """
        case .predict:
            """
            Writes predictions of the rows of DATA to standard output, as CSV with a header: for a classification the class and the \
            output of each class, for a regression the values. DATA needs the input columns of the training data, in any order; other \
            columns are ignored. Rows are read and written in blocks, so that DATA can be larger than the memory. For a model that \
            this program did not make, all columns are inputs, in order.
            """
        case .evaluate:
            "Compares predictions of the rows of DATA with its targets. Prints the scores, and for a classification the confusion table."
        case .info:
            "Prints layers, parameters, settings, scaling, columns and metadata of MODEL, and the losses of its training."
        case .check:
            """
            Compares the derivatives of the activations of MODEL with differences of their values. With DATA, also compares the \
            gradient of its first rows with differences of the loss. A relative error of 0.01 or more is a failure, and the status is 1.
            """
        case .export:
            """
            Writes one source file with the weights of MODEL and a function that predicts one row, and prints the function's \
            declaration; or an ONNX model, and prints its input and output. The file needs neither this program nor its library. \
            Inputs and outputs are numbers: texts of columns become one input for each text, in the order of the comment in the \
            file, or of the metadata "table" of an ONNX model. ONNX has no operators for activations of plug-ins.
            """
        case .bench:
            """
            Measures standard networks on this machine, and prints the rates beside those that the README publishes, in rows per \
            second.
            """
        case .plugin:
            "Loads the shared library FILE, prints the activations and losses that it registers, and checks derivatives of the activations."
        }
    }

    /// The options of the command, in the order of its help.
    var options: [Option] {
        switch self {
        case .train:
            [.save, .target, .classes, .ignore, .categories, .missing, .hidden, .activation, .output, .loss, .optimizer]
                + [.batchnorm, .dropout, .scaling, .targetScaling, .validation, .test] + Option.engine
                + [.header, .delimiter, .plugin, .threads, .quiet, .help]
        case .predict: [.header, .delimiter, .plugin, .threads, .quiet, .help]
        case .evaluate: [.missingRows, .header, .delimiter, .plugin, .threads, .quiet, .help]
        case .info: [.plugin, .help]
        case .check: [.header, .delimiter, .plugin, .threads, .quiet, .help]
        case .export: [.exported, .format, .bits, .fold, .prefix, .plugin, .help]
        case .bench: [.seconds, .threads, .help]
        case .plugin: [.help]
        }
    }
}
