/// Predictions of described rows: blocks of them are converted and scaled, and then pass through the network without its scaling.
extension NetworkState {
    /// Computes outputs into memory of any layout. `outputs` may be nil without rows.
    package func predict(
        _ inputs: DescribedRows, _ outputs: UnsafeMutableRawPointer?, _ type: RowDescription.Element?, rowStride: Int,
        columnStride: Int
    ) throws(BackpropError) {
        try requireColumns(inputs, nil)
        guard inputs.rows != 0 else { return }
        guard let outputs else { throw BackpropError(.nullArgument, "outputs_out is NULL") }
        let out = try RowOutput(
            outputs, type, rows: inputs.rows, columns: outputCount, rowStride: rowStride, columnStride: columnStride)
        try predict(inputs, into: out, scaling: targetScaling)
    }

    func predict(_ inputs: DescribedRows, into out: RowOutput, scaling: Scaling?) throws(BackpropError) {
        try requireRows(inputs.rows)
        let network = withoutScaling(), size = min(inputs.rows, Self.blockRows)
        let x = try Floats(try checkedProduct(size, inputCount)), a = try Floats(try checkedProduct(size, outputCount))
        for first in stride(from: 0, to: inputs.rows, by: size) {
            let count = min(size, inputs.rows - first)
            inputs.fill(x.base, first: first, count: count, scaling: inputScaling)
            try network.predict(x.base, rows: count, into: a.base)
            out.store(a.base, first: first, count: count, columns: outputCount, scaling: scaling)
        }
    }

    /// Computes the loss of the predictions, with the weights of the rows.
    package func evaluate(_ inputs: DescribedRows, _ targets: DescribedRows) throws(BackpropError) -> Float {
        let rows = try rows(inputs, targets)
        if let error = undefinedTarget(targets.source, rows.weights, rows: rows.count, "targets") { throw error }
        return try evaluate(rows, weights: rows.weights)
    }

    /// The same for the rows of a fit.
    func evaluate(_ rows: Rows, weights: UnsafePointer<Float>?) throws(BackpropError) -> Float {
        guard let narrowed = rows.narrowed else {
            return try evaluate(rows.inputs, rows.targets, weights: weights, rows: rows.count)
        }
        let network = withoutScaling(), size = min(rows.count, Self.blockRows)
        let x = try Floats(try checkedProduct(size, inputCount)), y = try Floats(try checkedProduct(size, targetCount))
        var sum = 0.0
        for first in stride(from: 0, to: rows.count, by: size) {
            let count = min(size, rows.count - first)
            try fill(x.base, narrowed.inputs, first: first, count: count, inputScaling, "inputs")
            try fill(
                y.base, narrowed.targets, first: first, count: count, targetScaling, "targets",
                acceptsMissing: acceptsMissingTargets)
            let loss = try network.evaluate(x.base, y.base, weights: weights.map { $0 + first }, rows: count)
            sum += Double(loss) * (options[.gradientReduction] == 0 ? 1 : Double(count))
        }
        let loss = reducedLoss(sum, rows: rows.count)
        try requireFiniteLoss(loss)
        return Float(loss)
    }
}
