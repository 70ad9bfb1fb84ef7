import CPlatform

/// The caller's training data: rows in memory, or the function of a stream.
package enum TrainingData {
    case rows(Rows), stream(MinibatchStream.Next)
}

/// The constants of a fit, shared by all its runs.
final class FitPlan {
    /// The source of the minibatches.
    enum Source {
        case rows(FitData, Sampler.Plan)
        case stream(MinibatchStream)
    }

    let trainer: TrainerState
    let options: Options<TrainerOption>
    /// Whether the fit continues the network's latest fit.
    let isResumed: Bool
    let source: Source
    /// nil without validation, or for a worker without validation rows.
    let validation: Rows?
    /// The workers that make the fit together, and what they have agreed on.
    let workers: Workers?
    let common: CommonData
    let schedule: Schedule
    /// The number of steps of the complete fit; 0 if a stream determines it.
    let steps: UInt64
    /// Whether the loss of a step is the sum over its rows; otherwise it is the mean.
    let lossIsSum: Bool
    private let startTime = cp_seconds()

    /// 0 if a stream determines it.
    private var stepsPerEpoch: UInt64 { common.stepsPerEpoch }
    /// The number of epochs of the complete fit; 0 if a stream determines it.
    var epochs: UInt64 {
        if case .stream = source { return options[.steps] > 0 ? 0 : UInt64(options[.epochs]) }
        return (steps + stepsPerEpoch - 1) / stepsPerEpoch
    }
    var keepsBest: Bool {
        switch options[.keep] {
        case 1: false
        case 2: true
        default: common.isValidated || options[.patience] > 0 || comparesWeights
        }
    }
    var needsBest: Bool { keepsBest || recovers }
    /// Whether the fit continues after a divergence.
    var recovers: Bool { options[.onDivergence] == 1 }
    /// Whether the best network is the one with the lowest loss of its weights, and not the one after the epoch with the lowest
    /// loss, which is measured before the epoch's steps. A stream has no rows to compute the loss of weights from.
    var comparesWeights: Bool {
        if case .stream = source { recovers && common.isValidated } else { recovers }
    }
    var isOverTime: Bool { options[.timeLimit] > 0 && cp_seconds() - startTime >= options[.timeLimit] }

    static func make(
        _ trainer: TrainerState, _ data: TrainingData, validation: Rows?, for network: NetworkState
    ) throws(BackpropError) -> FitPlan {
        let options = trainer.options
        let isResumed = options[.resume] == 1 && network.fit.step > 0
        let plan: FitPlan
        switch data {
        case .rows(let rows):
            try network.requireResumable(isResumed, isStream: false)
            let data = try FitData.make(
                rows, weights: trainer.weights, validation: validation, fraction: options[.validationFraction],
                stratify: options[.stratify] == 1, seed: isResumed ? network.fit.seed : UInt64(options[.seed]), for: network)
            if options[.sampling] == 1 { try network.requireStochasticOptimizer() }
            var batches = Sampler.Plan(
                options, rows: data.trainingCount, takesAll: network.optimizer.isSecondOrder, network.workers)
            let common = try CommonData.make(
                rows: data.trainingCount, batch: batches.batch, stepsPerEpoch: Int64(batches.stepsPerEpoch),
                validationRows: data.validation?.count ?? 0, options, for: network)
            guard common.stepsPerEpoch > 0 else { throw Workers.noRows }
            batches.stepsPerEpoch = Int(min(common.stepsPerEpoch, UInt64(mostNumbers)))
            plan = FitPlan(
                trainer, .rows(data, batches), validation: data.validation, common, isResumed: isResumed, for: network)
        case .stream(let next):
            try network.requireResumable(isResumed, isStream: true)
            try trainer.requireStreamOptions(isValidated: validation != nil)
            try network.requireStochasticOptimizer()
            try network.requireFittable(nil, weights: nil, rows: 0)
            if let validation { try network.requireValidation(validation) }
            let stream = try MinibatchStream.make(next, options, for: network)
            let common = try CommonData.make(
                rows: 0, batch: stream.capacity, stepsPerEpoch: Int64(options[.stepsPerEpoch]),
                validationRows: validation?.count ?? 0, options, for: network)
            plan = FitPlan(trainer, .stream(stream), validation: validation, common, isResumed: isResumed, for: network)
        }
        if isResumed { try plan.requireSameData(as: network.fit) }
        return plan
    }

    private init(
        _ trainer: TrainerState, _ source: Source, validation: Rows?, _ common: CommonData, isResumed: Bool,
        for network: NetworkState
    ) {
        self.trainer = trainer
        self.source = source
        self.validation = validation
        self.common = common
        workers = network.workers
        self.isResumed = isResumed
        options = trainer.options
        let requested = options[.steps] > 0 ? options[.steps] : options[.epochs] * Double(common.stepsPerEpoch)
        steps = UInt64(min(requested, Double(FitPosition.maximumSteps)))
        schedule = Schedule(options, steps: steps)
        lossIsSum = network.options[.gradientReduction] == 0
    }

    var missingClass: Int? {
        if case .rows(let data, _) = source { data.missingClass } else { nil }
    }

    /// The position of a new fit.
    var start: FitPosition {
        var position = FitPosition()
        position.seed = UInt64(options[.seed])
        position.trainingRows = common.rows | common.separateWorkers << FitPosition.rowBits
        position.batchSize = common.batch
        if case .stream = source { position.stream = StreamPosition() }
        return position
    }

    /// Refuses to continue a fit of another seed, other numbers of rows, or rows of another number of workers: its order of the
    /// rows, and the rows held out for validation, would be other ones.
    private func requireSameData(as fit: FitPosition) throws(BackpropError) {
        let start = start
        var (name, old, new): (StaticString, UInt64, UInt64) = ("seed", fit.seed, start.seed)
        if old == new, fit.batchSize > 0 {
            let bits = FitPosition.rowBits
            (name, old, new) = ("the number of workers with their own rows", fit.trainingRows >> bits, start.trainingRows >> bits)
            if old == new { (name, old, new) = ("the number of training rows", fit.trainingRows, start.trainingRows) }
            if old == new { (name, old, new) = ("batch_size", fit.batchSize, start.batchSize) }
        }
        if old == new { return }
        throw BackpropError(
            .invalidValue,
            "option \"resume\": the network's latest fit had \(name) \(old), not \(new): use the same, or start a new fit")
    }

    /// The number of finished epochs.
    func epoch(_ position: FitPosition) -> UInt64 { position.stream?.epoch ?? position.step / stepsPerEpoch }

    /// The mean loss per row with the weights of a network: of the validation rows, or otherwise of all training rows; NaN
    /// if there are neither.
    func loss(of network: NetworkState) throws(BackpropError) -> Double {
        if common.isValidated { return try loss(of: network, validation, weights: validation?.weights) }
        guard case .rows(let data, _) = source else { return .nan }
        return try loss(of: network, data.rows, weights: data.weights)
    }

    /// The mean loss of rows; with workers, of the rows of all of them.
    private func loss(
        of network: NetworkState, _ rows: Rows?, weights: UnsafePointer<Float>?
    ) throws(BackpropError) -> Double {
        let count = rows?.count ?? 0
        let share = common.areRowsShared ? workers?.share(of: count) ?? 0..<count : 0..<count
        var sum = 0.0
        var failure: BackpropError?
        if let rows, !share.isEmpty {
            do throws(BackpropError) {
                let loss = try network.evaluate(
                    rows.part(share, inputs: network.inputCount, targets: network.targetCount),
                    weights: weights.map { $0 + share.lowerBound })
                sum = lossIsSum ? Double(loss) : Double(loss) * Double(share.count)
            } catch {
                failure = error
            }
        }
        guard let workers else {
            if let failure { throw failure }
            return sum / Double(count)
        }
        try workers.agree(fingerprint: network.fingerprint(.loss), sums: (sum, Double(share.count), 0), failure: failure)
        return workers.sum(0) / workers.sum(1)
    }

    /// Whether the last step of an epoch has been made, but the epoch has not been finished.
    func isEpochEndDue(_ position: FitPosition) -> Bool {
        guard let stream = position.stream else { return position.rows > 0 && position.step % stepsPerEpoch == 0 }
        return stream.isEpochEnded || (stepsPerEpoch > 0 && stream.batch >= stepsPerEpoch)
    }

    /// The reason to end the fit at this position; nil if it continues.
    func end(at position: FitPosition) -> FitResult.End? {
        if position.rows == 0, position.loss < options[.targetLoss] { return .targetLoss }
        if position.rows == 0, options[.patience] > 0, Double(position.waited) >= options[.patience] { return .patience }
        if let stream = position.stream, options[.steps] == 0 {
            if Double(stream.epoch) >= options[.epochs] { return .complete }
        } else if position.step >= steps {
            return .complete
        }
        return workers == nil && isOverTime ? .timeLimit : nil
    }

    /// The position after an epoch with this loss, for a run with this schedule.
    func position(
        after epoch: FitPosition, loss: Double, _ schedule: Schedule
    ) -> (FitPosition, isBetter: Bool) {
        var position = epoch
        position.lossSum = 0
        position.rows = 0
        position.stream?.finishEpoch()
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

extension TrainerState {
    /// Refuses options that need all rows, or their number.
    fileprivate func requireStreamOptions(isValidated: Bool) throws(BackpropError) {
        let schedule = Schedule.Kind(rawValue: Int(options[.schedule]))
        let problem: StaticString? =
            if options[.batchSize] == 0 {
                "batch_size 0 needs all rows: set another number"
            } else if options[.sampling] == 1 {
                "sampling 1 needs all rows: set 0, for the order of the stream"
            } else if options[.restarts] > 0 {
                "restarts need all rows: set 0"
            } else if options[.validationFraction] > 0, !isValidated {
                "validation_fraction needs all rows: pass validation rows"
            } else if schedule == .cosine || schedule == .oneCycle, options[.steps] == 0, options[.stepsPerEpoch] == 0 {
                "this schedule needs the number of steps: set steps or steps_per_epoch"
            } else if weights != nil {
                "remove the row weights of the trainer: a stream has its own"
            } else {
                nil
            }
        if let problem { throw BackpropError(.unsupported, "a fit from a stream: \(problem)") }
    }
}

extension NetworkState {
    /// A fit of arrays has no position in a stream, and a fit from a stream has no position in arrays.
    fileprivate func requireResumable(_ isResumed: Bool, isStream: Bool) throws(BackpropError) {
        guard isResumed, (fit.stream != nil) != isStream else { return }
        throw BackpropError(
            .unsupported,
            isStream
                ? "option \"resume\": the network's latest fit was not from a stream"
                : "option \"resume\": the network's latest fit was from a stream")
    }

    fileprivate func requireStochasticOptimizer() throws(BackpropError) {
        guard !optimizer.isSecondOrder else {
            throw optimizerError("needs all rows in each step: call bp_trainer_fit, with sampling 0")
        }
    }
}
