import CKernels
import CPlatform

/// The objective near the present parameters as a sum of squares, ½ Σ (r + J p)² + ½ Σ D (w + p)². There is one residual r for
/// each row and output. J, their Jacobian, and w contain the parameters that are trained; D is their weight decay.
///
/// The matrix of the equations has a row for each parameter, or for each residual if these are fewer and D = d I. Only then J is
/// stored as a whole.
///
///     p = −(JᵀJ + D + λ I)⁻¹ (Jᵀr + D w)
///       = −Jᵀ (JJᵀ + (d + λ) I)⁻¹ (r − d / (d + λ) J w) − d / (d + λ) w
final class GaussNewton {
    private let network: NetworkState
    private let rows: TrainingRows
    let parameterCount, residualCount: Int
    private let hasRowForm: Bool
    private let residualForm: NetworkState.ResidualForm
    /// JᵀJ and, as another column, Jᵀr; or JJᵀ.
    private let matrix: SymmetricMatrix
    private let memory: Doubles
    /// The columns of a block of J and r, in panels of eight; or the rows of J.
    private let panels: UnsafeMutablePointer<Double>
    /// Vectors of parameters: w, D, Jᵀr + D w, and p.
    let parameters, decay, gradient, step: UnsafeMutablePointer<Double>
    /// In the form of rows: r, and a right side. They end with zeros, up to a multiple of eight.
    private let residuals, right: UnsafeMutablePointer<Double>

    private static var block: Int { NetworkState.secondOrderBlock }

    private init(
        _ network: NetworkState, _ rows: TrainingRows, _ parameterCount: Int, _ residualCount: Int, hasRowForm: Bool,
        matrix: SymmetricMatrix, memory: consuming Doubles, panelSize: Int
    ) {
        self.network = network
        self.rows = rows
        self.parameterCount = parameterCount
        self.residualCount = residualCount
        self.hasRowForm = hasRowForm
        residualForm = network.residualForm ?? .difference
        self.matrix = matrix
        panels = memory.base
        parameters = panels + panelSize
        decay = parameters + parameterCount
        gradient = decay + parameterCount
        step = gradient + parameterCount
        residuals = step + parameterCount
        right = residuals + (hasRowForm ? SymmetricMatrix.padded(residualCount) : 0)
        self.memory = memory
    }

    /// `isUniform`: whether all parameters have the same decay.
    @inline(__always)
    static func make(
        _ network: NetworkState, _ rows: TrainingRows, isUniform: Bool
    ) throws(BackpropError) -> GaussNewton {
        var parameterCount = 0
        network.forEachTrainableLayer { _, _, count, _ in parameterCount += count }
        let residualCount = try checkedProduct(rows.count, network.outputCount)
        let hasRowForm = isUniform && residualCount < parameterCount && network.workers == nil
        let size = hasRowForm ? residualCount : parameterCount + 1
        let padded = SymmetricMatrix.padded(size), depth = hasRowForm ? parameterCount : block
        let bytes = SymmetricMatrix.bytes(size) + 8 * Double(padded) * Double(depth)
        guard bytes <= cp_physical_memory() else {
            throw BackpropError(
                .limit,
                "optimizer \"\(network.optimizer.name)\" needs \(UInt64(min(bytes / 1e9, 1e18))) GB for \(parameterCount) parameters "
                    + "and \(residualCount) residuals: set optimizer \"lbfgs\", freeze layers, or pass fewer rows")
        }
        let matrix = try SymmetricMatrix.make(size, network.kernels)
        let panelSize = try checkedProduct(padded, depth)
        let memory = try Doubles(panelSize + 4 * parameterCount + (hasRowForm ? 2 * padded : 0))
        return GaussNewton(
            network, rows, parameterCount, residualCount, hasRowForm: hasRowForm, matrix: matrix, memory: memory,
            panelSize: panelSize)
    }

    // MARK: Jacobian

    /// Computes r and the products of J. Returns the loss, the sum over the rows, and the number of residuals whose targets are
    /// not missing.
    func linearize(at flat: UnsafePointer<Float>) throws(BackpropError) -> (loss: Double, presentCount: Double) {
        network.forEachTrainableLayer { at, start, count, _ in
            for i in 0..<count { parameters[start + i] = Double(flat[at + i]) }
        }
        let outputs = network.outputCount
        let isFused = residualForm != .difference
        let workspace = try network.requireWorkspace(rows: max(1, min(rows.count, Self.block)))
        var sum = 0.0, presentCount = 0.0
        for first in stride(from: 0, to: rows.count, by: Self.block) {
            let (count, loss) = try network.forward(rows, from: first, in: workspace)
            try network.requireFiniteOutputs(rows: count, in: workspace)
            sum += loss
            for output in 0..<outputs {
                for row in 0..<count {
                    let residual = network.startBackward(residualForm, output, rows, first, row, in: workspace)
                    if residual != nil { presentCount += 1 }
                    if hasRowForm {
                        residuals[(first + row) * outputs + output] = residual ?? 0
                    } else {
                        panels[index(parameterCount, row: row, residual: 0)] = residual ?? 0
                    }
                }
                try network.backward(rows: count, fused: isFused, in: workspace, gammaStep: nil)
                try network.requireFiniteDeltas(rows: count, in: workspace)
                Parallel.run(count, parallel: Parallel.threads(for: Int64(count) * Int64(parameterCount)) > 1) { row in
                    store(row, residual: (first + row) * outputs + output, rows.inputs + first * network.inputCount, workspace)
                }
                if !hasRowForm { matrix.addGram(of: panels, depth: count, capacity: Self.block) }
            }
        }
        if hasRowForm { matrix.addGram(of: panels, depth: parameterCount, capacity: parameterCount) }
        if let workers = network.workers {
            try workers.agree(fingerprint: network.fingerprint(.secondOrder), sums: (sum, presentCount, 0))
            (sum, presentCount) = (workers.sum(0), Double(workers.count(1)))
            try matrix.addUp(workers)
        }
        matrix.finishGram()
        return (sum, presentCount)
    }

    /// The place in `panels` of a parameter's derivative of a residual; `row`: its row in the block.
    @inline(__always)
    private func index(_ parameter: Int, row: Int, residual: Int) -> Int {
        hasRowForm
            ? (residual >> 3) * 8 * parameterCount + (residual & 7) + 8 * parameter
            : (parameter >> 3) * 8 * Self.block + (parameter & 7) + 8 * row
    }

    /// Stores the derivatives of a residual: ∂r/∂w = δ x, ∂r/∂b = δ.
    @_optimize(speed)
    private func store(_ row: Int, residual: Int, _ inputs: UnsafePointer<Float>, _ workspace: Workspace) {
        var parameter = 0
        for i in network.layers.indices where network.layers[i].isTrainable {
            let layer = network.layers[i]
            let (x, stride) = network.input(of: i, inputs, in: workspace)
            let input = x + row * stride, delta = workspace.layers[i].delta.base + row * layer.stride
            for output in 0..<layer.outputs {
                let d = Double(delta[output])
                for k in 0..<layer.inputs {
                    panels[index(parameter + k, row: row, residual: residual)] = d * Double(input[k])
                }
                parameter += layer.inputs
            }
            for output in 0..<layer.outputs {
                panels[index(parameter + output, row: row, residual: residual)] = Double(delta[output])
            }
            parameter += layer.outputs
        }
    }

    // MARK: Equations

    /// Sets the decay of the parameters, and completes the gradient. `all`: also of biases. Returns the decay term, ½ Σ D w².
    @discardableResult
    func setDecay(_ value: Double, all: Bool) -> Double {
        network.forEachTrainableLayer { _, start, count, decayed in
            for i in 0..<count { decay[start + i] = all || i < decayed ? value : 0 }
        }
        if hasRowForm { multiply(gradient, residuals, isTransposed: true) }
        var term = 0.0
        for i in 0..<parameterCount {
            if !hasRowForm { gradient[i] = matrix.element(parameterCount, i) }
            gradient[i] += decay[i] * parameters[i]
            term += 0.5 * decay[i] * parameters[i] * parameters[i]
        }
        return term
    }

    /// The size of the matrix.
    private var size: Int { hasRowForm ? residualCount : parameterCount }

    /// The largest element of its diagonal, by which the damping is scaled.
    var largestDiagonal: Double {
        var largest = 0.0
        for i in 0..<size { largest = max(largest, matrix.element(i, i)) }
        return largest
    }

    /// Computes the step for a damping λ > 0. Returns the decrease of the objective that it predicts; nil if rounding has made
    /// the matrix indefinite.
    func solve(damping: Double) -> Double? {
        guard matrix.factor(size, plus: hasRowForm ? decay[0] + damping : damping, hasRowForm ? nil : decay) else { return nil }
        if hasRowForm {
            let share = decay[0] / (decay[0] + damping)
            if share > 0 { multiply(parameters, right, isTransposed: false) }
            for i in 0..<residualCount { right[i] = residuals[i] - share * right[i] }
            matrix.solve(right, size)
            multiply(step, right, isTransposed: true)
            for i in 0..<parameterCount { step[i] = -step[i] - share * parameters[i] }
        } else {
            for i in 0..<parameterCount { step[i] = -gradient[i] }
            matrix.solve(step, size)
        }
        // ½ pᵀ (λ p − g)
        var decrease = 0.0
        for i in 0..<parameterCount { decrease += 0.5 * step[i] * (damping * step[i] - gradient[i]) }
        return decrease
    }

    /// The number of well-determined parameters, γ = Σ λᵢ / (λᵢ + d) over the eigenvalues of JᵀJ (MacKay 1992), for the present
    /// decay d > 0; nil if rounding has made the matrix indefinite.
    func effectiveParameters() throws(BackpropError) -> Double? {
        guard matrix.factor(size, plus: decay[0], nil) else { return nil }
        return Double(size) - decay[0] * (try matrix.inverseTrace(size))
    }

    /// Computes w + p, for a flat vector of all parameters. Returns its decay term, ½ Σ D w²; nil if it is the same as w.
    func add(to start: UnsafePointer<Float>, _ sum: UnsafeMutablePointer<Float>) -> Double? {
        cp_copy(sum, start, network.parameterCount * 4)
        var differs = false
        var term = 0.0
        network.forEachTrainableLayer { at, first, count, _ in
            for i in 0..<count {
                sum[at + i] = Float(parameters[first + i] + step[first + i])
                if sum[at + i] != start[at + i] { differs = true }
                term += 0.5 * decay[first + i] * Double(sum[at + i]) * Double(sum[at + i])
            }
        }
        return differs ? term : nil
    }

    /// In the form of rows, y = J x; or x = Jᵀ y.
    private func multiply(
        _ x: UnsafeMutablePointer<Double>, _ y: UnsafeMutablePointer<Double>, isTransposed: Bool
    ) {
        if isTransposed { cp_clear(x, parameterCount * 8) } else { cp_clear(y, SymmetricMatrix.padded(residualCount) * 8) }
        for first in stride(from: 0, to: residualCount, by: 8) {
            for k in 0..<parameterCount {
                let column = panels + first * parameterCount + 8 * k
                if isTransposed {
                    x[k] += dot(column, y + first, 8)
                } else {
                    Backprop.add(x[k], column, to: y + first, 8)
                }
            }
        }
    }
}
