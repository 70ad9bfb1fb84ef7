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
        optimizerState = nil
        forgetBuffers()  // whether single rows have their own plan depends on it
    }

    /// `largest`: a bound on the gradients' magnitudes. What throws has changed nothing.
    func optimize(rate: Float, largest: Double, in workspace: Workspace) throws(BackpropError) {
        let state = if let optimizerState { optimizerState } else { try newOptimizerState(rate: rate) }
        let step = step(rate: rate, number: state.steps &+ 1, in: workspace)
        let bound = max(state.largestGradient, boundAfterDecay(min(largest, largestAfterClipping)))
        if bound * bound < 1e30, bound * Double(rate) * sizeOfStep < 1e30 {
            run(step, state, workspace)
        } else {
            try runCarefully(step, state, workspace)
        }
        state.steps &+= 1
        state.largestGradient = bound
        optimizerState = state
    }

    private func newOptimizerState(rate: Float) throws(BackpropError) -> OptimizerState {
        let state = try OptimizerState.make(for: self)
        if optimizer == .irpropMinus { state.fill(slot: 1, with: min(max(rate, 1e-6), 50)) }
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

    private func run(_ step: cp_optimizer, _ state: OptimizerState, _ workspace: Workspace) {
        var other = step  // for biases, γ and β
        if options[.decayBiases] == 0 {
            other.decay = 0
            other.l1 = 0
            other.shrink = 1
        }
        withUnsafePointer(to: step) { step in
            withUnsafePointer(to: other) { other in run(step, other, state, workspace) }
        }
    }

    private func run(
        _ step: UnsafePointer<cp_optimizer>, _ other: UnsafePointer<cp_optimizer>, _ state: OptimizerState,
        _ workspace: Workspace
    ) {
        func take(
            _ step: UnsafePointer<cp_optimizer>, _ layer: Int, _ values: UnsafeMutablePointer<Float>,
            _ gradient: UnsafePointer<Float>, at: Int, count: Int
        ) {
            kernels.optimize(
                step, values, gradient, state.slot(0, layer: layer, at: at), state.slot(1, layer: layer, at: at), count)
        }
        forEachPart(rows: Self.rowsOfStep) { index, part in
            let layer = layers[index]
            let values = layer.weights.base, gradient = workspace.gradients[index].values.base
            for panel in 0..<layer.panels {
                let start = panel * cp_panel_size(layer.inputs)
                let at = start + part.lowerBound * 16, bias = start + layer.inputs * 16
                take(step, index, values + at, gradient + at, at: at, count: part.count * 16)
                guard part.upperBound == layer.inputs else { continue }
                take(other, index, values + bias, gradient + bias, at: bias, count: 16)
            }
        }
        for index in layers.indices {
            let layer = layers[index]
            guard let norm = layer.norm, let buffers = workspace.layers[index].norm else { continue }
            let at = layer.weights.count
            take(other, index, norm.gamma.base, buffers.gammaGradient, at: at, count: layer.stride)
            take(other, index, norm.beta.base, buffers.betaGradient, at: at + layer.stride, count: layer.stride)
        }
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

    /// A step is at most this times the learning rate and the largest gradient so far. (A sum of less than 1e30 and a
    /// finite number is finite.)
    private var sizeOfStep: Double {
        switch optimizer {
        case .sgd, .irpropMinus: 1
        case .momentum, .nesterov: 1 / (1 - options[.momentum])
        case .rmsprop: 1 / options[.epsilon]
        case .adam, .adamw: 1 / (1 - options[.beta1]) / options[.epsilon]
        }
    }

    /// Where the bounds do not tell: the step is taken, looked at, and taken back.
    private func runCarefully(_ step: cp_optimizer, _ state: OptimizerState, _ workspace: Workspace) throws(BackpropError) {
        let before = try copy()
        run(step, state, workspace)
        let culprit: Text
        if let index = layers.firstIndex(where: { !$0.isFinite(kernels) }) {
            culprit = "the step of layer \(index + 1)"
        } else if !state.isFinite(kernels) {
            culprit = "the optimizer's state after the step"
        } else {
            return
        }
        for (layer, old) in zip(layers, before.layers) { layer.assign(from: old) }
        if let old = before.optimizerState { state.assign(from: old) }
        throw BackpropError(.notFinite, "\(culprit) is not finite")
    }
}

extension Layer {
    fileprivate func isFinite(_ kernels: cp_kernels) -> Bool {
        guard kernels.areFinite(weights.base, weights.count) else { return false }
        guard let norm else { return true }
        return kernels.areFinite(norm.gamma.base, stride) && kernels.areFinite(norm.beta.base, stride)
    }
}
