/// The three products of a layer (notes, §2), all on `Tile`. A panel is sixteen outputs: see CPlatform/kernels.h for the
/// layouts. Every element is summed in one fixed order, whatever the number of rows.

/// Inputs handled before the next rows: a panel's part of this depth stays in the first-level cache.
let depthBlock = 384

/// z = x W + b, each element summed as ((b + x₀ w₀) + x₁ w₁) + …
///
///     ŷ = σ(Σ v h)   (notes, §2)
func forward(
    _ x: Source, _ xStride: Int, _ rows: Int, _ inputs: Int, _ weights: Source, _ panels: Int, _ z: Target, _ zStride: Int
) {
    if rows == 1 { return forwardRow(x, inputs, weights, panels, z) }
    for panel in 0..<panels {
        let w = weights + panel * (inputs + 1) * 16
        let bias = load(w + inputs * 16)
        var k = 0
        repeat {
            let depth = min(depthBlock, inputs - k)
            forEachTile(of: rows) { row, height in
                let target = z + row * zStride + panel * 16
                var tile = k == 0 ? Tile(repeating: bias) : Tile(target, stride: zStride, height: height)
                tile.accumulate(
                    height: height, depth: depth, broadcast: x + row * xStride + k, lane: xStride, broadcastStep: 1,
                    stream: w + k * 16, streamStep: 16)
                tile.store(target, stride: zStride, height: height)
            }
            k += depth
        } while k < inputs
    }
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
@inline(__always)
private func forEachGradientTile(
    _ x: Source, _ xStride: Int, _ rows: Int, _ inputs: Int, _ delta: Source, _ deltaStride: Int,
    _ body: (_ tile: Tile, _ k: Int, _ height: Int) -> Void
) {
    forEachTile(of: inputs) { k, height in
        var tile = Tile()
        tile.accumulate(
            height: height, depth: rows, broadcast: x + k, lane: 1, broadcastStep: xStride, stream: delta,
            streamStep: deltaStride)
        body(tile, k, height)
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
    var row = 0
    while row < rows {
        let count = min(16, rows - row)
        forEachTile(of: inputs) { k, height in
            var tile = Tile()
            var output = 0
            var w = weights + k * 16
            while output < outputs {
                let depth = min(16, outputs - output)
                tile.accumulate(
                    height: height, depth: depth, broadcast: w, lane: 16, broadcastStep: 1,
                    stream: deltaT + output * deltaTStride + row, streamStep: deltaTStride)
                output += 16
                w += (inputs + 1) * 16
            }
            tile.storeTransposed(dx + row * dxStride + k, stride: dxStride, height: height, count: count)
        }
        row += 16
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
