import CKernels

/// Four tiles side by side, of six rows: 24 of the 32 registers of AVX-512. They need ten loads for 24 operations, and few other
/// instructions: while another thread uses the same core, the processor starts only three instructions in a cycle.
struct FourTiles {
    static var height: Int { 6 }

    /// Whether this build has the registers for them.
    static var areUsed: Bool {
        @inline(__always) get { Tile.width == 2 }
    }

    private var t: Tile, u: Tile, v: Tile, w: Tile

    @inline(__always)
    init(_ tile: (_ i: Int) -> Tile) {
        (t, u, v, w) = (tile(0), tile(1), tile(2), tile(3))
    }

    /// As `Tile.accumulate`, with streams that are `size` apart. Two pointers reach all lanes, and two steps are counted together.
    @inline(__always)
    mutating func accumulate(
        depth: Int, broadcast: Source, lane: Int, broadcastStep: Int, stream: Source, size: Int, streamStep: Int
    ) {
        var a = broadcast, b = broadcast + 3 * lane, c = stream, d = stream + 2 * size
        @inline(__always)
        func add(_ tiles: inout FourTiles, _ steps: Int) {
            for step in 0..<steps {
                let i = step * broadcastStep, j = step * streamStep
                let row = (load(c + j), load(c + j + size), load(d + j), load(d + j + size))
                @inline(__always)
                func add(_ x: Float, _ t: inout Vector, _ u: inout Vector, _ v: inout Vector, _ w: inout Vector) {
                    t = multiplyAdd(x, row.0, t)
                    u = multiplyAdd(x, row.1, u)
                    v = multiplyAdd(x, row.2, v)
                    w = multiplyAdd(x, row.3, w)
                }
                add(a[i], &tiles.t.r0, &tiles.u.r0, &tiles.v.r0, &tiles.w.r0)
                add(a[i + lane], &tiles.t.r1, &tiles.u.r1, &tiles.v.r1, &tiles.w.r1)
                add(a[i + 2 * lane], &tiles.t.r2, &tiles.u.r2, &tiles.v.r2, &tiles.w.r2)
                add(b[i], &tiles.t.r3, &tiles.u.r3, &tiles.v.r3, &tiles.w.r3)
                add(b[i + lane], &tiles.t.r4, &tiles.u.r4, &tiles.v.r4, &tiles.w.r4)
                add(b[i + 2 * lane], &tiles.t.r5, &tiles.u.r5, &tiles.v.r5, &tiles.w.r5)
            }
            a = cp_opaque(a + steps * broadcastStep)
            b = cp_opaque(b + steps * broadcastStep)
            c = cp_opaque(c + steps * streamStep)
            d = cp_opaque(d + steps * streamStep)
        }
        for _ in 0..<depth / 2 { add(&self, 2) }
        if depth % 2 > 0 { add(&self, 1) }
    }

    @inline(__always)
    func store(_ p: Target, stride: Int, tileStride: Int = 16) {
        t.store(p, stride: stride, height: Self.height)
        u.store(p + tileStride, stride: stride, height: Self.height)
        v.store(p + 2 * tileStride, stride: stride, height: Self.height)
        w.store(p + 3 * tileStride, stride: stride, height: Self.height)
    }

    /// The end of their rows of 0..<count, not above 0 if there are none. Of a remainder of two, eight are left, for two tiles of
    /// `Tile.height`.
    static func end(of count: Int) -> Int {
        let left = count % height
        return count - (left == 2 ? Tile.height : left)
    }
}
