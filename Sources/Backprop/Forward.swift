import CPlatform

extension NetworkState {
    /// The training pass from inputs to outputs: afterwards each layer's z and a are in the workspace (notes, §2 (b)).
    func forward(_ inputs: UnsafePointer<Float>, rows: Int, in workspace: Workspace) throws(BackpropError) {
        var x = inputs
        var xStride = inputCount
        for index in layers.indices {
            let layer = layers[index]
            let own = workspace.layers[index]
            kernels.forward(x, xStride, rows, layer.inputs, layer.weights.base, layer.panels, own.z.base, layer.stride)
            if let norm = layer.norm, let buffers = own.norm {
                normalize(own.z.base, rows: rows, stride: layer.stride, norm, buffers)
            }
            switch layer.activation {
            case .builtIn(let function):
                kernels.activate(function.kind, own.z.base, own.a.base, rows, layer.outputs, layer.stride)
            case .plugin(let plugin):
                try own.packing.unsafelyUnwrapped.forward(plugin, z: own.z.base, a: own.a.base, rows: rows, columns: layer.outputs)
            }
            x = UnsafePointer(own.a.base)
            xStride = layer.stride
        }
    }

    /// z becomes ẑ = γ z̃ + β, with the statistics of the minibatch, or the running ones for a single row (notes, §5).
    private func normalize(
        _ z: UnsafeMutablePointer<Float>, rows: Int, stride: Int, _ norm: Normalization, _ buffers: NormWorkspace
    ) {
        if rows > 1 {
            kernels.batch_statistics(z, rows, stride, buffers.mean.base, buffers.variance.base)
        } else {
            cp_copy(buffers.mean.base, norm.runningMean.base, stride * 4)
            cp_copy(buffers.variance.base, norm.runningVariance.base, stride * 4)
        }
        let epsilon = Float(options[.batchnormEpsilon])
        for i in 0..<stride {
            buffers.inverseDeviation.base[i] = 1 / (buffers.variance.base[i] + epsilon).squareRoot()
        }
        kernels.normalize(
            z, rows, stride, buffers.mean.base, buffers.inverseDeviation.base, norm.gamma.base, norm.beta.base,
            buffers.normalized.base, z)
    }
}
