import CKernels

/// The largest number of inputs in a block, times the tiles side by side. The block of the panels of these tiles stays in the
/// first-level cache for all rows, and the block of the rows in the second-level cache for all panels.
private var depthBlock: Int { 400 }

/// z = x W + b. Each element is summed as ((b + x₀ w₀) + x₁ w₁) + …, for any number of rows.
///
///     ŷ = σ(Σ v h)   (notes, §2)
func forward(
    _ x: Source, _ xStride: Int, _ rows: Int, _ inputs: Int, _ weights: Source, _ panels: Int, _ z: Target, _ zStride: Int
) {
    if rows == 1 { return forwardRow(x, inputs, weights, 2 * panels, z) }
    let panelSize = cp_panel_size(inputs)
    let most = FourTiles.areUsed && panels >= 4 && rows >= FourTiles.height ? 4 : Tile.width
    let block = evenBlock(of: inputs, atMost: depthBlock / most)
    // Weights that exceed the caches are prefetched during the products of the previous panels.
    let isLarge = panels * panelSize > 1 << 18
    var k = 0
    while k < inputs {
        let depth = min(block, inputs - k)
        var panel = 0
        while panel < panels {
            let width = panels - panel >= most ? most : min(Tile.width, panels - panel)
            let w = weights + panel * panelSize
            let next = panel + width < panels ? w + width * panelSize + k * 16 : weights + (k + depth) * 16
            @inline(__always)
            func first(_ i: Int, _ target: Target, _ height: Int) -> Tile {
                k == 0
                    ? Tile(repeating: load(w + i * panelSize + inputs * 16)) : Tile(target, stride: zStride, height: height)
            }
            var start = 0
            if FourTiles.areUsed, width == 4 {
                let end = FourTiles.end(of: rows)
                while start < end {
                    let target = z + start * zStride + panel * 16
                    var tiles = FourTiles { first($0, target + 16 * $0, FourTiles.height) }
                    inParts(of: depth, prefetches: isLarge) { from, depth in
                        tiles.accumulate(
                            depth: depth, broadcast: x + start * xStride + k + from, lane: xStride,
                            broadcastStep: 1, stream: w + (k + from) * 16, size: panelSize, streamStep: 16)
                    } prefetch: { part in
                        // Parts 0 to 7: the next weights, and the six rows of the next tiles' z.
                        let from = (start * 4 + part * 3) * depth / (rows * 4)
                        let count = (start * 4 + part * 3 + 3) * depth / (rows * 4) - from
                        for i in 0..<4 { cp_prefetch(next + i * panelSize + from * 16, 16, count) }
                        if part < FourTiles.height { cp_prefetch(target + (FourTiles.height + part) * zStride, 16, 4) }
                    }
                    tiles.store(target, stride: zStride)
                    start += FourTiles.height
                }
            }
            var i = 0
            while i < width {
                let pairs = Tile.width == 2 && width >= i + 2 ? start + endOfPairs(of: rows - start) : start
                var row = start
                while row < pairs {
                    let target = z + row * zStride + (panel + i) * 16
                    var tile = first(i, target, Tile.height), second = first(i + 1, target + 16, Tile.height)
                    let stream = w + i * panelSize + k * 16
                    Tile.accumulate(
                        &tile, &second, depth: depth, broadcast: x + row * xStride + k, lane: xStride, broadcastStep: 1,
                        streams: (stream, stream + panelSize), streamStep: 16)
                    tile.store(target, stride: zStride, height: Tile.height)
                    second.store(target + 16, stride: zStride, height: Tile.height)
                    row += Tile.height
                }
                for i in i..<min(i + Tile.width, width) {
                    forEachTile(from: pairs, to: rows) { row, height in
                        let target = z + row * zStride + (panel + i) * 16
                        if isLarge { prefetch(next + i * panelSize, row, height, rows, depth, target, zStride) }
                        var tile = first(i, target, height)
                        let broadcast = x + row * xStride + k, stream = w + i * panelSize + k * 16
                        if Tile.height == 6, height == Tile.height {
                            tile.accumulateSix(depth: depth, broadcast: broadcast, lane: xStride, stream: stream)
                        } else {
                            tile.accumulate(
                                height: height, depth: depth, broadcast: broadcast, lane: xStride, broadcastStep: 1,
                                stream: stream, streamStep: 16)
                        }
                        tile.store(target, stride: zStride, height: height)
                    }
                }
                i += Tile.width
            }
            panel += width
        }
        k += depth
    }
}

/// Prefetches the tile's share of the next weights, and the next tile's z.
@inline(never)
private func prefetch(
    _ next: Source, _ row: Int, _ height: Int, _ rows: Int, _ depth: Int, _ target: Target, _ zStride: Int
) {
    let ahead = row * depth / rows
    cp_prefetch(next + ahead * 16, 16, (row + height) * depth / rows - ahead)
    cp_prefetch(target + height * zStride, zStride, height)
}

/// `forward` for one row, for `octets` times eight outputs. A single accumulator would be one long dependency chain, so up to
/// four panels are summed at a time.
func forwardRow(_ x: Source, _ inputs: Int, _ weights: Source, _ octets: Int, _ z: Target) {
    let size = cp_panel_size(inputs)
    var w = weights, z = z, octets = octets
    while octets >= 8 {
        sumPanels(x, inputs, w, size, 4, z)
        w += 4 * size
        z += 64
        octets -= 8
    }
    if octets >= 4 {
        sumPanels(x, inputs, w, size, 2, z)
        w += 2 * size
        z += 32
        octets -= 4
    }
    if octets >= 2 {
        sumPanels(x, inputs, w, size, 1, z)
        w += size
        z += 16
        octets -= 2
    }
    guard octets == 1 else { return }
    var a = loadLanes(w + inputs * 16)
    var k = 0
    while k + 4 <= inputs {
        let row = w + k * 16
        a = multiplyAdd(lanes(x[k]), loadLanes(row), a)
        a = multiplyAdd(lanes(x[k + 1]), loadLanes(row + 16), a)
        a = multiplyAdd(lanes(x[k + 2]), loadLanes(row + 32), a)
        a = multiplyAdd(lanes(x[k + 3]), loadLanes(row + 48), a)
        k += 4
    }
    while k < inputs {
        a = multiplyAdd(lanes(x[k]), loadLanes(w + k * 16), a)
        k += 1
    }
    save(a, z)
}

/// z = x W + b for 1, 2 or 4 panels of `size` floats. `count` must be a constant, so that the compiler removes the conditions.
@inline(__always)
private func sumPanels(_ x: Source, _ inputs: Int, _ w: Source, _ size: Int, _ count: Int, _ z: Target) {
    let bias = w + inputs * 16
    var a = load(bias), b = Vector.zero, c = b, d = b
    if count > 1 { b = load(bias + size) }
    if count > 2 { (c, d) = (load(bias + 2 * size), load(bias + 3 * size)) }
    for k in 0..<inputs {
        let row = w + k * 16
        a = multiplyAdd(x[k], load(row), a)
        if count > 1 { b = multiplyAdd(x[k], load(row + size), b) }
        if count > 2 {
            c = multiplyAdd(x[k], load(row + 2 * size), c)
            d = multiplyAdd(x[k], load(row + 3 * size), d)
        }
    }
    save(a, z)
    if count > 1 { save(b, z + 16) }
    if count > 2 {
        save(c, z + 32)
        save(d, z + 48)
    }
}
