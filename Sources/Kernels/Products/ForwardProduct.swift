import CKernels

/// The largest number of inputs in a block. The block of a panel stays in the first-level cache for all rows, and the block
/// of the rows in the second-level cache for all panels.
private let depthBlock = 400

/// z = x W + b. Each element is summed as ((b + x₀ w₀) + x₁ w₁) + …, for any number of rows.
///
///     ŷ = σ(Σ v h)   (notes, §2)
func forward(
    _ x: Source, _ xStride: Int, _ rows: Int, _ inputs: Int, _ weights: Source, _ panels: Int, _ z: Target, _ zStride: Int
) {
    if rows == 1 { return forwardRow(x, inputs, weights, panels, z) }
    let panelSize = cp_panel_size(inputs)
    let block = evenBlock(of: inputs, atMost: depthBlock)
    // Weights that exceed the caches are prefetched during the products of the previous panel.
    let isLarge = panels * panelSize > 1 << 18
    var k = 0
    while k < inputs {
        let depth = min(block, inputs - k)
        for panel in 0..<panels {
            let w = weights + panel * panelSize
            let bias = load(w + inputs * 16)
            let next = (panel + 1 < panels ? w + panelSize : weights) + k * 16
            forEachTile(of: rows) { row, height in
                let target = z + row * zStride + panel * 16
                if isLarge {
                    let ahead = row * depth / rows
                    cp_prefetch(next + ahead * 16, 16, (row + height) * depth / rows - ahead)
                    cp_prefetch(target + height * zStride, zStride, height)
                }
                var tile = k == 0 ? Tile(repeating: bias) : Tile(target, stride: zStride, height: height)
                tile.accumulate(
                    height: height, depth: depth, broadcast: x + row * xStride + k, lane: xStride, broadcastStep: 1,
                    stream: w + k * 16, streamStep: 16)
                tile.store(target, stride: zStride, height: height)
            }
        }
        k += depth
    }
}

/// `forward` for one row. A single accumulator would be one long dependency chain, so four panels are summed at a time.
func forwardRow(_ x: Source, _ inputs: Int, _ weights: Source, _ panels: Int, _ z: Target) {
    let size = cp_panel_size(inputs)
    var panel = 0
    while panel + 4 <= panels {
        let w = weights + panel * size
        let bias = w + inputs * 16
        var a = load(bias), b = load(bias + size), c = load(bias + 2 * size), d = load(bias + 3 * size)
        for k in 0..<inputs {
            let row = w + k * 16
            a = multiplyAdd(x[k], load(row), a)
            b = multiplyAdd(x[k], load(row + size), b)
            c = multiplyAdd(x[k], load(row + 2 * size), c)
            d = multiplyAdd(x[k], load(row + 3 * size), d)
        }
        save(a, z + panel * 16)
        save(b, z + panel * 16 + 16)
        save(c, z + panel * 16 + 32)
        save(d, z + panel * 16 + 48)
        panel += 4
    }
    while panel < panels {
        let w = weights + panel * size
        var a = load(w + inputs * 16)
        for k in 0..<inputs { a = multiplyAdd(x[k], load(w + k * 16), a) }
        save(a, z + panel * 16)
        panel += 1
    }
}
