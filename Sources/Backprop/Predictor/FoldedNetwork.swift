import CKernels
import CPlatform

/// An immutable copy of a network in its form for predictions: batch normalization is folded into the weights, and all memory
/// is allocated.
final class FoldedNetwork {
    /// What a gate publishes.
    struct Published {
        /// The plan and the kernel for single rows; nil for a network with wide layers or with activations of the host.
        let plan: UnsafePointer<cp_row_plan>?
        let run: RowKernel
        let network: Unmanaged<FoldedNetwork>
    }
    typealias RowKernel =
        @convention(c) (
            UnsafePointer<cp_row_plan>?, UnsafePointer<Float>?, UnsafeMutablePointer<Float>?
        ) -> Void

    let network: NetworkState
    var inputCount: Int { network.inputCount }
    var outputCount: Int { network.outputCount }
    let published: UnsafeMutablePointer<Published>
    private let rowPlan: RowPlan?
    private let workspace: RunWorkspace
    /// The next network in `RetiredNetworks`.
    var next: FoldedNetwork?

    private init(_ network: NetworkState, _ rowPlan: RowPlan?, _ workspace: RunWorkspace) {
        self.network = network
        self.rowPlan = rowPlan
        self.workspace = workspace
        published = .allocate(capacity: 1)
        published.initialize(
            to: Published(plan: rowPlan?.pointer, run: network.kernels.predict_row, network: .passUnretained(self)))
    }

    deinit { published.deallocate() }

    static func make(from network: NetworkState) throws(BackpropError) -> FoldedNetwork {
        let copy = try network.copyForPrediction()
        try copy.foldBatchnorm()
        return FoldedNetwork(copy, try RowPlan.make(for: copy), try RunWorkspace.make(for: copy))
    }

    /// Computes outputs [rows × outputs] from inputs [rows × inputs], with the bits of `NetworkState.predict`. Takes no lock and
    /// no memory.
    func run(_ inputs: UnsafePointer<Float>, rows: Int, into outputs: UnsafeMutablePointer<Float>) throws(RunFailure) {
        if rows == 1, let plan = rowPlan?.pointer { return network.kernels.predict_row(plan, inputs, outputs) }
        let (_, overflow) = rows.multipliedReportingOverflow(by: 4 * max(inputCount, outputCount))
        guard rows >= 0, !overflow else { throw .tooManyRows }
        var (code, layer): (Int32, Int) = (0, 0)
        let hasBuffers = workspace.withBuffers(rows: rows) { buffers, most in
            var first = 0
            while first < rows, code == 0 {
                (code, layer) = compute(
                    inputs + first * inputCount, rows: min(most, rows - first), in: buffers,
                    into: outputs + first * outputCount)
                first += most
            }
        }
        guard hasBuffers else { throw .noBuffer }
        if code != 0, case .plugin(let plugin, _) = network.layers[layer].activation {
            throw .callback(plugin.callbackError(code, " in its forward pass"))
        }
    }

    /// Computes a panel of rows in a buffer of 2 × rows × `widest` floats. Each half holds the outputs of every other layer.
    /// Returns 0, or the code with which a callback failed and the index of its layer.
    private func compute(
        _ inputs: UnsafePointer<Float>, rows: Int, in buffer: UnsafeMutablePointer<Float>,
        into outputs: UnsafeMutablePointer<Float>
    ) -> (code: Int32, layer: Int) {
        var z = buffer, a = buffer + rows * workspace.widest
        var x = inputs, stride = inputCount
        if let scaling = network.inputScaling {
            scaling.apply(inputs, rows: rows, to: a)
            x = UnsafePointer(a)
        }
        for index in network.layers.indices {
            let layer = network.layers[index], columns = layer.outputs
            network.kernels.forward(
                x, stride, rows, layer.inputs, layer.weights.base, layer.panels, z, layer.stride)
            switch layer.activation {
            case .builtIn(let function):
                network.kernels.activate(function.kind, z, z, rows, columns, layer.stride)
                swap(&z, &a)
                stride = layer.stride
            case .plugin(let plugin, _):
                removePadding(z, rows: rows, columns: columns, stride: layer.stride)
                let code = plugin.forward(z, a, rows: rows, columns: columns)
                if code != 0 { return (code, index) }
                stride = columns
            }
            x = UnsafePointer(a)
        }
        for row in 0..<rows { cp_copy(outputs + row * outputCount, x + row * stride, outputCount * 4) }
        network.targetScaling?.undo(outputs, rows: rows)
        return (0, 0)
    }

    private func removePadding(_ z: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int) {
        for row in 1..<rows {
            for i in 0..<columns { z[row * columns + i] = z[row * stride + i] }
        }
    }
}
