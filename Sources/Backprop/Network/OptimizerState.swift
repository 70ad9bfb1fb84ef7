import CKernels
import CPlatform

/// The state of an optimizer, in the layout of the parameters. It is created for the first step.
final class OptimizerState {
    /// For each slot, layer by layer, the panels of the weights and then γ and β if the layer is normalized. For a second-order
    /// optimizer, `history` and then `numbers`.
    private let values: Floats
    private let starts: [Int]
    private let slotSize: Int
    /// The number of steps made.
    var steps: UInt64 = 0
    /// Upper bounds on the magnitudes of the moving averages of gradients and of their squares.
    var largestMoment = 0.0
    var largestSquare = 0.0
    /// The gradient after the latest step of L-BFGS. It is used only for the same rows and parameters, and not copied.
    var gradient: LatestGradient?

    /// [2 history × parameters]: the pairs s and y of L-BFGS, of flat vectors.
    var history: UnsafeMutablePointer<Float> { values.base }
    /// L-BFGS: the number of pairs, and the place of the next one. Levenberg–Marquardt: λ; for Bayesian regularization also
    /// α, β and γ, the number of effective parameters. All are at least 0, and 0 before they are estimated.
    var numbers: UnsafeMutablePointer<Float> { values.base + values.count - Self.numberCount }
    static var numberCount: Int { 4 }

    private init(values: consuming Floats, starts: [Int], slotSize: Int) {
        self.values = values
        self.starts = starts
        self.slotSize = slotSize
    }

    static func make(for network: NetworkState) throws(BackpropError) -> OptimizerState {
        var starts: [Int] = []
        var size = 0
        for layer in network.layers {
            starts.append(size)
            size += layer.weights.count + (layer.isNormalized ? 2 * layer.stride : 0)
        }
        if network.optimizer == .lbfgs { size = network.parameterCount }
        let count = try checkedProduct(size, network.optimizer.vectorCount(network.options))
        let values = try Floats(count + (network.optimizer.isSecondOrder ? numberCount : 0))
        return OptimizerState(values: values, starts: starts, slotSize: size)
    }

    func copy() throws(BackpropError) -> OptimizerState {
        let values = try Floats(copying: values)
        let copy = OptimizerState(values: values, starts: starts, slotSize: slotSize)
        copy.steps = steps
        copy.largestMoment = largestMoment
        copy.largestSquare = largestSquare
        return copy
    }

    func assign(from other: OptimizerState) {
        cp_copy(values.base, other.values.base, values.count * 4)
        steps = other.steps
        largestMoment = other.largestMoment
        largestSquare = other.largestSquare
        gradient = nil
    }

    /// A slot's values for a layer, from offset `at`; nil if the optimizer has no such slot.
    func slot(_ slot: Int, layer: Int, at: Int = 0) -> UnsafeMutablePointer<Float>? {
        (slot + 1) * slotSize <= values.count ? values.base + slot * slotSize + starts[layer] + at : nil
    }

    func fill(slot: Int, with value: Float) {
        for i in slot * slotSize..<(slot + 1) * slotSize { values.base[i] = value }
    }

    /// Computes the bounds from the values: after the values were loaded, or when the bounds became too large.
    func recomputeBounds(_ optimizer: Optimizer, _ kernels: cp_kernels) {
        (largestMoment, largestSquare) = (0, 0)
        for (slot, name) in optimizer.slots.enumerated() {
            let sum = Double(kernels.sum_of_magnitudes(values.base + slot * slotSize, slotSize))
            switch name {
            case .momentum, .firstMoment: largestMoment = sum
            case .secondMoment: largestSquare = sum
            case .gradient, .stepSize: break
            }
        }
    }
}

/// The loss of some rows, and the objective and its gradient.
final class LatestGradient {
    let values: Doubles
    var loss = 0.0, objective = 0.0

    private init(values: consuming Doubles) { self.values = values }

    @inline(never)
    static func make(_ count: Int) throws(BackpropError) -> LatestGradient {
        let values = try Doubles(count)
        return LatestGradient(values: values)
    }
}
