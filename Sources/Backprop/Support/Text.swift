/// Text by interpolation, for messages and file headers. Swift's own interpolation is inlined at every use, with hundreds of
/// bytes of code for each part; here each part is one call.
package struct Text: ExpressibleByStringInterpolation, StringInterpolationProtocol {
    package private(set) var bytes: [UInt8] = []

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package init(literalCapacity: Int = 0, interpolationCount: Int = 0) {}

    package init(stringInterpolation text: Text) { self = text }

    @inline(never)
    package init(stringLiteral text: StaticString) { appendLiteral(text) }

    @inline(never)
    package mutating func appendLiteral(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    package mutating func appendInterpolation(_ text: StaticString) { appendLiteral(text) }

    @inline(never)
    package mutating func appendInterpolation(_ text: Text) { bytes.append(contentsOf: text.bytes) }

    @inline(never)
    package mutating func appendInterpolation(_ text: String) { bytes.append(contentsOf: text.utf8) }

    @inline(never)
    package mutating func appendInterpolation(_ number: Int) { appendInterpolation(String(number)) }

    @inline(never)
    package mutating func appendInterpolation(_ number: UInt64) { appendInterpolation(String(number)) }

    package mutating func appendInterpolation(_ number: UInt) { appendInterpolation(UInt64(number)) }

    package static func + (text: Text, more: Text) -> Text {
        var text = text
        text += more
        return text
    }

    package static func += (text: inout Text, more: Text) { text.appendInterpolation(more) }
}

/// A count with its noun, such as "1 row" and "2 rows".
package func counted(_ count: Int, _ noun: StaticString) -> Text { "\(count) \(noun)\(count == 1 ? "" : "s")" }
