import CKernels
import CPlatform

/// Levenberg–Marquardt (Hagan and Menhaj 1994), with the damping of Nielsen (1999), and Bayesian regularization on top of it
/// (MacKay 1992; Foresee and Hagan 1997).
extension NetworkState {
    func dampedStep(
        _ rows: TrainingRows, _ state: OptimizerState, _ start: UnsafePointer<Float>, _ trial: UnsafeMutablePointer<Float>
    ) throws(BackpropError) -> Double {
        let isBayesian = optimizer == .bayesianRegularization
        let decaysAll = isBayesian || options[.decayBiases] == 1
        var rowCount = rows.count
        if let workers {
            try workers.agree(fingerprint: fingerprint(.secondOrder), number: Int64(rows.count))
            rowCount = workers.total(before: workers.count)
            workers.rows = rowCount
            guard rowCount > 0 else {
                workers.stage = .settled
                throw Workers.noRows
            }
        }
        // The objective is that of the sum over the rows.
        var decay = options[.weightDecay] / (reducedLoss(1, rows: rowCount))
        let problem = try GaussNewton.make(self, rows, isUniform: decaysAll || decay == 0)
        let (loss, presentCount) = try problem.linearize(at: start)
        try requireFiniteLoss(reducedLoss(loss, rows: rowCount))
        var estimate = DecayEstimate(state)
        if isBayesian { decay = try estimate.update(problem, presentCount, squares: 2 * loss, steps: state.steps) }
        let startValue = loss + problem.setDecay(decay, all: decaysAll)
        let scale = max(problem.largestDiagonal, .leastNormalMagnitude)
        let limit = scale * options[.dampingLimit]
        var damping = state.numbers[0] > 0 ? Double(state.numbers[0]) : scale * options[.damping]
        var growth = 2.0
        var isLower = false
        while !isLower, damping <= limit {
            damping = max(damping, 1e-18 * scale)
            if let predicted = problem.solve(damping: damping), predicted > 0 {
                guard let decayTerm = problem.add(to: start, trial) else { break }
                if kernels.areFinite(trial, parameterCount) {
                    copyParameters(from: trial)
                    let value = try sumOfLosses(rows) + decayTerm
                    let gain = (startValue - value) / predicted
                    isLower = value < startValue
                    if isLower { damping *= max(1 / 3.0, 1 - power(2 * gain - 1, 3)) }
                }
            }
            if !isLower {
                damping *= growth
                growth *= 2
            }
        }
        if !isLower { copyParameters(from: start) }
        state.numbers[0] = isLower ? Float(min(damping, 1e38)) : 0
        if isBayesian { estimate.store(state) }
        return reducedLoss(loss, rows: rowCount)
    }

    /// The sum of the losses of rows, with the present parameters.
    private func sumOfLosses(_ rows: TrainingRows) throws(BackpropError) -> Double {
        var sum = 0.0, failure: BackpropError?
        do throws(BackpropError) {
            let workspace = try requireWorkspace(rows: max(1, min(rows.count, Self.secondOrderBlock)))
            for first in stride(from: 0, to: rows.count, by: Self.secondOrderBlock) {
                sum += try forward(rows, from: first, in: workspace).loss
            }
        } catch {
            failure = error
        }
        guard let workers else {
            if let failure { throw failure }
            return sum
        }
        try workers.agree(fingerprint: fingerprint(.loss), sums: (sum, 0, 0), failure: failure)
        return workers.sum(0)
    }
}

/// α and β, the inverse variances of the weights and of the noise, and γ, the number of effective parameters.
private struct DecayEstimate {
    private var alpha, beta, effectiveParameters: Double

    init(_ state: OptimizerState) {
        (alpha, beta) = (Double(state.numbers[1]), Double(state.numbers[2]))
        effectiveParameters = Double(state.numbers[3])
    }

    func store(_ state: OptimizerState) {
        (state.numbers[1], state.numbers[2]) = (Float(alpha), Float(beta))
        state.numbers[3] = Float(effectiveParameters)
    }

    /// Estimates them from the present weights, after `steps` steps, and returns α / β, the decay that goes with them.
    ///
    ///     α = γ / Σ w²,  β = (n − γ) / Σ r²     for n residuals
    ///
    /// The first four steps have no decay. An estimate from weights that are not trained yet takes the data for noise, and reduces
    /// the weights until the network is linear; after many steps without decay, a large network has fitted the noise.
    mutating func update(
        _ problem: GaussNewton, _ residualCount: Double, squares: Double, steps: UInt64
    ) throws(BackpropError) -> Double {
        guard steps >= 4 else { return 0 }
        let count = Double(problem.parameterCount)
        if alpha > 0 {
            problem.setDecay(alpha / beta, all: true)
            if let effective = try problem.effectiveParameters() { effectiveParameters = min(max(effective, 1e-3), count) }
        } else {
            effectiveParameters = min(count, residualCount / 2)
        }
        let weights = dot(problem.parameters, problem.parameters, problem.parameterCount)
        let freedom = residualCount - effectiveParameters
        alpha = min(effectiveParameters / max(weights, 1e-30), 1e30)
        beta = squares > 0 && freedom > 0 ? min(max(freedom / squares, 1e-30), 1e30) : 1
        return alpha / beta
    }
}
