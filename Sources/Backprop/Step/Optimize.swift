import CKernels

/// The steps of optimizers, along the gradients in the workspace.
extension NetworkState {
    /// Whether a step is only w −= α ∂f/∂w: then the kernel that computes the gradient also makes the step.
    var isPlainDescent: Bool {
        optimizer == .sgd && options[.weightDecay] == 0 && options[.l1] == 0 && options[.clipNorm] == 0
            && options[.clipValue] == 0
    }

    package func setOptimizer(_ name: String) throws(BackpropError) {
        optimizer = try Optimizer.find(name)
        discardTrainingState()
        discardBuffers()  // whether a row plan exists depends on the optimizer
    }

    /// Makes the optimizer's step along the gradients of a backward pass of `inputs`, or along those in the workspace if
    /// `inputs` is nil; they are finite, and are multiplied by `scale`. `largest`: a bound on the magnitudes of the products.
    /// A call that throws has changed nothing.
    ///
    /// If nothing must be known of all gradients beforehand, each tile of them is used when it is computed, and none is stored.
    func optimize(
        _ inputs: UnsafePointer<Float>?, rows: Int, rate: Float, scale: Float, largest: Double, _ state: OptimizerState? = nil,
        in workspace: Workspace
    ) throws(BackpropError) {
        let state = if let state { state } else { try requireOptimizerState(rate: rate) }
        try workspace.makeGradients(for: self)  // here, so that no later step allocates memory
        var step = step(rate: rate, number: state.steps &+ 1)
        let bounds = bounds(of: step, largest, moment: state.largestMoment, square: state.largestSquare) { largestParameter }
        step.scale = scale
        if let inputs, bounds.areSafe, options[.clipNorm] == 0 {
            run(step, state, workspace, inputs, rows: rows)
        } else {
            if let inputs { collectGradient(inputs, rows: rows, in: workspace) }
            step.scale = clippedScale(scale, workspace)
            if !bounds.areSafe { try requireFinite(step, state, workspace) }
            run(step, state, workspace)
        }
        (state.largestMoment, state.largestSquare) = (bounds.moment, bounds.square)
        if !bounds.areSafe { state.recomputeBounds(optimizer, kernels) }
        state.steps &+= 1
        optimizerState = state
    }

    /// The optimizer's state; before its first step, a new one.
    func requireOptimizerState(rate: Float) throws(BackpropError) -> OptimizerState {
        if let optimizerState { return optimizerState }
        let state = try OptimizerState.make(for: self)
        if optimizer == .irpropMinus {
            let sizes = Optimizer.stepSizes
            state.fill(slot: 1, with: min(max(rate, sizes.lowerBound), sizes.upperBound))
        }
        return state
    }

    /// The constants of step `number`, counted from 1.
    func step(rate: Float, number: UInt64) -> cp_optimizer {
        let decay = options[.weightDecay]
        var step = cp_optimizer()
        step.kind = optimizer.kind
        step.rate = rate
        step.clip = options[.clipValue] == 0 ? .infinity : Float(options[.clipValue])
        step.decay = optimizer == .adamw ? 0 : Float(decay)
        step.l1 = Float(options[.l1])
        step.shrink = optimizer == .adamw ? Float(1 - Double(rate) * decay) : 1
        step.epsilon = Float(options[.epsilon])
        switch optimizer {
        case .sgd, .irpropMinus, .lbfgs, .levenbergMarquardt, .bayesianRegularization: break
        case .momentum, .nesterov:
            step.first_decay = Float(options[.momentum])
            step.first_share = 1
        case .rmsprop:
            step.second_decay = Float(options[.rmspropAlpha])
            step.second_share = Float(1 - options[.rmspropAlpha])
        case .adam, .adamw:
            step.first_decay = Float(options[.beta1])
            step.first_share = Float(1 - options[.beta1])
            step.second_decay = Float(options[.beta2])
            step.second_share = Float(1 - options[.beta2])
            step.rate = Float(Double(rate) / (1 - power(options[.beta1], number, negligible: 0x1p-60)))
            step.second_scale = Float(1 / (1 - power(options[.beta2], number, negligible: 0x1p-60)).squareRoot())
        }
        return step
    }

    /// The factor of all gradients that makes their norm at most clip_norm, and is at most `scale`.
    private func clippedScale(_ scale: Float, _ workspace: Workspace) -> Float {
        let limit = options[.clipNorm]
        guard limit > 0 else { return scale }
        var squares = 0.0
        for index in layers.indices {
            squares += kernels.sum_of_squares(workspace.gradients[index], layers[index].weights.count)
            guard let buffers = workspace.layers[index].norm else { continue }
            squares += kernels.sum_of_squares(buffers.gammaGradient, layers[index].stride)
            squares += kernels.sum_of_squares(buffers.betaGradient, layers[index].stride)
        }
        let norm = squares.squareRoot()
        return norm * Double(scale) > limit ? Float(limit / norm) : scale
    }

    /// The step of biases, γ and β: without weight_decay and l1 unless option decay_biases is 1.
    func stepForBiases(_ step: cp_optimizer) -> cp_optimizer {
        guard options[.decayBiases] == 0 else { return step }
        var biasStep = step
        biasStep.decay = 0
        biasStep.l1 = 0
        biasStep.shrink = 1
        return biasStep
    }

    private func run(_ step: cp_optimizer, _ state: OptimizerState, _ workspace: Workspace) {
        withUnsafePointer(to: step) { step in
            withUnsafePointer(to: stepForBiases(step.pointee)) { biasStep in
                forEachPart(rows: Self.rowsOfStep) { part in
                    forEachRun(of: part, step, biasStep, state, workspace) { kernels.optimize($0, $1, $2, $3, $4, $5) }
                }
                for index in layers.indices {
                    forEachNormRun(of: index, biasStep, state, workspace) { kernels.optimize($0, $1, $2, $3, $4, $5) }
                }
            }
        }
    }

    /// Makes the step by the kernel that computes the gradients.
    private func run(
        _ step: cp_optimizer, _ state: OptimizerState, _ workspace: Workspace, _ inputs: UnsafePointer<Float>, rows: Int
    ) {
        withUnsafePointer(to: step) { step in
            withUnsafePointer(to: stepForBiases(step.pointee)) { biasStep in
                forEachPart(rows: rows + Self.rowsOfStep) { part in
                    let layer = layers[part.layer], at = part.panels.lowerBound * layer.panelSize
                    var step = cp_step(
                        of_weights: step, of_biases: biasStep, first: state.slot(0, layer: part.layer, at: at),
                        second: state.slot(1, layer: part.layer, at: at))
                    computeGradient(inputs, rows: rows, part, layer.weights.base, &step, in: workspace)
                }
                for index in layers.indices {
                    forEachNormRun(of: index, biasStep, state, workspace) { kernels.optimize($0, $1, $2, $3, $4, $5) }
                }
            }
        }
    }

    private typealias Run = (
        _ step: UnsafePointer<cp_optimizer>, _ values: UnsafeMutablePointer<Float>, _ gradient: UnsafePointer<Float>,
        _ first: UnsafeMutablePointer<Float>?, _ second: UnsafeMutablePointer<Float>?, _ count: Int
    ) -> Void

    /// Calls `body` with the weights of a part, panel by panel, and with the biases if the part contains the last input.
    @inline(__always)
    private func forEachRun(
        of part: WeightPart, _ step: UnsafePointer<cp_optimizer>, _ biasStep: UnsafePointer<cp_optimizer>,
        _ state: OptimizerState, _ workspace: Workspace, _ body: Run
    ) {
        let index = part.layer, layer = layers[index]
        let values = layer.weights.base, gradient = workspace.gradients[index]
        func call(_ step: UnsafePointer<cp_optimizer>, at: Int, count: Int) {
            body(
                step, values + at, gradient + at, state.slot(0, layer: index, at: at), state.slot(1, layer: index, at: at),
                count)
        }
        for panel in part.panels {
            let start = panel * layer.panelSize
            call(step, at: start + part.inputs.lowerBound * 16, count: part.inputs.count * 16)
            if part.inputs.upperBound == layer.inputs { call(biasStep, at: start + layer.inputs * 16, count: 16) }
        }
    }

    /// Calls `body` with γ and β of a layer, if it is normalized.
    @inline(__always)
    private func forEachNormRun(
        of index: Int, _ biasStep: UnsafePointer<cp_optimizer>, _ state: OptimizerState, _ workspace: Workspace, _ body: Run
    ) {
        let layer = layers[index]
        guard layer.isTrainable, let norm = layer.norm, let buffers = workspace.layers[index].norm else { return }
        func call(_ values: UnsafeMutablePointer<Float>, _ gradient: UnsafePointer<Float>, at: Int) {
            body(
                biasStep, values, gradient, state.slot(0, layer: index, at: at), state.slot(1, layer: index, at: at),
                layer.stride)
        }
        call(norm.gamma.base, buffers.gammaGradient, at: layer.weights.count)
        call(norm.beta.base, buffers.betaGradient, at: layer.weights.count + layer.stride)
    }

    /// The work of a step, as the number of rows of a product with the same work for each weight.
    private static var rowsOfStep: Int { 8 }

    // MARK: Finite checks

    private var largestAfterClipping: Double {
        func limit(_ option: NetworkOption) -> Double { options[option] == 0 ? .infinity : options[option] }
        return min(limit(.clipNorm), limit(.clipValue))
    }

    /// Bounds on the state after a step, and whether they show that the step and the state are finite.
    struct Bounds {
        let moment, square: Double
        let areSafe: Bool
    }

    /// `largest`, `moment` and `square`: bounds on the gradients and on the state; `largestParameter`: on the parameters.
    func bounds(
        of step: cp_optimizer, _ largest: Double, moment: Double, square: Double, _ largestParameter: () -> Double
    ) -> Bounds {
        var gradient = min(largest, largestAfterClipping) + options[.l1]
        // adamw multiplies the weights instead.
        if options[.weightDecay] > 0, optimizer != .adamw { gradient += options[.weightDecay] * largestParameter() }
        let moment = Double(step.first_decay) * moment + Double(step.first_share) * gradient
        let square = Double(step.second_decay) * square + Double(step.second_share) * gradient * gradient
        return Bounds(
            moment: moment, square: square, areSafe: isSafe(step, gradient: gradient, moment: moment, square: square))
    }

    private var largestParameter: Double {
        var largest = 0.0
        for layer in layers {
            largest = max(largest, Double(kernels.sum_of_magnitudes(layer.weights.base, layer.weights.count)))
            guard let norm = layer.norm else { continue }
            largest = max(largest, Double(kernels.sum_of_magnitudes(norm.gamma.base, layer.stride)))
            largest = max(largest, Double(kernels.sum_of_magnitudes(norm.beta.base, layer.stride)))
        }
        return largest
    }

    private func isSafe(_ step: cp_optimizer, gradient: Double, moment: Double, square: Double) -> Bool {
        let epsilon = options[.epsilon]
        let move =
            switch optimizer {
            case .sgd: gradient
            case .momentum: moment
            case .nesterov: gradient + moment
            case .rmsprop: gradient / epsilon
            case .adam, .adamw: moment / epsilon
            case .irpropMinus, .lbfgs, .levenbergMarquardt, .bayesianRegularization: 0.0  // irprop_minus: at most 50
            }
        let limit = Self.safeNumber  // a NaN fails the comparisons
        guard gradient < limit, move < limit, moment < limit else { return false }
        // The kernel computes g² before it multiplies it by second_share.
        guard step.second_share == 0 || (gradient * gradient < limit && square < limit) else { return false }
        return Double(step.rate) * move < CP_SAFE_STEP && step.shrink.magnitude <= 1
    }

    /// Numbers below this limit remain finite when they are rounded to Float.
    private static var safeNumber: Double { Double(Float.greatestFiniteMagnitude) / 16 }

    /// Computes the step without storing it, and throws if a result is not finite.
    private func requireFinite(
        _ step: cp_optimizer, _ state: OptimizerState, _ workspace: Workspace
    ) throws(BackpropError) {
        try withUnsafePointer(to: step) { step throws(BackpropError) in
            try withUnsafePointer(to: stepForBiases(step.pointee)) { biasStep throws(BackpropError) in
                for index in layers.indices where layers[index].isTrainable {
                    var isFinite = true
                    func check(
                        _ step: UnsafePointer<cp_optimizer>, _ values: UnsafeMutablePointer<Float>,
                        _ gradient: UnsafePointer<Float>, _ first: UnsafeMutablePointer<Float>?,
                        _ second: UnsafeMutablePointer<Float>?, _ count: Int
                    ) {
                        isFinite = isFinite && kernels.is_finite_step(step, values, gradient, first, second, count) != 0
                    }
                    forEachRun(of: WeightPart(index, layers[index]), step, biasStep, state, workspace, check)
                    forEachNormRun(of: index, biasStep, state, workspace, check)
                    guard isFinite else { throw notFinite(index, "step", ", or the optimizer's state after it,") }
                }
            }
        }
    }
}
