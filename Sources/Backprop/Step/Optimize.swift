import CKernels

/// Steps of optimizers, along the gradients in the workspace.
extension NetworkState {
    /// Whether a step is w −= α ∂f/∂w and nothing else: then the product that gives the gradient takes the step at once.
    var isPlainDescent: Bool {
        optimizer == .sgd && options[.weightDecay] == 0 && options[.l1] == 0 && options[.clipNorm] == 0
            && options[.clipValue] == 0
    }

    package func setOptimizer(_ name: String) throws(BackpropError) {
        optimizer = try Optimizer.find(name)
        forgetTraining()
        forgetBuffers()  // whether single rows have their own plan depends on it
    }

    /// `largest`: a bound on the gradients' magnitudes, which are finite. What throws has changed nothing.
    func optimize(rate: Float, largest: Double, in workspace: Workspace) throws(BackpropError) {
        let state = if let optimizerState { optimizerState } else { try newOptimizerState(rate: rate) }
        let step = step(rate: rate, number: state.steps &+ 1, in: workspace)
        let gradient = boundAfterDecay(min(largest, largestAfterClipping))
        let moment = Double(step.first_decay) * state.largestMoment + Double(step.first_share) * gradient
        let square = Double(step.second_decay) * state.largestSquare + Double(step.second_share) * gradient * gradient
        let isBounded = isSafe(step, gradient: gradient, moment: moment, square: square)
        if !isBounded { try requireFinite(step, state, workspace) }
        run(step, state, workspace)
        (state.largestMoment, state.largestSquare) = (moment, square)
        if !isBounded { state.measure(optimizer, kernels) }
        state.steps &+= 1
        optimizerState = state
    }

    private func newOptimizerState(rate: Float) throws(BackpropError) -> OptimizerState {
        let state = try OptimizerState.make(for: self)
        if optimizer == .irpropMinus {
            let sizes = Optimizer.stepSizes
            state.fill(slot: 1, with: min(max(rate, sizes.lowerBound), sizes.upperBound))
        }
        return state
    }

    private func step(rate: Float, number: UInt64, in workspace: Workspace) -> cp_optimizer {
        let decay = options[.weightDecay]
        var step = cp_optimizer()
        step.kind = optimizer.kind
        step.rate = rate
        step.scale = clippingScale(workspace)
        step.clip = options[.clipValue] == 0 ? .infinity : Float(options[.clipValue])
        step.decay = optimizer == .adamw ? 0 : Float(decay)
        step.l1 = Float(options[.l1])
        step.shrink = optimizer == .adamw ? Float(1 - Double(rate) * decay) : 1
        step.epsilon = Float(options[.epsilon])
        switch optimizer {
        case .sgd, .irpropMinus: break
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
            step.rate = Float(Double(rate) / (1 - power(options[.beta1], number)))
            step.second_scale = Float(1 / (1 - power(options[.beta2], number)).squareRoot())
        }
        return step
    }

    /// What gradients are multiplied with so that their norm is at most clip_norm.
    private func clippingScale(_ workspace: Workspace) -> Float {
        let limit = options[.clipNorm]
        guard limit > 0 else { return 1 }
        var squares = 0.0
        for index in layers.indices {
            squares += kernels.sum_of_squares(workspace.gradients[index].values.base, layers[index].weights.count)
            guard let buffers = workspace.layers[index].norm else { continue }
            squares += kernels.sum_of_squares(buffers.gammaGradient, layers[index].stride)
            squares += kernels.sum_of_squares(buffers.betaGradient, layers[index].stride)
        }
        let norm = squares.squareRoot()
        return norm > limit ? Float(limit / norm) : 1
    }

    /// `others`: of biases, γ and β.
    private func others(_ step: cp_optimizer) -> cp_optimizer {
        guard options[.decayBiases] == 0 else { return step }
        var others = step
        others.decay = 0
        others.l1 = 0
        others.shrink = 1
        return others
    }

    private func run(_ step: cp_optimizer, _ state: OptimizerState, _ workspace: Workspace) {
        withUnsafePointer(to: step) { step in
            withUnsafePointer(to: others(step.pointee)) { others in
                forEachPart(rows: Self.rowsOfStep) { index, part in
                    forEachRun(of: index, part, step, others, state, workspace) { kernels.optimize($0, $1, $2, $3, $4, $5) }
                }
                for index in layers.indices {
                    forEachNormRun(of: index, others, state, workspace) { kernels.optimize($0, $1, $2, $3, $4, $5) }
                }
            }
        }
    }

    private typealias Run = (
        _ step: UnsafePointer<cp_optimizer>, _ values: UnsafeMutablePointer<Float>, _ gradient: UnsafePointer<Float>,
        _ first: UnsafeMutablePointer<Float>?, _ second: UnsafeMutablePointer<Float>?, _ count: Int
    ) -> Void

    /// Calls `body` with the weights that lead from a layer's inputs `part`, panel by panel, and with the last input the
    /// biases.
    @inline(__always)
    private func forEachRun(
        of index: Int, _ part: Range<Int>, _ step: UnsafePointer<cp_optimizer>, _ others: UnsafePointer<cp_optimizer>,
        _ state: OptimizerState, _ workspace: Workspace, _ body: Run
    ) {
        let layer = layers[index]
        let values = layer.weights.base, gradient = workspace.gradients[index].values.base
        func call(_ step: UnsafePointer<cp_optimizer>, at: Int, count: Int) {
            body(
                step, values + at, gradient + at, state.slot(0, layer: index, at: at), state.slot(1, layer: index, at: at),
                count)
        }
        for panel in 0..<layer.panels {
            let start = panel * layer.panelSize
            call(step, at: start + part.lowerBound * 16, count: part.count * 16)
            if part.upperBound == layer.inputs { call(others, at: start + layer.inputs * 16, count: 16) }
        }
    }

    /// The same with γ and β, where there are any.
    @inline(__always)
    private func forEachNormRun(
        of index: Int, _ others: UnsafePointer<cp_optimizer>, _ state: OptimizerState, _ workspace: Workspace, _ body: Run
    ) {
        let layer = layers[index]
        guard let norm = layer.norm, let buffers = workspace.layers[index].norm else { return }
        func call(_ values: UnsafeMutablePointer<Float>, _ gradient: UnsafePointer<Float>, at: Int) {
            body(
                others, values, gradient, state.slot(0, layer: index, at: at), state.slot(1, layer: index, at: at),
                layer.stride)
        }
        call(norm.gamma.base, buffers.gammaGradient, at: layer.weights.count)
        call(norm.beta.base, buffers.betaGradient, at: layer.weights.count + layer.stride)
    }

    /// For each weight a step is as much work as a product with about so many rows.
    private static var rowsOfStep: Int { 8 }

    // MARK: Finite or not at all

    private var largestAfterClipping: Double {
        func limit(_ option: NetworkOption) -> Double { options[option] == 0 ? .infinity : options[option] }
        return min(limit(.clipNorm), limit(.clipValue))
    }

    private func boundAfterDecay(_ gradient: Double) -> Double {
        guard options[.weightDecay] > 0 else { return gradient + options[.l1] }
        var largest = 0.0
        for layer in layers {
            largest = max(largest, Double(kernels.sum_of_magnitudes(layer.weights.base, layer.weights.count)))
            guard let norm = layer.norm else { continue }
            largest = max(largest, Double(kernels.sum_of_magnitudes(norm.gamma.base, layer.stride)))
            largest = max(largest, Double(kernels.sum_of_magnitudes(norm.beta.base, layer.stride)))
        }
        return gradient + options[.l1] + options[.weightDecay] * largest
    }

    /// Whether bounds show that a step and the state after it are finite.
    private func isSafe(_ step: cp_optimizer, gradient: Double, moment: Double, square: Double) -> Bool {
        let epsilon = options[.epsilon]
        let move =
            switch optimizer {
            case .sgd: gradient
            case .momentum: moment
            case .nesterov: gradient + moment
            case .rmsprop: gradient / epsilon
            case .adam, .adamw: moment / epsilon
            case .irpropMinus: 0.0  // at most 50, whatever the rate
            }
        let limit = Self.safeNumber  // a NaN fails the comparisons
        guard gradient < limit, move < limit, moment < limit else { return false }
        // g² is computed before its share is taken.
        guard step.second_share == 0 || (gradient * gradient < limit && square < limit) else { return false }
        return Double(step.rate) * move < CP_SAFE_STEP && step.shrink.magnitude <= 1
    }

    /// Numbers below it are finite floats, after rounding too.
    private static var safeNumber: Double { Double(Float.greatestFiniteMagnitude) / 16 }

    /// Tries the step.
    private func requireFinite(
        _ step: cp_optimizer, _ state: OptimizerState, _ workspace: Workspace
    ) throws(BackpropError) {
        try withUnsafePointer(to: step) { step throws(BackpropError) in
            try withUnsafePointer(to: others(step.pointee)) { others throws(BackpropError) in
                for index in layers.indices {
                    var isFinite = true
                    func look(
                        _ step: UnsafePointer<cp_optimizer>, _ values: UnsafeMutablePointer<Float>,
                        _ gradient: UnsafePointer<Float>, _ first: UnsafeMutablePointer<Float>?,
                        _ second: UnsafeMutablePointer<Float>?, _ count: Int
                    ) {
                        isFinite = isFinite && kernels.is_finite_step(step, values, gradient, first, second, count) != 0
                    }
                    forEachRun(of: index, 0..<layers[index].inputs, step, others, state, workspace, look)
                    forEachNormRun(of: index, others, state, workspace, look)
                    guard isFinite else { throw notFinite(index, "step", ", or the optimizer's state after it,") }
                }
            }
        }
    }
}
