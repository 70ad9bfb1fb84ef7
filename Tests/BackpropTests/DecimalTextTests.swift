import Testing

@testable import Backprop
@testable import CPlatform

/// Parsing of the decimal numbers in files.
@Suite struct DecimalTextTests {
    @Test(arguments: [("0", 0), ("-0", -0.0), ("1.5", 1.5), ("-12e3", -12e3), ("0e5", 0), ("1e-300", 1e-300), ("007", 7)])
    func decimalNumbersAreParsed(text: String, expected: Double) {
        #expect(number(text)?.bitPattern == expected.bitPattern)
    }

    @Test(arguments: [
        "", "-", "+1", " 1", "1 ", ".5", "-.5", "0x10", "0X10", "-0x10", "-0X10", "0x", "0X", "1x", "inf", "nan", "1e999", "1,5",
        "--1", "1\0",
    ])
    func otherTextIsRefused(text: String) { #expect(number(text) == nil) }

    /// The byte after the NUL would change the result if it were read. (AddressSanitizer also reports such a read.)
    @Test(arguments: ["0", "-", "-0", ""])
    func noByteAfterTheEndIsRead(text: String) {
        for next in [UInt8(ascii: "x"), UInt8(ascii: "X"), UInt8(ascii: "5")] {
            let bytes = Array(text.utf8) + [0, next, next]
            var value = 0.0
            let isRead = bytes.withUnsafeBytes {
                cp_parse_double($0.baseAddress?.assumingMemoryBound(to: CChar.self), &value)
            }
            #expect(isRead == text.contains("0"))
        }
    }
}
