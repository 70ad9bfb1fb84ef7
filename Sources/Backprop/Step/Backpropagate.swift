import CPlatform

/// Backpropagation from a gradient that the caller gives, instead of the gradient of the loss: the chain rule through the
/// network, including scaling.
extension NetworkState {
    /// From ∂L/∂ŷ, [rows × outputs], to ∂L/∂w, flat, and ∂L/∂x, [rows × inputs]; either may be nil. With ∂L/∂w the pass is the
    /// pass of a training step: it uses the statistics of the minibatch, updates the running statistics, and applies
    /// dropout. For ∂L/∂x alone it is the pass of a prediction, and changes nothing.
    package func backpropagate(
        _ inputs: UnsafePointer<Float>, outputGradients: UnsafePointer<Float>, rows: Int,
        into flat: UnsafeMutablePointer<Float>?, count: Int, inputGradients: UnsafeMutablePointer<Float>?
    ) throws(BackpropError) {
        if flat == nil {
            try requireRows(rows)
        } else {
            beginTogether()
            try requireParameterCount(count)
            try requireShare(rows)
        }
        try requireFinite(outputGradients, rows: rows, columns: outputCount, "output_gradients")
        let x = try scaled(inputs, rows: rows)
        try withForwardPass(x, rows: rows, isInference: flat == nil) { workspace, sizeOfInputs throws(BackpropError) in
            try requireFiniteOutputs(rows: rows, in: workspace)
            startBackward(from: outputGradients, rows: rows, in: workspace)
            workspace.prepareOverlap(x)
            try backward(rows: rows, fused: false, in: workspace, gammaStep: nil, inputGradients: inputGradients)
            if let inputGradients {
                inputScaling?.undoGradient(inputGradients, rows: rows)
                try requireFinite(inputGradients, rows: rows, columns: inputCount, "input_gradients_out")
            }
            guard let flat else { return try requireFiniteDeltas(rows: rows, in: workspace) }
            _ = try requireFiniteStep(x, sizeOfInputs: sizeOfInputs, rows: rows, rate: 0, in: workspace)
            try workspace.makeGradients(for: self)
            _ = try completeGradient(x, rows: rows, loss: 0, in: workspace)
            copyGradient(from: workspace, to: flat)
            updateRunningStatistics(in: workspace)
        }
    }

    /// Rows of a Jacobian that pass through the network together. It bounds the memory; no result depends on it.
    private static var jacobianRows: Int { 128 }

    /// ∂ŷ/∂x, [rows × outputs × inputs]: one pass forward, and one backward for each output.
    package func inputJacobian(
        _ inputs: UnsafePointer<Float>, rows: Int, into jacobian: UnsafeMutablePointer<Float>
    ) throws(BackpropError) {
        try requireRows(rows)
        let size = try checkedProduct(outputCount, inputCount)
        _ = try checkedProduct(rows, size)
        let block = min(rows, Self.jacobianRows)
        let gradients = try Floats(try checkedProduct(block, inputCount))
        for first in stride(from: 0, to: rows, by: block) {
            let count = min(block, rows - first)
            let x = try scaled(inputs + first * inputCount, rows: count)
            try withForwardPass(x, rows: count, isInference: true) { workspace, _ throws(BackpropError) in
                try requireFiniteOutputs(rows: count, in: workspace)
                for output in 0..<outputCount {
                    startBackward(fromOutput: output, rows: count, in: workspace)
                    try backward(rows: count, fused: false, in: workspace, gammaStep: nil, inputGradients: gradients.base)
                    try requireFiniteDeltas(rows: count, in: workspace)
                    inputScaling?.undoGradient(gradients.base, rows: count)
                    for row in 0..<count {
                        cp_copy(
                            jacobian + (first + row) * size + output * inputCount, gradients.base + row * inputCount,
                            inputCount * 4)
                    }
                }
            }
        }
        try requireFinite(jacobian, rows: rows, columns: size, "jacobian_out")
    }

    /// The last layer's δ: ∂L/∂a = scale ∂L/∂ŷ, where targets are scaled (ŷ = scale a + offset).
    private func startBackward(from outputGradients: UnsafePointer<Float>, rows: Int, in workspace: Workspace) {
        let stride = layers[layers.count - 1].stride
        let delta = workspace.layers[layers.count - 1].delta.base
        for row in 0..<rows {
            let d = delta + row * stride
            cp_copy(d, outputGradients + row * outputCount, outputCount * 4)
            guard let targetScaling else { continue }
            for k in 0..<outputCount { d[k] *= targetScaling.scale.base[k] }
        }
    }

    /// The same for L = one of the outputs.
    private func startBackward(fromOutput output: Int, rows: Int, in workspace: Workspace) {
        let stride = layers[layers.count - 1].stride
        let delta = workspace.layers[layers.count - 1].delta.base
        let scale = targetScaling.map { $0.scale.base[output] } ?? 1
        cp_clear(delta, rows * stride * 4)
        for row in 0..<rows { delta[row * stride + output] = scale }
    }
}
