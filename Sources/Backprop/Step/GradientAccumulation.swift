import CKernels
import CPlatform

/// Gradient accumulation: the parts of a large minibatch pass forward and backward, and their gradients are summed. The memory of a
/// step then does not grow with the minibatch, and the matrices of a part are in the second-level cache until its gradient is
/// computed.
///
/// The parts of a small network are computed by several threads at the same time, each in its own workspace: a layer of it is too
/// small to be shared. Their gradients are added in the order of the rows. A larger network passes one part after the other, each
/// by all threads. Its sums continue in the order of the rows, so that the gradient has the bits of a single pass.
extension NetworkState {
    /// Minibatches of more rows have several parts.
    private static var rowsOfPart: Int { 1024 }

    /// Whether the sum of the gradients takes much less time than a part, and a part little memory: at most 3 MiB.
    private var isSmall: Bool { weightCount <= 1 << 15 && layers.reduce(0) { $0 + $1.stride } <= 512 }

    /// The most parts that are computed at the same time.
    private static var mostParts: Int { 32 }

    /// Whether the minibatch has several parts. A part must need nothing of the others.
    func canAccumulate(rows: Int) -> Bool {
        rows > Self.rowsOfPart && !layers.contains { $0.needsAllRows }
    }

    /// `forwardAndBackward` in parts.
    @inline(never)
    func accumulateGradient(
        _ loss: BuiltInLoss, _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>,
        weights: UnsafePointer<Float>?, rows: Int, rate: Float, dropsOut: Bool,
        commit:
            (Workspace, _ inputs: UnsafePointer<Float>?, _ largestGradient: Double, _ loss: inout Double)
            throws(BackpropError) -> Void
    ) throws(BackpropError) -> Double {
        let isSmall = isSmall
        let most = isSmall ? Self.rowsOfPart / 2 : Self.rowsOfPart
        let count = (rows + most - 1) / most
        let size = (rows + count - 1) / count
        let together = isSmall ? min(count, threads(rows: rows), Self.mostParts) : 1
        let workspace = try requireWorkspace(rows: size)
        try workspace.makeGradients(for: self)
        if isSmall { try workspace.makeParts(together, rows: size, for: self) }
        let random = try beginPass(rows: rows, isInference: false, dropsOut: dropsOut, in: workspace)
        let firstRow = workspace.firstRow
        func part(_ index: Int) -> Workspace { isSmall ? workspace.parts[index] : workspace }
        func pass(_ index: Int, in part: Workspace) {
            let first = index * size
            part.beginPart(of: workspace, firstRow: firstRow + first)
            do throws(BackpropError) {
                try accumulate(
                    loss, inputs + first * inputCount, targets + first * targetCount, weights: weights.map { $0 + first },
                    rows: min(size, rows - first), adding: !isSmall && index > 0, isLast: index == count - 1, in: part)
            } catch {
                part.error = error
            }
        }
        var value = 0.0, largest = 0.0
        do throws(BackpropError) {
            for first in stride(from: 0, to: count, by: together) {
                let taken = min(together, count - first)
                Parallel.run(taken, parallel: together > 1) { pass(first + $0, in: part($0)) }
                for index in 0..<taken {
                    let part = part(index)
                    if let error = part.error { throw error }
                    value += part.loss
                    largest += part.largestGradient
                    if isSmall { add(gradientOf: part, to: workspace, isFirst: first + index == 0) }
                }
            }
            value = reducedLoss(value, rows: workspace.batchRows)
            try requireFiniteLoss(value)
            // In an overlapped pass, the sums are checked.
            if workspace.overlapped == nil, !(largest * Double(max(rate, 1)) < CP_SAFE_STEP) {
                try requireFiniteGradientStep(rate: rate, in: workspace)
            }
            try commit(workspace, nil, largest, &value)
            self.random = random
        } catch {
            workspace.clearDeltas()
            // The same error with the number of its row in the minibatch.
            try requireFinite(inputs, rows: rows, columns: inputCount, "inputs")
            try requireFiniteTargets(targets, rows: rows, "targets")
            throw error
        }
        return value
    }

    /// Passes a part forward and backward, and computes its loss, its gradient and a bound on the gradient.
    private func accumulate(
        _ loss: BuiltInLoss, _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, weights: UnsafePointer<Float>?, rows: Int,
        adding: Bool, isLast: Bool, in part: Workspace
    ) throws(BackpropError) {
        let sizeOfInputs = try requireFinite(x, rows: rows, columns: inputCount, "inputs")
        try requireFiniteTargets(y, rows: rows, "targets")
        try forward(x, rows: rows, in: part)
        part.loss = lossSum(loss, y, weights, rows: rows, in: part)
        try requireFiniteLoss(reducedLoss(part.loss, rows: part.batchRows), rows: rows, in: part)
        if isLast { part.prepareOverlap(x, adding: adding) }
        try backward(targets: y, weights: weights, rows: rows, in: part, gammaStep: nil)
        part.largestGradient = layers.indices.reduce(0) {
            !layers[$1].isTrainable
                ? $0 : max($0, gradientBound($1, x, sizeOfInputs: sizeOfInputs, rows: rows, in: part))
        }
        if part.overlapped == nil { collectGradient(x, rows: rows, adding: adding, in: part) }
    }

    private func add(gradientOf part: Workspace, to sum: Workspace, isFirst: Bool) {
        for index in layers.indices where layers[index].isTrainable {
            let count = layers[index].weights.count
            if isFirst {
                cp_copy(sum.gradients[index], part.gradients[index], count * 4)
            } else {
                kernels.step(sum.gradients[index], part.gradients[index], count, -1)
            }
        }
    }
}
