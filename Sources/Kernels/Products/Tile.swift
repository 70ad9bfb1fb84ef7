import CKernels

/// The micro-kernel: a tile of up to `Tile.height` rows of sixteen accumulators in registers. It sums
///
///     tile[i][0…15] += broadcast[i · lane] · stream[0…15]
///
/// over a depth. `broadcast` and `stream` advance by their steps. The strides make it a part of the forward product, the
/// update or the backward product.
struct Tile {
    /// The number of rows whose accumulators fit the registers of this build.
    static var height: Int {
        @inline(__always) get { Int(CP_TILE_HEIGHT) }
    }

    /// The number of tiles side by side that this build computes together, if their height is `Tile.height`. (See `FourTiles`, too.)
    static var width: Int {
        @inline(__always) get { Int(CP_TILE_WIDTH) }
    }

    var r0 = Vector.zero, r1 = Vector.zero, r2 = Vector.zero, r3 = Vector.zero
    var r4 = Vector.zero, r5 = Vector.zero, r6 = Vector.zero, r7 = Vector.zero

    @inline(__always)
    init() {}

    /// All rows equal.
    @inline(__always)
    init(repeating row: Vector) {
        (r0, r1, r2, r3, r4, r5, r6, r7) = (row, row, row, row, row, row, row, row)
    }

    /// Reads the rows from memory. In this file, every `height` must be a constant, so that the compiler removes the
    /// conditions.
    @inline(__always)
    init(_ p: Source, stride: Int, height: Int) {
        r0 = load(p)
        if height > 1 { r1 = load(p + stride) }
        if height > 2 { r2 = load(p + 2 * stride) }
        if height > 3 { r3 = load(p + 3 * stride) }
        if height > 4 { r4 = load(p + 4 * stride) }
        if height > 5 { r5 = load(p + 5 * stride) }
        if height > 6 { r6 = load(p + 6 * stride) }
        if height > 7 { r7 = load(p + 7 * stride) }
    }

    @inline(__always)
    mutating func accumulate(
        height: Int, depth: Int,
        broadcast: Source, lane: Int, broadcastStep: Int,
        stream: Source, streamStep: Int
    ) {
        var a = broadcast
        var b = stream
        for _ in 0..<depth {
            addRow(load(b), a, a + 3 * lane, lane, height: height)
            a += broadcastStep
            b += streamStep
        }
    }

    /// The same for six rows and an adjacent stream. Two pointers reach all lanes, and two steps are counted together: see `FourTiles`.
    @inline(__always)
    mutating func accumulateSix(depth: Int, broadcast: Source, lane: Int, stream: Source) {
        var a = broadcast, b = broadcast + 3 * lane, c = stream
        @inline(__always)
        func add(_ tile: inout Tile, _ count: Int) {
            for i in 0..<count { tile.addRow(load(c + i * 16), a + i, b + i, lane, height: 6) }
            a = cp_opaque(a + count)
            b = cp_opaque(b + count)
            c = cp_opaque(c + count * 16)
        }
        for _ in 0..<depth / 2 { add(&self, 2) }
        if depth % 2 > 0 { add(&self, 1) }
    }

    /// The same for two tiles of `Tile.height` rows, which use each broadcast number together.
    @inline(__always)
    static func accumulate(
        _ left: inout Tile, _ right: inout Tile, depth: Int,
        broadcast: Source, lane: Int, broadcastStep: Int,
        streams: (Source, Source), streamStep: Int
    ) {
        var a = broadcast
        var (b, c) = streams
        for _ in 0..<depth {
            addRows(&left, &right, load(b), load(c), a, lane)
            a += broadcastStep
            b += streamStep
            c += streamStep
        }
    }

    /// Adds a row of the stream times the broadcast numbers, of which `b` points to the fourth.
    @inline(__always)
    private mutating func addRow(_ row: Vector, _ a: Source, _ b: Source, _ lane: Int, height: Int) {
        r0 = multiplyAdd(a[0], row, r0)
        if height > 1 { r1 = multiplyAdd(a[lane], row, r1) }
        if height > 2 { r2 = multiplyAdd(a[2 * lane], row, r2) }
        if height > 3 { r3 = multiplyAdd(b[0], row, r3) }
        if height > 4 { r4 = multiplyAdd(b[lane], row, r4) }
        if height > 5 { r5 = multiplyAdd(b[2 * lane], row, r5) }
        if height > 6 { r6 = multiplyAdd(b[3 * lane], row, r6) }
        if height > 7 { r7 = multiplyAdd(b[4 * lane], row, r7) }
    }

    /// The same for a row of two streams, and all lanes.
    @inline(__always)
    private static func addRows(
        _ left: inout Tile, _ right: inout Tile, _ row: Vector, _ other: Vector, _ a: Source, _ lane: Int
    ) {
        left.r0 = multiplyAdd(a[0], row, left.r0)
        right.r0 = multiplyAdd(a[0], other, right.r0)
        left.r1 = multiplyAdd(a[lane], row, left.r1)
        right.r1 = multiplyAdd(a[lane], other, right.r1)
        left.r2 = multiplyAdd(a[2 * lane], row, left.r2)
        right.r2 = multiplyAdd(a[2 * lane], other, right.r2)
        left.r3 = multiplyAdd(a[3 * lane], row, left.r3)
        right.r3 = multiplyAdd(a[3 * lane], other, right.r3)
        left.r4 = multiplyAdd(a[4 * lane], row, left.r4)
        right.r4 = multiplyAdd(a[4 * lane], other, right.r4)
        left.r5 = multiplyAdd(a[5 * lane], row, left.r5)
        right.r5 = multiplyAdd(a[5 * lane], other, right.r5)
        left.r6 = multiplyAdd(a[6 * lane], row, left.r6)
        right.r6 = multiplyAdd(a[6 * lane], other, right.r6)
        left.r7 = multiplyAdd(a[7 * lane], row, left.r7)
        right.r7 = multiplyAdd(a[7 * lane], other, right.r7)
    }

    @inline(__always)
    func store(_ p: Target, stride: Int, height: Int) {
        forEachRow(height: height) { i, row in save(row, p + i * stride) }
    }

    /// target −= rate · tile.
    @inline(__always)
    func descend(_ p: Target, stride: Int, height: Int, rate: Float) {
        forEachRow(height: height) { i, row in
            let q = p + i * stride
            save(multiplyAdd(-rate, row, load(q)), q)
        }
    }

    @inline(__always)
    private func forEachRow(height: Int, _ body: (Int, Vector) -> Void) {
        body(0, r0)
        if height > 1 { body(1, r1) }
        if height > 2 { body(2, r2) }
        if height > 3 { body(3, r3) }
        if height > 4 { body(4, r4) }
        if height > 5 { body(5, r5) }
        if height > 6 { body(6, r6) }
        if height > 7 { body(7, r7) }
    }
}

/// Calls `body` with the start and the height of each tile of first..<end. The height is a constant in `body`. The last two
/// tiles have about the same height, because a tile of few rows is slow: it has few independent sums.
@inline(__always)
func forEachTile(from first: Int = 0, to end: Int, _ body: (_ start: Int, _ height: Int) -> Void) {
    var start = first
    while start < end {
        let left = end - start
        let height = left <= Tile.height ? left : left < 2 * Tile.height - 1 ? (left + 1) / 2 : Tile.height
        switch height {
        case 1: body(start, 1)
        case 2: body(start, 2)
        case 3 where Tile.height > 3: body(start, 3)
        case 4 where Tile.height > 4: body(start, 4)
        case 5 where Tile.height > 5: body(start, 5)
        case 6 where Tile.height > 6: body(start, 6)
        case 7 where Tile.height > 7: body(start, 7)
        default: body(start, Tile.height)
        }
        start += height
    }
}

/// Calls `accumulate` with a depth; or, if `prefetches`, with eight parts of it, and `prefetch` before each: the processor waits for a
/// few cache lines at a time, and stops at more of them.
@inline(__always)
func inParts(
    of depth: Int, prefetches: Bool, _ accumulate: (_ from: Int, _ depth: Int) -> Void, prefetch: (_ part: Int) -> Void
) {
    let size = depth / 8 & ~1, last = prefetches ? 7 : 0
    for part in 0...last {
        if prefetches { prefetch(part) }
        accumulate(part * size, part < last ? size : depth - part * size)
    }
}

/// The end of the tiles of 0..<count that are computed in pairs: those before the last two, or all that are of `Tile.height`.
func endOfPairs(of count: Int) -> Int {
    let left = count % Tile.height
    return left == 0 || left == Tile.height - 1 ? count - left : max(0, count - left - Tile.height)
}

/// The size of the fewest equal blocks that cover `count`. (The last block may be smaller.)
func evenBlock(of count: Int, atMost limit: Int) -> Int {
    let blocks = (count + limit - 1) / limit
    return (count + blocks - 1) / blocks
}
