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
                product.compute(scratch)
            }, &product)
    }

    /// Uses a part of the gradient, for `count` numbers of the target: weights, or biases.
    @inline(never)
    private func use(_ gradient: Source, _ values: Target, _ count: Int, isBias: Bool) {
        if let step { return makeStep(step, isBias, values, gradient, count) }
        guard let rate else { return values.update(from: gradient, count: count) }
        for i in stride(from: 0, to: count, by: 16) {
            save(multiplyAdd(-rate, load(gradient + i), load(values + i)), values + i)
        }
    }

    /// `rowBlock` rows of δ stay in the first-level cache for `inputChunk` inputs. The columns of x for these inputs stay in
    /// the second-level cache.
    private static var rowBlock: Int { 128 }
    private var inputChunk: Int { Self.mostInputs * Tile.width / width }
    private static var mostInputs: Int { 96 }
    /// The number of panels whose tiles are computed together.
    private var width: Int { FourTiles.areUsed && panels >= 4 ? 4 : Tile.width }
    /// The number of floats of δ that stay in the second-level cache, too: those of all rows and a group of panels.
    private static var deltaBlock: Int { 131_072 }
    /// The sums of a chunk and `width` panels are at the start of the scratch memory, a copy of columns of x is behind them.
    private static var sums: Int { mostInputs * Tile.width * 16 }
    private static var roomForX: Int { Int(CP_SCRATCH) - sums }

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
                let width = min(Self.mostInputs, part.upperBound - chunk)
                byFour(width) { k in save(multiplyAdd(x[chunk + k], row, .zero), room + k * 16) }
                makeStep(step, false, values + chunk * 16, Source(room), width * 16)
                chunk += width
            }
            if part.upperBound == inputs { makeStep(step, true, values + inputs * 16, delta + panel * 16, 16) }
        }
    }

    /// Computes the gradient of some inputs and panels at a time, and uses it. If there are many rows, they are processed in blocks,
    /// whose tiles are summed.
    private func compute(_ scratch: Target) {
        let group = max(16, Self.deltaBlock / rows / 16 & ~3)
        var first = 0
        while first < panels {
            let last = min(first + group, panels)
            compute(first..<last, scratch)
            first = last
        }
        if part.upperBound == inputs { addBiases(scratch) }
    }

    /// The same for some panels, without the biases.
    @inline(__always)
    private func compute(_ group: Range<Int>, _ scratch: Target) {
        let copy = scratch + Self.sums
        let block = evenBlock(of: rows, atMost: Self.rowBlock)
        let panelSize = cp_panel_size(inputs)
        let chunkSize = copiesColumns ? min(inputChunk, Self.roomForX / rows / Tile.height * Tile.height) : inputChunk
        var chunk = part.lowerBound
        while chunk < part.upperBound {
            let count = min(chunkSize, part.upperBound - chunk)
            if copiesColumns { copyColumns(chunk, count, to: copy) }
            let columns = copiesColumns ? UnsafePointer(copy) : x + chunk
            let columnStride = copiesColumns ? count : xStride
            var panel = group.lowerBound
            while panel < group.upperBound {
                let left = group.upperBound - panel, width = left >= width ? width : min(Tile.width, left)
                let values = target + panel * panelSize + chunk * 16
                var row = 0
                while row < rows {
                    let depth = min(block, rows - row)
                    GradientTiles(
                        row: row, depth: depth, x: columns + row * columnStride, xStride: columnStride, isCopied: copiesColumns,
                        inputs: count, delta: delta + row * deltaStride + panel * 16, deltaStride: deltaStride,
                        nextDelta: followingDelta(group, panel, panel + width, row + depth), panels: width, sums: scratch,
                        sumsSize: inputChunk * 16, values: values, valuesSize: panelSize, adds: adds,
                        isLast: row + depth == rows, rate: rate
                    ).compute()
                    row += depth
                }
                if !GradientTiles.descends || rate == nil {
                    for i in 0..<width { use(scratch + i * inputChunk * 16, values + i * panelSize, count * 16, isBias: false) }
                }
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
    private func addBiases(_ room: Target) {
        for panel in 0..<panels {
            let biases = target + panel * cp_panel_size(inputs) + inputs * 16
            var sum = adds ? load(biases) : .zero
            for row in 0..<rows { sum += load(delta + row * deltaStride + panel * 16) }
            save(sum, room)
            use(room, biases, 16, isBias: true)
        }
    }
}
