/// The three products of a layer (notes, §2), all on `Tile`. A panel is sixteen outputs: see CPlatform/kernels.h for the
/// layouts. Every element is summed in one fixed order, whatever the number of rows.

/// What the caches take. A panel's part of `depthBlock` inputs stays in the first-level cache while all rows pass, the
/// rows' part in the second level while all panels pass; so do `rowBlock` rows of δ, and `transposedBlock` floats of δᵀ.
private let depthBlock = 512
private let rowBlock = 128
private let inputChunk = 96
private let transposedBlock = 65_536

/// z = x W + b, each element summed as ((b + x₀ w₀) + x₁ w₁) + …
///
///     ŷ = σ(Σ v h)   (notes, §2)
func forward(
    _ x: Source, _ xStride: Int, _ rows: Int, _ inputs: Int, _ weights: Source, _ panels: Int, _ z: Target, _ zStride: Int
) {
    if rows == 1 { return forwardRow(x, inputs, weights, panels, z) }
    let block = evenBlock(of: inputs, atMost: depthBlock)
    var k = 0
    while k < inputs {
        let depth = min(block, inputs - k)
        for panel in 0..<panels {
            let w = weights + panel * (inputs + 1) * 16
            let bias = load(w + inputs * 16)
            forEachTile(of: rows) { row, height in
                let target = z + row * zStride + panel * 16
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

/// The size of equal blocks that cover a count.
private func evenBlock(of count: Int, atMost limit: Int) -> Int {
    let blocks = (count + limit - 1) / limit
    return (count + blocks - 1) / blocks
}

/// The same for one row. One accumulator a panel would wait for itself, so four panels go side by side.
private func forwardRow(_ x: Source, _ inputs: Int, _ weights: Source, _ panels: Int, _ z: Target) {
    let size = (inputs + 1) * 16
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

/// W −= α xᵀ δ and b −= α Σ δ: the product is the step of gradient descent, there is no gradient in between.
///
///     V⁽ᵗ⁺¹⁾ = V⁽ᵗ⁾ − α h δᵀ   (notes, §2; summed over the minibatch, §4)
func update(
    _ x: Source, _ xStride: Int, _ rows: Int, _ inputs: Int, _ delta: Source, _ deltaStride: Int, _ weights: Target,
    _ panels: Int, _ rate: Float
) {
    for panel in 0..<panels {
        forEachGradientTile(x, xStride, rows, inputs, delta + panel * 16, deltaStride) { tile, k, height in
            tile.descend(weights + (panel * (inputs + 1) + k) * 16, stride: 16, height: height, rate: rate)
        }
    }
}

/// xᵀ δ and Σ δ themselves.
func gradient(
    _ x: Source, _ xStride: Int, _ rows: Int, _ inputs: Int, _ delta: Source, _ deltaStride: Int, _ gradient: Target,
    _ panels: Int
) {
    for panel in 0..<panels {
        forEachGradientTile(x, xStride, rows, inputs, delta + panel * 16, deltaStride) { tile, k, height in
            tile.store(gradient + (panel * (inputs + 1) + k) * 16, stride: 16, height: height)
        }
    }
}

/// Calls `body` with the gradient of one panel, tile by tile: inputs k ..< k + height, and last the biases (k = inputs).
/// Many rows come in blocks, whose tiles are added up.
@inline(__always)
private func forEachGradientTile(
    _ x: Source, _ xStride: Int, _ rows: Int, _ inputs: Int, _ delta: Source, _ deltaStride: Int,
    _ body: (_ tile: Tile, _ k: Int, _ height: Int) -> Void
) {
    let block = evenBlock(of: rows, atMost: rowBlock)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: inputChunk * 16) { buffer in
        let sums = buffer.baseAddress.unsafelyUnwrapped
        var chunk = 0
        while chunk < inputs {
            var row = 0
            while row < rows {
                let depth = min(block, rows - row)
                forEachTile(of: min(inputChunk, inputs - chunk)) { k, height in
                    var tile = row == 0 ? Tile() : Tile(sums + k * 16, stride: 16, height: height)
                    tile.accumulate(
                        height: height, depth: depth, broadcast: x + row * xStride + chunk + k, lane: 1,
                        broadcastStep: xStride, stream: delta + row * deltaStride, streamStep: deltaStride)
                    if row + depth == rows {
                        body(tile, chunk + k, height)
                    } else {
                        tile.store(sums + k * 16, stride: 16, height: height)
                    }
                }
                row += depth
            }
            chunk += inputChunk
        }
    }
    var tile = Tile()
    for row in 0..<rows { tile.r0 += load(delta + row * deltaStride) }
    body(tile, inputs, 1)
}

/// dx = δ Wᵀ, from the transposed δ: sixteen rows of the minibatch side by side.
///
///     Σ δ v   (notes, §2, inside γ)
func backward(
    _ deltaT: Source, _ deltaTStride: Int, _ rows: Int, _ inputs: Int, _ outputs: Int, _ weights: Source, _ dx: Target,
    _ dxStride: Int
) {
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
                    tile.accumulate(
                        height: height, depth: min(16, outputs - output), broadcast: w, lane: 16, broadcastStep: 1,
                        stream: deltaT + output * deltaTStride + row, streamStep: deltaTStride)
                    output += 16
                    w += (inputs + 1) * 16
                }
                tile.storeTransposed(dx + row * dxStride + k, stride: dxStride, height: height, count: min(16, end - row))
                row += 16
            }
        }
        start = end
    }
}

/// to[column][row] = scale[column] · from[row][column].
func transpose(
    _ from: Source, _ fromStride: Int, _ rows: Int, _ columns: Int, _ scale: Source?, _ to: Target, _ toStride: Int
) {
    for column in 0..<columns {
        let factor = scale.map { $0[column] } ?? 1
        for row in 0..<rows { to[column * toStride + row] = factor * from[row * fromStride + column] }
    }
}
