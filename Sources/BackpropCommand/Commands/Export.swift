import Backprop
import CConsole

/// `backprop export`
struct Export {
    private enum Format {
        case c, swift, onnx
    }

    private let model: Bytes, file: Bytes, name: Bytes
    private let format: Format
    private let bits: Int
    private let isFolded: Bool

    init(_ arguments: Arguments) throws(BackpropError) {
        try arguments.prepare()
        model = arguments.operands[0]
        guard let file = arguments.text("save") else { throw failure("option --save is needed: the file to write") }
        self.file = file
        let fileName = Bytes(file.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).last ?? [])
        let word = try arguments.name("format", among: [Bytes("c"), Bytes("swift"), Bytes("onnx")])
        let ending = fileName.lastIndex(of: UInt8(ascii: ".")).map { Bytes(fileName[($0 + 1)...]) } ?? []
        format = (word ?? ending) == "swift" ? .swift : (word ?? ending) == "onnx" ? .onnx : .c
        bits = try arguments.name("bits", among: [Bytes("32"), Bytes("8")]) == Bytes("8") ? 8 : 32
        isFolded = arguments.has("fold")
        name = arguments.text("prefix") ?? Self.name(fileName, isSwift: format == .swift)
        if format == .onnx, isFolded || arguments.has("bits") || arguments.has("prefix") {
            throw failure("options --bits, --fold and --prefix are for source code, not for ONNX")
        }
    }

    /// "iris-2.c" is iris_2, in Swift Iris_2.
    private static func name(_ file: Bytes, isSwift: Bool) -> Bytes {
        func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A }
        var name = Bytes(file.prefix { $0 != UInt8(ascii: ".") }.prefix(63)).map {
            isLetter($0) || $0 >= 0x30 && $0 <= 0x39 ? $0 : UInt8(ascii: "_")
        }
        if !isLetter(name.first ?? 0) { name.insert(UInt8(ascii: "n"), at: 0) }
        if isSwift, name[0] >= 0x61 { name[0] -= 0x20 }
        return name
    }

    func run() throws(BackpropError) -> Int32 {
        let network = try Model.load(model).network
        try withCString(file) { (path) throws(BackpropError) in
            switch format {
            case .c: try network.exportC(to: path, prefix: name.string, weightBits: bits, folded: isFolded)
            case .swift: try network.exportSwift(to: path, typeName: name.string, weightBits: bits, folded: isFolded)
            case .onnx: try ONNXModel(network).save(to: path)
            }
        }
        let output = Output()
        try output.write(declaration(network.layers))
        try output.flush()
        return 0
    }

    /// The line that a user of the file needs first.
    private func declaration(_ layers: [Int]) -> Text {
        switch format {
        case .c: "void \(name)_predict(const float *input, float *output);\n"
        case .swift: "\(name).predict(_ input: [Float]) -> [Float]\n"
        case .onnx: "inputs: float32 [rows, \(layers[0])], outputs: float32 [rows, \(layers[layers.count - 1])]\n"
        }
    }
}
