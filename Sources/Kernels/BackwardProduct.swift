import CPlatform

/// Floats of δᵀ that stay in the second-level cache while the weights pass.
private let transposedBlock = 98_304

/// dx = δ Wᵀ, from δᵀ in blocks of sixteen rows of the minibatch, which go side by side.
///
///     Σ δ v   (notes, §2, inside γ)
func backward(
    _ deltaT: Source, _ rows: Int, _ inputs: Int, _ outputs: Int, _ weights: Source, _ dx: Target, _ dxStride: Int
) {
    let panelSize = (inputs + 1) * 16
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
                    // The next tile's weights, on their way from memory: each panel is on a page of its own.
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

/// δ in blocks of sixteen rows, each transposed: to[block][column][row] = scale[column] · from[row][column].
func transpose(_ from: Source, _ fromStride: Int, _ rows: Int, _ columns: Int, _ scale: Source?, _ to: Target) {
    var row = 0
    while row < rows {
        let count = min(16, rows - row)
        let source = from + row * fromStride
        let target = to + row * columns
        var first = 0
        while count == 16, first + 8 <= columns {
            cp_transpose(source + first, fromStride, 8, target + first * 16, 16)
            cp_transpose(source + 8 * fromStride + first, fromStride, 8, target + first * 16 + 8, 16)
            if let scale {
                for column in first..<first + 8 {
                    let q = target + column * 16
                    save(Vector(repeating: scale[column]) * load(q), q)
                }
            }
            first += 8
        }
        for column in first..<columns {
            let factor = scale.map { $0[column] } ?? 1
            for i in 0..<count { target[column * 16 + i] = factor * source[i * fromStride + column] }
        }
        row += 16
    }
}
