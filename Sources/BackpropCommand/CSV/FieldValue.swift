import Backprop
import CPlatform

/// What a field of a CSV file holds.
enum FieldValue {
    case number(Double)
    case missing
    case text
    /// A number that no finite double represents, such as 1e400 or inf.
    case notFinite

    /// The value of a field. Blanks around a number are ignored.
    init(_ field: ArraySlice<UInt8>) {
        if let number = Self.parse(field) {
            self = number
        } else {
            self = Self.isMissing(field) ? .missing : .text
        }
    }

    /// Whether the text means that there is no value: the texts of pandas.read_csv, except those with "#IND" and "#QNAN".
    static func isMissing(_ field: ArraySlice<UInt8>) -> Bool {
        if field.isEmpty { return true }
        if field.count > 4 { return false }
        return field == "NA" || field == "N/A" || field == "n/a" || field == "NaN" || field == "nan" || field == "-NaN"
            || field == "-nan" || field == "NULL" || field == "null" || field == "None" || field == "#N/A" || field == "#NA"
            || field == "<NA>"
    }

    /// A decimal number such as -1, .5, 2. or 6e-3, with a point in any locale; nil for other texts.
    private static func parse(_ field: ArraySlice<UInt8>) -> FieldValue? {
        var first = field.startIndex, end = field.endIndex
        while first < end, isBlank(field[first]) { first += 1 }
        while first < end, isBlank(field[end - 1]) { end -= 1 }
        guard first < end else { return nil }
        let isNegative = field[first] == UInt8(ascii: "-")
        if isNegative || field[first] == UInt8(ascii: "+") { first += 1 }
        let digits = field[first..<end]
        guard isDecimal(digits) else { return isInfinity(digits) ? .notFinite : nil }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: digits.count + 3) { buffer in
            var count = 0
            func append(_ byte: UInt8) {
                buffer[count] = CChar(bitPattern: byte)
                count += 1
            }
            if isNegative { append(UInt8(ascii: "-")) }
            if digits.first == UInt8(ascii: ".") { append(UInt8(ascii: "0")) }
            for byte in digits { append(byte) }
            append(0)
            var value = 0.0
            return cp_parse_double(buffer.baseAddress, &value) ? .number(value) : .notFinite
        }
    }

    /// Digits with at most one point, then an optional exponent.
    private static func isDecimal(_ text: ArraySlice<UInt8>) -> Bool {
        var digits = 0, points = 0
        var index = text.startIndex
        while index < text.endIndex, isDigit(text[index]) || text[index] == UInt8(ascii: ".") {
            if isDigit(text[index]) { digits += 1 } else { points += 1 }
            index += 1
        }
        guard digits > 0, points <= 1 else { return false }
        if index == text.endIndex { return true }
        guard text[index] | 0x20 == UInt8(ascii: "e") else { return false }
        index += 1
        if index < text.endIndex, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") { index += 1 }
        return index < text.endIndex && text[index...].allSatisfy(isDigit)
    }

    private static func isInfinity(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.count == 3 || text.count == 8 else { return false }
        let small = text.map { $0 | 0x20 }
        return small == "inf" || small == "infinity"
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
