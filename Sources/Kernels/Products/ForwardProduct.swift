import CKernels

/// The largest number of inputs in a block. The block of the panels of a tile stays in the first-level cache for all rows, and
/// the block of the rows in the second-level cache for all panels.
private var depthBlock: Int { 400 / Tile.width }

/// z = x W + b. Each element is summed as ((b + x₀ w₀) + x₁ w₁) + …, for any number of rows.
///
///     ŷ = σ(Σ v h)   (notes, §2)
func forward(
    _ x: Source, _ xStride: Int, _ rows: Int, _ inputs: Int, _ weights: Source, _ panels: Int, _ z: Target, _ zStride: Int
) {
    if rows == 1 { return forwardRow(x, inputs, weights, 2 * panels, z) }
    let panelSize = cp_panel_size(inputs)
    let block = evenBlock(of: inputs, atMost: depthBlock)
    // Weights that exceed the caches are prefetched during the products of the previous panels.
    let isLarge = panels * panelSize > 1 << 18
    var k = 0
    while k < inputs {
        let depth = min(block, inputs - k)
        var panel = 0
        while panel < panels {
            let width = min(Tile.width, panels - panel)
            let w = weights + panel * panelSize
            let next = panel + width < panels ? w + width * panelSize + k * 16 : weights + (k + depth) * 16
            @inline(__always)
            func first(_ i: Int, _ target: Target, _ height: Int) -> Tile {
                k == 0
                    ? Tile(repeating: load(w + i * panelSize + inputs * 16)) : Tile(target, stride: zStride, height: height)
            }
            let pairs = Tile.width == 2 && width == 2 ? endOfPairs(of: rows) : 0
            var row = 0
            while row < pairs {
                let target = z + row * zStride + panel * 16, other = target + 16
                var tile = first(0, target, Tile.height), second = first(1, other, Tile.height)
                @inline(__always)
                func accumulate(_ from: Int, _ depth: Int) {
                    Tile.accumulate(
                        &tile, &second, depth: depth, broadcast: x + row * xStride + k + from, lane: xStride, broadcastStep: 1,
                        streams: (w + (k + from) * 16, w + panelSize + (k + from) * 16), streamStep: 16)
                }
                if isLarge {
                    // A tile has 8 rows, and 8 parts: the next weights, and the next tile's z.
                    inParts(of: depth, accumulate) { part in
                        let from = (row + part) * depth / rows, count = (row + part + 1) * depth / rows - from
                        cp_prefetch(next + from * 16, 16, count)
                        cp_prefetch(next + panelSize + from * 16, 16, count)
                        cp_prefetch(target + (Tile.height + part) * zStride, 16, 2)
                    }
                } else {
                    accumulate(0, depth)
                }
                tile.store(target, stride: zStride, height: Tile.height)
                second.store(other, stride: zStride, height: Tile.height)
                row += Tile.height
            }
            for i in 0..<width {
                forEachTile(from: pairs, to: rows) { row, height in
                    let target = z + row * zStride + (panel + i) * 16
                    if isLarge { prefetch(next + i * panelSize, row, height, rows, depth, target, zStride) }
                    var tile = first(i, target, height)
                    tile.accumulate(
                        height: height, depth: depth, broadcast: x + row * xStride + k, lane: xStride, broadcastStep: 1,
                        stream: w + i * panelSize + k * 16, streamStep: 16)
                    tile.store(target, stride: zStride, height: height)
                }
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
