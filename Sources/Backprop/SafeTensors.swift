/// The header of a safetensors file: eight bytes of length, JSON, then the tensors' bytes, one after the other.
struct SafeTensorsHeader {
    struct Tensor {
        let name: String
        let type: String
        let shape: [Int]
        let begin, end: Int  // within the data
    }

    private(set) var metadata: [(key: String, value: String)] = []
    private(set) var tensors: [Tensor] = []
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
        dataStart = 8 + text.count
        var metadata: [(key: String, value: String)] = []
        var tensors: [Tensor] = []
        var reader = JSONReader(text)
        try reader.readObject { (key, reader) throws(BackpropError) in
            if key.isSame(as: "__metadata__") {
                try reader.readObject { (key, reader) throws(BackpropError) in
                    metadata.append((key, try reader.readString()))
                }
            } else {
                tensors.append(try Self.readTensor(key, &reader))
            }
        }
        try reader.expectEnd()
        self.metadata = metadata
        self.tensors = tensors
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

    /// The value of a metadata key that must be there once.
    func value(_ key: String) throws(BackpropError) -> String {
        var found: String?
        for entry in metadata where entry.key.isSame(as: key) {
            guard found == nil else { throw BackpropError(.corrupt, "the model says \"\(key)\" twice") }
            found = entry.value
        }
        guard let found else { throw BackpropError(.corrupt, "the model does not say \"\(key)\"") }
        return found
    }
}
