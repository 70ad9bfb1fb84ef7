import CPlatform

extension NetworkState {
    /// Outputs for rows of inputs, [rows × inputs] to [rows × outputs]. Batch normalization uses its running statistics.
    package func predict(
        _ inputs: UnsafePointer<Float>, rows: Int, into outputs: UnsafeMutablePointer<Float>
    ) throws(BackpropError) {
        try forEachBlock(of: inputs, rows: rows) { start, count, z, a, stride throws(BackpropError) in
            for row in 0..<count {
                cp_copy(outputs + (start + row) * outputCount, a + row * stride, outputCount * 4)
            }
        }
    }

    /// The loss of the predictions.
    package func evaluate(
        _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, rows: Int
    ) throws(BackpropError) -> Float {
        try requireRows(rows)
        try requireFinite(inputs, rows: rows, columns: inputCount, "inputs")
        try requireFinite(targets, rows: rows, columns: outputCount, "targets")
        let fused = loss.isFused(with: layers[layers.count - 1].activation)
        var sum = 0.0
        try forEachBlock(of: inputs, rows: rows) { start, count, z, a, stride throws(BackpropError) in
            sum += loss.sum(
                fused: fused, z: z, a: a, targets: targets + start * outputCount, rows: count, columns: outputCount,
                stride: stride)
        }
        let value = options[.gradientReduction] == 0 ? sum : sum / Double(rows)
        try requireFiniteLoss(value)
        return Float(value)
    }

    /// Calls `body` with the last layer's z and a for each block of rows.
    private func forEachBlock(
        of inputs: UnsafePointer<Float>, rows: Int,
        _ body: (
            _ start: Int, _ count: Int, _ z: UnsafePointer<Float>, _ a: UnsafePointer<Float>, _ stride: Int
        ) throws(BackpropError) -> Void
    ) throws(BackpropError) {
        guard rows != 0 else { return }
        try requireRows(rows)
        let buffers = try takePredictionBuffers(rows: min(rows, PredictionBuffers.blockRows))
        defer { predictionPool.put(buffers) }
        let stride = layers[layers.count - 1].stride
        var start = 0
        while start < rows {
            let count = min(PredictionBuffers.blockRows, rows - start)
            try infer(inputs + start * inputCount, rows: count, in: buffers)
            try body(start, count, buffers.z.base, buffers.a.base, stride)
            start += count
        }
    }

    /// All layers, each z in the one buffer and each a in the other.
    private func infer(_ inputs: UnsafePointer<Float>, rows: Int, in buffers: PredictionBuffers) throws(BackpropError) {
        var x = inputs
        var xStride = inputCount
        for layer in layers {
            let z = buffers.z.base
            let a = buffers.a.base
            kernels.forward(x, xStride, rows, layer.inputs, layer.weights.base, layer.panels, z, layer.stride)
            if let norm = layer.norm {
                scaleAndShift(norm, columns: layer.outputs, buffers)
                kernels.scale_and_shift(z, rows, layer.stride, buffers.scale.base, buffers.shift.base)
            }
            switch layer.activation {
            case .builtIn(let function): kernels.activate(function.kind, z, a, rows, layer.outputs, layer.stride)
            case .plugin(let plugin):
                try buffers.packing.unsafelyUnwrapped.forward(plugin, z: z, a: a, rows: rows, columns: layer.outputs)
            }
            x = UnsafePointer(a)
            xStride = layer.stride
        }
    }

    /// γ (z − μ) / √(σ² + ε) + β as scale · z + shift.
    private func scaleAndShift(_ norm: Normalization, columns: Int, _ buffers: PredictionBuffers) {
        let epsilon = Float(options[.batchnormEpsilon])
        buffers.scale.clear()
        buffers.shift.clear()
        for i in 0..<columns {
            let scale = norm.gamma.base[i] / (norm.runningVariance.base[i] + epsilon).squareRoot()
            buffers.scale.base[i] = scale
            buffers.shift.base[i] = norm.beta.base[i] - norm.runningMean.base[i] * scale
        }
    }

    private func takePredictionBuffers(rows: Int) throws(BackpropError) -> PredictionBuffers {
        if let buffers = predictionPool.take(), buffers.rows >= rows { return buffers }
        return try PredictionBuffers.make(widest: widestStride, rows: rows, hasPlugins: hasPlugins)
    }
}

/// What one prediction computes in.
final class PredictionBuffers {
    /// Rows handled together: their activations stay in the second-level cache.
    static let blockRows = 192

    let rows: Int
    let z, a, scale, shift: Floats
    let packing: Packing?

    private init(
        rows: Int, z: consuming Floats, a: consuming Floats, scale: consuming Floats, shift: consuming Floats,
        packing: Packing?
    ) {
        self.rows = rows
        self.z = z
        self.a = a
        self.scale = scale
        self.shift = shift
        self.packing = packing
    }

    static func make(widest: Int, rows: Int, hasPlugins: Bool) throws(BackpropError) -> PredictionBuffers {
        let size = try checkedProduct(widest, rows)
        let z = try Floats(size), a = try Floats(size), scale = try Floats(widest), shift = try Floats(widest)
        let packing = hasPlugins ? try Packing.make(size: size) : nil
        return PredictionBuffers(rows: rows, z: z, a: a, scale: scale, shift: shift, packing: packing)
    }
}

/// Buffers that wait for the next prediction. Concurrent ones each take their own.
struct PredictionPool: ~Copyable {
    private static let size = 8
    private let slots: UnsafeMutablePointer<UnsafeMutableRawPointer?>

    init() {
        slots = .allocate(capacity: Self.size)
        slots.initialize(repeating: nil, count: Self.size)
    }

    deinit {
        drain()
        slots.deallocate()
    }

    /// Forgets what is there: for another set of activations the buffers may differ.
    func drain() {
        while take() != nil {}
    }

    func take() -> PredictionBuffers? {
        for i in 0..<Self.size where cp_load_pointer(slots + i) != nil {
            if let found = cp_exchange_pointer(slots + i, nil) {
                return Unmanaged<PredictionBuffers>.fromOpaque(found).takeRetainedValue()
            }
        }
        return nil
    }

    func put(_ buffers: PredictionBuffers) {
        let kept = Unmanaged.passRetained(buffers)
        for i in 0..<Self.size where cp_exchange_pointer_if_null(slots + i, kept.toOpaque()) { return }
        kept.release()
    }
}
