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
        let start = 8 + opening.utf8.count
        if has(file, version + "\"", at: start) { return }
        var found: [UInt8] = []
        var at = start
        while at < file.count, file[at] >= 0x30, file[at] <= 0x39, found.count < 9 {
            found.append(file[at])
            at += 1
        }
        guard !found.isEmpty, at < file.count, file[at] == 0x22 else {
            throw BackpropError(.corrupt, "the model is cut short or changed: it names no version")
        }
        let name = String(decoding: found, as: UTF8.self)
        throw BackpropError(.version, "the model has format version \(name); this library knows \(version)")
    }

    private static func has(_ file: UnsafeBufferPointer<UInt8>, _ text: String, at start: Int) -> Bool {
        let count = text.utf8.count
        guard file.count >= start + count else { return false }
        return file[start..<start + count].elementsEqual(text.utf8)
    }
}
