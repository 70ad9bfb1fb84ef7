import CKernels

/// c += sign · aᵀ b for a and b of [depth × 8] and c of [8 × 8]: a tile of a Gram matrix, in double precision. The products of
/// the normal equations square the condition number of a problem, which floats could not represent.
func gram(
    _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ depth: Int, _ sign: Double, _ c: UnsafeMutablePointer<Double>,
    _ cStride: Int
) {
    // As many rows as the accumulators of this build have registers for.
    if Tile.height == 8 {
        gramRows(a, b, depth, sign, c, cStride, 8)
    } else {
        var i = 0
        while i < 8 {
            gramRows(a + i, b, depth, sign, c + i * cStride, cStride, hasFMA ? 4 : 2)
            i += hasFMA ? 4 : 2
        }
    }
}

private typealias Eight = SIMD8<Double>

/// `gram` for the first `height` rows of c, a constant.
@inline(__always)
private func gramRows(
    _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ depth: Int, _ sign: Double, _ c: UnsafeMutablePointer<Double>,
    _ cStride: Int, _ height: Int
) {
    var r0 = Eight.zero, r1 = r0, r2 = r0, r3 = r0, r4 = r0, r5 = r0, r6 = r0, r7 = r0
    var a = UnsafePointer(a), b = UnsafeRawPointer(b)
    for _ in 0..<depth {
        let row = b.loadUnaligned(as: Eight.self)
        r0 = multiplyAdd(a[0], row, r0)
        r1 = multiplyAdd(a[1], row, r1)
        if height > 2 {
            r2 = multiplyAdd(a[2], row, r2)
            r3 = multiplyAdd(a[3], row, r3)
        }
        if height > 4 {
            r4 = multiplyAdd(a[4], row, r4)
            r5 = multiplyAdd(a[5], row, r5)
            r6 = multiplyAdd(a[6], row, r6)
            r7 = multiplyAdd(a[7], row, r7)
        }
        a += 8
        b += 64
    }
    func add(_ row: Eight, _ i: Int) {
        let p = UnsafeMutableRawPointer(c + i * cStride)
        p.storeBytes(of: multiplyAdd(sign, row, p.loadUnaligned(as: Eight.self)), as: Eight.self)
    }
    add(r0, 0)
    add(r1, 1)
    if height > 2 {
        add(r2, 2)
        add(r3, 3)
    }
    if height > 4 {
        add(r4, 4)
        add(r5, 5)
        add(r6, 6)
        add(r7, 7)
    }
}

@inline(__always)
private func multiplyAdd(_ a: Double, _ b: Eight, _ sum: Eight) -> Eight {
    hasFMA ? sum.addingProduct(Eight(repeating: a), b) : sum + Eight(repeating: a) * b
}
