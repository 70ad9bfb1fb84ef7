/// Reads the subset of JSON in a safetensors header: objects of strings, numbers and short arrays. It is strict, works in
/// one pass, and needs memory in proportion to the values it returns.
struct JSONReader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var at = 0
    /// The limit of the nesting of skipped values, the same as in the safetensors package.
    private static var mostNesting: Int { 127 }
    /// An offset in a file that is in memory, and below 2⁵⁸.
    private static var largestCount: Int64 { min(Int64(Int.max), (1 << 58) - 1) }

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    /// Whether a text begins like an object.
    static func isObject(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        text.first { !isSpace($0) } == 0x7B
    }

    /// `{ key: …, … }`; `member` must read the value.
    mutating func readObject(_ member: (_ key: String, inout JSONReader) throws(BackpropError) -> Void) throws(BackpropError) {
        try expect(0x7B)
        if take(0x7D) { return }
        repeat {
            let key = try readString()
            try expect(0x3A)
            try member(key, &self)
        } while take(0x2C)
        try expect(0x7D)
    }

    /// `[ 1, 2, … ]` of at most `limit` counts.
    mutating func readCounts(limit: Int) throws(BackpropError) -> [Int] {
        var counts: [Int] = []
        try expect(0x5B)
        if take(0x5D) { return counts }
        repeat {
            guard counts.count < limit else { throw malformed }
            counts.append(try readCount())
        } while take(0x2C)
        try expect(0x5D)
        return counts
    }

    mutating func readString() throws(BackpropError) -> String {
        try expect(0x22)
        var text: [UInt8] = []
        while true {
            guard at < bytes.count, bytes[at] >= 0x20 else { throw malformed }
            let byte = bytes[at]
            at += 1
            if byte == 0x22 { break }
            if byte == 0x5C { try readEscape(into: &text) } else { text.append(byte) }
        }
        guard let string = String(validating: text, as: UTF8.self) else { throw malformed }
        return string
    }

    /// Reads a value of any type and discards it. Its syntax is checked.
    mutating func skipValue(depth: Int = 0) throws(BackpropError) {
        guard depth < Self.mostNesting else { throw malformed }
        skipSpace()
        switch at < bytes.count ? bytes[at] : 0 {
        case 0x7B:  // {
            try readObject { (_, reader) throws(BackpropError) in try reader.skipValue(depth: depth + 1) }
        case 0x5B:  // [
            try expect(0x5B)
            if take(0x5D) { return }
            repeat { try skipValue(depth: depth + 1) } while take(0x2C)
            try expect(0x5D)
        case 0x22:  // "
            _ = try readString()
        case 0x2D, 0x30...0x39:
            try skipNumber()
        default:
            guard takeWord("true") || takeWord("false") || takeWord("null") else { throw malformed }
        }
    }

    /// Reads null, if it is next. Returns whether it was.
    mutating func takeNull() -> Bool {
        skipSpace()
        return takeWord("null")
    }

    /// Throws if anything but white space follows.
    mutating func expectEnd() throws(BackpropError) {
        skipSpace()
        guard at == bytes.count else { throw malformed }
    }

    /// Digits without a leading zero.
    private mutating func readCount() throws(BackpropError) -> Int {
        skipSpace()
        let start = at
        var value: Int64 = 0
        while at < bytes.count, bytes[at] >= 0x30, bytes[at] <= 0x39 {
            value = value * 10 + Int64(bytes[at] - 0x30)
            guard value <= Self.largestCount else { throw malformed }
            at += 1
        }
        guard at > start, at == start + 1 || bytes[start] != 0x30 else { throw malformed }
        return Int(value)
    }

    /// `-12.5e+3`: a sign, digits without a leading zero, a fraction, an exponent.
    private mutating func skipNumber() throws(BackpropError) {
        _ = takeByte(0x2D)
        if !takeByte(0x30) { try skipDigits() }
        if takeByte(0x2E) { try skipDigits() }
        if takeByte(0x65) || takeByte(0x45) {
            if !takeByte(0x2B) { _ = takeByte(0x2D) }
            try skipDigits()
        }
    }

    private mutating func skipDigits() throws(BackpropError) {
        let start = at
        while at < bytes.count, bytes[at] >= 0x30, bytes[at] <= 0x39 { at += 1 }
        guard at > start else { throw malformed }
    }

    private mutating func takeWord(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard bytes.count - at >= count else { return false }
        for i in 0..<count where bytes[at + i] != word.utf8Start[i] { return false }
        at += count
        return true
    }

    private mutating func readEscape(into text: inout [UInt8]) throws(BackpropError) {
        guard at < bytes.count else { throw malformed }
        let byte = bytes[at]
        at += 1
        switch byte {
        case 0x22, 0x5C, 0x2F: text.append(byte)
        case 0x62: text.append(0x08)
        case 0x66: text.append(0x0C)
        case 0x6E: text.append(0x0A)
        case 0x72: text.append(0x0D)
        case 0x74: text.append(0x09)
        case 0x75: try readUnicodeEscape(into: &text)
        default: throw malformed
        }
    }

    private mutating func readUnicodeEscape(into text: inout [UInt8]) throws(BackpropError) {
        var code = try readHex4()
        if code & 0xFC00 == 0xD800 {
            guard at + 1 < bytes.count, bytes[at] == 0x5C, bytes[at + 1] == 0x75 else { throw malformed }
            at += 2
            let low = try readHex4()
            guard low & 0xFC00 == 0xDC00 else { throw malformed }
            code = 0x10000 + (code & 0x3FF) << 10 + low & 0x3FF
        }
        guard let scalar = Unicode.Scalar(code) else { throw malformed }
        text.append(contentsOf: UTF8.encode(scalar).unsafelyUnwrapped)
    }

    private mutating func readHex4() throws(BackpropError) -> UInt32 {
        guard bytes.count - at >= 4 else { throw malformed }
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = hexDigit(bytes[at]) else { throw malformed }
            value = value << 4 | UInt32(digit)
            at += 1
        }
        return value
    }

    private mutating func expect(_ byte: UInt8) throws(BackpropError) {
        guard take(byte) else { throw malformed }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        return takeByte(byte)
    }

    private mutating func takeByte(_ byte: UInt8) -> Bool {
        guard at < bytes.count, bytes[at] == byte else { return false }
        at += 1
        return true
    }

    private mutating func skipSpace() {
        while at < bytes.count, Self.isSpace(bytes[at]) { at += 1 }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    var malformed: BackpropError {
        BackpropError(.corrupt, "the model's header is not valid near byte \(at)")
    }
}

func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x61...0x66: byte - 0x61 + 10
    case 0x41...0x46: byte - 0x41 + 10
    default: nil
    }
}
