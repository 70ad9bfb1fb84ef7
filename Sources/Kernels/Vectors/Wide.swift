import CKernels

/// Sixteen numbers with AVX-512, eight otherwise: for loops in which each number is independent of the others.
struct Wide {
    private let lanes: cp_wide

    static var count: Int { MemoryLayout<cp_wide>.size / 4 }

    @_transparent init(_ lanes: cp_wide) { self.lanes = lanes }
    @_transparent init(_ x: Float) { lanes = cp_wide(repeating: x) }
    @_transparent init(_ p: Source) { lanes = UnsafeRawPointer(p).loadUnaligned(as: cp_wide.self) }

    @_transparent func save(_ p: Target) { UnsafeMutableRawPointer(p).storeBytes(of: lanes, as: cp_wide.self) }

    @_transparent var squareRoot: Wide { Wide(cp_wide_square_root(lanes)) }
    @_transparent var tanh: Wide { Wide(cp_tanh(lanes)) }
    @_transparent func flushed(below limit: Float) -> Wide { Wide(cp_wide_flush(lanes, limit)) }

    @_transparent static func + (a: Wide, b: Wide) -> Wide { Wide(cp_wide_add(a.lanes, b.lanes)) }
    @_transparent static func - (a: Wide, b: Wide) -> Wide { Wide(cp_wide_subtract(a.lanes, b.lanes)) }
    @_transparent static func * (a: Wide, b: Wide) -> Wide { Wide(cp_wide_multiply(a.lanes, b.lanes)) }
    @_transparent static func / (a: Wide, b: Wide) -> Wide { Wide(cp_wide_divide(a.lanes, b.lanes)) }

    @_transparent static func multiplyAdd(_ a: Wide, _ b: Wide, _ sum: Wide) -> Wide {
        Wide(cp_wide_multiply_add(a.lanes, b.lanes, sum.lanes))
    }

    @_transparent static func select(_ x: Wide, isAbove y: Wide, _ a: Wide, _ b: Wide) -> Wide {
        Wide(cp_wide_select(x.lanes, y.lanes, a.lanes, b.lanes))
    }
}

/// `sum + a b`, fused if this build has FMA.
@_transparent func multiplyAdd(_ a: Wide, _ b: Wide, _ sum: Wide) -> Wide { .multiplyAdd(a, b, sum) }

/// a where x > y, otherwise b, number by number.
@_transparent func select(_ x: Wide, isAbove y: Wide, _ a: Wide, _ b: Wide) -> Wide { .select(x, isAbove: y, a, b) }
