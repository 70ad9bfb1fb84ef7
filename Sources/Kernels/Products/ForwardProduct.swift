import CKernels

/// A panel's part of up to `depthBlock` inputs stays in the first-level cache while all rows pass, and the rows' part in
/// the second level while all panels pass.
private let depthBlock = 400

/// z = x W + b, each element summed as ((b + x₀ w₀) + x₁ w₁) + …, whatever the number of rows but one
///
///     ŷ = σ(Σ v h)   (notes, §2)
func forward(
    _ x: Source, _ xStride: Int, _ rows: Int, _ inputs: Int, _ weights: Source, _ panels: Int, _ z: Target, _ zStride: Int
) {
    if rows == 1 { return forwardRow(x, inputs, weights, panels, z) }
    let panelSize = cp_panel_size(inputs)
    let block = evenBlock(of: inputs, atMost: depthBlock)
    // Weights that come from memory are asked for while the rows before them pass.
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

/// The same for one row. One accumulator a panel would wait for itself, so four panels go side by side.
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
