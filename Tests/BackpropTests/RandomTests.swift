import Testing

@testable import Backprop

@Suite struct RandomTests {
    /// From state (1, 2, 3, 4), computed by hand. The output is rotl(5 s₁, 7) · 9:
    ///
    ///     rotl(10, 7) · 9 = 1280 · 9 = 11520; then s = (7, 0, 2 ^ 2¹⁸, 6 · 2⁴⁵)
    ///     rotl(0, 7) · 9 = 0;                 then s₁ = 7 ^ 2 ^ 2¹⁸ = 262149
    ///     rotl(1310745, 7) · 9 = 1310745 · 128 · 9 = 1509978240
    @Test func firstOutputsMatchHandComputation() throws {
        var random = try #require(Random(words: [1, 2, 3, 4]))
        #expect(random.next() == 11520)
        #expect(random.next() == 0)
        #expect(random.next() == 1_509_978_240)
    }

    @Test func tenThousandOutputsMatchThePublishedAlgorithm() throws {
        let start: [UInt64] = [0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210, 0xDEAD_BEEF_0BAD_F00D, 7]
        var random = try #require(Random(words: start))
        var plain = PlainXoshiro(s: start)
        for i in 0..<10_000 {
            let (found, expected) = (random.next(), plain.next())
            guard found == expected else {
                Issue.record("output \(i): \(found), not \(expected)")
                return
            }
        }
    }

    /// The state is the first four outputs of a splitmix64. Its seed is the first output of a splitmix64 with the given seed,
    /// combined with the stream number; stream 0 does not change it. Another state would change the meaning of seeds and files.
    @Test(arguments: [UInt64(0), 1, 42, .max])
    func seedsAreExpandedBySplitmix(seed: UInt64) {
        // The published first output of splitmix64 for seed 0.
        if seed == 0 { #expect(PlainSplitMix.outputs(of: 0, count: 1) == [0xE220_A839_7B1D_CDAF]) }
        let first = PlainSplitMix.outputs(of: seed, count: 1)[0]
        let state = Random(seed: seed, stream: 0).state
        #expect([state.0, state.1, state.2, state.3] == PlainSplitMix.outputs(of: first, count: 4))
    }

    @Test func differentStreamsAndSeedsGiveDifferentNumbers() {
        var seen = Set<UInt64>()
        for seed in 0..<50 {
            for stream in 0..<50 {
                var random = Random(seed: UInt64(seed), stream: UInt64(stream))
                seen.insert(random.next())
            }
        }
        #expect(seen.count == 2500)
    }

    /// χ² of 64 000 draws in 64 equal intervals: mean 63, standard deviation √126 = 11.2. The bounds are 5 deviations.
    @Test(arguments: [UInt64(1), 2, 3, 4, 5])
    func signedNumbersAreUniform(seed: UInt64) {
        var random = Random(seed: seed, stream: 1)
        var counts = [Int](repeating: 0, count: 64)
        for _ in 0..<64_000 {
            let x = random.nextSigned()
            guard x >= -1, x < 1 else {
                Issue.record("\(x) is not in [−1, 1)")
                return
            }
            counts[Int((Double(x) + 1) * 32)] += 1
        }
        let chiSquare = counts.reduce(0.0) { $0 + Double(($1 - 1000) * ($1 - 1000)) / 1000 }
        #expect(chiSquare > 63 - 56 && chiSquare < 63 + 56)
    }

    /// χ² of consecutive pairs in 16 × 16 cells: mean 255, standard deviation 22.6. The bounds are 5 deviations.
    @Test func consecutiveNumbersAreIndependent() {
        var random = Random(seed: 9, stream: 2)
        var counts = [Int](repeating: 0, count: 256)
        for _ in 0..<51_200 {
            let column = Int((random.nextSigned() + 1) * 8)
            let row = Int((random.nextSigned() + 1) * 8)
            counts[row * 16 + column] += 1
        }
        let chiSquare = counts.reduce(0.0) { $0 + Double(($1 - 200) * ($1 - 200)) / 200 }
        #expect(chiSquare > 255 - 113 && chiSquare < 255 + 113)
    }

    @Test func signedNumbersAreMultiplesOfTheirStep() {
        var random = Random(seed: 3, stream: 0)
        for _ in 0..<1000 {
            let steps = Double(random.nextSigned()) * 8_388_608
            #expect(steps == steps.rounded())
        }
    }
}

/// xoshiro256**, as published by its authors.
private struct PlainXoshiro {
    var s: [UInt64]

    mutating func next() -> UInt64 {
        let scrambled = rotated(s[1] &* 5, left: 7) &* 9
        let shifted = s[1] &* (1 << 17)
        s[2] = s[2] ^ s[0]
        s[3] = s[3] ^ s[1]
        s[1] = s[1] ^ s[2]
        s[0] = s[0] ^ s[3]
        s[2] = s[2] ^ shifted
        s[3] = rotated(s[3], left: 45)
        return scrambled
    }

    /// The sum of the two halves of a product of 128 bits.
    private func rotated(_ x: UInt64, left: UInt64) -> UInt64 {
        let product = x.multipliedFullWidth(by: 1 << left)
        return product.high + product.low
    }
}

private enum PlainSplitMix {
    /// Output i is a function of seed + (i + 1) · golden ratio.
    static func outputs(of seed: UInt64, count: Int) -> [UInt64] {
        (1...count).map { i in
            let state = seed &+ UInt64(i) &* 0x9E37_79B9_7F4A_7C15
            let once = (state ^ state / (1 << 30)) &* 0xBF58_476D_1CE4_E5B9
            let twice = (once ^ once / (1 << 27)) &* 0x94D0_49BB_1331_11EB
            return twice ^ twice / (1 << 31)
        }
    }
}
