import CPlatform

/// The constants of a fit, shared by all its runs.
final class FitPlan {
    let trainer: TrainerState
    let options: Options<TrainerOption>
    /// Whether the fit continues the network's latest fit.
    let isResumed: Bool
    let data: FitData
    let batches: Sampler.Plan
    let schedule: Schedule
    /// The number of steps of the complete fit.
    let steps: UInt64
    /// Whether the loss of a step is the sum over its rows; otherwise it is the mean.
    let lossIsSum: Bool
    private let startTime = cp_seconds()

    var stepsPerEpoch: UInt64 { UInt64(batches.stepsPerEpoch) }
    var epochs: UInt64 { (steps + stepsPerEpoch - 1) / stepsPerEpoch }
    var keepsBest: Bool {
        switch options[.keep] {
        case 1: false
        case 2: true
        default: data.validation != nil || options[.patience] > 0
        }
    }
    var needsBest: Bool { keepsBest || options[.onDivergence] == 1 }
    var isOverTime: Bool { options[.timeLimit] > 0 && cp_seconds() - startTime >= options[.timeLimit] }

    static func make(
        _ trainer: TrainerState, _ rows: Rows, validation: Rows?, for network: NetworkState
    ) throws(BackpropError) -> FitPlan {
        let isResumed = trainer.options[.resume] == 1 && network.fit.step > 0
        let data = try FitData.make(
            rows, weights: trainer.weights, validation: validation, fraction: trainer.options[.validationFraction],
            seed: isResumed ? network.fit.seed : UInt64(trainer.options[.seed]), for: network)
        return FitPlan(trainer, data, isResumed: isResumed, for: network)
    }

    private init(_ trainer: TrainerState, _ data: FitData, isResumed: Bool, for network: NetworkState) {
        self.trainer = trainer
        self.data = data
        self.isResumed = isResumed
        options = trainer.options
        batches = Sampler.Plan(options, rows: data.trainingCount)
        let stepsPerEpoch = UInt64(batches.stepsPerEpoch)
        let requested = options[.steps] > 0 ? options[.steps] : options[.epochs] * Double(stepsPerEpoch)
        steps = UInt64(min(requested, Double(FitPosition.maximumSteps)))
        schedule = Schedule(options, stepsPerEpoch: stepsPerEpoch, steps: steps)
        lossIsSum = network.options[.gradientReduction] == 0
    }

    /// Whether the last step of an epoch has been made, but the epoch has not been finished.
    func isEpochEndDue(_ position: FitPosition) -> Bool { position.rows > 0 && position.step % stepsPerEpoch == 0 }

    /// Whether the fit is complete at this position: all steps made, target loss reached, or patience exhausted.
    func isComplete(_ position: FitPosition) -> Bool {
        if position.step >= steps { return true }
        let patience = options[.patience]
        return position.rows == 0
            && (position.loss < options[.targetLoss] || (patience > 0 && Double(position.waited) >= patience))
    }

    /// The position after an epoch with this loss.
    func position(after epoch: FitPosition, loss: Double) -> (FitPosition, isBetter: Bool) {
        var position = epoch
        position.lossSum = 0
        position.rows = 0
        position.loss = loss
        let isBetter = loss < position.best - options[.minDelta]
        if isBetter {
            position.best = loss
            position.waited = 0
            position.plateauWaited = 0
        } else {
            position.waited += 1
            position.plateauWaited += 1
        }
        if schedule.kind == .plateau, Double(position.plateauWaited) > options[.plateauPatience] {
            position.rateFactor = schedule.reduced(position.rateFactor)
            position.plateauWaited = 0
        }
        return (position, isBetter)
    }
}
