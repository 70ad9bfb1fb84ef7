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
    /// As many as PyTorch and NumPy have.
    static var mostDimensions: Int { 64 }

    let metadata: HeaderMetadata
    /// In the order of the header.
    let tensors: [Tensor]
    /// Whether a tensor has fields beside its type, shape and offsets.
    let hasOtherFields: Bool
    /// Where the data starts in the file.
    let dataStart: Int

    /// The length and the header, or nil where the file is too short for them.
    static func head(of source: borrowing FileSource) throws(BackpropError) -> FileBytes? {
        guard source.count >= 8 else { return nil }
        let first = try source.bytes(0..<8)
        var length: UInt64 = 0
        for byte in first.buffer.reversed() { length = length << 8 | UInt64(byte) }
        guard length <= UInt64(source.count - 8) else { return nil }
        guard length <= UInt64(largestSize) else {
            throw BackpropError(.limit, "the file's header of \(length) bytes is longer than \(largestSize)")
        }
        return try source.bytes(0..<8 + Int(length))
    }

    /// From what `head` gave.
    init(parsing head: UnsafeBufferPointer<UInt8>) throws(BackpropError) {
        let text = UnsafeBufferPointer(rebasing: head[8...])
        try Reserve.require(forHeader: text.count)
        var words: [(key: String, value: String)]?
        var hasOtherFields = false
        var tensors: [Tensor] = []
        var reader = JSONReader(text)
        try reader.readObject { (key, reader) throws(BackpropError) in
            if key.isSame(as: "__metadata__") {
                guard words == nil else { throw BackpropError(.corrupt, "the file has \"__metadata__\" twice") }
                words = reader.takeNull() ? [] : try Self.readWords(&reader)
            } else {
                guard tensors.count < Self.mostEntries else { throw Self.tooMany }
                tensors.append(try Self.readTensor(key, &reader, &hasOtherFields))
            }
        }
        try reader.expectEnd()
        dataStart = head.count
        metadata = try HeaderMetadata.make(words ?? [])
        self.tensors = tensors
        self.hasOtherFields = hasOtherFields
    }

    /// The tensors end where the file does.
    func requireDataCount(_ count: Int) throws(BackpropError) {
        var end = 0
        for tensor in tensors { end = max(end, tensor.end) }
        guard end == count else {
            throw BackpropError(.corrupt, "the file's tensors take \(end) bytes, its data are \(count)")
        }
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

    /// What a later version of safetensors may say of a tensor beside the three fields is passed over, as other readers do.
    private static func readTensor(
        _ name: String, _ reader: inout JSONReader, _ hasOtherFields: inout Bool
    ) throws(BackpropError) -> Tensor {
        var type: String?
        var shape: [Int]?
        var offsets: [Int]?
        try reader.readObject { (key, reader) throws(BackpropError) in
            if key.isSame(as: "dtype") {
                guard type == nil else { throw reader.malformed }
                type = try reader.readString()
            } else if key.isSame(as: "shape") {
                guard shape == nil else { throw reader.malformed }
                shape = try reader.readCounts(limit: mostDimensions)
            } else if key.isSame(as: "data_offsets") {
                guard offsets == nil else { throw reader.malformed }
                offsets = try reader.readCounts(limit: 2)
            } else {
                hasOtherFields = true
                try reader.skipValue()
            }
        }
        guard let type, let shape, let offsets, offsets.count == 2 else { throw reader.malformed }
        return Tensor(name: name, type: type, shape: shape, begin: offsets[0], end: offsets[1])
    }
}
