import CPlatform

/// The rows of a training call, as the network computes with them.
struct TrainingRows {
    let inputs, targets: UnsafePointer<Float>
    let weights: UnsafePointer<Float>?
    let count: Int
}

/// Steps of the optimizers that evaluate the loss of the same rows at several points.
extension NetworkState {
    /// Makes one iteration on the rows. Returns the loss before it. If no point with a lower loss is found, the parameters
    /// stay.
    func stepOfSecondOrder(_ rows: TrainingRows) throws(BackpropError) -> Double {
        try requireSecondOrderSettings()
        try requireShare(rows.count)
        try requireFinite(rows.inputs, rows: rows.count, columns: inputCount, "inputs")
        try requireFiniteTargets(rows.targets, rows: rows.count, "targets")
        let state = if let optimizerState { optimizerState } else { try OptimizerState.make(for: self) }
        let memory = try Floats(2 * parameterCount), start = memory.base, trial = start + parameterCount
        try getParameters(start, count: parameterCount)
        do throws(BackpropError) {
            let loss =
                optimizer == .lbfgs
                ? try stepOfLBFGS(rows, state, start, trial) : try dampedStep(rows, state, start, trial)
            state.steps &+= 1
            optimizerState = state
            finishStep()
            return loss
        } catch {
            copyParameters(from: start)
            workspace?.clearDeltas()
            throw error
        }
    }

    /// Refuses settings under which the loss of the rows is not a smooth function of the parameters, or that a step of these
    /// optimizers could not respect.
    func requireSecondOrderSettings() throws(BackpropError) {
        guard optimizer.isSecondOrder else { return }
        let isLBFGS = optimizer == .lbfgs
        let problem: StaticString? =
            if layers.contains(where: { $0.dropout > 0 }) {
                "needs the same loss at every evaluation: set dropout 0"
            } else if layers.contains(where: { $0.activation.is(.sign) }) {
                "needs derivatives, which \"sign\" has not: set another activation"
            } else if options[.l1] != 0 || options[.clipNorm] != 0 || options[.clipValue] != 0 {
                "needs l1, clip_norm and clip_value 0"
            } else if !isLBFGS, layers.contains(where: { $0.isTrainable && $0.isNormalized }) {
                "needs rows that do not depend on each other: turn off batch normalization, fold it, or freeze its layers"
            } else if optimizer == .bayesianRegularization, !loss.is(.squaredError) || options[.weightDecay] != 0 {
                "needs loss \"squared_error\" and weight_decay 0, because it chooses the weight decay"
            } else if !isLBFGS, residualForm == nil {
                "needs loss \"squared_error\" or a cross-entropy with its activation: set one, or optimizer \"lbfgs\""
            } else {
                nil
            }
        if let problem { throw optimizerError(problem) }
    }

    func optimizerError(_ problem: StaticString) -> BackpropError {
        BackpropError(.unsupported, "optimizer \"\(optimizer.name)\" \(problem)")
    }

    /// Calls `body` with each layer that is not frozen: the position of its first parameter in a flat vector, and in a vector
    /// of trainable parameters only; the number of its parameters; and the number of those to which weight_decay applies.
    func forEachTrainableLayer(_ body: (_ flat: Int, _ trainable: Int, _ count: Int, _ decayed: Int) -> Void) {
        var flat = 0, trainable = 0
        for layer in layers {
            let count = layer.parameterCount
            if layer.isTrainable {
                body(flat, trainable, count, options[.decayBiases] == 0 ? layer.inputs * layer.outputs : count)
                trainable += count
            }
            flat += count
        }
    }

    /// The number of rows that pass through the network together. The bits of sums depend on it.
    static var secondOrderBlock: Int { 128 }

    /// Runs the forward pass of the block of rows from `first` on. Returns the number of its rows and the sum of their losses.
    func forward(
        _ rows: TrainingRows, from first: Int, in workspace: Workspace
    ) throws(BackpropError) -> (count: Int, loss: Double) {
        let count = min(Self.secondOrderBlock, rows.count - first)
        workspace.dropoutKey = nil
        workspace.isInference = false
        workspace.beginPass(rows: count)
        try forward(rows.inputs + first * inputCount, rows: count, in: workspace)
        guard let loss = loss.builtIn else { return (count, .nan) }
        let weights = rows.weights.map { $0 + first }
        return (count, lossSum(loss, rows.targets + first * targetCount, weights, rows: count, in: workspace))
    }

    package func effectiveParameters() throws(BackpropError) -> Double {
        guard optimizer == .bayesianRegularization else {
            throw optimizerError("does not compute effective parameters: set \"bayesian_regularization\"")
        }
        return optimizerState.map { Double($0.numbers[3]) } ?? 0
    }
}
