import CPlatform

/// One way of a network from its first step to its last.
final class FitRun {
    enum Outcome {
        case underway, finished, failed(BackpropError)
    }

    /// A network that others may look at between steps, or one of the run's own.
    enum Place {
        case shared(Handle<NetworkState>)
        case own(NetworkState)

        func change(_ body: (NetworkState) throws(BackpropError) -> Void) throws(BackpropError) {
            switch self {
            case .shared(let handle): try handle.writeInFit(body)
            case .own(let network): try body(network)
            }
        }

        func look(_ body: (NetworkState) throws(BackpropError) -> Void) throws(BackpropError) {
            switch self {
            case .shared(let handle): try handle.read(body)
            case .own(let network): try body(network)
            }
        }
    }

    let place: Place
    private let plan: FitPlan
    private let sampler: Sampler
    /// The network after its best epoch, or as it began: to be kept in the end, or to go back to when the fit diverges.
    private let best: NetworkState?
    private(set) var position: FitPosition
    private(set) var outcome = Outcome.underway
    private(set) var isStopped = false

    /// What there is to tell since the last look, and when that was.
    private(set) var report: Progress?
    private var reported = cp_seconds()
    private var rate: Float = 0

    private init(
        place: Place, plan: FitPlan, sampler: Sampler, best: NetworkState?, position: FitPosition
    ) {
        self.place = place
        self.plan = plan
        self.sampler = sampler
        self.best = best
        self.position = position
    }

    /// From where `network`, which is at that place, is.
    static func make(_ plan: FitPlan, _ place: Place, _ network: NetworkState) throws(BackpropError) -> FitRun {
        let sampler = try Sampler.make(
            plan.batches, plan.data, seed: network.fit.seed, restart: network.fit.restart, for: network)
        if !plan.needsBest { network.best = nil }
        var best = plan.needsBest ? network.best : nil
        if plan.needsBest, best == nil { best = try makeBest(network) }
        // Before the first epoch's end it is for going back to only.
        if plan.options[.onDivergence] == 1 || network.fit.best < .infinity { network.best = best }
        return FitRun(place: place, plan: plan, sampler: sampler, best: best, position: network.fit)
    }

    /// The best network so far is this one. Where the fit had a better one, and neither its network nor its file kept it (it
    /// had other options, or wrote a file of version 0.1), what was best is not known any more.
    private static func makeBest(_ network: NetworkState) throws(BackpropError) -> NetworkState {
        let best = try network.copy()
        if network.fit.waited > 0 || network.fit.rows > 0 {
            best.fit.best = .infinity
            best.fit.waited = 0
            network.fit = best.fit
        }
        return best
    }

    /// Whether `best` is the network after an epoch.
    private var hasBest: Bool { best != nil && position.best < .infinity }

    var isUnderway: Bool {
        if case .underway = outcome { true } else { false }
    }

    /// The loss of the weights the run is left with; NaN before the first step.
    var loss: Double {
        plan.keepsBest && hasBest ? position.best : !position.loss.isNaN || position.rows == 0 ? position.loss : position.meanLoss
    }

    func stop() { isStopped = true }

    /// Goes on to what is to be reported next, or to the end.
    func advance() {
        guard isUnderway else { return }
        report = nil
        do throws(BackpropError) {
            while report == nil {
                isStopped = isStopped || plan.trainer.isCancelled
                if !plan.isEpochDue(position), isStopped || plan.isComplete(position) || plan.isOverTime {
                    try finish()
                    outcome = .finished
                    return
                }
                try goOnOrBack()
            }
        } catch {
            outcome = .failed(error)
        }
    }

    // MARK: Steps

    private func goOnOrBack() throws(BackpropError) {
        do throws(BackpropError) {
            if plan.isEpochDue(position) { try finishEpoch() } else { try step() }
        } catch {
            guard error.code == .notFinite, plan.options[.onDivergence] == 1, let best, position.rateFactor > 0x1p-30 else {
                throw error
            }
            try place.change { network throws(BackpropError) in
                try network.assign(from: best)
                network.fit.rateFactor = position.rateFactor / 2
                position = network.fit
            }
        }
    }

    private func step() throws(BackpropError) {
        let (epoch, place) = position.step.quotientAndRemainder(dividingBy: plan.stepsPerEpoch)
        let minibatch = sampler.minibatch(epoch: epoch, place: Int(place))
        rate = plan.schedule.rate(step: position.step, factor: position.rateFactor)
        try self.place.change { network throws(BackpropError) in
            let loss = try network.train(
                minibatch.inputs, minibatch.targets, weights: minibatch.weights, rows: minibatch.rows, rate: rate)
            position.lossSum += Double(loss) * (plan.lossIsSum ? 1 : Double(minibatch.rows))
            position.rows += UInt64(minibatch.rows)
            position.step += 1
            network.fit = position
        }
        if isReportDue, !plan.isEpochDue(position) {
            report(loss: position.meanLoss, validationLoss: .nan, isEpochEnd: false)
        }
    }

    private func finishEpoch() throws(BackpropError) {
        let loss = position.meanLoss
        var validationLoss = Double.nan
        if let rows = plan.data.validation {
            try place.look { network throws(BackpropError) in
                let sum = Double(try network.evaluate(rows.inputs, rows.targets, rows: rows.count))
                validationLoss = plan.lossIsSum ? sum / Double(rows.count) : sum
            }
        }
        let (after, isBetter) = plan.position(after: position, loss: validationLoss.isNaN ? loss : validationLoss)
        try place.change { network throws(BackpropError) in
            position = after
            network.fit = after
            guard isBetter, let best else { return }
            try best.assign(from: network)
            network.best = best
        }
        report(loss: loss, validationLoss: validationLoss, isEpochEnd: true)
    }

    /// The best network stays with the one that is kept only where that is another.
    private func finish() throws(BackpropError) {
        try place.change { network throws(BackpropError) in
            if plan.keepsBest, hasBest, let best { try network.assign(from: best) }
            if let best, network.fit.step == 0 || best.fit.isSame(as: network.fit) { network.best = nil }
        }
    }

    // MARK: Reports

    private var isReportDue: Bool {
        guard plan.trainer.progress != nil else { return false }
        let interval = plan.options[.progressInterval], seconds = plan.options[.progressSeconds]
        return (interval > 0 && position.step % UInt64(interval) == 0) || (seconds > 0 && cp_seconds() - reported >= seconds)
    }

    private func report(loss: Double, validationLoss: Double, isEpochEnd: Bool) {
        guard plan.trainer.progress != nil else { return }
        report = Progress(
            restart: Int(position.restart), epoch: Int(position.step / plan.stepsPerEpoch), epochs: Int(plan.epochs),
            step: Int(position.step), steps: Int(plan.steps), loss: loss, validationLoss: validationLoss,
            learningRate: Double(rate), isEpochEnd: isEpochEnd)
        reported = cp_seconds()
    }
}
