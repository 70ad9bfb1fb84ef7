/// The header of a safetensors file: eight bytes of length, JSON, then the tensors' bytes, one after the other.
struct SafeTensorsHeader {
    struct Tensor {
        let name: String
        let type: String
        let shape: [Int]
        let begin, end: Int  // within the data

        @inline(never)
        func error(_ code: BackpropError.Code, _ what: Text) -> BackpropError {
            BackpropError(code, "\(ModelFormat.text(name, shape)) \(what)")
        }
    }

    /// What is read takes memory of Swift's own, a few times the header's size. So that has a bound, and so has the number
    /// of things it can hold: a network of 1,024 layers takes a sixteenth of either.
    static var largestSize: Int { 16 << 20 }
    static var mostEntries: Int { 65_536 }

    let metadata: HeaderMetadata
    /// In the order of the header.
    let tensors: [Tensor]
    /// Where the data starts in the file.
    let dataStart: Int

    /// The text of the header, or nil where the file is too short for it.
    static func text(of file: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8>? {
        guard file.count >= 8, let base = file.baseAddress else { return nil }
        let length = UnsafeRawPointer(base).loadUnaligned(as: UInt64.self).littleEndian
        guard length <= UInt64(file.count - 8) else { return nil }
        return UnsafeBufferPointer(start: base + 8, count: Int(length))
    }

    init(parsing text: UnsafeBufferPointer<UInt8>) throws(BackpropError) {
        guard text.count <= Self.largestSize else {
            throw BackpropError(.limit, "the file's header of \(text.count) bytes is longer than \(Self.largestSize)")
        }
        try Reserve.require(forHeader: text.count)
        var words: [(key: String, value: String)]?
        var tensors: [Tensor] = []
        var reader = JSONReader(text)
        try reader.readObject { (key, reader) throws(BackpropError) in
            if key.isSame(as: "__metadata__") {
                guard words == nil else { throw BackpropError(.corrupt, "the file has \"__metadata__\" twice") }
                words = try Self.readWords(&reader)
            } else {
                guard tensors.count < Self.mostEntries else { throw Self.tooMany }
                tensors.append(try Self.readTensor(key, &reader))
            }
        }
        try reader.expectEnd()
        dataStart = 8 + text.count
        metadata = try HeaderMetadata.make(words ?? [])
        self.tensors = tensors
    }

    private static var tooMany: BackpropError {
        BackpropError(.limit, "the file's header has more than \(mostEntries) entries")
    }

    private static func readWords(_ reader: inout JSONReader) throws(BackpropError) -> [(key: String, value: String)] {
        var words: [(key: String, value: String)] = []
        try reader.readObject { (key, reader) throws(BackpropError) in
            guard words.count < mostEntries else { throw tooMany }
            words.append((key, try reader.readString()))
        }
        return words
    }

    private static func readTensor(_ name: String, _ reader: inout JSONReader) throws(BackpropError) -> Tensor {
        var type: String?
        var shape: [Int]?
        var offsets: [Int]?
        try reader.readObject { (key, reader) throws(BackpropError) in
            if key.isSame(as: "dtype"), type == nil {
                type = try reader.readString()
            } else if key.isSame(as: "shape"), shape == nil {
                shape = try reader.readCounts(limit: 8)
            } else if key.isSame(as: "data_offsets"), offsets == nil {
                offsets = try reader.readCounts(limit: 2)
            } else {
                throw reader.malformed
            }
        }
        guard let type, let shape, let offsets, offsets.count == 2 else { throw reader.malformed }
        return Tensor(name: name, type: type, shape: shape, begin: offsets[0], end: offsets[1])
    }
}
