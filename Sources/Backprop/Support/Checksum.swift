/// CRC-64/XZ (ECMA-182, reflected): detects every change within 64 consecutive bits, and misses one in 2⁶⁴ of all others.
struct Checksum {
    private var register: UInt64 = .max
    /// 8 × 256 entries: table k is for a byte that k more bytes follow, so that a round processes eight bytes.
    private let table: [UInt64]

    init() {
        var table = [UInt64](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var value = UInt64(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xC96C_5795_D787_0F42 : value >> 1 }
            table[byte] = value
        }
        for i in 256..<8 * 256 { table[i] = table[i - 256] >> 8 ^ table[Int(table[i - 256] & 0xFF)] }
        self.table = table
    }

    var value: UInt64 { ~register }

    mutating func add(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let base = bytes.baseAddress else { return }
        var i = 0
        while i + 8 <= bytes.count {
            register ^= UnsafeRawPointer(base + i).loadUnaligned(as: UInt64.self).littleEndian
            var next: UInt64 = 0
            for k in 0..<8 { next ^= table[(7 - k) * 256 + Int(register >> UInt64(8 * k) & 0xFF)] }
            register = next
            i += 8
        }
        while i < bytes.count {
            register = register >> 8 ^ table[Int((register ^ UInt64(base[i])) & 0xFF)]
            i += 1
        }
    }
}
