/// Checks that a file is a model, of a known version, and unchanged, before its contents are used.
extension ModelFormat {
    /// The first bytes of a file, which identify its format and version.
    static func start(of source: borrowing FileSource) throws(BackpropError) -> FileBytes {
        try source.bytes(0..<min(source.count, checksumEnd))
    }

    static func isModel(_ start: UnsafeBufferPointer<UInt8>) -> Bool {
        has(start, opening, at: 8)
    }

    /// The header and the data of a model, after its version, size and checksum have been checked.
    static func verified(
        _ source: borrowing FileSource, _ start: UnsafeBufferPointer<UInt8>
    ) throws(BackpropError) -> VerifiedModel {
        try requireVersion(start)
        guard source.count >= checksumEnd, let head = try SafeTensorsHeader.head(of: source) else {
            throw BackpropError(.corrupt, "the model is truncated: its header has more than \(counted(source.count, "byte"))")
        }
        let header = try SafeTensorsHeader(parsing: head.buffer)
        try header.requireDataCount(source.count - header.dataStart)
        let data = try source.bytes(header.dataStart..<source.count)
        let computed = hex(checksum(of: head.buffer, data.buffer))
        guard has(head.buffer, computed, at: checksumStart) else {
            throw BackpropError(
                .corrupt, "the model was truncated or changed: the checksum of its bytes, \(computed), is not the stored one")
        }
        return VerifiedModel(header: header, data: data)
    }

    private static func requireVersion(_ file: UnsafeBufferPointer<UInt8>) throws(BackpropError) {
        let start = 8 + opening.bytes.count
        if has(file, "\(version)\"", at: start) { return }
        var found: [UInt8] = []
        var at = start
        while at < file.count, file[at] >= 0x30, file[at] <= 0x39, found.count < 9 {
            found.append(file[at])
            at += 1
        }
        guard !found.isEmpty, at < file.count, file[at] == 0x22 else {
            throw BackpropError(.corrupt, "the model was truncated or changed: it has no format version")
        }
        throw BackpropError(.version, "the model has format version \(Text(found)); this library reads version \(version)")
    }

    private static func has(_ file: UnsafeBufferPointer<UInt8>, _ text: Text, at start: Int) -> Bool {
        let bytes = text.bytes
        guard file.count >= start + bytes.count else { return false }
        for i in bytes.indices where file[start + i] != bytes[i] { return false }
        return true
    }
}

struct VerifiedModel: ~Copyable {
    let header: SafeTensorsHeader
    let data: FileBytes
}
