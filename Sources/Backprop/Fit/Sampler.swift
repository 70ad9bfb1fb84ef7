import CPlatform

/// Selects the rows of each step. The order in an epoch depends only on the seed, the restart and the epoch, so that a fit
/// can be resumed at any step.
final class Sampler {
    struct Minibatch {
        let inputs, targets: UnsafePointer<Float>
        let weights: UnsafePointer<Float>?
        let rows: Int
        /// Whether the rows are as the network computes with them.
        let isScaled: Bool
    }

    /// The division of rows into minibatches.
    struct Plan {
        /// Whether rows are drawn with replacement, i_t uniform (notes, §1).
        let isUniform: Bool
        /// Whether each step has the same rows in the same order.
        let needsAllRows: Bool
        let batch: Int
        let stepsPerEpoch: Int

        init(_ options: Options<TrainerOption>, rows: Int, needsAllRows: Bool) {
            isUniform = options[.sampling] == 1
            self.needsAllRows = needsAllRows
            let requested = needsAllRows ? 0 : Int(options[.batchSize])
            batch = requested == 0 ? rows : min(requested, rows)
            stepsPerEpoch = options[.dropLast] == 1 ? rows / batch : (rows + batch - 1) / batch
        }
    }

    private let plan: Plan
    private let data: FitData
    private let seed: UInt64
    private let inputCount, targetCount: Int
    private let inputScaling, targetScaling: Scaling?
    /// Whether the rows must be converted.
    private let isNarrowing: Bool
    /// The rows of epoch `drawnEpoch`, one minibatch after the other; nil if all rows are one minibatch, in the caller's
    /// order.
    private let order: RowIndices?
    private var drawnEpoch: UInt64?
    private let inputs, targets, weights: Floats

    private init(
        plan: Plan, data: FitData, seed: UInt64, for network: NetworkState, order: RowIndices?,
        inputs: consuming Floats, targets: consuming Floats, weights: consuming Floats
    ) {
        self.plan = plan
        self.data = data
        self.seed = seed
        isNarrowing = data.rows.narrowed != nil
        inputCount = network.inputCount
        targetCount = network.targetCount
        inputScaling = network.inputScaling
        targetScaling = network.targetScaling
        self.order = order
        self.inputs = inputs
        self.targets = targets
        self.weights = weights
    }

    static func make(
        _ plan: Plan, _ data: FitData, seed: UInt64, restart: UInt64, for network: NetworkState
    ) throws(BackpropError) -> Sampler {
        let isFullBatch = plan.batch == data.rows.count && !plan.isUniform
        let order = isFullBatch ? nil : try RowIndices.make(try checkedProduct(plan.stepsPerEpoch + 1, plan.batch))
        let gathered = isFullBatch && data.rows.narrowed == nil ? 0 : plan.batch
        let inputs = try Floats(try checkedProduct(gathered, network.inputCount))
        let targets = try Floats(try checkedProduct(gathered, network.targetCount))
        let weights = try Floats(data.weights == nil ? 0 : gathered)
        var streams = Random(seed: seed, stream: restart)
        let sampler = Sampler(
            plan: plan, data: data, seed: streams.next(), for: network, order: order, inputs: inputs, targets: targets,
            weights: weights)
        if isFullBatch, sampler.isNarrowing { sampler.gather(plan.batch, at: nil) }
        return sampler
    }

    /// Gathers described rows as the network computes with them: those at `indices`, or all.
    @inline(never)
    private func gather(_ count: Int, at indices: UnsafePointer<Int>?) {
        guard let rows = data.rows.described else { return }
        rows.inputs.fill(inputs.base, first: 0, count: count, scaling: inputScaling, at: indices)
        rows.targets.fill(targets.base, first: 0, count: count, scaling: targetScaling, at: indices)
    }

    /// The minibatch of a step, counted from 0. Valid until the next call.
    func minibatch(step: UInt64) -> Minibatch {
        guard let order else {
            return Minibatch(
                inputs: isNarrowing ? UnsafePointer(inputs.base) : data.rows.inputs,
                targets: isNarrowing ? UnsafePointer(targets.base) : data.rows.targets, weights: data.weights,
                rows: data.rows.count, isScaled: isNarrowing)
        }
        let (epoch, index) = step.quotientAndRemainder(dividingBy: UInt64(plan.stepsPerEpoch))
        let first = Int(index) * plan.batch
        let rows = plan.isUniform ? plan.batch : min(plan.batch, data.trainingCount - first)
        if !plan.needsAllRows || drawnEpoch == nil {
            if drawnEpoch != epoch { draw(epoch, order) }
            collect(order.base + first, rows)
        }
        return Minibatch(
            inputs: UnsafePointer(inputs.base), targets: UnsafePointer(targets.base),
            weights: data.weights == nil ? nil : UnsafePointer(weights.base), rows: rows,
            isScaled: isNarrowing)
    }

    /// Copies or converts the rows at `indices`.
    private func collect(_ indices: UnsafePointer<Int>, _ count: Int) {
        if isNarrowing {
            gather(count, at: indices)
        } else {
            for i in 0..<count {
                let row = indices[i]
                cp_copy(inputs.base + i * inputCount, data.rows.inputs + row * inputCount, inputCount * 4)
                cp_copy(targets.base + i * targetCount, data.rows.targets + row * targetCount, targetCount * 4)
            }
        }
        if let rowWeights = data.weights {
            for i in 0..<count { weights.base[i] = rowWeights[indices[i]] }
        }
    }

    private func draw(_ epoch: UInt64, _ order: RowIndices) {
        var random = Random(seed: seed, stream: epoch)
        let count = data.trainingCount
        if plan.isUniform {
            for i in 0..<plan.stepsPerEpoch * plan.batch { order.base[i] = row(random.next(below: count)) }
        } else {
            for i in 0..<count { order.base[i] = row(i) }
            if !plan.needsAllRows { order.shuffle(count, &random) }
        }
        drawnEpoch = epoch
    }

    /// The index, among the caller's rows, of the i-th training row.
    private func row(_ i: Int) -> Int { data.split.map { $0.base[i] } ?? i }
}
