import CKernels

/// c += sign · aᵀ b for a of [depth × 8], `panels` of b of [depth × 8], the first of which is a, and c of [8 × 8 panels]: tiles of a
/// Gram matrix, in double precision. The products of the normal equations square the condition number of a problem, which floats
/// could not represent.
func gram(
    _ a: UnsafePointer<Double>, _ panels: Int, _ panelSize: Int, _ depth: Int, _ sign: Double, _ c: UnsafeMutablePointer<Double>,
    _ cStride: Int
) {
    // Tiles as large as the registers: see CP_TILE_HEIGHT.
    let pairs = Tile.width == 2 ? panels / 2 : 0
    for pair in 0..<pairs {
        gramTile(a, a + 2 * pair * panelSize, panelSize, depth, sign, c + 16 * pair, cStride, height: 8, isPair: true)
    }
    let height = Tile.height == 8 ? 8 : hasFMA ? 4 : 2
    for panel in 2 * pairs..<panels {
        for i in stride(from: 0, to: 8, by: height) {
            gramTile(
                a + i, a + panel * panelSize, panelSize, depth, sign, c + i * cStride + 8 * panel, cStride, height: height,
                isPair: false)
        }
    }
}

/// `gram` for the first `height` rows of c and one or two panels of b. Height and isPair must be constants.
@inline(__always)
private func gramTile(
    _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ panelSize: Int, _ depth: Int, _ sign: Double,
    _ c: UnsafeMutablePointer<Double>, _ cStride: Int, height: Int, isPair: Bool
) {
    var first = EightRows(), second = EightRows()
    var a = a, b = b
    for _ in 0..<depth {
        first.accumulate(a, b, height)
        if isPair { second.accumulate(a, b + panelSize, height) }
        a += 8
        b += 8
    }
    first.add(to: c, cStride, sign, height)
    if isPair { second.add(to: c + 8, cStride, sign, height) }
}

private typealias Eight = SIMD8<Double>

/// The accumulators of a tile.
private struct EightRows {
    var r0 = Eight.zero, r1 = Eight.zero, r2 = Eight.zero, r3 = Eight.zero
    var r4 = Eight.zero, r5 = Eight.zero, r6 = Eight.zero, r7 = Eight.zero

    @inline(__always)
    mutating func accumulate(_ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ height: Int) {
        let row = UnsafeRawPointer(b).loadUnaligned(as: Eight.self)
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
    }

    /// c += sign · the rows
    @inline(__always)
    func add(to c: UnsafeMutablePointer<Double>, _ stride: Int, _ sign: Double, _ height: Int) {
        func add(_ row: Eight, _ i: Int) {
            let p = UnsafeMutableRawPointer(c + i * stride)
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
}

@inline(__always)
private func multiplyAdd(_ a: Double, _ b: Eight, _ sum: Eight) -> Eight {
    hasFMA ? sum.addingProduct(Eight(repeating: a), b) : sum + Eight(repeating: a) * b
}
