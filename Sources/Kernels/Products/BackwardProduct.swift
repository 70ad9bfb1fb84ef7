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
        forEachTile(to: inputs) { k, height in
            var row = start
            while row < end {
                let isPaired = Tile.width == 2 && height == Tile.height && row + 32 <= end
                var tile = Tile(), second = Tile()
                var output = 0
                var w = weights + k * 16
                while output < outputs {
                    // Prefetches the next tile's weights. Each panel is on a different page.
                    if row == start { cp_prefetch(w + height * 16, 16, height) }
                    let depth = min(16, outputs - output)
                    let stream = deltaT + row * outputs + output * 16
                    if isPaired {
                        Tile.accumulate(
                            &tile, &second, depth: depth, broadcast: w, lane: 16, broadcastStep: 1,
                            streams: (stream, stream + 16 * outputs), streamStep: 16)
                    } else {
                        tile.accumulate(
                            height: height, depth: depth, broadcast: w, lane: 16, broadcastStep: 1, stream: stream,
                            streamStep: 16)
                    }
                    output += 16
                    w += panelSize
                }
                let target = dx + row * dxStride + k, room = dxStride - k
                tile.storeTransposed(target, stride: dxStride, height: height, count: min(16, end - row), room: room)
                row += 16
                guard isPaired else { continue }
                second.storeTransposed(target + 16 * dxStride, stride: dxStride, height: height, count: 16, room: room)
                row += 16
            }
        }
        start = end
    }
}

/// The same from δ itself, with dx in panels of sixteen inputs, whose padding becomes 0. Instead of δ and the products, the
/// weights are transposed. There are at most CP_FEW_OUTPUTS outputs.
func backward(
    _ delta: Source, _ deltaStride: Int, _ rows: Int, _ inputs: Int, _ outputs: Int, _ weights: Source, _ dx: Target,
    _ dxStride: Int
) {
    var product = RowProduct(
        delta: delta, deltaStride: deltaStride, rows: rows, inputs: inputs, outputs: outputs, weights: weights, dx: dx,
        dxStride: dxStride)
    cp_with_scratch(
        { scratch, product in
            let product = product.unsafelyUnwrapped.assumingMemoryBound(to: RowProduct.self).pointee
            product.compute(scratch.unsafelyUnwrapped)
        }, &product)
}

private struct RowProduct {
    let delta: Source, deltaStride: Int, rows: Int, inputs: Int, outputs: Int, weights: Source, dx: Target, dxStride: Int

    /// Transposes the weights of the inputs of one tile's width, as panels whose biases are 0, and multiplies δ by them.
    func compute(_ scratch: Target) {
        let size = cp_panel_size(outputs)
        var first = 0
        while first < inputs {
            let panels = min(Tile.width, (inputs - first + 15) / 16)
            for panel in 0..<panels {
                // The last panel of outputs is padded: what is written past the biases is overwritten or not used.
                let to = scratch + panel * size
                transposeWeights(first + panel * 16, to)
                transposeWeights(first + panel * 16 + 8, to + 8)
                save(Vector.zero, to + outputs * 16)
            }
            forward(delta, deltaStride, rows, outputs, Source(scratch), panels, dx + first, dxStride)
            first += 16 * panels
        }
    }

    /// The weights of eight inputs; 0 past the last input.
    private func transposeWeights(_ input: Int, _ to: Target) {
        let count = max(0, min(8, inputs - input))
        for octet in 0..<(outputs + 7) / 8 {
            let from = weights + octet / 2 * cp_panel_size(inputs) + octet % 2 * 8 + input * 16
            cp_transpose(from, 16, count, to + octet * 128, 16)
        }
    }
}
