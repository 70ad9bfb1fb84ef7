/// Whether a file is a model, of a version known, and unchanged: asked before anything it says is believed.
extension ModelFormat {
    static func isModel(_ file: UnsafeBufferPointer<UInt8>) -> Bool {
        has(file, opening, at: 8)
    }

    /// The header's text of a model whose version and checksum are right.
    static func unchangedHeader(of file: UnsafeBufferPointer<UInt8>) throws(BackpropError) -> UnsafeBufferPointer<UInt8> {
        try requireVersion(file)
        guard let text = SafeTensorsHeader.text(of: file), file.count >= checksumStart + checksumDigits else {
            throw BackpropError(.corrupt, "the model is cut short: \(file.count) bytes do not hold its header")
        }
        let computed = hex(checksum(of: file))
        guard has(file, computed, at: checksumStart) else {
            throw BackpropError(.corrupt, "the model is cut short or changed: its checksum is not \(computed)")
        }
        return text
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
            throw BackpropError(.corrupt, "the model is cut short or changed: it names no version")
        }
        throw BackpropError(.version, "the model has format version \(Text(found)); this library knows \(version)")
    }

    private static func has(_ file: UnsafeBufferPointer<UInt8>, _ text: Text, at start: Int) -> Bool {
        let bytes = text.bytes
        guard file.count >= start + bytes.count else { return false }
        for i in bytes.indices where file[start + i] != bytes[i] { return false }
        return true
    }
}
