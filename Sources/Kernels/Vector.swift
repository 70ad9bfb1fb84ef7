/// The unit all loops over matrices work in: sixteen numbers, one row of a panel (two AVX2 or four SSE registers).
typealias Vector = SIMD16<Float>

typealias Source = UnsafePointer<Float>
typealias Target = UnsafeMutablePointer<Float>

@inline(__always)
func load(_ p: Source) -> Vector { UnsafeRawPointer(p).loadUnaligned(as: Vector.self) }

@inline(__always)
func save(_ v: Vector, _ p: Target) { UnsafeMutableRawPointer(p).storeBytes(of: v, as: Vector.self) }

/// `sum + a b`: fused where the processor can (without FMA, `addingProduct` would call `fmaf` for each lane).
@inline(__always)
func multiplyAdd(_ a: Float, _ b: Vector, _ sum: Vector) -> Vector {
    #if FMA
    sum.addingProduct(Vector(repeating: a), b)
    #else
    sum + Vector(repeating: a) * b
    #endif
}

@inline(__always)
func multiplyAdd(_ a: Float, _ b: Float, _ sum: Float) -> Float {
    #if FMA
    sum.addingProduct(a, b)
    #else
    sum + a * b
    #endif
}
