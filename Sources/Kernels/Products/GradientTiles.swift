import CKernels

/// Part of a gradient: the products of some rows, for a chunk of inputs and some adjacent panels. Their tiles are summed over the
/// blocks of rows.
struct GradientTiles {
    /// The first row of the block, and the number of its rows.
    let row: Int, depth: Int
    /// The block's rows of x, from the first input of the chunk on, and whether they are a copy.
    let x: Source, xStride: Int, isCopied: Bool, inputs: Int
    /// The block's rows of δ, from the first panel on; and those of the next block, which are prefetched.
    let delta: Source, deltaStride: Int, nextDelta: Source, panels: Int
    /// The sums of each panel, `sumsSize` apart.
    let sums: Target, sumsSize: Int
    /// The same part of the target, whose panels are `valuesSize` apart; and whether its values are part of the sum.
    let values: Target, valuesSize: Int, adds: Bool
    /// The step that the sums of the last block make at once, so that they are not stored.
    let isLast: Bool, rate: Float?
    /// Whether this build makes it: the sums of four tiles leave no registers for it.
    static var descends: Bool { !FourTiles.areUsed }

    @inline(__always)
    func compute() {
        var start = 0
        if FourTiles.areUsed, panels == 4 {
            let end = FourTiles.end(of: inputs)
            while start < end {
                addFour(start)
                start += FourTiles.height
            }
        }
        var panel = 0
        while panel < panels {
            let width = min(Tile.width, panels - panel)
            let pairs = Tile.width == 2 && width == 2 ? start + endOfPairs(of: inputs - start) : start
            var k = start
            while k < pairs {
                addPair(panel, k)
                k += Tile.height
            }
            for i in panel..<panel + width {
                forEachTile(from: pairs, to: inputs) { k, height in add(i, k, height) }
            }
            panel += width
        }
    }

    /// Computes a tile: `height` inputs from k on, for a panel.
    @inline(__always)
    private func add(_ panel: Int, _ k: Int, _ height: Int) {
        if isCopied { prefetchDelta(panel, k, height) }
        var tile = first(panel, k, height)
        tile.accumulate(
            height: height, depth: depth, broadcast: x + k, lane: 1, broadcastStep: xStride, stream: delta + panel * 16,
            streamStep: deltaStride)
        last(tile, panel, k, height)
    }

    /// The same for two panels.
    @inline(__always)
    private func addPair(_ panel: Int, _ k: Int) {
        if isCopied {
            prefetchDelta(panel, k, Tile.height)
            prefetchDelta(panel + 1, k, Tile.height)
        }
        var tile = first(panel, k, Tile.height), second = first(panel + 1, k, Tile.height)
        let stream = delta + panel * 16
        Tile.accumulate(
            &tile, &second, depth: depth, broadcast: x + k, lane: 1, broadcastStep: xStride, streams: (stream, stream + 16),
            streamStep: deltaStride)
        last(tile, panel, k, Tile.height)
        last(second, panel + 1, k, Tile.height)
    }

    /// The same for four panels. The values and the next δ are prefetched between the parts.
    @inline(__always)
    private func addFour(_ k: Int) {
        var tiles = FourTiles { first($0, k, FourTiles.height, prefetches: !isCopied) }
        inParts(of: depth, prefetches: isCopied) { row, depth in
            tiles.accumulate(
                depth: depth, broadcast: x + k + row * xStride, lane: 1, broadcastStep: xStride,
                stream: delta + row * deltaStride, size: 16, streamStep: deltaStride)
        } prefetch: { part in
            if row == 0, part < FourTiles.height { cp_prefetch(values + (k + part) * 16, valuesSize, 4) }
            // Parts 0 to 7 of six inputs.
            let ahead = (k * 4 + part * 3) * depth / (inputs * 4), end = (k * 4 + part * 3 + 3) * depth / (inputs * 4)
            for i in 0..<4 { cp_prefetch(nextDelta + ahead * deltaStride + i * 16, deltaStride, end - ahead) }
        }
        tiles.store(sums + k * 16, stride: 16, tileStride: sumsSize)
    }

    @inline(__always)
    private func first(_ panel: Int, _ k: Int, _ height: Int, prefetches: Bool = true) -> Tile {
        if row > 0 { return Tile(sums + panel * sumsSize + k * 16, stride: 16, height: height) }
        let old = values + panel * valuesSize + k * 16
        if adds { return Tile(old, stride: 16, height: height) }
        if prefetches { cp_prefetch(old, 16, height) }
        return Tile()
    }

    @inline(__always)
    private func last(_ tile: Tile, _ panel: Int, _ k: Int, _ height: Int) {
        if Self.descends, isLast, let rate {
            tile.descend(values + panel * valuesSize + k * 16, stride: 16, height: height, rate: rate)
        } else {
            tile.store(sums + panel * sumsSize + k * 16, stride: 16, height: height)
        }
    }

    /// Prefetches the tile's share of the next δ.
    @inline(never)
    private func prefetchDelta(_ panel: Int, _ k: Int, _ height: Int) {
        let ahead = k * depth / inputs
        cp_prefetch(nextDelta + panel * 16 + ahead * deltaStride, deltaStride, (k + height) * depth / inputs - ahead)
    }
}
