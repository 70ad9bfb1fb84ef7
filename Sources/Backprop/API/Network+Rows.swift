/// Second forms of the methods with rows, which take rows of any type and layout. They throw as the first forms, and also
/// `.mismatch` for columns that are not the network's or different numbers of rows, `.invalidValue` for a malformed
/// description, and `.limit`.
extension Network {
    /// Makes one training step on a minibatch. Returns the loss before the step.
    @discardableResult
    public func train(
        _ inputs: RowDescription, _ targets: RowDescription, learningRate: Float
    ) throws(BackpropError) -> Float {
        try handle.write { (state) throws(BackpropError) in
            try state.train(try .make(inputs, "inputs"), try .make(targets, "targets", areTargets: true), rate: learningRate)
        }
    }

    /// Returns the outputs, [rows × outputs]. Target scaling is undone in double precision.
    public func predict(_ inputs: RowDescription) throws(BackpropError) -> [Double] {
        try handle.read { (state) throws(BackpropError) in
            var outputs = [Double](repeating: 0, count: try checkedProduct(inputs.rows, state.outputCount))
            try outputs.withUnsafeMutableBufferPointer { (buffer) throws(BackpropError) in
                try state.predict(try .make(inputs, "inputs"), buffer.baseAddress, .double, rowStride: 0, columnStride: 0)
            }
            return outputs
        }
    }

    /// Computes the loss of the predictions.
    public func evaluate(_ inputs: RowDescription, _ targets: RowDescription) throws(BackpropError) -> Float {
        try handle.read { (state) throws(BackpropError) in
            try state.evaluate(try .make(inputs, "inputs"), try .make(targets, "targets", areTargets: true))
        }
    }

    /// Computes a measure of the predictions. Means over rows are weighted.
    public func score(
        _ measure: Measure, _ inputs: RowDescription, _ targets: RowDescription
    ) throws(BackpropError) -> Double {
        try handle.read { (state) throws(BackpropError) in
            try state.score(measure.name, try .make(inputs, "inputs"), try .make(targets, "targets", areTargets: true))
        }
    }

    /// Computes the scaling of inputs and targets. Weights are ignored. nil is allowed for a scaling that is `.none`.
    public func fitScaling(
        inputs inputMethod: ScalingMethod = .auto, targets targetMethod: ScalingMethod = .auto, _ inputs: RowDescription?,
        _ targets: RowDescription?
    ) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in
            let (x, y) = try described(inputs, targets)
            try state.fitScaling(inputs: inputMethod.name, targets: targetMethod.name, x, y)
        }
    }

    /// Adds rows to the statistics from which `finishScaling` computes the scaling: for data that are not in memory as a whole.
    /// Without inputs and targets, discards the rows that were added.
    public func addScalingRows(_ inputs: RowDescription?, _ targets: RowDescription?) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in
            let (x, y) = try described(inputs, targets)
            try state.addScalingRows(x, y)
        }
    }

    /// Sets the scaling from the rows that were added, and discards their statistics.
    ///
    /// - Throws: `.invalidValue` if no rows were added that a method needs.
    public func finishScaling(
        inputs inputMethod: ScalingMethod = .auto, targets targetMethod: ScalingMethod = .auto
    ) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in
            try state.finishScaling(inputs: inputMethod.name, targets: targetMethod.name)
        }
    }
}

extension Trainer {
    /// Trains a network on rows of any type and layout, with the weights of `targets` and of the validation targets.
    @discardableResult
    public func fit(
        _ network: Network, _ inputs: RowDescription, _ targets: RowDescription,
        validation: (inputs: RowDescription, targets: RowDescription)? = nil
    ) throws(BackpropError) -> FitResult {
        let (rows, validation) = try paired(inputs, targets, validation)
        return try handle.fit(network.handle, .rows(rows), validation: validation)
    }

    /// Trains several networks, as `fit(ensemble:_:_:validation:learningRates:)`, on rows of any type and layout, with the weights
    /// of `targets` and of the validation targets.
    @discardableResult
    public func fit(
        ensemble networks: [Network], _ inputs: RowDescription, _ targets: RowDescription,
        validation: (inputs: RowDescription, targets: RowDescription)? = nil, learningRates: [Double]? = nil
    ) throws(BackpropError) -> [FitResult] {
        let (rows, validation) = try paired(inputs, targets, validation)
        return try fit(networks, rows, validation, learningRates)
    }

    private func paired(
        _ inputs: RowDescription, _ targets: RowDescription, _ validation: (inputs: RowDescription, targets: RowDescription)?
    ) throws(BackpropError) -> (Rows, validation: Rows?) {
        let rows = try Rows(pairing: try .make(inputs, "inputs"), try .make(targets, "targets", areTargets: true))
        guard let validation else { return (rows, nil) }
        return (
            rows,
            try Rows(
                pairing: try .make(validation.inputs, "validation_inputs"),
                try .make(validation.targets, "validation_targets", areTargets: true), "validation_inputs", "validation_targets")
        )
    }
}

private func described(
    _ inputs: RowDescription?, _ targets: RowDescription?
) throws(BackpropError) -> (inputs: DescribedRows?, targets: DescribedRows?) {
    (
        try inputs.map { (rows) throws(BackpropError) in try DescribedRows.make(rows, "inputs") },
        try targets.map { (rows) throws(BackpropError) in try DescribedRows.make(rows, "targets", areTargets: true) }
    )
}
