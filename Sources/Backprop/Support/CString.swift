import CPlatform

/// A path or a symbol name for the operating system: the caller's bytes, which need not be UTF-8, and a NUL.
package struct CString {
    private let bytes: [UInt8]

    package init(_ pointer: UnsafePointer<CChar>) {
        let count = cp_string_length(pointer) + 1
        bytes = Array(UnsafeRawBufferPointer(start: pointer, count: count))
    }

    /// The UTF-8 of a string. A NUL in it is refused, since it would end the path early.
    init(_ string: String) throws(BackpropError) {
        let bytes = Array(string.utf8)
        guard !bytes.contains(0) else { throw BackpropError(.invalidValue, "\"\(string)\" contains a NUL") }
        self.bytes = bytes + [0]
    }

    /// Returns nil for nil.
    init?(_ string: String?) throws(BackpropError) {
        guard let string else { return nil }
        try self.init(string)
    }

    var isEmpty: Bool { bytes.count == 1 }

    func withPointer<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
        bytes.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { body($0.baseAddress.unsafelyUnwrapped) }
        }
    }

    /// The text for messages, which are UTF-8 and short: the last 400 bytes. If they are not UTF-8, bytes that are not ASCII
    /// are escaped, as in "caf\xe9".
    var shown: Text {
        var text = Array(bytes.dropLast().suffix(400))
        if text.count < bytes.count - 1 {
            let isWithinCharacter: (UInt8) -> Bool = { $0 & 0xC0 == 0x80 }
            text = Array("…".utf8) + text.drop(while: isWithinCharacter)
        }
        guard String(validating: text, as: UTF8.self) == nil else { return Text(text) }
        let digits: StaticString = "0123456789abcdef"
        var escaped: [UInt8] = []
        for byte in text {
            if byte < 0x80 {
                escaped.append(byte)
            } else {
                escaped += [0x5C, 0x78, digits.utf8Start[Int(byte >> 4)], digits.utf8Start[Int(byte & 15)]]
            }
        }
        return Text(escaped)
    }
}

/// Runs a function of CPlatform that may write the reason of a failure to a buffer.
func withReason<R>(_ body: (UnsafeMutablePointer<CChar>) -> R) -> (result: R, reason: CString) {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CP_REASON_SIZE)) { buffer in
        let text = buffer.baseAddress.unsafelyUnwrapped
        text[0] = 0
        let result = body(text)
        return (result, CString(text))
    }
}
