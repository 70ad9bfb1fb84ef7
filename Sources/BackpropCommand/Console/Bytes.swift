import Backprop
import CConsole

/// Text of files and arguments, which need not be UTF-8.
typealias Bytes = [UInt8]

extension Bytes {
    init(_ text: StaticString) {
        self.init(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    init(cString: UnsafePointer<CChar>) {
        var bytes: Bytes = []
        var next = cString
        while next.pointee != 0 {
            bytes.append(UInt8(bitPattern: next.pointee))
            next += 1
        }
        self = bytes
    }

    /// The bytes as a string, with replacement characters where they are not UTF-8.
    var string: String { String(decoding: self, as: UTF8.self) }

    var isUTF8: Bool { String(validating: self, as: UTF8.self) != nil }

    /// The number of characters in a terminal, if each has the same width.
    var width: Int { reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) } }

    /// For tables: control characters would break the lines.
    var printable: Bytes { map { $0 < 0x20 || $0 == 0x7F ? 0x3F : $0 } }
}

extension UnsafeBufferPointer<UInt8> {
    init(_ text: StaticString) { self.init(start: text.utf8Start, count: text.utf8CodeUnitCount) }
}

func == (bytes: some Collection<UInt8>, text: StaticString) -> Bool {
    bytes.count == text.utf8CodeUnitCount && bytes.elementsEqual(UnsafeBufferPointer(text))
}

extension Text {
    mutating func appendInterpolation(_ bytes: Bytes) { self += Text(bytes) }

    /// The fewest digits that read back as the same number; whole numbers without an exponent.
    mutating func appendInterpolation(_ value: Double) {
        if value == value.rounded(.down), abs(value) < 1e15, value != 0 {
            appendInterpolation(Int(value))
        } else {
            appendInterpolation(decimal(value))
        }
    }

    /// A field or name of a file in a message: quoted, and cut if it is long.
    mutating func appendInterpolation(quoted bytes: some Collection<UInt8>) {
        appendLiteral("\"")
        var shown = Bytes(bytes.prefix(60))
        if shown.count < bytes.count {
            while let last = shown.last, last & 0xC0 == 0x80 { shown.removeLast() }
            if let last = shown.last, last >= 0xC0 { shown.removeLast() }
            shown += Bytes("…")
        }
        self += Text(shown.printable)
        appendLiteral("\"")
    }
}

/// A number with a few significant digits, for people.
func short(_ value: Double, digits: Int32 = 4) -> Text { printed { con_print_short(value, digits, $0, 32) } }

/// A number with decimals, for people.
func fixed(_ value: Double, decimals: Int32) -> Text {
    abs(value) < 1e15 ? printed { con_print_fixed(value, decimals, $0, 32) } : short(value)
}

private func printed(_ body: (UnsafeMutablePointer<CChar>?) -> Void) -> Text {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { buffer in
        body(buffer.baseAddress)
        return Text(buffer.baseAddress.map { Bytes(cString: $0) } ?? [])
    }
}

/// An error of the program. The message is one line.
func failure(_ message: Text) -> BackpropError { BackpropError(.invalidValue, message) }

/// An error of the operating system about a file.
func systemFailure(_ name: Text, _ code: Int32) -> BackpropError {
    BackpropError(.io, name + ": " + Text(Bytes(cString: con_error_text(code))))
}
