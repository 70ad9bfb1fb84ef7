import CKernels
import CPlatform

extension NetworkState {
    /// Computes outputs [rows × outputs] from inputs [rows × inputs]. Batch normalization uses its running statistics.
    @inline(__always)
    package func predict(
        _ inputs: UnsafePointer<Float>, rows: Int, into outputs: UnsafeMutablePointer<Float>
    ) throws(BackpropError) {
        if rows == 1, let plan = predictionPool.plan { return kernels.predict_row(plan, inputs, outputs) }
        try predictRows(inputs, rows: rows, into: outputs)
    }

    @inline(never)
    private func predictRows(
        _ inputs: UnsafePointer<Float>, rows: Int, into outputs: UnsafeMutablePointer<Float>
    ) throws(BackpropError) {
        guard rows != 0 else { return }
        try requireRows(rows)
        if rows == 1, let plan = try RowPlan.make(for: self) {
            predictionPool.keep(plan)
            return kernels.predict_row(plan.pointer, inputs, outputs)
        }
        try predictRows(inputs, rows: rows, through: layers.count - 1, into: outputs, scaling: targetScaling)
    }

    /// Computes the outputs of a layer with weights, [rows × size of the layer]. Those of the last layer are the outputs of
    /// `predict`. Without rows, the arrays may be nil.
    package func predictLayer(
        _ index: Int, _ inputs: UnsafePointer<Float>?, rows: Int, into outputs: UnsafeMutablePointer<Float>?
    ) throws(BackpropError) {
        let layer = try layer(index)
        guard rows != 0, let inputs, let outputs else { return }
        if index == layers.count { return try predict(inputs, rows: rows, into: outputs) }
        try requireRows(rows)
        _ = try checkedProduct(rows, layer.outputs)
        try predictRows(inputs, rows: rows, through: index - 1, into: outputs, scaling: nil)
    }

    private func predictRows(
        _ inputs: UnsafePointer<Float>, rows: Int, through last: Int, into outputs: UnsafeMutablePointer<Float>,
        scaling: Scaling?
    ) throws(BackpropError) {
        let columns = layers[last].outputs
        let size = blockSize(rows: rows)
        try forEachBlock(of: inputs, rows: rows, through: last) { block, count, part, stride in
            let first = block * size
            for row in 0..<count { cp_copy(outputs + (first + row) * columns, part.a + row * stride, columns * 4) }
            scaling?.undo(outputs + first * columns, rows: count)
        }
    }

    /// Returns the loss of the predictions. Each block of rows is summed separately; then the sums of the blocks are added in
    /// order, so that the result does not depend on the number of threads.
    /// `weights`, [rows], multiply the losses of the rows.
    package func evaluate(
        _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, weights: UnsafePointer<Float>? = nil, rows: Int
    ) throws(BackpropError) -> Float {
        try requireRows(rows)
        if case .plugin(let plugin) = loss { return try evaluate(plugin, inputs, targets, weights: weights, rows: rows) }
        let size = blockSize(rows: rows)
        let blocks = (rows + size - 1) / size
        let sums = try Doubles(blocks)
        try forEachLossBlock(inputs, targets, weights: weights, rows: rows) { block, _, count, sum in
            sums.base[block] = sum(0, count)
        }
        var sum = 0.0
        for block in 0..<blocks { sum += sums.base[block] }
        let value = reducedLoss(sum, rows: rows)
        try requireFiniteLoss(value)
        return Float(value)
    }

    /// Computes the loss of each row's prediction.
    package func rowLosses(
        _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, rows: Int, into losses: UnsafeMutablePointer<Float>
    ) throws(BackpropError) {
        try requireRows(rows)
        if case .plugin(let plugin) = loss {
            try forEachRowLoss(plugin, inputs, targets, rows: rows) { losses[$0] = Float($1) }
        } else {
            try forEachLossBlock(inputs, targets, rows: rows) { _, first, count, sum in
                for row in 0..<count { losses[first + row] = Float(sum(row, 1)) }
            }
        }
        try requireFinite(losses, rows: rows, columns: 1, "losses_out")
    }

    private func evaluate(
        _ plugin: LossPlugin, _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, weights: UnsafePointer<Float>?,
        rows: Int
    ) throws(BackpropError) -> Float {
        var sum = 0.0
        try forEachRowLoss(plugin, inputs, targets, rows: rows) { row, loss in
            sum += weights.map { Double($0[row]) * loss } ?? loss
        }
        let value = reducedLoss(sum, rows: rows)
        try requireFiniteLoss(value)
        return Float(value)
    }

    /// Rows of which a registered loss is called at a time. It bounds the memory and depends on nothing else.
    private static var lossRows: Int { 4096 }

    /// Calls `body` with the index of each row and its registered loss, in order. The loss is computed on the calling thread.
    private func forEachRowLoss(
        _ plugin: LossPlugin, _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, rows: Int,
        _ body: (_ row: Int, _ loss: Double) -> Void
    ) throws(BackpropError) {
        try requireEvaluable(inputs, targets, rows: rows)
        let size = min(rows, Self.lossRows)
        let scaledTargets = try Floats(targetScaling == nil ? 0 : try checkedProduct(size, targetCount))
        let buffers = try LossBuffers.make(rows: size, outputs: outputCount)
        for first in stride(from: 0, to: rows, by: size) {
            let count = min(size, rows - first)
            let targets = targets + first * targetCount
            targetScaling?.apply(targets, rows: count, to: scaledTargets.base)
            try predictRows(
                inputs + first * inputCount, rows: count, through: layers.count - 1, into: buffers.outputs.base, scaling: nil)
            try plugin.compute(
                buffers.outputs.base, targetScaling == nil ? targets : UnsafePointer(scaledTargets.base),
                losses: buffers.losses.base, gradients: nil, rows: count, outputCount: outputCount)
            for row in 0..<count { body(first + row, buffers.losses.base[row]) }
        }
    }

    private func requireEvaluable(
        _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, rows: Int
    ) throws(BackpropError) {
        if !hasCheckedSettings { try checkLayersAndLoss() }
        try requireFinite(inputs, rows: rows, columns: inputCount, "inputs")
        try requireFiniteTargets(targets, rows: rows, "targets")
    }

    /// Checks the settings and the rows, at least one, and calls `body` with each block of rows: its index, its first row,
    /// the number of its rows, and a function that returns the sum of the built-in losses of a range of them.
    private func forEachLossBlock(
        _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, weights: UnsafePointer<Float>? = nil, rows: Int,
        _ body: (_ block: Int, _ first: Int, _ count: Int, _ sum: (_ start: Int, _ count: Int) -> Double) -> Void
    ) throws(BackpropError) {
        try requireEvaluable(inputs, targets, rows: rows)
        guard let loss = loss.builtIn else { return }
        let unscaledTargets = targets
        let scaledTargets = try Floats(targetScaling == nil ? 0 : rows * outputCount)
        targetScaling?.apply(targets, rows: rows, to: scaledTargets.base)
        let targets = targetScaling == nil ? targets : UnsafePointer(scaledTargets.base)
        try requireTargets(targets, unscaled: unscaledTargets, weights: weights, rows: rows)
        let fused = self.loss.isFused(with: layers[layers.count - 1].activation)
        let size = blockSize(rows: rows)
        try forEachBlock(of: inputs, rows: rows, through: layers.count - 1) { block, count, part, stride in
            let first = block * size
            body(block, first, count) { start, count in
                lossSum(
                    loss, fused: fused, z: part.z + start * stride, a: part.a + start * stride,
                    targets: targets + (first + start) * outputCount,
                    weights: weights.map { $0 + first + start }, rows: count)
            }
        }
    }

    /// Calls `body` with each block of rows and the z and a of layer `last`, computed from the inputs. With n threads, each computes every n-th block.
    private func forEachBlock(
        of inputs: UnsafePointer<Float>, rows: Int, through last: Int,
        _ body: (_ block: Int, _ count: Int, _ part: PredictionBuffers.Part, _ stride: Int) -> Void
    ) throws(BackpropError) {
        let size = blockSize(rows: rows)
        let blocks = (rows + size - 1) / size
        let threads = isThreadSafe ? min(self.threads(rows: rows), blocks) : 1
        let buffers = try takePredictionBuffers(rows: min(rows, size), parts: threads)
        defer { predictionPool.put(buffers) }
        let stride = layers[last].stride
        Parallel.run(threads, parallel: threads > 1) { thread in
            let part = buffers.part(thread)
            var block = thread
            while block < blocks {
                let count = min(size, rows - block * size)
                let (code, layer) = infer(inputs + block * size * inputCount, rows: count, through: last, in: part)
                if code != 0 { return buffers.failure.note(code, layer: layer, row: block * size) }
                body(block, count, part, stride)
                block += threads
            }
        }
        try buffers.failure.check(" in its forward pass") { layers[$0].activation }
    }

    /// The number of rows in a block: so few that their activations stay in the second-level cache. It depends on the rows
    /// and the network only, never on the number of threads.
    private func blockSize(rows: Int) -> Int {
        let maximum = 128
        return isThreadSafe ? min(maximum, max(16, (rows + 1) / 2)) : maximum
    }

    /// Whether all activations may run on any thread. Otherwise the calling thread computes all blocks.
    private var isThreadSafe: Bool { layers.allSatisfy { $0.activation.isThreadSafe } }

    /// Computes the layers up to `last`, with every z in one buffer and every a in another. Returns 0, or the code with which a callback
    /// failed and the index of its layer.
    private func infer(
        _ inputs: UnsafePointer<Float>, rows: Int, through last: Int, in part: PredictionBuffers.Part
    ) -> (code: Int32, layer: Int) {
        var x = inputs
        if let inputScaling {  // the buffer of a is unused until the first layer has its z
            inputScaling.apply(inputs, rows: rows, to: part.a)
            x = UnsafePointer(part.a)
        }
        var xStride = inputCount
        for index in 0...last {
            let layer = layers[index]
            computeWeightedSums(x, xStride, rows, layer, into: part.z)
            if let norm = layer.norm {
                scaleAndShift(norm, columns: layer.outputs, part.scale, part.shift)
                kernels.scale_and_shift(part.z, rows, layer.stride, part.scale, part.shift)
            }
            switch layer.activation {
            case .builtIn(let function):
                kernels.activate(function.kind, part.z, part.a, rows, layer.outputs, layer.stride)
            case .plugin(let plugin, _):
                let code = plugin.forward(
                    part.z, part.a, rows: rows, columns: layer.outputs, packing: part.packing, place: part.place)
                if code != 0 { return (code, index) }
            }
            x = UnsafePointer(part.a)
            xStride = layer.stride
        }
        return (0, 0)
    }

    /// z = Σ w x
    private func computeWeightedSums(
        _ x: UnsafePointer<Float>, _ xStride: Int, _ rows: Int, _ layer: Layer, into z: UnsafeMutablePointer<Float>
    ) {
        guard rows == 1 else {
            return computeWeightedSums(x, xStride, rows, layer, 0..<layer.panels, into: z)
        }
        // So short that only threads that are awake share it.
        let shares = layer.sharesOfRow
        Parallel.run(shares, parallel: true, brief: true) { share in
            computeWeightedSums(x, xStride, 1, layer, layer.panels(share, of: shares), into: z)
        }
    }

    /// Computes scale and shift with γ (z − μ) / √(σ² + ε) + β = scale · z + shift.
    func scaleAndShift(
        _ norm: Normalization, columns: Int, _ scale: UnsafeMutablePointer<Float>, _ shift: UnsafeMutablePointer<Float>
    ) {
        let epsilon = Float(options[.batchnormEpsilon])
        for i in 0..<columns {
            scale[i] = norm.gamma.base[i] / (norm.runningVariance.base[i] + epsilon).squareRoot()
            shift[i] = norm.beta.base[i] - norm.runningMean.base[i] * scale[i]
        }
    }

    private func takePredictionBuffers(rows: Int, parts: Int) throws(BackpropError) -> PredictionBuffers {
        if let buffers = predictionPool.take(), buffers.rows >= rows, buffers.parts >= parts { return buffers }
        let needsPacking = layers.contains { $0.activation.isMatrixFunction }
        let widest = inputScaling == nil ? widestStride : max(widestStride, paddedCount(inputCount))
        return try PredictionBuffers.make(widest: widest, rows: rows, parts: parts, needsPacking: needsPacking)
    }
}
