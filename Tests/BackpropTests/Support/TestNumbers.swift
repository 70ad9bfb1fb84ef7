/// Pseudorandom test data, the same in every run. It is a linear congruential generator, independent of the generator of
/// the library.
struct TestNumbers {
    private var state: UInt64

    init(_ seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
        _ = bits()
    }

    /// 31 random bits.
    mutating func bits() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 33
    }

    /// Uniform in [−1, 1).
    mutating func next() -> Float { Float(Int(bits() >> 8) - (1 << 22)) / Float(1 << 22) }

    mutating func below(_ limit: Int) -> Int { Int(bits() % UInt64(limit)) }

    mutating func array(_ count: Int, scale: Float = 1) -> [Float] {
        (0..<count).map { _ in scale * next() }
    }

    /// Uniform in [0, 1), the range of a logistic unit.
    mutating func shares(_ count: Int) -> [Float] {
        (0..<count).map { _ in 0.5 + 0.5 * next() }
    }
}
