import CKernels
import CPlatform

extension NetworkState {
    /// The training pass from inputs to outputs: afterwards each layer's z and a are in the workspace (notes, §2 (b)).
    /// Blocks of rows go through the layers on their own, up to one that needs all rows at once.
    func forward(_ inputs: UnsafePointer<Float>, rows: Int, in workspace: Workspace) throws(BackpropError) {
        var index = 0
        while index < layers.count {
            let stop = layers[index...].firstIndex { $0.needsAllRows } ?? layers.count
            forEachRowBlock(of: rows) { start, count in
                for i in index..<stop {
                    weigh(i, inputs, start, count, in: workspace)
                    let code = activate(i, start, count, in: workspace)
                    if code != 0 { return workspace.failure.note(code, layer: i, row: start) }
                }
                if stop < layers.count { weigh(stop, inputs, start, count, in: workspace) }
            }
            try workspace.failure.check("forward") { layers[$0].activation }
            if stop < layers.count { try finish(stop, rows: rows, in: workspace) }
            index = stop + 1
        }
    }

    /// What a layer computes with all rows: the statistics of a minibatch, or a host's function of whole matrices.
    private func finish(_ index: Int, rows: Int, in workspace: Workspace) throws(BackpropError) {
        let layer = layers[index]
        let own = workspace.layers[index]
        if let norm = layer.norm, let buffers = own.norm {
            measure(own.z.base, rows: rows, stride: layer.stride, norm, buffers)
            forEachRowBlock(of: rows) { start, count in
                let z = own.z.base + start * layer.stride
                kernels.normalize(
                    z, count, layer.stride, buffers.mean, buffers.inverseDeviation, norm.gamma.base,
                    norm.beta.base, buffers.normalized.base + start * layer.stride, z)
                if layer.activation.isThreadSafe {
                    workspace.failure.note(activate(index, start, count, in: workspace), layer: index, row: start)
                }
            }
        }
        if !layer.activation.isThreadSafe {
            workspace.failure.note(activate(index, 0, rows, in: workspace), layer: index, row: 0)
        }
        try workspace.failure.check("forward") { layers[$0].activation }
    }

    /// z = Σ w x   (notes, §2)
    private func weigh(
        _ index: Int, _ inputs: UnsafePointer<Float>, _ start: Int, _ count: Int, in workspace: Workspace
    ) {
        let layer = layers[index]
        let (x, stride) = input(of: index, inputs, in: workspace)
        kernels.forward(
            x + start * stride, stride, count, layer.inputs, layer.weights.base, layer.panels,
            workspace.layers[index].z.base + start * layer.stride, layer.stride)
    }

    /// a = f(z); 0, or the code with which a host's function failed.
    private func activate(_ index: Int, _ start: Int, _ count: Int, in workspace: Workspace) -> Int32 {
        let layer = layers[index]
        let own = workspace.layers[index]
        let at = start * layer.stride
        switch layer.activation {
        case .builtIn(let function):
            kernels.activate(function.kind, own.z.base + at, own.a.base + at, count, layer.outputs, layer.stride)
        case .plugin(let plugin, _):
            let code = plugin.forward(
                own.z.base + at, own.a.base + at, rows: count, columns: layer.outputs, packing: own.packing,
                place: start * layer.outputs)
            if code != 0 { return code }
        }
        thin(index, start, count, in: workspace)
        return 0
    }

    /// μ, σ² and 1 / √(σ² + ε): of the minibatch, or the running ones for a single row (notes, §5).
    private func measure(
        _ z: UnsafePointer<Float>, rows: Int, stride: Int, _ norm: Normalization, _ buffers: NormWorkspace
    ) {
        if rows > 1 {
            kernels.batch_statistics(z, rows, stride, buffers.mean, buffers.variance)
        } else {
            cp_copy(buffers.mean, norm.runningMean.base, stride * 4)
            cp_copy(buffers.variance, norm.runningVariance.base, stride * 4)
        }
        let epsilon = Float(options[.batchnormEpsilon])
        for i in 0..<stride {
            buffers.inverseDeviation[i] = 1 / (buffers.variance[i] + epsilon).squareRoot()
        }
    }

    /// What a layer's weights are multiplied with, and its row stride.
    func input(
        of index: Int, _ inputs: UnsafePointer<Float>, in workspace: Workspace
    ) -> (x: UnsafePointer<Float>, stride: Int) {
        if index == 0 { return (inputs, inputCount) }
        let below = workspace.layers[index - 1]
        let thinned = workspace.dropoutKey == nil ? nil : below.dropout?.thinned.base
        return (UnsafePointer(thinned ?? below.a.base), layers[index - 1].stride)
    }

    func forEachRowBlock(of rows: Int, _ body: (_ start: Int, _ count: Int) -> Void) {
        Parallel.forEachRowBlock(of: rows, multiplicationsPerRow: weightCount, body)
    }
}
