import CPlatform

/// The three products of a layer (notes, §2), all on `Tile`. A panel is sixteen outputs: see CPlatform/kernels.h for the
/// layouts. Every element is summed in one fixed order, whatever the number of rows.

/// What the caches take. A panel's part of `depthBlock` inputs stays in the first-level cache while all rows pass, and
/// the rows' part in the second level while all panels pass. `rowBlock` rows of δ stay in the first level while
/// `inputChunk` inputs pass, and those inputs' columns of x in the second level; so do `transposedBlock` floats of δᵀ.
private let depthBlock = 512
private let rowBlock = 128
private let inputChunk = 96
private let transposedBlock = 98_304

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

/// W −= α xᵀ δ for some of the inputs: the product is the step of gradient descent, there is no gradient in between. With
/// the last input go the biases, b −= α Σ δ.
///
///     V⁽ᵗ⁺¹⁾ = V⁽ᵗ⁾ − α h δᵀ   (notes, §2; summed over the minibatch, §4)
func update(
    _ x: Source, _ xStride: Int, _ rows: Int, _ part: Range<Int>, _ inputs: Int, _ delta: Source, _ deltaStride: Int,
    _ weights: Target, _ panels: Int, _ rate: Float
) {
    forEachGradientTile(x, xStride, rows, part, inputs, delta, deltaStride, panels, weights) { tile, at, height in
        tile.descend(weights + at, stride: 16, height: height, rate: rate)
    }
}

/// xᵀ δ and Σ δ themselves.
func gradient(
    _ x: Source, _ xStride: Int, _ rows: Int, _ part: Range<Int>, _ inputs: Int, _ delta: Source, _ deltaStride: Int,
    _ gradient: Target, _ panels: Int
) {
    forEachGradientTile(x, xStride, rows, part, inputs, delta, deltaStride, panels, gradient) { tile, at, height in
        tile.store(gradient + at, stride: 16, height: height)
    }
}

/// Calls `body` with the gradient, tile by tile, and where in the panels of `target` it belongs. Many rows come in blocks, whose tiles
/// are added up.
@inline(__always)
private func forEachGradientTile(
    _ x: Source, _ xStride: Int, _ rows: Int, _ part: Range<Int>, _ inputs: Int, _ delta: Source, _ deltaStride: Int,
    _ panels: Int, _ target: Target, _ body: (_ tile: Tile, _ at: Int, _ height: Int) -> Void
) {
    let block = evenBlock(of: rows, atMost: rowBlock)
    let panelSize = (inputs + 1) * 16
    withUnsafeTemporaryAllocation(of: Float.self, capacity: inputChunk * 16) { buffer in
        let sums = buffer.baseAddress.unsafelyUnwrapped
        var chunk = part.lowerBound
        while chunk < part.upperBound {
            for panel in 0..<panels {
                var row = 0
                while row < rows {
                    let depth = min(block, rows - row)
                    forEachTile(of: min(inputChunk, part.upperBound - chunk)) { k, height in
                        if row == 0 { cp_prefetch(target + panel * panelSize + (chunk + k) * 16, height) }
                        var tile = row == 0 ? Tile() : Tile(sums + k * 16, stride: 16, height: height)
                        tile.accumulate(
                            height: height, depth: depth, broadcast: x + row * xStride + chunk + k, lane: 1,
                            broadcastStep: xStride, stream: delta + row * deltaStride + panel * 16, streamStep: deltaStride)
                        if row + depth == rows {
                            body(tile, panel * panelSize + (chunk + k) * 16, height)
                        } else {
                            tile.store(sums + k * 16, stride: 16, height: height)
                        }
                    }
                    row += depth
                }
            }
            chunk += inputChunk
        }
    }
    guard part.upperBound == inputs else { return }
    for panel in 0..<panels {
        var tile = Tile()
        for row in 0..<rows { tile.r0 += load(delta + row * deltaStride + panel * 16) }
        body(tile, panel * panelSize + inputs * 16, 1)
    }
}

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
                    if row == start { cp_prefetch(w + panelSize, height) }
                    tile.accumulate(
                        height: height, depth: min(16, outputs - output), broadcast: w, lane: 16, broadcastStep: 1,
                        stream: deltaT + row * outputs + output * 16, streamStep: 16)
                    output += 16
                    w += panelSize
                }
                tile.storeTransposed(dx + row * dxStride + k, stride: dxStride, height: height, count: min(16, end - row))
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
        for column in 0..<columns {
            let factor = scale.map { $0[column] } ?? 1
            for i in 0..<count { target[column * 16 + i] = factor * source[i * fromStride + column] }
        }
        row += 16
    }
}
