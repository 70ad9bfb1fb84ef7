import CKernels

/// The number of floats of δᵀ that stay in the second-level cache while the weights are read.
private let transposedBlock = 98_304

/// dx = δ Wᵀ, from δᵀ in blocks of sixteen rows of the minibatch, one row in each lane.
///
///     Σ δ v   (notes, §2, inside γ)
func backward(
    _ deltaT: Source, _ rows: Int, _ inputs: Int, _ outputs: Int, _ weights: Source, _ dx: Target, _ dxStride: Int
) {
    let panelSize = cp_panel_size(inputs)
    let group = max(16, transposedBlock / outputs & ~15)
    var start = 0
    while start < rows {
        let end = min(start + group, rows)
        forEachTile(of: inputs) { k, height in
            var row = start
            while row < end {
                var tile = Tile()
                var output = 0
                var w = weights + k * 16
                while output < outputs {
                    // Prefetches the next tile's weights. Each panel is on a different page.
                    if row == start { cp_prefetch(w + height * 16, 16, height) }
                    tile.accumulate(
                        height: height, depth: min(16, outputs - output), broadcast: w, lane: 16, broadcastStep: 1,
                        stream: deltaT + row * outputs + output * 16, streamStep: 16)
                    output += 16
                    w += panelSize
                }
                tile.storeTransposed(
                    dx + row * dxStride + k, stride: dxStride, height: height, count: min(16, end - row), room: dxStride - k)
                row += 16
            }
        }
        start = end
    }
}
