import CPlatform

/// Source code in C or Swift that is written from templates. Its memory can be refused: a network can be large. In a template,
///
///     `f(x)            is a name, in C with the prefix
///     %f(x,*y,#n)      the head of a function of floats, pointers to floats (* constant, + variable) or to 8-bit integers (&), and
///                      integers (#); it returns a float, or nothing if it has a variable pointer
///     $x = 1           a constant float
///     ^x = 1           a variable float
///     @j(0,9) { }      a loop from 0 to 8
///     0.5~ !(n)        a literal and a conversion to float
///     ;                the end of a statement
///     {n} {i} {u}      of the selected layer the number, inputs and units
///     {x} {z} {a}      the arrays of its inputs, sums and outputs
///     {f} {g}          the name of its activation, and of the function that a program defines for it
///     {p}              the prefix
///
/// and all other characters are written as they are. Lines are indented by their brackets.
struct SourceText: ~Copyable {
    let isSwift: Bool
    private let prefix: Text
    private let network: NetworkState
    /// The number of the selected layer: 1 is the first with weights.
    var layer = 1
    private var bytes: UnsafeMutablePointer<UInt8>?
    private var count = 0, capacity = 0
    private var isRefused = false, isFinite = true
    /// The number of open brackets.
    private var depth = 0
    private var isLineStart = true

    init(_ network: NetworkState, isSwift: Bool, prefix: String) {
        self.network = network
        self.isSwift = isSwift
        self.prefix = "\(prefix)"
    }

    deinit { cp_free(bytes) }

    /// Replaces a file by the text.
    func save(to path: CString) throws(BackpropError) {
        if let bytes { try replaceFile(path, bytes, count) }
    }

    /// Throws if the text is not complete, or contains a number that is not finite.
    func requireComplete() throws(BackpropError) {
        guard isFinite else { throw BackpropError(.notFinite, "the batch normalization of a layer is not finite") }
        guard !isRefused else { throw Reserve.exhausted }
    }

    // MARK: Characters

    /// Makes room for 64 characters. Returns whether there is room.
    @inline(never)
    private mutating func reserve() -> Bool {
        if capacity - count >= 64 { return true }
        guard !isRefused, let larger = cp_allocate_bytes(2 * capacity + 4096) else {
            isRefused = true
            return false
        }
        if let bytes { cp_copy(larger, bytes, count) }
        cp_free(bytes)
        bytes = larger
        capacity = 2 * capacity + 4096
        return true
    }

    /// At the start of a line: writes its margin.
    private mutating func indent() {
        guard isLineStart else { return }
        isLineStart = false
        for _ in 0..<max(0, 4 * depth) { put(0x20) }
    }

    @inline(never)
    private mutating func put(_ byte: UInt8) {
        if byte == 0x29 || byte == 0x5D || byte == 0x7D { depth -= 1 }
        if byte != 0x0A { indent() }
        if byte == 0x28 || byte == 0x5B || byte == 0x7B { depth += 1 }
        guard reserve(), let bytes else { return }
        bytes[count] = byte
        count += 1
        isLineStart = byte == 0x0A
    }

    @inline(never)
    private mutating func put(_ text: Text) {
        for byte in text.bytes { put(byte) }
    }

    /// Writes a part of a comment: at most 4,000 bytes. A text of a caller cannot end it, begin another one in it, contain a
    /// trigraph, or change the direction in which it is shown.
    @inline(never)
    mutating func comment(_ words: Text) {
        let bytes = words.bytes + [0, 0]
        var i = 0
        while i < bytes.count - 2 {
            let byte = bytes[i], next = bytes[i + 1], third = bytes[i + 2]
            if i >= 4000, byte & 0xC0 != 0x80 { return write("...") }
            i += 1
            if byte == 0x0A {
                either("\n *|\n//")
                if next != 0x0A { put(0x20) }
            } else if byte == 0xE2,
                next == 0x80 && third >= 0xA8 && third <= 0xAE || next == 0x81 && third >= 0xA6 && third <= 0xA9
            {
                i += 2
                put(0x5F)
            } else {
                put(byte < 0x20 || byte == 0x7F ? 0x5F : byte)
                if byte == 0x2A && next == 0x2F || byte == 0x2F && next == 0x2A || byte == 0x3F && next == byte { put(0x20) }
            }
            depth = 0
        }
    }

    /// Declares a constant array of floats, or of integers of 8 bits.
    @inline(never)
    mutating func array(_ name: StaticString, _ values: UnsafePointer<Float>, _ count: Int, areIntegers: Bool = false) {
        either(areIntegers ? "static const int8_t `|private static let " : "static const float `|private static let ")
        write(name)
        if isSwift {
            write(areIntegers ? ": [Int8] = [" : ": [Float] = [")
        } else {
            put("[\(count)] = {")
        }
        for i in 0..<count {
            put(i % 8 == 0 ? 0x0A : 0x20)
            number(values[i], isInteger: areIntegers)
        }
        either("\n};\n\n|\n]\n\n")
    }

    /// Writes the shortest literal of a number, and a comma.
    private mutating func number(_ value: Float, isInteger: Bool) {
        if !value.isFinite { isFinite = false }
        indent()
        guard reserve(), let bytes else { return }
        let digits = UnsafeMutableRawPointer(bytes + count).assumingMemoryBound(to: CChar.self)
        cp_print_decimal(Double(value), true, digits, 32)
        var isWhole = true
        while bytes[count] != 0 {
            if bytes[count] == 0x2E || bytes[count] == 0x65 { isWhole = false }
            count += 1
        }
        if isInteger { return put(0x2C) }
        write(isWhole ? ".0~," : "~,")
    }

    // MARK: Templates

    @inline(never)
    mutating func write(_ template: StaticString) {
        write(UnsafeBufferPointer(start: template.utf8Start, count: template.utf8CodeUnitCount))
    }

    /// Writes the template before "|" in C, the one after it in Swift.
    @inline(never)
    mutating func either(_ templates: StaticString) {
        let all = UnsafeBufferPointer(start: templates.utf8Start, count: templates.utf8CodeUnitCount)
        var end = 0
        while all[end] != 0x7C { end += 1 }
        write(UnsafeBufferPointer(rebasing: isSwift ? all[(end + 1)...] : all[..<end]))
    }

    @inline(never)
    mutating func write(_ template: UnsafeBufferPointer<UInt8>) {
        var at = 0
        while at < template.count { put(template, &at) }
    }

    private mutating func put(_ template: UnsafeBufferPointer<UInt8>, _ at: inout Int) {
        let byte = template[at]
        at += 1
        switch byte {
        case UInt8(ascii: "`"): if !isSwift { write("{p}_") }
        case UInt8(ascii: "~"): if !isSwift { put(0x66) }
        case UInt8(ascii: ";"): if !isSwift { put(byte) }
        case UInt8(ascii: "!"): either("(float)|Float")
        case UInt8(ascii: "$"), UInt8(ascii: "^"):
            either(byte == UInt8(ascii: "$") ? "const float |let " : "float |var ")
            _ = copy(template, &at, until: 0x20)
            either(" |: Float ")
        case UInt8(ascii: "@"): loop(template, &at)
        case UInt8(ascii: "%"): head(template, &at)
        case UInt8(ascii: "{") where at + 1 < template.count && template[at + 1] == UInt8(ascii: "}"):
            value(template[at])
            at += 2
        default: put(byte)
        }
    }

    private mutating func value(_ letter: UInt8) {
        let selected = network.layers[layer - 1]
        switch letter {
        case UInt8(ascii: "n"): put("\(layer)")
        case UInt8(ascii: "i"): put("\(selected.inputs)")
        case UInt8(ascii: "u"): put("\(selected.outputs)")
        case UInt8(ascii: "x"): array(layer - 1)
        case UInt8(ascii: "a"): array(layer)
        case UInt8(ascii: "z"):
            if selected.activation.isMatrixFunction { write("z{n}") } else { array(layer) }
        case UInt8(ascii: "f"), UInt8(ascii: "g"):
            let name = selected.activationName
            if letter == UInt8(ascii: "f") { put(name) } else { functionName(name) }
        default: put(prefix)
        }
    }

    /// The array with the outputs of a layer; of layer 0, the inputs.
    @inline(never)
    private mutating func array(_ layer: Int) {
        if layer == 0, network.inputScaling == nil { return write("input") }
        if layer == network.layers.count { return write("output") }
        put("a\(layer)")
    }

    /// "my.bump" is PREFIX_activation_myDotbump: names have no capital letters, so that no two become equal.
    private mutating func functionName(_ name: Text) {
        write("{p}_activation_")
        for byte in name.bytes {
            if byte == UInt8(ascii: ".") { write("Dot") } else if byte == UInt8(ascii: "-") { write("Minus") } else { put(byte) }
        }
    }

    /// Writes a template up to a delimiter, and returns this.
    @inline(never)
    private mutating func copy(_ template: UnsafeBufferPointer<UInt8>, _ at: inout Int, until end: UInt8) -> UInt8 {
        while template[at] != end, template[at] != 0x29, template[at] != 0x2C { put(template, &at) }
        at += 1
        return template[at - 1]
    }

    private mutating func loop(_ template: UnsafeBufferPointer<UInt8>, _ at: inout Int) {
        let index = template[at]
        at += 2
        either("for (int |for ")
        put(index)
        either(" = | in ")
        _ = copy(template, &at, until: 0x2C)
        if isSwift {
            write("..<")
            _ = copy(template, &at, until: 0x29)
        } else {
            write("; ")
            put(index)
            write(" < ")
            _ = copy(template, &at, until: 0x29)
            write("; ")
            put(index)
            write("++)")
        }
    }

    private mutating func head(_ template: UnsafeBufferPointer<UInt8>, _ at: inout Int) {
        var isVoid = false
        var i = at
        while template[i] != 0x29 {
            if template[i] == UInt8(ascii: "+") { isVoid = true }
            i += 1
        }
        if isSwift {
            put(0x40)  // "@" begins a loop
            write("inline(__always) private static func ")
        } else {
            write(isVoid ? "static inline void {p}_" : "static inline float {p}_")
        }
        _ = copy(template, &at, until: 0x28)
        put(0x28)
        var end: UInt8
        repeat {
            let kind = template[at]
            var pointee: StaticString?
            switch kind {
            case UInt8(ascii: "*"): pointee = "const float *|UnsafePointer<Float>"
            case UInt8(ascii: "+"): pointee = "float *|UnsafeMutablePointer<Float>"
            case UInt8(ascii: "&"): pointee = "const int8_t *|UnsafePointer<Int8>"
            case UInt8(ascii: "#"): pointee = "int |Int"
            default: break
            }
            if pointee != nil { at += 1 }
            let type = pointee ?? "float |Float"
            if isSwift { write("_ ") } else { either(type) }
            end = copy(template, &at, until: 0x29)
            if isSwift {
                write(": ")
                either(type)
            }
            put(end)
            if end == 0x2C { put(0x20) }
        } while end == 0x2C
        if isSwift, !isVoid { write(" -> Float") }
    }
}

extension Layer {
    @inline(never)
    var activationName: Text { "\(activation.name)" }
}
