import CKernels

/// Training calls. Each is a transaction: forward, backward with the old weights, checks, and only then the updates,
/// none of which can fail.
extension NetworkState {
    /// One step of gradient descent on a minibatch (notes, §2 and §4); one row is the delta rule (§1). Returns the loss
    /// before the step. With weights, [rows], each row's loss and gradient count so many times.
    @_optimize(speed)
    package func train(
        _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, weights: UnsafePointer<Float>? = nil, rows: Int,
        rate: Float
    ) throws(BackpropError) -> Float {
        // A small network's step takes some tens of nanoseconds: the way to its kernel is kept short.
        if weights == nil, let rowPlan, let value = train(rowPlan, inputs, targets, rows: rows, rate: rate) { return value }
        return try trainRows(inputs, targets, weights: weights, rows: rows, rate: rate)
    }

    @inline(never)
    private func trainRows(
        _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, weights: UnsafePointer<Float>?, rows: Int,
        rate: Float
    ) throws(BackpropError) -> Float {
        try requireRate(rate)
        try requireSettings()
        let given = targets
        let (inputs, targets) = try scaled(inputs, targets, rows: rows)
        if weights == nil, rows > 0, rows <= RowPlan.mostRows(for: self),
            let plan = try requireWorkspace(rows: rows).rowPlan?.pointer,
            let value = train(plan, inputs, targets, rows: rows, rate: rate)
        {
            return value
        }
        try requireTargets(targets, given: given, weights: weights, rows: rows)
        let gammaFirst = options[.batchnormUpdate] == 1
        if isPlainDescent {
            return try pass(
                inputs, targets, weights: weights, rows: rows, rate: rate, gammaStep: gammaFirst ? rate : nil
            ) { workspace, _ throws(BackpropError) in
                update(inputs, rows: rows, rate: rate, in: workspace)
            }
        }
        try requireUpdateOrder()
        return try pass(
            inputs, targets, weights: weights, rows: rows, rate: 0, gammaStep: nil
        ) { workspace, largest throws(BackpropError) in
            try workspace.makeGradients(for: self)
            collectGradient(inputs, rows: rows, in: workspace)
            try optimize(rate: rate, largest: largest, in: workspace)
            moveRunningStatistics(rows: rows, in: workspace)
            finishStep()
        }
    }

    func requireUpdateOrder() throws(BackpropError) {
        guard isPlainDescent || options[.batchnormUpdate] == 0 else {
            throw BackpropError(
                .unsupported,
                "option \"batchnorm_update\" 1 is for optimizer \"sgd\" without weight_decay, l1, clip_norm and clip_value")
        }
    }

    /// The same by the kernel for a few rows; nil, and nothing changed, where the general path has to do or to refuse the
    /// step. Which of them it is must follow from the network and the rows, not from the calls before: the bits depend
    /// on it.
    @inline(__always)
    private func train(
        _ plan: UnsafePointer<cp_row_plan>, _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, rows: Int,
        rate: Float
    ) -> Float? {
        guard rows >= 1, rows <= plan.pointee.most_rows else { return nil }
        let share = rows == 1 ? 1 : lossScale(rows: rows)
        var value = 0.0
        guard kernels.train_rows(plan, inputs, targets, rows, rate * share, &value) == 0 else { return clearRefused() }
        finishStep()
        guard plan.pointee.loss == Int32(CP_SQUARED_ERROR) else { return fusedLoss(targets, rows: rows) }
        return Float(value * Double(share))
    }

    /// From z, which the step has left in the workspace.
    @inline(never)
    private func fusedLoss(_ targets: UnsafePointer<Float>, rows: Int) -> Float {
        workspace.map { Float(lossValue(targets, nil, rows: rows, in: $0)) } ?? 0
    }

    @inline(never)
    private func clearRefused() -> Float? {
        workspace?.clearDeltas()
        return nil
    }

    /// The gradient of a minibatch's loss, flat; the running statistics move. Returns the loss.
    package func gradient(
        _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, rows: Int, into flat: UnsafeMutablePointer<Float>,
        count: Int
    ) throws(BackpropError) -> Float {
        try requireParameterCount(count)
        try requireSettings()
        let given = targets
        let (inputs, targets) = try scaled(inputs, targets, rows: rows)
        try requireTargets(targets, given: given, rows: rows)
        return try pass(inputs, targets, rows: rows, rate: 0, gammaStep: nil) { workspace, _ throws(BackpropError) in
            try workspace.makeGradients(for: self)
            collectGradient(inputs, rows: rows, in: workspace)
            copyGradient(from: workspace, to: flat)
            moveRunningStatistics(rows: rows, in: workspace)
        }
    }

    /// The step along a flat gradient of the caller's.
    package func apply(gradient flat: UnsafePointer<Float>, count: Int, rate: Float) throws(BackpropError) {
        try requireRate(rate)
        try requireParameterCount(count)
        let workspace = try requireWorkspace(rows: 1)
        try workspace.makeGradients(for: self)
        copyGradient(from: flat, to: workspace)
        // The rate 0 checks the gradient alone; an optimizer checks its own step.
        try requireFiniteGradientStep(rate: isPlainDescent ? rate : 0, in: workspace)
        if isPlainDescent {
            for index in layers.indices {
                let layer = layers[index]
                kernels.step(layer.weights.base, workspace.gradients[index].values.base, layer.weights.count, rate)
                stepNormalization(layer, workspace.layers[index], rate: rate)
            }
        } else {
            let largest = Double(kernels.sum_of_magnitudes(flat, count))
            try optimize(rate: rate, largest: largest, in: workspace)
        }
        finishStep()
    }

    private func requireFiniteGradientStep(rate: Float, in workspace: Workspace) throws(BackpropError) {
        for index in layers.indices {
            let layer = layers[index]
            let gradient = workspace.gradients[index].values.base
            try requireFiniteDescent(layer.weights.base, gradient, layer.weights.count, rate: rate, layer: index)
            guard let norm = layer.norm, let buffers = workspace.layers[index].norm else { continue }
            try requireFiniteDescent(norm.gamma.base, buffers.gammaGradient, layer.stride, rate: rate, layer: index)
            try requireFiniteDescent(norm.beta.base, buffers.betaGradient, layer.stride, rate: rate, layer: index)
        }
    }

    /// Forward, backward and checks, for a step of plain descent at that rate; then `commit`, which must do all it can fail
    /// at before it changes anything. `dropsOut`: with dropout, where layers have any.
    func pass(
        _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, weights: UnsafePointer<Float>? = nil, rows: Int,
        rate: Float, gammaStep: Float?, dropsOut: Bool = true,
        commit: (Workspace, _ largestGradient: Double) throws(BackpropError) -> Void
    ) throws(BackpropError) -> Float {
        try requireRows(rows)
        let sizeOfInputs = try requireFinite(inputs, rows: rows, columns: inputCount, "inputs")
        try requireFinite(targets, rows: rows, columns: outputCount, "targets")
        let workspace = try requireWorkspace(rows: rows)
        var random = random
        workspace.dropoutKey = dropsOut && layers.contains { $0.dropout > 0 } ? random.next() : nil
        do throws(BackpropError) {
            try forward(inputs, rows: rows, in: workspace)
            let value = lossValue(targets, weights, rows: rows, in: workspace)
            try requireFiniteLoss(value, rows: rows, in: workspace)
            try backward(targets: targets, weights: weights, rows: rows, in: workspace, gammaStep: gammaStep)
            let largest = try requireFiniteStep(
                inputs, sizeOfInputs: sizeOfInputs, rows: rows, rate: rate, in: workspace)
            try commit(workspace, largest)
            self.random = random
            return Float(value)
        } catch {
            workspace.clearDeltas()
            throw error
        }
    }

    private func lossValue(
        _ targets: UnsafePointer<Float>, _ weights: UnsafePointer<Float>?, rows: Int, in workspace: Workspace
    ) -> Double {
        let layer = layers[layers.count - 1]
        let own = workspace.layers[layers.count - 1]
        let sum = loss.sum(
            fused: loss.isFused(with: layer.activation), z: own.z.base, a: own.a.base, targets: targets, weights: weights,
            rows: rows, columns: outputCount, stride: layer.stride)
        return reduced(sum, rows: rows)
    }

    /// The loss of rows from the sum of their losses.
    func reduced(_ sum: Double, rows: Int) -> Double {
        options[.gradientReduction] == 0 ? sum : sum / Double(rows)
    }

    func requireWorkspace(rows: Int) throws(BackpropError) -> Workspace {
        if let workspace, workspace.capacity >= rows { return workspace }
        let made = try Workspace.make(for: self, rows: rows)
        workspace = made
        return made
    }

    private func requireRate(_ rate: Float) throws(BackpropError) {
        guard rate.isFinite, rate >= 0 else {
            throw BackpropError(.invalidValue, "a learning rate is finite and at least 0, not \(decimal(rate))")
        }
    }
}
