import CKernels
import CPlatform

/// Training calls. Each is a transaction: forward, backward with the old weights, checks, and then the updates, which cannot
/// fail.
extension NetworkState {
    /// Makes one training step on a minibatch (notes, §2 and §4); with one row it is the delta rule (§1). Returns the loss
    /// before the step. `weights`, [rows], multiply the loss and the gradient of each row.
    @_optimize(speed)
    package func train(
        _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, weights: UnsafePointer<Float>? = nil, rows: Int,
        rate: Float
    ) throws(BackpropError) -> Float {
        // A small network's step takes some tens of nanoseconds, so the path to its kernel is short.
        if weights == nil, let rowPlan, let value = trainByRowKernel(rowPlan, inputs, targets, rows: rows, rate: rate) {
            return value
        }
        return try trainByLayers(inputs, targets, weights: weights, rows: rows, rate: rate)
    }

    /// Makes one training step on described rows, with their weights.
    package func train(_ inputs: DescribedRows, _ targets: DescribedRows, rate: Float) throws(BackpropError) -> Float {
        beginTogether()
        let rows = try rows(inputs, targets, areShare: true), count = rows.count
        if rows.narrowed == nil {
            return try train(rows.inputs, rows.targets, weights: rows.weights, rows: count, rate: rate)
        }
        try requireStep(rate: rate)
        try requireSettings()
        let place = try checkedProduct(count, inputCount)
        let x = try requireScaledRows(try place + checkedProduct(count, targetCount)), y = x + place
        try fill(x, inputs, count: count, inputScaling, "inputs")
        try fill(y, targets, count: count, targetScaling, "targets", acceptsMissing: acceptsMissingTargets)
        if let error = undefinedTarget(.described(targets), rows.weights, rows: count, "targets") { throw error }
        return try train(scaled: x, y, weights: rows.weights, rows: count, rate: rate)
    }

    /// Makes one training step on rows that are scaled already.
    @inline(never)
    func train(
        scaled inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, weights: UnsafePointer<Float>?, rows: Int,
        rate: Float
    ) throws(BackpropError) -> Float {
        guard inputScaling != nil || targetScaling != nil else {
            return try train(inputs, targets, weights: weights, rows: rows, rate: rate)
        }
        let (inputScaling, targetScaling) = (inputScaling, targetScaling)
        (self.inputScaling, self.targetScaling) = (nil, nil)
        defer {
            (self.inputScaling, self.targetScaling) = (inputScaling, targetScaling)
            rowPlan = nil  // a new workspace's is for rows that are not scaled
        }
        return try train(inputs, targets, weights: weights, rows: rows, rate: rate)
    }

    /// Makes one training step by forward, backward and update of whole layers, unless a kernel for a few rows applies, of
    /// plain descent once a workspace exists and the rows are scaled, or of the passes before an optimizer's step.
    @inline(never)
    private func trainByLayers(
        _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, weights: UnsafePointer<Float>?, rows: Int,
        rate: Float
    ) throws(BackpropError) -> Float {
        if workers != nil { return try trainTogether(inputs, targets, weights: weights, rows: rows, rate: rate) }
        try requireStep(rate: rate)
        try requireSettings()
        let unscaledTargets = targets
        let (inputs, targets) = try scaled(inputs, targets, rows: rows)
        try requireUpdateOrder()
        if optimizer.isSecondOrder {
            try requireTargets(targets, unscaled: unscaledTargets, weights: weights, rows: rows)
            return Float(
                try stepOfSecondOrder(TrainingRows(inputs: inputs, targets: targets, weights: weights, count: rows)))
        }
        if weights == nil, rows > 0, rows <= RowPlan.maximumRows(for: self),
            let plan = try requireWorkspace(rows: rows).rowPlan?.pointer,
            let value = isPlainDescent
                ? trainByRowKernel(plan, inputs, targets, rows: rows, rate: rate)
                : try optimizeByRowKernel(plan, inputs, targets, rows: rows, rate: rate)
        {
            return value
        }
        try requireTargets(targets, unscaled: unscaledTargets, weights: weights, rows: rows)
        let gammaFirst = options[.batchnormUpdate] == 1
        if isPlainDescent {
            let loss = try forwardAndBackward(
                inputs, targets, weights: weights, rows: rows, rate: rate, gammaStep: gammaFirst ? rate : nil
            ) { workspace, inputs, _, _ throws(BackpropError) in
                if let inputs { return update(inputs, rows: rows, rate: rate, in: workspace) }
                descend(rate: rate, in: workspace)
                finishStep()
            }
            return Float(loss)
        }
        let loss = try forwardAndBackward(
            inputs, targets, weights: weights, rows: rows, rate: 0, gammaStep: nil
        ) { workspace, inputs, largest, _ throws(BackpropError) in
            try optimize(inputs, rows: rows, rate: rate, scale: 1, largest: largest, in: workspace)
            updateRunningStatistics(in: workspace)
            finishStep()
        }
        return Float(loss)
    }

    /// Makes one training step on the rows of all workers, along the sum of their gradients.
    @inline(never)
    private func trainTogether(
        _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, weights: UnsafePointer<Float>?, rows: Int,
        rate: Float
    ) throws(BackpropError) -> Float {
        beginTogether()
        workers?.argument = UInt64(rate.bitPattern)
        try requireStep(rate: rate)
        try requireSettings()
        guard options[.batchnormUpdate] == 0 else {
            throw BackpropError(.unsupported, "with an all-reduce function, option \"batchnorm_update\" must be 0")
        }
        let (inputs, targets) = try share(inputs, targets, weights: weights, rows: rows)
        if optimizer.isSecondOrder {
            return Float(
                try stepOfSecondOrder(TrainingRows(inputs: inputs, targets: targets, weights: weights, count: rows)))
        }
        // Here, so that no allocation can fail after the exchanges.
        let state = isPlainDescent ? nil : try requireOptimizerState(rate: rate)
        let loss = try forwardAndBackward(
            inputs, targets, weights: weights, rows: rows, rate: 0, gammaStep: nil
        ) { workspace, inputs, largest, loss throws(BackpropError) in
            loss = try completeGradient(inputs, rows: rows, loss: loss, in: workspace)
            try step(rate: rate, largest: max(largest, workspace.largestGradient), state, in: workspace)
            updateRunningStatistics(in: workspace)
        }
        return Float(loss)
    }

    /// Scaled and checked rows, which may be none if other workers have some.
    private func share(
        _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, weights: UnsafePointer<Float>?, rows: Int
    ) throws(BackpropError) -> (UnsafePointer<Float>, UnsafePointer<Float>) {
        if rows == 0, workers != nil { return (inputs, targets) }
        let scaledRows = try scaled(inputs, targets, rows: rows)
        try requireTargets(scaledRows.1, unscaled: targets, weights: weights, rows: rows)
        return scaledRows
    }

    func requireUpdateOrder() throws(BackpropError) {
        guard isPlainDescent || options[.batchnormUpdate] == 0 else {
            throw BackpropError(
                .unsupported,
                "option \"batchnorm_update\" 1 needs optimizer \"sgd\", and weight_decay, l1, clip_norm and clip_value 0")
        }
    }

    /// Makes one training step by the kernel for a few rows. Returns nil, and changes nothing, where `trainByLayers` must make
    /// or refuse the step. The choice must depend only on the network and the rows, not on earlier calls, since the bits
    /// depend on it.
    @inline(__always)
    private func trainByRowKernel(
        _ plan: UnsafePointer<cp_row_plan>, _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, rows: Int,
        rate: Float
    ) -> Float? {
        guard rows >= 1, rows <= plan.pointee.most_rows else { return nil }
        let share = rows == 1 ? 1 : lossScale(rows: rows)
        var value = 0.0
        // "Unprotected": without a stack canary, which a single number does not need.
        let isRefused = _withUnprotectedUnsafeMutablePointer(to: &value) {
            kernels.train_rows(plan, inputs, targets, rows, rate * share, $0) != 0
        }
        guard !isRefused else { return clearAfterRefusal() }
        finishStep()
        guard plan.pointee.loss == Int32(CP_SQUARED_ERROR) else { return fusedLoss(targets, rows: rows) }
        return Float(value * Double(share))
    }

    /// Makes an optimizer's step by the kernel for a few rows, as `trainByRowKernel`. Throws if the step is not finite.
    private func optimizeByRowKernel(
        _ plan: UnsafePointer<cp_row_plan>, _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, rows: Int,
        rate: Float
    ) throws(BackpropError) -> Float? {
        guard let workspace, rows <= plan.pointee.most_rows else { return nil }
        let scale = lossScale(rows: rows)
        var value = 0.0
        let largest = kernels.pass_rows(plan, inputs, targets, rows, &value)
        guard value < CP_SAFE_STEP, Double(largest) < CP_SAFE_STEP else { return clearAfterRefusal() }
        workspace.dropoutKey = nil
        do throws(BackpropError) {
            try optimize(inputs, rows: rows, rate: rate, scale: scale, largest: Double(largest * scale), in: workspace)
        } catch {
            workspace.clearDeltas()
            throw error
        }
        finishStep()
        guard plan.pointee.loss == Int32(CP_SQUARED_ERROR) else { return fusedLoss(targets, rows: rows) }
        return Float(value * Double(scale))
    }

    /// Computes the loss from z, which the kernel has stored in the workspace.
    @inline(never)
    private func fusedLoss(_ targets: UnsafePointer<Float>, rows: Int) -> Float {
        guard let workspace, let loss = loss.builtIn else { return 0 }
        return Float(reducedLoss(lossSum(loss, targets, nil, rows: rows, in: workspace), rows: rows))
    }

    /// Clears what the kernel wrote before it refused the step.
    @inline(never)
    private func clearAfterRefusal() -> Float? {
        workspace?.clearDeltas()
        return nil
    }

    /// Computes the gradient of a minibatch's loss as a flat vector, and updates the running statistics. Returns the loss.
    package func gradient(
        _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, rows: Int, into flat: UnsafeMutablePointer<Float>,
        count: Int
    ) throws(BackpropError) -> Float {
        beginTogether()
        try requireParameterCount(count)
        try requireSettings()
        let (inputs, targets) = try share(inputs, targets, weights: nil, rows: rows)
        let loss = try lossAndGradient(inputs, targets, rows: rows, into: flat)
        if let workspace { updateRunningStatistics(in: workspace) }
        return Float(loss)
    }

    /// Computes the loss and, as a flat vector, its gradient, of rows that are scaled and checked.
    @inline(never)
    func lossAndGradient(
        _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, weights: UnsafePointer<Float>? = nil, rows: Int,
        into flat: UnsafeMutablePointer<Float>, dropsOut: Bool = true
    ) throws(BackpropError) -> Double {
        try forwardAndBackward(inputs, targets, weights: weights, rows: rows, rate: 0, gammaStep: nil, dropsOut: dropsOut) {
            workspace, inputs, _, loss throws(BackpropError) in
            try workspace.makeGradients(for: self)
            loss = try completeGradient(inputs, rows: rows, loss: loss, in: workspace)
            copyGradient(from: workspace, to: flat)
        }
    }

    /// Makes the optimizer's step along a flat gradient of the caller.
    package func apply(gradient flat: UnsafePointer<Float>, count: Int, rate: Float) throws(BackpropError) {
        try requireStep(rate: rate)
        try requireParameterCount(count)
        guard !optimizer.isSecondOrder else {
            throw optimizerError("needs the loss at several points: call bp_network_train_minibatch, or set another optimizer")
        }
        let state = isPlainDescent ? nil : try requireOptimizerState(rate: rate)
        let workspace = try requireWorkspace(rows: 1)
        try workspace.makeGradients(for: self)
        copyGradient(from: flat, to: workspace)
        try step(rate: rate, largest: Double(kernels.sum_of_magnitudes(flat, count)), state, in: workspace)
    }

    /// Makes the optimizer's step along the gradient in the workspace. `largest`: a bound on its magnitudes. `state`: nil for
    /// plain descent.
    private func step(
        rate: Float, largest: Double, _ state: OptimizerState?, in workspace: Workspace
    ) throws(BackpropError) {
        if !(largest * Double(max(rate, 1)) < CP_SAFE_STEP) {
            // Rate 0 checks the gradient alone: `optimize` checks the steps of the other optimizers.
            try requireFiniteGradientStep(rate: state == nil ? rate : 0, in: workspace)
        }
        if let state {
            try optimize(nil, rows: 1, rate: rate, scale: 1, largest: largest, state, in: workspace)
        } else {
            descend(rate: rate, in: workspace)
        }
        finishStep()
    }

    func requireFiniteGradientStep(rate: Float, in workspace: Workspace) throws(BackpropError) {
        for index in layers.indices where layers[index].isTrainable {
            let layer = layers[index]
            let gradient = workspace.gradients[index]
            try requireFiniteDescent(layer.weights.base, gradient, layer.weights.count, rate: rate, layer: index)
            guard let norm = layer.norm, let buffers = workspace.layers[index].norm else { continue }
            try requireFiniteDescent(norm.gamma.base, buffers.gammaGradient, layer.stride, rate: rate, layer: index)
            try requireFiniteDescent(norm.beta.base, buffers.betaGradient, layer.stride, rate: rate, layer: index)
        }
    }

    /// Runs forward, backward and the checks of a step of plain descent at `rate`, and then `commit`, which must not throw
    /// after its first change. It receives the inputs for the gradient, or nil if the workspace contains the gradient already.
    /// `dropsOut`: whether dropout is applied. Returns the loss.
    func forwardAndBackward(
        _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, weights: UnsafePointer<Float>? = nil, rows: Int,
        rate: Float, gammaStep: Float?, dropsOut: Bool = true,
        commit:
            (Workspace, _ inputs: UnsafePointer<Float>?, _ largestGradient: Double, _ loss: inout Double)
            throws(BackpropError) -> Void
    ) throws(BackpropError) -> Double {
        try requireShare(rows)
        if let loss = loss.builtIn, canAccumulate(rows: rows) {
            return try accumulateGradient(
                loss, inputs, targets, weights: weights, rows: rows, rate: rate, dropsOut: dropsOut, commit: commit)
        }
        var value = 0.0
        try withForwardPass(inputs, targets, rows: rows, dropsOut: dropsOut) { workspace, sizeOfInputs throws(BackpropError) in
            value = try lossValue(targets, weights, rows: rows, in: workspace)
            try requireFiniteLoss(value, rows: rows, in: workspace)
            workspace.prepareOverlap(inputs)
            try backward(targets: targets, weights: weights, rows: rows, in: workspace, gammaStep: gammaStep)
            let largest = try requireFiniteStep(
                inputs, sizeOfInputs: sizeOfInputs, rows: rows, rate: rate, in: workspace)
            try commit(workspace, inputs, largest, &value)
        }
        return value
    }

    /// Checks scaled rows, goes forward, and calls `body` with the sum of the inputs' magnitudes. `body` must not throw after its
    /// first change. `isInference`: whether the pass is that of a prediction, without dropout.
    @inline(__always)
    func withForwardPass(
        _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>? = nil, rows: Int, isInference: Bool = false,
        dropsOut: Bool = true, _ body: (Workspace, _ sizeOfInputs: Float) throws(BackpropError) -> Void
    ) throws(BackpropError) {
        let sizeOfInputs = try requireFinite(inputs, rows: rows, columns: inputCount, "inputs")
        if let targets { try requireFiniteTargets(targets, rows: rows, "targets") }
        let workspace = try requireWorkspace(rows: max(rows, 1))
        let random = try beginPass(rows: rows, isInference: isInference, dropsOut: dropsOut, in: workspace)
        do throws(BackpropError) {
            try forward(inputs, rows: rows, in: workspace)
            try body(workspace, sizeOfInputs)
            self.random = random
        } catch {
            workspace.clearDeltas()
            throw error
        }
    }

    /// Begins a pass of `rows` rows of this worker. Returns the random numbers after it.
    func beginPass(rows: Int, isInference: Bool, dropsOut: Bool, in workspace: Workspace) throws(BackpropError) -> Random {
        workspace.beginPass(rows: rows)
        if let workers, !isInference { try beginPass(rows: rows, workers, in: workspace) }
        var random = random
        workspace.dropoutKey = dropsOut && !isInference && layers.contains { $0.dropout > 0 } ? random.next() : nil
        workspace.isInference = isInference
        return random
    }

    /// The loss of a minibatch. A registered loss computes its gradient, too, which stays in the workspace.
    private func lossValue(
        _ targets: UnsafePointer<Float>, _ weights: UnsafePointer<Float>?, rows: Int, in workspace: Workspace
    ) throws(BackpropError) -> Double {
        let sum =
            switch loss {
            case .builtIn(let function): lossSum(function, targets, weights, rows: rows, in: workspace)
            case .plugin(let plugin): rows == 0 ? 0 : try lossSum(plugin, targets, weights, rows: rows, in: workspace)
            }
        return reducedLoss(sum, rows: workspace.batchRows)
    }

    func lossSum(
        _ loss: BuiltInLoss, _ targets: UnsafePointer<Float>, _ weights: UnsafePointer<Float>?, rows: Int,
        in workspace: Workspace
    ) -> Double {
        let layerBuffers = workspace.layers[layers.count - 1]
        return lossSum(
            loss, fused: self.loss.isFused(with: layers[layers.count - 1].activation), z: layerBuffers.z.base,
            a: layerBuffers.a.base, targets: targets, weights: weights, rows: rows)
    }

    private func lossSum(
        _ plugin: LossPlugin, _ targets: UnsafePointer<Float>, _ weights: UnsafePointer<Float>?, rows: Int,
        in workspace: Workspace
    ) throws(BackpropError) -> Double {
        let last = layers.count - 1
        let buffers = try workspace.makeLossBuffers(outputs: outputCount)
        for row in 0..<rows {
            cp_copy(
                buffers.outputs.base + row * outputCount, workspace.layers[last].a.base + row * layers[last].stride,
                outputCount * 4)
        }
        try plugin.compute(
            buffers.outputs.base, targets, losses: buffers.losses.base, gradients: buffers.gradients.base, rows: rows,
            outputCount: outputCount)
        var sum = 0.0
        for row in 0..<rows { sum += Double(weights?[row] ?? 1) * buffers.losses.base[row] }
        return sum
    }

    /// Returns the loss of a minibatch from the sum of its rows' losses.
    func reducedLoss(_ sum: Double, rows: Int) -> Double {
        options[.gradientReduction] == 0 ? sum : sum / Double(rows)
    }

    /// Returns a workspace for at least `rows` rows.
    func requireWorkspace(rows: Int) throws(BackpropError) -> Workspace {
        if let workspace, workspace.capacity >= rows { return workspace }
        let made = try Workspace.make(for: self, rows: rows)
        workspace = made
        return made
    }

    private func requireStep(rate: Float) throws(BackpropError) {
        try requireTrainable()
        guard rate.isFinite, rate >= 0 else {
            throw BackpropError(.invalidValue, "a learning rate is finite and at least 0, not \(decimal(rate))")
        }
    }
}
