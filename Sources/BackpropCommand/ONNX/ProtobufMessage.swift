/// A message of Protocol Buffers in its binary form (protobuf.dev, Encoding). The generated Swift code of Protocol Buffers needs
/// Foundation and a Swift runtime; the few kinds of fields that a model has are written here.
struct ProtobufMessage {
    private(set) var bytes: Bytes = []

    mutating func add(_ field: Int, _ value: Int) {
        tag(field, 0)
        varint(UInt64(bitPattern: Int64(value)))
    }

    mutating func add(_ field: Int, _ value: Float) {
        tag(field, 5)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
    }

    mutating func add(_ field: Int, _ value: Bytes) {
        tag(field, 2)
        varint(UInt64(value.count))
        bytes += value
    }

    mutating func add(_ field: Int, _ value: StaticString) { add(field, Bytes(value)) }

    mutating func add(_ field: Int, _ value: ProtobufMessage) { add(field, value.bytes) }

    /// Adds a field that is a message.
    mutating func add(_ field: Int, _ body: (inout ProtobufMessage) -> Void) {
        var message = ProtobufMessage()
        body(&message)
        add(field, message)
    }

    /// Adds all fields of another message.
    mutating func append(_ other: ProtobufMessage) { bytes += other.bytes }

    private mutating func tag(_ field: Int, _ wireType: Int) { varint(UInt64(field << 3 | wireType)) }

    /// Seven bits a byte, the lowest first.
    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
