import CKernels

/// W −= α xᵀ δ for the inputs in `part`: the step of gradient descent, without storing the gradient. A part that includes
/// the last input also updates the biases, b −= α Σ δ.
///
///     V⁽ᵗ⁺¹⁾ = V⁽ᵗ⁾ − α h δᵀ   (notes, §2; summed over the minibatch, §4)
func update(
    _ x: Source, _ xStride: Int, _ rows: Int, _ part: Range<Int>, _ inputs: Int, _ delta: Source, _ deltaStride: Int,
    _ weights: Target, _ panels: Int, _ rate: Float
) {
    GradientProduct(
        x: x, xStride: xStride, rows: rows, part: part, inputs: inputs, delta: delta, deltaStride: deltaStride,
        target: weights, panels: panels, adds: false, rate: rate, step: nil
    ).run()
}

/// The gradient itself, xᵀ δ and Σ δ, added to that of the rows before if `adds`; with `step`, an optimizer's step along it, without
/// storing the gradient. Each part of the gradient is then in the first-level cache.
func gradient(
    _ x: Source, _ xStride: Int, _ rows: Int, _ part: Range<Int>, _ inputs: Int, _ delta: Source, _ deltaStride: Int,
    _ target: Target, _ panels: Int, _ adds: Bool, _ step: UnsafePointer<cp_step>?
) {
    GradientProduct(
        x: x, xStride: xStride, rows: rows, part: part, inputs: inputs, delta: delta, deltaStride: deltaStride,
        target: target, panels: panels, adds: adds, rate: nil, step: step
    ).run()
}

/// xᵀ δ for the inputs `part` of a layer. `target` becomes the gradient, or, with `rate` or `step`, parameters that make a step
/// along it.
private struct GradientProduct {
    let x: Source, xStride: Int, rows: Int, part: Range<Int>, inputs: Int, delta: Source, deltaStride: Int
    let target: Target, panels: Int, adds: Bool, rate: Float?, step: UnsafePointer<cp_step>?

    /// One function for all three results: the loops over tiles are most of its code.
    func run() {
        var product = self
        // A C function, which cannot capture: it gets the address of the product.
        cp_with_scratch(
            { scratch, product in
                let product = product.unsafelyUnwrapped.assumingMemoryBound(to: GradientProduct.self).pointee
                let scratch = scratch.unsafelyUnwrapped
                if let step = product.step, product.rows == 1 { return product.makeStepsOfRow(step, scratch) }
                product.compute(
                    scratch,
                    { tile, room, target, height in
                        if let rate = product.rate { return tile.descend(target, stride: 16, height: height, rate: rate) }
                        tile.store(product.step == nil ? target : room, stride: 16, height: height)
                    },
                    then: { gradient, target, count, isBias in
                        guard let step = product.step else { return }
                        product.makeStep(step, isBias, target, Source(gradient), count)
                    })
            }, &product)
    }

    /// `rowBlock` rows of δ stay in the first-level cache for `inputChunk` inputs. The columns of x for these inputs stay in
    /// the second-level cache.
    private static var rowBlock: Int { 128 }
    private static var inputChunk: Int { 96 }
    /// The number of floats of δ that stay in the second-level cache, too: those of all rows and a group of panels.
    private static var deltaBlock: Int { 131_072 }
    private static var sums: Int { 16 * inputChunk }
    private static var roomForX: Int { Int(CP_SCRATCH) - Tile.width * sums }

    /// Whether the columns of a chunk are first copied to contiguous memory. With a large stride, the rows of x are on more
    /// pages than the first-level TLB covers. The copy pays off if enough panels use it.
    private var copiesColumns: Bool { panels >= 8 && rows * min(xStride, 1024) > 49_152 && rows <= Self.roomForX / 48 }

    /// Makes the step of the parameters at `values`, a part of `target`, along the gradient g.
    @inline(never)
    func makeStep(_ step: UnsafePointer<cp_step>, _ isBias: Bool, _ values: Target, _ g: Source, _ count: Int) {
        let at = values - target
        optimize(
            (isBias ? step.pointee.of_biases : step.pointee.of_weights).unsafelyUnwrapped, values, g,
            step.pointee.first.map { $0 + at }, step.pointee.second.map { $0 + at }, count)
    }

    /// Makes the steps along a gradient of one row, for which tiles would be slower.
    @inline(never)
    func makeStepsOfRow(_ step: UnsafePointer<cp_step>, _ room: Target) {
        for panel in 0..<panels {
            let row = load(delta + panel * 16)
            let values = target + panel * cp_panel_size(inputs)
            var chunk = part.lowerBound
            while chunk < part.upperBound {
                let width = min(Self.inputChunk, part.upperBound - chunk)
                byFour(width) { k in save(multiplyAdd(x[chunk + k], row, .zero), room + k * 16) }
                makeStep(step, false, values + chunk * 16, Source(room), width * 16)
                chunk += width
            }
            if part.upperBound == inputs { makeStep(step, true, values + inputs * 16, delta + panel * 16, 16) }
        }
    }

    typealias Use = (_ tile: Tile, _ room: Target, _ target: Target, _ height: Int) -> Void
    typealias Finish = (_ gradient: Target, _ target: Target, _ count: Int, _ isBias: Bool) -> Void

    /// Calls `use` with each tile of the gradient, room for it, and its position in the panels of `target`; and `finish` when all
    /// tiles of some inputs of a panel are used, or the biases. If there are many rows, they are processed in blocks, and the tiles
    /// of all blocks are summed.
    @inline(__always)
    func compute(_ scratch: Target, _ use: Use, then finish: Finish) {
        let group = max(16, Self.deltaBlock / rows / 16 & ~1)
        var first = 0
        while first < panels {
            let last = min(first + group, panels)
            compute(first..<last, scratch, use, then: finish)
            first = last
        }
        if part.upperBound == inputs { addBiases(scratch, use, then: finish) }
    }

    /// The same for some panels, without the biases.
    @inline(__always)
    private func compute(_ group: Range<Int>, _ scratch: Target, _ use: Use, then finish: Finish) {
        let copy = scratch + Tile.width * Self.sums
        let block = evenBlock(of: rows, atMost: Self.rowBlock)
        let panelSize = cp_panel_size(inputs)
        let chunkSize = copiesColumns ? min(Self.inputChunk, Self.roomForX / rows / Tile.height * Tile.height) : Self.inputChunk
        var chunk = part.lowerBound
        while chunk < part.upperBound {
            let count = min(chunkSize, part.upperBound - chunk)
            if copiesColumns { copyColumns(chunk, count, to: copy) }
            let columns = copiesColumns ? UnsafePointer(copy) : x + chunk
            let columnStride = copiesColumns ? count : xStride
            var panel = group.lowerBound
            while panel < group.upperBound {
                let width = min(Tile.width, group.upperBound - panel)
                let panelTarget = target + panel * panelSize + chunk * 16
                var row = 0
                while row < rows {
                    let depth = min(block, rows - row)
                    let next = followingDelta(group, panel, panel + width, row + depth)
                    let from = columns + row * columnStride, stream = delta + row * deltaStride + panel * 16
                    @inline(__always)
                    func first(_ i: Int, _ k: Int, _ height: Int, isPair: Bool = false) -> Tile {
                        let old = panelTarget + i * panelSize + k * 16
                        if row > 0 || adds {
                            return Tile(row > 0 ? scratch + i * Self.sums + k * 16 : old, stride: 16, height: height)
                        }
                        if !isPair || !copiesColumns { cp_prefetch(old, 16, height) }
                        return Tile()
                    }
                    @inline(__always)
                    func last(_ tile: Tile, _ i: Int, _ k: Int, _ height: Int) {
                        let sums = scratch + i * Self.sums + k * 16
                        if row + depth < rows { return tile.store(sums, stride: 16, height: height) }
                        use(tile, sums, panelTarget + i * panelSize + k * 16, height)
                    }
                    let pairs = Tile.width == 2 && width == 2 ? endOfPairs(of: count) : 0
                    var k = 0
                    while k < pairs {
                        var tile = first(0, k, Tile.height, isPair: true), second = first(1, k, Tile.height, isPair: true)
                        if copiesColumns {
                            inParts(of: depth, prefetches: true) { start, depth in
                                let row = stream + start * deltaStride
                                Tile.accumulate(
                                    &tile, &second, depth: depth, broadcast: from + k + start * columnStride, lane: 1,
                                    broadcastStep: columnStride, streams: (row, row + 16), streamStep: deltaStride)
                            } prefetch: { part in
                                if row == 0 { cp_prefetch(panelTarget + (k + part) * 16, panelSize, 2) }
                                let ahead = (k + part) * depth / count, lines = (k + part + 1) * depth / count - ahead
                                cp_prefetch(next + ahead * deltaStride, deltaStride, lines)
                                cp_prefetch(next + ahead * deltaStride + 16, deltaStride, lines)
                            }
                        } else {
                            Tile.accumulateByFour(
                                &tile, &second, depth: depth, broadcast: from + k, broadcastStep: columnStride, stream: stream,
                                streamStep: deltaStride)
                        }
                        last(tile, 0, k, Tile.height)
                        last(second, 1, k, Tile.height)
                        k += Tile.height
                    }
                    for i in 0..<width {
                        forEachTile(from: pairs, to: count) { k, height in
                            if copiesColumns { prefetchDelta(next + i * 16, k, height, count, depth) }
                            var tile = first(i, k, height)
                            tile.accumulate(
                                height: height, depth: depth, broadcast: from + k, lane: 1, broadcastStep: columnStride,
                                stream: stream + i * 16, streamStep: deltaStride)
                            last(tile, i, k, height)
                        }
                    }
                    row += depth
                }
                for i in 0..<width { finish(scratch + i * Self.sums, panelTarget + i * panelSize, count * 16, false) }
                panel += width
            }
            chunk += count
        }
    }

    /// The next block of δ: the next rows of the panels, or the first rows of the next panels.
    private func followingDelta(_ group: Range<Int>, _ panel: Int, _ nextPanel: Int, _ row: Int) -> Source {
        if row < rows { return delta + row * deltaStride + panel * 16 }
        return delta + (nextPanel < group.upperBound ? nextPanel : group.lowerBound) * 16
    }

    /// Prefetches the tile's share of the next block of δ.
    @inline(never)
    private func prefetchDelta(_ next: Source, _ k: Int, _ height: Int, _ count: Int, _ depth: Int) {
        let ahead = k * depth / count
        cp_prefetch(next + ahead * deltaStride, deltaStride, (k + height) * depth / count - ahead)
    }

    /// Copies columns of x: [rows × width], without padding.
    private func copyColumns(_ first: Int, _ width: Int, to copy: Target) {
        for row in 0..<rows {
            let from = x + row * xStride + first
            let to = copy + row * width
            var i = 0
            while i + 8 <= width {
                save(loadLanes(from + i), to + i)
                i += 8
            }
            while i < width {
                to[i] = from[i]
                i += 1
            }
        }
    }

    /// Σ δ
    @inline(__always)
    private func addBiases(_ room: Target, _ use: Use, then finish: Finish) {
        for panel in 0..<panels {
            let biases = target + panel * cp_panel_size(inputs) + inputs * 16
            var tile = Tile()
            if adds { tile.r0 = load(biases) }
            for row in 0..<rows { tile.r0 += load(delta + row * deltaStride + panel * 16) }
            use(tile, room, biases, 1)
            finish(room, biases, 16, true)
        }
    }
}
