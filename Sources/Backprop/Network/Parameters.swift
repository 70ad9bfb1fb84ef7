import CKernels
import CPlatform

/// Parameters as flat vectors: for each layer the weights [outputs × inputs], the biases, and γ and β if batch normalization
/// is enabled.
extension NetworkState {
    package var parameterCount: Int {
        var count = 0
        for layer in layers { count += layer.parameterCount }
        return count
    }

    /// Checks a caller's count under the gate, since the number may have changed after the caller asked for it.
    func requireParameterCount(_ count: Int) throws(BackpropError) {
        guard count == parameterCount else {
            throw BackpropError(
                .mismatch, "count is \(UInt(bitPattern: count)), but the network has \(parameterCount) parameters")
        }
    }

    package func getParameters(_ flat: UnsafeMutablePointer<Float>, count: Int) throws(BackpropError) {
        try requireParameterCount(count)
        var at = flat
        for layer in layers {
            layer.copyParameters(layer.weights.base, to: at)
            at += layer.outputs * (layer.inputs + 1)
            if let norm = layer.norm {
                copyVectors(norm.gamma.base, norm.beta.base, layer.outputs, to: &at)
            }
        }
    }

    package func setParameters(_ flat: UnsafePointer<Float>, count: Int) throws(BackpropError) {
        try requireParameterCount(count)
        for i in 0..<count where !flat[i].isFinite {
            throw BackpropError(.notFinite, "parameter \(i) is \(decimal(flat[i]))")
        }
        copyParameters(from: flat)
        hasInitialWeights = false
    }

    /// Copies a flat vector of finite numbers to the parameters.
    func copyParameters(from flat: UnsafePointer<Float>) {
        var at = flat
        for layer in layers {
            layer.copyParameters(from: at, to: layer.weights.base)
            at += layer.outputs * (layer.inputs + 1)
            if let norm = layer.norm {
                copyVectors(from: &at, layer.outputs, norm.gamma.base, norm.beta.base)
            }
        }
    }

    /// Copies the workspace's gradients to a flat vector.
    func copyGradient(from workspace: Workspace, to flat: UnsafeMutablePointer<Float>) {
        var at = flat
        for index in layers.indices {
            let layer = layers[index]
            layer.copyParameters(workspace.gradients[index], to: at)
            at += layer.outputs * (layer.inputs + 1)
            if let buffers = workspace.layers[index].norm {
                copyVectors(buffers.gammaGradient, buffers.betaGradient, layer.outputs, to: &at)
            }
        }
    }

    /// Copies a flat gradient to the workspace, without its elements for frozen layers.
    func copyGradient(from flat: UnsafePointer<Float>, to workspace: Workspace) {
        var at = flat
        for index in layers.indices {
            let layer = layers[index]
            guard layer.isTrainable else {
                at += layer.parameterCount
                continue
            }
            layer.copyParameters(from: at, to: workspace.gradients[index])
            at += layer.outputs * (layer.inputs + 1)
            if let buffers = workspace.layers[index].norm {
                copyVectors(from: &at, layer.outputs, buffers.gammaGradient, buffers.betaGradient)
            }
        }
    }
}

extension Layer {
    var parameterCount: Int { outputs * (inputs + (norm == nil ? 1 : 3)) }

    /// Copies panels to weights [outputs × inputs], followed by the biases.
    func copyParameters(_ panels: UnsafePointer<Float>, to flat: UnsafeMutablePointer<Float>) {
        copyWeights(panels, to: flat)
        copyBiases(panels, to: flat + outputs * inputs)
    }

    /// Copies weights [outputs × inputs], followed by the biases, to panels.
    func copyParameters(from flat: UnsafePointer<Float>, to panels: UnsafeMutablePointer<Float>) {
        copyWeights(from: flat, to: panels)
        copyBiases(from: flat + outputs * inputs, to: panels)
    }

    /// Copies panels to weights [outputs × inputs], in tiles of 8 × 8 where there are eight outputs.
    @_optimize(speed)
    func copyWeights(_ panels: UnsafePointer<Float>, to flat: UnsafeMutablePointer<Float>) {
        for first in Swift.stride(from: 0, to: outputs, by: 8) {
            let (columns, rows) = (panels + index(output: first, input: 0), flat + first * inputs)
            let count = min(8, outputs - first)
            let tiled = count == 8 ? inputs & ~7 : 0
            for input in Swift.stride(from: 0, to: tiled, by: 8) {
                cp_transpose(columns + input * 16, 16, 8, rows + input, inputs)
            }
            for i in 0..<count {
                for input in tiled..<inputs { rows[i * inputs + input] = columns[input * 16 + i] }
            }
        }
    }

    /// The inverse of the other `copyWeights`.
    @_optimize(speed)
    func copyWeights(from flat: UnsafePointer<Float>, to panels: UnsafeMutablePointer<Float>) {
        for first in Swift.stride(from: 0, to: outputs, by: 8) {
            let (columns, rows) = (panels + index(output: first, input: 0), flat + first * inputs)
            let count = min(8, outputs - first)
            let tiled = count == 8 ? inputs & ~7 : 0
            for input in Swift.stride(from: 0, to: tiled, by: 8) {
                cp_transpose(rows + input, inputs, 8, columns + input * 16, 16)
            }
            for i in 0..<count {
                for input in tiled..<inputs { columns[input * 16 + i] = rows[i * inputs + input] }
            }
        }
    }

    func copyBiases(_ panels: UnsafePointer<Float>, to flat: UnsafeMutablePointer<Float>) {
        for output in 0..<outputs { flat[output] = panels[index(output: output, input: inputs)] }
    }

    func copyBiases(from flat: UnsafePointer<Float>, to panels: UnsafeMutablePointer<Float>) {
        for output in 0..<outputs { panels[index(output: output, input: inputs)] = flat[output] }
    }
}

private func copyVectors(
    _ first: UnsafePointer<Float>, _ second: UnsafePointer<Float>, _ count: Int, to at: inout UnsafeMutablePointer<Float>
) {
    cp_copy(at, first, count * 4)
    cp_copy(at + count, second, count * 4)
    at += 2 * count
}

private func copyVectors(
    from at: inout UnsafePointer<Float>, _ count: Int, _ first: UnsafeMutablePointer<Float>,
    _ second: UnsafeMutablePointer<Float>
) {
    cp_copy(first, at, count * 4)
    cp_copy(second, at + count, count * 4)
    at += 2 * count
}
