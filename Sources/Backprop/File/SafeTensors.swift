/// The header of a safetensors file. The file consists of eight bytes for the header's length, the header as JSON, and the
/// bytes of all tensors, without gaps.
struct SafeTensorsHeader {
    struct Tensor {
        let name: String
        let type: String
        let shape: [Int]
        let begin, end: Int  // offsets in the data

        @inline(never)
        func error(_ code: BackpropError.Code, _ problem: Text) -> BackpropError {
            BackpropError(code, "\(ModelFormat.text(name, shape)) \(problem)")
        }
    }

    /// Parsing needs memory for Swift objects, a few times the header's size. Therefore the size and the number of entries
    /// are limited. A network of 1,024 layers needs a sixteenth of either limit.
    static var largestSize: Int { 16 << 20 }
    static var mostEntries: Int { 65_536 }
    /// The limit of PyTorch and NumPy.
    static var mostDimensions: Int { 64 }

    let metadata: HeaderMetadata
    /// In the order of the header.
    let tensors: [Tensor]
    /// Whether a tensor has fields other than type, shape and offsets.
    let hasOtherFields: Bool
    /// The offset of the data in the file.
    let dataStart: Int

    /// The bytes of the length and the header; nil if the file is too short for them.
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

    /// Parses the bytes that `head` has returned.
    init(parsing head: UnsafeBufferPointer<UInt8>) throws(BackpropError) {
        let text = UnsafeBufferPointer(rebasing: head[8...])
        try Reserve.require(forHeader: text.count)
        var pairs: [(key: String, value: String)]?
        var hasOtherFields = false
        var tensors: [Tensor] = []
        var reader = JSONReader(text)
        try reader.readObject { (key, reader) throws(BackpropError) in
            if key.isSame(as: "__metadata__") {
                guard pairs == nil else { throw BackpropError(.corrupt, "the file has \"__metadata__\" twice") }
                pairs = reader.takeNull() ? [] : try Self.readMetadata(&reader)
            } else {
                guard tensors.count < Self.mostEntries else { throw Self.tooMany }
                tensors.append(try Self.readTensor(key, &reader, &hasOtherFields))
            }
        }
        try reader.expectEnd()
        dataStart = head.count
        metadata = try HeaderMetadata.make(pairs ?? [])
        self.tensors = tensors
        self.hasOtherFields = hasOtherFields
    }

    /// Throws unless the tensors end at the end of the data, which is `count` bytes long.
    func requireDataCount(_ count: Int) throws(BackpropError) {
        var end = 0
        for tensor in tensors { end = max(end, tensor.end) }
        guard end == count else {
            throw BackpropError(.corrupt, "the file's tensors need \(end) bytes, but its data have \(count)")
        }
    }

    private static var tooMany: BackpropError {
        BackpropError(.limit, "the file's header has more than \(mostEntries) entries")
    }

    private static func readMetadata(_ reader: inout JSONReader) throws(BackpropError) -> [(key: String, value: String)] {
        var pairs: [(key: String, value: String)] = []
        try reader.readObject { (key, reader) throws(BackpropError) in
            guard pairs.count < mostEntries else { throw tooMany }
            pairs.append((key, try reader.readString()))
        }
        return pairs
    }

    /// Fields other than the three of a tensor are skipped, as in other readers: a later version of safetensors may add some.
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
