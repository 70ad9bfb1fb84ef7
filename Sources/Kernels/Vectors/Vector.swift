import CKernels

/// The vectors of the products: sixteen numbers, one row of a panel (one AVX-512, two AVX2 or four SSE registers).
typealias Vector = SIMD16<Float>

/// The vectors of all other kernels: eight numbers, one AVX2 register.
typealias Lanes = SIMD8<Float>

typealias Source = UnsafePointer<Float>
typealias Target = UnsafeMutablePointer<Float>

@inline(__always)
func load(_ p: Source) -> Vector { UnsafeRawPointer(p).loadUnaligned(as: Vector.self) }

@inline(__always)
func save(_ v: Vector, _ p: Target) { UnsafeMutableRawPointer(p).storeBytes(of: v, as: Vector.self) }

@inline(__always)
func loadLanes(_ p: Source) -> Lanes { UnsafeRawPointer(p).loadUnaligned(as: Lanes.self) }

@inline(__always)
func save(_ v: Lanes, _ p: Target) { UnsafeMutableRawPointer(p).storeBytes(of: v, as: Lanes.self) }

/// The i-th eight numbers.
@inline(__always)
func octet(_ p: UnsafePointer<Float>, _ i: Int) -> Lanes { loadLanes(p + 8 * i) }

@inline(__always)
func octet(_ p: UnsafeMutablePointer<Float>, _ i: Int) -> Lanes { loadLanes(UnsafePointer(p) + 8 * i) }

@inline(__always)
func put(_ v: Lanes, _ p: Target, _ i: Int) { save(v, p + 8 * i) }

@inline(__always)
func lanes(_ x: Float) -> Lanes { Lanes(repeating: x) }

// Swift's operators work lane by lane, and the optimizer does not reliably re-vectorize long formulas.
@_transparent func + (a: Lanes, b: Lanes) -> Lanes { cp_add(a, b) }
@_transparent func - (a: Lanes, b: Lanes) -> Lanes { cp_subtract(a, b) }
@_transparent func * (a: Lanes, b: Lanes) -> Lanes { cp_multiply(a, b) }
@_transparent func / (a: Lanes, b: Lanes) -> Lanes { cp_divide(a, b) }

/// Calls `body` with 0 … count − 1, four times in each pass of the loop: for short bodies, for which counting takes as long. The
/// baseline needs more instructions for a body.
@inline(__always)
func byFour(_ count: Int, _ body: (_ i: Int) -> Void) {
    var i = 0
    while hasFMA, i + 4 <= count {
        for next in i..<i + 4 { body(next) }
        i += 4
    }
    while i < count {
        body(i)
        i += 1
    }
}

/// Whether this build fuses a multiplication and an addition.
var hasFMA: Bool {
    @inline(__always) get { CP_HAS_FMA != 0 }
}

/// `sum + a b`, fused if this build has FMA. (Without FMA, `addingProduct` would call `fmaf` for each lane.)
@inline(__always)
func multiplyAdd(_ a: Float, _ b: Vector, _ sum: Vector) -> Vector {
    hasFMA ? sum.addingProduct(Vector(repeating: a), b) : sum + Vector(repeating: a) * b
}

@inline(__always)
func multiplyAdd(_ a: Lanes, _ b: Lanes, _ sum: Lanes) -> Lanes {
    cp_multiply_add(a, b, sum)
}

/// The rounding error of `result`, which is `sum + a b` with |a b| ≤ |sum|. It is exact with FMA; without FMA it does not
/// include the rounding error of a b.
@inline(__always)
func multiplyAddError(_ a: Lanes, _ b: Lanes, _ sum: Lanes, _ result: Lanes) -> Lanes {
    multiplyAdd(a, b, sum - result)
}

/// What rounding took from `product`, a b: without FMA by halves of the factors' digits (Dekker 1971).
@inline(__always)
func productError(_ a: Lanes, _ b: Lanes, _ product: Lanes) -> Lanes {
    if hasFMA { return multiplyAdd(a, b, .zero - product) }
    let high = highDigits(a), low = a - high
    let otherHigh = highDigits(b), otherLow = b - otherHigh
    return (high * otherHigh - product) + (high * otherLow + low * b)
}

/// x without its last 12 binary digits.
@inline(__always)
func highDigits(_ x: Lanes) -> Lanes {
    unsafeBitCast(unsafeBitCast(x, to: SIMD8<UInt32>.self) & SIMD8(repeating: 0xFFFF_F000), to: Lanes.self)
}

/// `mask ? a : b`, lane by lane.
@inline(__always)
func select(_ mask: SIMDMask<SIMD8<Int32>>, _ a: Lanes, _ b: Lanes) -> Lanes {
    cp_select(unsafeBitCast(mask, to: SIMD8<Int32>.self), a, b)
}

@inline(__always)
func magnitude(_ x: Lanes) -> Lanes {
    unsafeBitCast(unsafeBitCast(x, to: SIMD8<UInt32>.self) & SIMD8(repeating: 0x7FFF_FFFF), to: Lanes.self)
}

/// −|x|
@inline(__always)
func negativeMagnitude(_ x: Lanes) -> Lanes {
    unsafeBitCast(unsafeBitCast(x, to: SIMD8<UInt32>.self) | SIMD8(repeating: 0x8000_0000), to: Lanes.self)
}
