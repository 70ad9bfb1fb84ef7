import CPlatform

/// Selects the rows of each step. The order in an epoch depends only on the seed, the restart and the epoch, so that a fit
/// can be resumed at any step.
final class Sampler {
    struct Minibatch {
        let inputs, targets: UnsafePointer<Float>
        let weights: UnsafePointer<Float>?
        let rows: Int
    }

    /// The division of rows into minibatches.
    struct Plan {
        /// Whether rows are drawn with replacement, i_t uniform (notes, §1).
        let isUniform: Bool
        let batch: Int
        let stepsPerEpoch: Int

        init(_ options: Options<TrainerOption>, rows: Int) {
            isUniform = options[.sampling] == 1
            let requested = Int(options[.batchSize])
            batch = requested == 0 ? rows : min(requested, rows)
            stepsPerEpoch = options[.dropLast] == 1 ? rows / batch : (rows + batch - 1) / batch
        }
    }

    private let plan: Plan
    private let data: FitData
    private let seed: UInt64
    private let inputCount, targetCount: Int
    /// The rows of epoch `drawnEpoch`, one minibatch after the other; nil if all rows are one minibatch, in the caller's
    /// order.
    private let order: RowIndices?
    private var drawnEpoch: UInt64?
    private let inputs, targets, weights: Floats

    private init(
        plan: Plan, data: FitData, seed: UInt64, inputCount: Int, targetCount: Int, order: RowIndices?,
        inputs: consuming Floats, targets: consuming Floats, weights: consuming Floats
    ) {
        self.plan = plan
        self.data = data
        self.seed = seed
        self.inputCount = inputCount
        self.targetCount = targetCount
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
        let gathered = isFullBatch ? 0 : plan.batch
        let inputs = try Floats(try checkedProduct(gathered, network.inputCount))
        let targets = try Floats(try checkedProduct(gathered, network.targetCount))
        let weights = try Floats(data.weights == nil ? 0 : gathered)
        var streams = Random(seed: seed, stream: restart)
        return Sampler(
            plan: plan, data: data, seed: streams.next(), inputCount: network.inputCount, targetCount: network.targetCount,
            order: order, inputs: inputs, targets: targets, weights: weights)
    }

    /// The minibatch of a step, counted from 0. Valid until the next call.
    func minibatch(step: UInt64) -> Minibatch {
        guard let order else {
            return Minibatch(
                inputs: data.rows.inputs, targets: data.rows.targets, weights: data.weights?.base, rows: data.rows.count)
        }
        let (epoch, index) = step.quotientAndRemainder(dividingBy: UInt64(plan.stepsPerEpoch))
        if drawnEpoch != epoch { draw(epoch, order) }
        let first = Int(index) * plan.batch
        let rows = plan.isUniform ? plan.batch : min(plan.batch, data.trainingCount - first)
        for i in 0..<rows {
            let row = order.base[first + i]
            cp_copy(inputs.base + i * inputCount, data.rows.inputs + row * inputCount, inputCount * 4)
            cp_copy(targets.base + i * targetCount, data.rows.targets + row * targetCount, targetCount * 4)
            if let rowWeights = data.weights { weights.base[i] = rowWeights.base[row] }
        }
        return Minibatch(
            inputs: UnsafePointer(inputs.base), targets: UnsafePointer(targets.base),
            weights: data.weights == nil ? nil : UnsafePointer(weights.base), rows: rows)
    }

    private func draw(_ epoch: UInt64, _ order: RowIndices) {
        var random = Random(seed: seed, stream: epoch)
        let count = data.trainingCount
        if plan.isUniform {
            for i in 0..<plan.stepsPerEpoch * plan.batch { order.base[i] = row(random.next(below: count)) }
        } else {
            for i in 0..<count { order.base[i] = row(i) }
            order.shuffle(count, &random)
        }
        drawnEpoch = epoch
    }

    /// The index, among the caller's rows, of the i-th training row.
    private func row(_ i: Int) -> Int { data.split.map { $0.base[i] } ?? i }
}
