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
        let batch: Int
        /// With workers, the number of steps of the worker with the most minibatches. The others take part without rows.
        var stepsPerEpoch: Int
        private let dropsLast: Bool
        /// The workers that share each minibatch.
        let sharing: Workers?

        /// `takesAll`: whether a minibatch has all rows, whatever the options say.
        init(_ options: Options<TrainerOption>, rows: Int, takesAll: Bool, _ workers: Workers?) {
            isUniform = options[.sampling] == 1
            let requested = takesAll ? 0 : Int(clamping: Int64(options[.batchSize]))
            batch = requested == 0 ? rows : min(requested, rows)
            dropsLast = options[.dropLast] == 1
            stepsPerEpoch = batch == 0 ? 0 : dropsLast ? rows / batch : (rows + batch - 1) / batch
            sharing = options[.sharedRows] == 1 ? workers : nil
        }

        /// The part of a minibatch of `rows` rows that this process trains on.
        func share(of rows: Int) -> Range<Int> { sharing?.share(of: rows) ?? 0..<rows }

        /// The number of rows of a minibatch, where `left` rows of the epoch are left.
        func rows(of left: Int) -> Int {
            isUniform || left >= batch ? batch : dropsLast || left < 0 ? 0 : left
        }
    }

    private let plan: Plan
    private let data: FitData
    private let seed: UInt64
    private let inputCount, targetCount: Int
    private let inputScaling, targetScaling: Scaling?
    /// Whether the rows must be converted.
    private let isNarrowing: Bool
    /// The rows of epoch `drawnEpoch`, one minibatch after the other; nil if all rows to train on are one minibatch, which is
    /// not shuffled.
    private let order: RowIndices?
    private var drawnEpoch: UInt64?
    /// The rows of the latest minibatch, unless the caller's are used.
    private let inputs, targets, weights: Floats
    private let isGathered: Bool
    /// The step of these rows; nil before the first.
    private var latestStep: UInt64?

    private init(
        plan: Plan, data: FitData, seed: UInt64, for network: NetworkState, order: RowIndices?,
        isGathered: Bool, inputs: consuming Floats, targets: consuming Floats, weights: consuming Floats
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
        self.isGathered = isGathered
        self.inputs = inputs
        self.targets = targets
        self.weights = weights
    }

    static func make(
        _ plan: Plan, _ data: FitData, seed: UInt64, restart: UInt64, for network: NetworkState
    ) throws(BackpropError) -> Sampler {
        let isFullBatch = plan.batch == data.trainingCount && !plan.isUniform && plan.stepsPerEpoch <= 1
        let order = isFullBatch ? nil : try RowIndices.make(try checkedProduct(plan.stepsPerEpoch + 1, plan.batch))
        let isGathered = !isFullBatch || data.split != nil || data.rows.narrowed != nil
        let gathered = isGathered ? plan.batch : 0
        let inputs = try Floats(try checkedProduct(gathered, network.inputCount))
        let targets = try Floats(try checkedProduct(gathered, network.targetCount))
        let weights = try Floats(data.weights == nil ? 0 : gathered)
        var streams = Random(seed: seed, stream: restart)
        let sampler = Sampler(
            plan: plan, data: data, seed: streams.next(), for: network, order: order, isGathered: isGathered, inputs: inputs,
            targets: targets, weights: weights)
        if isFullBatch, isGathered { sampler.gather(plan.batch, at: data.split?.base) }
        return sampler
    }

    /// Copies the rows at `indices`, or all; described rows, as the network computes with them.
    private func gather(_ count: Int, at indices: UnsafePointer<Int>?) {
        if isNarrowing, let rows = data.rows.described {
            rows.inputs.fill(inputs.base, first: 0, count: count, scaling: inputScaling, at: indices)
            rows.targets.fill(targets.base, first: 0, count: count, scaling: targetScaling, at: indices)
        } else {
            for i in 0..<count {
                let row = indices?[i] ?? i
                cp_copy(inputs.base + i * inputCount, data.rows.inputs + row * inputCount, inputCount * 4)
                cp_copy(targets.base + i * targetCount, data.rows.targets + row * targetCount, targetCount * 4)
            }
        }
        if let rowWeights = data.weights {
            for i in 0..<count { weights.base[i] = rowWeights[indices?[i] ?? i] }
        }
    }

    /// The minibatch of a step, counted from 0. Valid until the next call.
    func minibatch(step: UInt64) -> Minibatch {
        var share = plan.share(of: plan.batch)
        if let order {
            let (epoch, index) = step.quotientAndRemainder(dividingBy: UInt64(plan.stepsPerEpoch))
            let first = Int(index) * plan.batch
            let gathered = plan.share(of: plan.rows(of: data.trainingCount - first))
            if latestStep != step {
                if drawnEpoch != epoch { draw(epoch, order) }
                gather(gathered.count, at: order.base + first + gathered.lowerBound)
                latestStep = step
            }
            share = 0..<gathered.count
        }
        let weights = data.weights.map { (isGathered ? UnsafePointer(self.weights.base) : $0) + share.lowerBound }
        return Minibatch(
            inputs: (isGathered ? UnsafePointer(inputs.base) : data.rows.inputs) + share.lowerBound * inputCount,
            targets: (isGathered ? UnsafePointer(targets.base) : data.rows.targets) + share.lowerBound * targetCount,
            weights: weights, rows: share.count, isScaled: isNarrowing)
    }

    private func draw(_ epoch: UInt64, _ order: RowIndices) {
        var random = Random(seed: seed, stream: epoch)
        let count = data.trainingCount
        if plan.isUniform, count > 0 {
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
