import CKernels

/// Gradient accumulation: the parts of a large minibatch pass forward and backward one after the other, and their gradients are
/// summed. The memory of a step then does not grow with the minibatch, and the matrices of a part are in the second-level cache
/// until its gradient is computed. The sums continue in the order of the rows: the gradient has the bits of a single pass.
extension NetworkState {
    /// The largest number of rows of a part. The sums of the loss depend on it.
    private static var rowsOfPart: Int { 1024 }

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
        let parts = (rows + Self.rowsOfPart - 1) / Self.rowsOfPart
        let size = (rows + parts - 1) / parts
        let workspace = try requireWorkspace(rows: size)
        try workspace.makeGradients(for: self)
        let random = try beginPass(rows: rows, isInference: false, dropsOut: dropsOut, in: workspace)
        let firstRow = workspace.firstRow
        var value = 0.0, largest = 0.0
        do throws(BackpropError) {
            for first in stride(from: 0, to: rows, by: size) {
                let count = min(size, rows - first)
                let x = inputs + first * inputCount, y = targets + first * targetCount
                let weights = weights.map { $0 + first }
                let sizeOfInputs = try requireFinite(x, rows: count, columns: inputCount, "inputs")
                try requireFiniteTargets(y, rows: count, "targets")
                workspace.firstRow = firstRow + first
                try forward(x, rows: count, in: workspace)
                let part = lossSum(loss, y, weights, rows: count, in: workspace)
                try requireFiniteLoss(reducedLoss(part, rows: workspace.batchRows), rows: count, in: workspace)
                try backward(targets: y, weights: weights, rows: count, in: workspace, gammaStep: nil)
                value += part
                largest += layers.indices.reduce(0) {
                    !layers[$1].isTrainable
                        ? $0 : max($0, gradientBound($1, x, sizeOfInputs: sizeOfInputs, rows: count, in: workspace))
                }
                collectGradient(x, rows: count, adding: first > 0, in: workspace)
            }
            value = reducedLoss(value, rows: workspace.batchRows)
            try requireFiniteLoss(value)
            if !(largest * Double(max(rate, 1)) < CP_SAFE_STEP) { try requireFiniteGradientStep(rate: rate, in: workspace) }
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
}
