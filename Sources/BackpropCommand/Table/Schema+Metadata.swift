import Backprop

/// The metadata of a model: "table" holds the columns, as CSV with the columns kind, name and mean; "classes" the classes as a
/// JSON list, which the Python package reads, too.
extension Schema {
    func store(in network: Network) throws(BackpropError) {
        let text = metadata.bytes
        guard text.count < 1 << 19 else {
            throw failure("the names of columns and categories have \(text.count) bytes: a model can hold 524288")
        }
        try network.setMetadata("table", String(decoding: text, as: UTF8.self))
        if let classes { try network.setMetadata("classes", String(decoding: Self.jsonList(classes).bytes, as: UTF8.self)) }
    }

    private var metadata: Text {
        var text: Text = "kind,name,mean\n"
        func add(_ kind: StaticString, _ name: Bytes, _ mean: Double? = nil) {
            text += "\(kind),\(csvField(name)),"
            if let mean { text += "\(mean)" }
            text += "\n"
        }
        if !hasHeader { add("unnamed", []) }
        func add(_ columns: [Column], numbers: StaticString, categories: StaticString) {
            for column in columns {
                let means = column.means
                guard let list = column.categories else {
                    add(numbers, column.name, means.first)
                    continue
                }
                add(categories, column.name)
                for (index, category) in list.enumerated() { add("category", category, means.isEmpty ? nil : means[index]) }
            }
        }
        add(inputs, numbers: "numbers", categories: "categories")
        add(targets, numbers: "target", categories: "classes")
        return text
    }

    /// The columns of a model that `backprop train` made; nil for other models.
    static func read(from network: Network, _ name: Text) throws(BackpropError) -> Schema? {
        guard let text = try? network.metadata("table") else { return nil }
        let bytes = Bytes(text.utf8)
        var schema = Schema()
        let isSound = try bytes.withUnsafeBufferPointer { (bytes) throws(BackpropError) in
            try schema.parse(CSVReader(name + ": metadata \"table\"", bytes))
        }
        guard isSound, schema.inputCount == network.layers.first, schema.targetCount == network.layers.last else {
            throw failure("\(name): the metadata \"table\" do not match the network")
        }
        return schema
    }

    private mutating func parse(_ reader: CSVReader) throws(BackpropError) -> Bool {
        guard try reader.next() else { return false }
        /// A column of categories whose categories are being read.
        var open: (isTarget: Bool, name: Bytes, categories: [Bytes], means: [Double])?
        func close(_ schema: inout Schema) {
            guard let each = open else { return }
            let column = Column(each.name, categories: each.categories)
            if each.means.count == each.categories.count { column.means = each.means }
            if each.isTarget { schema.targets.append(column) } else { schema.inputs.append(column) }
            open = nil
        }
        while try reader.next() {
            guard reader.count == 3 else { return false }
            let kind = reader.field(0), name = Bytes(reader.field(1))
            var mean: Double?
            if case .number(let number) = FieldValue(reader.field(2)) { mean = number }
            if kind == "category" {
                open?.categories.append(name)
                if let mean { open?.means.append(mean) }
                continue
            }
            close(&self)
            if kind == "unnamed" {
                hasHeader = false
            } else if kind == "numbers" {
                let column = Column(name, categories: nil)
                if let mean { column.means = [mean] }
                inputs.append(column)
            } else if kind == "target" {
                targets.append(Column(name, categories: nil))
            } else if kind == "categories" || kind == "classes" {
                open = (kind == "classes", name, [], [])
            } else {
                return false
            }
        }
        close(&self)
        return !inputs.isEmpty && !targets.isEmpty
    }

    /// Classes that are all integers, such as digits, are numbers in the list; others are strings.
    private static func jsonList(_ classes: [Bytes]) -> Text {
        let areIntegers = classes.allSatisfy { isInteger($0) }
        var text: Text = "["
        for (index, name) in classes.enumerated() {
            if index > 0 { text += ", " }
            text += areIntegers ? Text(name) : jsonString(name)
        }
        return text + "]"
    }

    /// Whether a text is an integer of at most 15 digits as JSON writes it.
    private static func isInteger(_ text: Bytes) -> Bool {
        let digits = text.first == UInt8(ascii: "-") ? text.dropFirst() : text[...]
        return !digits.isEmpty && digits.count <= 15 && digits.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
            && (digits.first != 0x30 || text.count == 1)
    }

    private static func jsonString(_ text: Bytes) -> Text {
        var bytes: Bytes = [UInt8(ascii: "\"")]
        for byte in text {
            if byte < 0x20 {
                bytes += Bytes("\\u00")
                bytes += [byte < 0x10 ? 0x30 : 0x31, byte & 15 < 10 ? 0x30 + byte & 15 : 0x57 + byte & 15]
            } else {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
                bytes.append(byte)
            }
        }
        return Text(bytes + [UInt8(ascii: "\"")])
    }
}
