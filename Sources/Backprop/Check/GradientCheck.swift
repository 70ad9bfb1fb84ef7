import CPlatform

/// Compares the backward pass with central differences of the loss. The loss is computed in double precision by
/// `PlainNetwork`, a separate implementation of the formulas of the notes.
extension NetworkState {
    private static var largestSample: Int { 4096 }

    package func checkGradient(
        _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, rows: Int
    ) throws(BackpropError) -> Double {
        for (index, layer) in layers.enumerated() where layer.activation.is(.sign) {
            throw BackpropError(
                .unsupported, "layer \(index + 1) has \"sign\" and cannot be checked: training uses the derivative 1 for it")
        }
        let workers = workers
        self.workers = nil  // this call is not made together
        defer { self.workers = workers }
        let (inputs, targets) = try scaled(inputs, targets, rows: rows)
        let count = parameterCount
        let flat = try Floats(count)
        _ = try lossAndGradient(inputs, targets, rows: rows, into: flat.base, dropsOut: false)
        let plain = try PlainNetwork.make(self, inputs, targets, rows: rows)
        // Callbacks return Floats, whose rounding error would be larger than a difference with a small step.
        let step = hasPlugins ? 1e-2 : 1e-4
        let stride = max(1, (count + Self.largestSample - 1) / Self.largestSample)
        var worst = 0.0
        for range in plain.layerRanges {
            worst = max(worst, try plain.worstError(of: flat.base, in: range, every: stride, step: step))
        }
        return worst
    }
}
