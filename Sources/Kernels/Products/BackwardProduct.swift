import CKernels

/// dx = δ Wᵀ, from δᵀ in blocks of sixteen rows of the minibatch, one row in each lane.
///
///     Σ δ v   (notes, §2, inside γ)
func backward(
    _ deltaT: Source, _ rows: Int, _ inputs: Int, _ outputs: Int, _ weights: Source, _ dx: Target, _ dxStride: Int
) {
    var product = TransposedProduct(
        deltaT: deltaT, rows: rows, inputs: inputs, outputs: outputs, weights: weights, dx: dx, dxStride: dxStride)
    cp_with_scratch(
        { scratch, product in
            let product = product.unsafelyUnwrapped.assumingMemoryBound(to: TransposedProduct.self).pointee
            product.compute(scratch.unsafelyUnwrapped)
        }, &product)
}

private struct TransposedProduct {
    let deltaT: Source, rows: Int, inputs: Int, outputs: Int, weights: Source, dx: Target, dxStride: Int

    /// The weights of `inputChunk` inputs stay in the second-level cache for all rows. δᵀ of `panelBlock` panels and the rows of
    /// the tiles side by side stays in the first-level cache for these inputs.
    private static var inputChunk: Int { 96 }
    private static var panelBlock: Int { 8 }

    /// The most rows whose sums are computed together.
    private static var most: Int { FourTiles.areUsed ? 64 : 16 }

    func compute(_ sums: Target) {
        let block = evenBlock(of: (outputs + 15) / 16, atMost: Self.panelBlock) * 16
        var chunk = 0
        while chunk < inputs {
            let end = min(chunk + Self.inputChunk, inputs)
            var row = 0
            while row < rows {
                let width = !FourTiles.areUsed ? 1 : row + 64 <= rows ? 4 : row + 32 <= rows ? 2 : 1
                var output = 0
                while output < outputs {
                    let next = min(output + block, outputs)
                    var k = chunk
                    if FourTiles.areUsed, width == 4 {
                        let fours = chunk + FourTiles.end(of: end - chunk)
                        while k < fours {
                            addFour(output..<next, k, row, sums + (k - chunk) * Self.most)
                            k += FourTiles.height
                        }
                    }
                    forEachTile(from: k, to: end) { k, height in
                        let sums = sums + (k - chunk) * Self.most
                        if height < Tile.height {  // one tile or two of a chunk: not worth code for sums between blocks
                            guard next == outputs else { return }
                            for i in 0..<width { add(0..<outputs, k, height, row + 16 * i, sums + 16 * i) }
                        } else if Tile.width == 2, width >= 2 {
                            for i in 0..<width / 2 { addPair(output..<next, k, row + 32 * i, sums + 32 * i) }
                        } else {
                            add(output..<next, k, height, row, sums)
                        }
                    }
                    output = next
                }
                store(sums, chunk..<end, row, 16 * width)
                row += 16 * width
            }
            chunk = end
        }
    }

    /// Adds the products of some outputs to the sums of a tile: `height` inputs from k on, for sixteen rows.
    @inline(__always)
    private func add(_ part: Range<Int>, _ k: Int, _ height: Int, _ row: Int, _ sums: Target) {
        var tile = start(part, height, sums)
        forEachPanel(part, k, height, isFirst: row == 0) { w, output, depth in
            tile.accumulate(
                height: height, depth: depth, broadcast: w, lane: 16, broadcastStep: 1,
                stream: deltaT + row * outputs + output * 16, streamStep: 16)
        }
        tile.store(sums, stride: Self.most, height: height)
    }

    /// The same for two tiles side by side.
    @inline(__always)
    private func addPair(_ part: Range<Int>, _ k: Int, _ row: Int, _ sums: Target) {
        let height = Tile.height
        var tile = start(part, height, sums), second = start(part, height, sums + 16)
        forEachPanel(part, k, height, isFirst: row == 0) { w, output, depth in
            let stream = deltaT + row * outputs + output * 16
            Tile.accumulate(
                &tile, &second, depth: depth, broadcast: w, lane: 16, broadcastStep: 1,
                streams: (stream, stream + 16 * outputs), streamStep: 16)
        }
        tile.store(sums, stride: Self.most, height: height)
        second.store(sums + 16, stride: Self.most, height: height)
    }

    /// The same for four tiles side by side.
    @inline(__always)
    private func addFour(_ part: Range<Int>, _ k: Int, _ row: Int, _ sums: Target) {
        var tiles = FourTiles { start(part, FourTiles.height, sums + 16 * $0) }
        forEachPanel(part, k, FourTiles.height, isFirst: row == 0) { w, output, depth in
            tiles.accumulate(
                depth: depth, broadcast: w, lane: 16, broadcastStep: 1, stream: deltaT + row * outputs + output * 16,
                size: 16 * outputs, streamStep: 16)
        }
        tiles.store(sums, stride: Self.most)
    }

    @inline(__always)
    private func start(_ part: Range<Int>, _ height: Int, _ sums: Target) -> Tile {
        part.lowerBound == 0 ? Tile() : Tile(sums, stride: Self.most, height: height)
    }

    /// Calls `body` with the weights from input k on of each panel of the part. Prefetches those of the next tile, because each panel
    /// is on a different page.
    @inline(__always)
    private func forEachPanel(
        _ part: Range<Int>, _ k: Int, _ height: Int, isFirst: Bool, _ body: (_ w: Source, _ output: Int, _ depth: Int) -> Void
    ) {
        let panelSize = cp_panel_size(inputs)
        var output = part.lowerBound
        var w = weights + output / 16 * panelSize + k * 16
        while output < part.upperBound {
            if isFirst { cp_prefetch(w + height * 16, 16, height) }
            body(w, output, min(16, part.upperBound - output))
            output += 16
            w += panelSize
        }
    }

    /// Stores the transpose of the sums of some inputs and `count` rows. The padding up to eight inputs becomes 0.
    @inline(never)
    private func store(_ sums: Target, _ part: Range<Int>, _ row: Int, _ count: Int) {
        var first = row
        while first < min(row + count, rows) {
            var k = part.lowerBound
            while k < part.upperBound {
                let from = sums + (k - part.lowerBound) * Self.most + first - row
                let to = dx + first * dxStride + k
                let inputs = min(8, part.upperBound - k)
                if first + 8 <= rows, k + 8 <= dxStride {
                    cp_transpose(from, Self.most, inputs, to, dxStride)
                } else {
                    for j in 0..<min(8, rows - first) {
                        for i in 0..<inputs { to[j * dxStride + i] = from[i * Self.most + j] }
                    }
                }
                k += 8
            }
            first += 8
        }
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
