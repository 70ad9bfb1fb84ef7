/// xoshiro256**, seeded by splitmix64 (Blackman and Vigna 2018, "Scrambled linear pseudorandom number generators").
package struct Random {
    var state: (UInt64, UInt64, UInt64, UInt64)

    /// Streams of one seed are independent of each other.
    package init(seed: UInt64, stream: UInt64) {
        var mix = SplitMix(state: seed)
        var start = SplitMix(state: mix.next() ^ (stream &* 0xD1B5_4A32_D192_ED03))
        state = (start.next(), start.next(), start.next(), start.next())
    }

    /// Restores a state from its four words; nil for another number of words, or if all are 0.
    init?(words: [UInt64]) {
        guard words.count == 4, words.contains(where: { $0 != 0 }) else { return nil }
        state = (words[0], words[1], words[2], words[3])
    }

    package mutating func next() -> UInt64 {
        let result = rotate(state.1 &* 5, 7) &* 9
        let t = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= t
        state.3 = rotate(state.3, 45)
        return result
    }

    /// Uniform in [−1, 1), in steps of 2⁻²³, without rounding.
    mutating func nextSigned() -> Float {
        Float(Int32(truncatingIfNeeded: next() >> 40) - 0x80_0000) / 8_388_608
    }

    /// Uniform in 0 ..< bound, except for a bias of at most bound / 2⁶⁴ (Lemire 2019, without rejection).
    package mutating func next(below bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    private func rotate(_ x: UInt64, _ by: UInt64) -> UInt64 { (x << by) | (x >> (64 - by)) }

    private struct SplitMix {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}
