import Testing

@testable import Backprop

@Suite struct ChecksumTests {
    /// The published check value of CRC-64/XZ.
    @Test func checksumOfTheNineDigitsIsTheCheckValue() {
        #expect(crc(Array("123456789".utf8)) == 0x995D_C9BB_DF19_39FA)
    }

    @Test func checksumOfNoBytesIsZero() {
        #expect(crc([]) == 0)
    }

    /// The definition, bit by bit: the register starts with all bits set; bits are processed from the lowest of each byte; if
    /// the bit that is shifted out is 1, the register is XORed with the reflected polynomial; the checksum is the complement.
    @Test(arguments: [1, 2, 7, 8, 9, 15, 16, 17, 63, 64, 65, 1000])
    func tablesAgreeWithTheDefinition(count: Int) {
        let bytes = testBytes(count)
        var register = UInt64.max
        for byte in bytes {
            for bit in 0..<8 {
                let out = (register ^ UInt64(byte >> bit)) & 1
                register >>= 1
                if out == 1 { register ^= 0xC96C_5795_D787_0F42 }
            }
        }
        #expect(crc(bytes) == ~register)
    }

    @Test func everyOneBitChangeIsDetected() {
        let bytes = testBytes(73)
        let whole = crc(bytes)
        for bit in 0..<bytes.count * 8 {
            var changed = bytes
            changed[bit / 8] ^= 1 << (bit % 8)
            #expect(crc(changed) != whole, "bit \(bit)")
        }
    }

    @Test func everySwapOfNeighbouringBytesIsDetected() {
        let bytes = (0..<64).map { UInt8($0) }
        let whole = crc(bytes)
        for i in 0..<63 {
            var changed = bytes
            changed.swapAt(i, i + 1)
            #expect(crc(changed) != whole, "bytes \(i) and \(i + 1)")
        }
    }

    @Test func piecesGiveTheSameChecksumAsTheWhole() {
        let bytes = testBytes(40)
        let whole = crc(bytes)
        for first in 0...40 {
            for second in stride(from: first, through: 40, by: 3) {
                var checksum = Checksum()
                for piece in [bytes[..<first], bytes[first..<second], bytes[second...]] {
                    piece.withUnsafeBufferPointer { checksum.add($0) }
                }
                #expect(checksum.value == whole, "cut at \(first) and \(second)")
            }
        }
    }

    private func crc(_ bytes: [UInt8]) -> UInt64 {
        var checksum = Checksum()
        bytes.withUnsafeBufferPointer { checksum.add($0) }
        return checksum.value
    }

    private func testBytes(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: ($0 &+ 1) &* 2_654_435_761 >> 13) }
    }
}
