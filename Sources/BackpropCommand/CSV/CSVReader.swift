import Backprop

/// Reads records of comma-separated values as RFC 4180 describes them: fields in quotes may contain delimiters, line breaks and
/// doubled quotes. A line ends with LF, CR LF or CR. Blank lines and a byte order mark are skipped.
final class CSVReader {
    /// The name of the file in messages.
    let name: Text
    /// Where blocks come from after the first one; nil: there is one block.
    private let source: ByteSource?
    /// Keeps the memory of the block.
    private let contents: FileContents?
    private var block: UnsafeBufferPointer<UInt8>
    private var position = 0
    private let delimiter: UInt8

    /// The fields of the record without quotes, one after the other, and the end of each.
    private var bytes: Bytes = []
    private var ends: [Int] = []
    /// The line at which the record starts, from 1, and the line of the next byte.
    private(set) var line = 0
    private var nextLine = 1

    private static var longestRecord: Int { 1 << 28 }

    /// Reads a file as a stream. `delimiter` nil: the most frequent one of the first line is used.
    convenience init(_ source: ByteSource, delimiter: UInt8? = nil) throws(BackpropError) {
        self.init(source.name, source, nil, try source.next(), delimiter)
    }

    /// Reads a file in memory.
    convenience init(_ contents: FileContents, delimiter: UInt8? = nil) {
        self.init(contents.name, nil, contents, contents.block, delimiter)
    }

    /// Reads a text that stays valid.
    convenience init(_ name: Text, _ text: UnsafeBufferPointer<UInt8>) {
        self.init(name, nil, nil, text, UInt8(ascii: ","))
    }

    private init(
        _ name: Text, _ source: ByteSource?, _ contents: FileContents?, _ block: UnsafeBufferPointer<UInt8>, _ delimiter: UInt8?
    ) {
        self.name = name
        self.source = source
        self.contents = contents
        self.block = block
        if block.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        self.delimiter = delimiter ?? Self.detectedDelimiter(block)
    }

    /// The most frequent of comma, semicolon and tab in the first line, outside of quotes.
    private static func detectedDelimiter(_ block: UnsafeBufferPointer<UInt8>) -> UInt8 {
        var commas = 0, semicolons = 0, tabs = 0
        var isQuoted = false
        for byte in block {
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if isQuoted { continue }
            if byte == 0x0A || byte == 0x0D, commas + semicolons + tabs > 0 { break }
            if byte == UInt8(ascii: ",") { commas += 1 }
            if byte == UInt8(ascii: ";") { semicolons += 1 }
            if byte == UInt8(ascii: "\t") { tabs += 1 }
        }
        if semicolons > commas, semicolons >= tabs { return UInt8(ascii: ";") }
        return tabs > commas ? UInt8(ascii: "\t") : UInt8(ascii: ",")
    }

    // MARK: The record

    /// The number of fields.
    var count: Int { ends.count }

    func field(_ index: Int) -> ArraySlice<UInt8> { bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]] }

    var fields: [Bytes] { ends.indices.map { Bytes(field($0)) } }

    /// An error at the record.
    func failure(_ message: Text) -> BackpropError { failure(at: line, message) }

    private func failure(at line: Int, _ message: Text) -> BackpropError {
        BackpropError(.invalidValue, "\(name): line \(line): \(message)")
    }

    // MARK: Reading

    /// Reads the next record. Returns false at the end of the file.
    func next() throws(BackpropError) -> Bool {
        while true {
            guard let first = try peek() else { return false }
            if first != 0x0A && first != 0x0D { break }
            try readLineEnd()
        }
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        line = nextLine
        while true {
            try readField()
            ends.append(bytes.count)
            guard try peek() == delimiter else { break }
            position += 1
        }
        if try peek() != nil { try readLineEnd() }
        return true
    }

    /// Reads a field up to the delimiter, the end of the line or the end of the file.
    private func readField() throws(BackpropError) {
        guard try peek() == UInt8(ascii: "\"") else {
            while let byte = try peek(), byte != delimiter, byte != 0x0A, byte != 0x0D { try take(byte) }
            return
        }
        let start = nextLine
        position += 1
        while true {
            guard let byte = try peek() else { throw failure(at: start, "a quote is not closed") }
            if byte == UInt8(ascii: "\"") {
                position += 1
                let next = try peek()
                if next == UInt8(ascii: "\"") {
                    try take(byte)
                } else {
                    guard next == nil || next == delimiter || next == 0x0A || next == 0x0D else {
                        throw failure(at: nextLine, "column \(ends.count + 1): text follows a closing quote")
                    }
                    return
                }
            } else {
                if byte == 0x0A { nextLine += 1 }
                try take(byte)
            }
        }
    }

    @inline(__always)
    private func take(_ byte: UInt8) throws(BackpropError) {
        if byte == 0 { throw failure(at: nextLine, "a NUL character: this is not a CSV file in UTF-8") }
        if bytes.count == Self.longestRecord { throw failure("a row of more than \(Self.longestRecord) bytes") }
        bytes.append(byte)
        position += 1
    }

    private func readLineEnd() throws(BackpropError) {
        let isReturn = try peek() == 0x0D
        position += 1
        nextLine += 1
        if isReturn, try peek() == 0x0A { position += 1 }
    }

    /// The next byte; nil at the end of the file.
    @inline(__always)
    private func peek() throws(BackpropError) -> UInt8? {
        if position == block.count {
            guard let source else { return nil }
            try refill(source)
            if block.isEmpty { return nil }
        }
        return block[position]
    }

    @inline(never)
    private func refill(_ source: ByteSource) throws(BackpropError) {
        if block.isEmpty { return }  // the end was reached before
        block = try source.next()
        position = 0
    }
}
