import CPlatform

/// The training of one network in a fit, from the first step to the last. A fit with restarts has several runs.
final class FitRun {
    enum Outcome {
        case underway, finished, failed(BackpropError)
    }

    /// Access to the run's network: other threads may read a shared network between steps; an exclusive one belongs to the
    /// run.
    enum Access {
        case shared(Handle<NetworkState>)
        case exclusive(NetworkState)

        func write(_ body: (NetworkState) throws(BackpropError) -> Void) throws(BackpropError) {
            switch self {
            case .shared(let handle): try handle.writeInFit(body)
            case .exclusive(let network):
                do throws(BackpropError) {
                    try body(network)
                    _ = network.ended(nil)
                } catch {
                    throw network.ended(error) ?? error
                }
            }
        }

        func read(_ body: (NetworkState) throws(BackpropError) -> Void) throws(BackpropError) {
            switch self {
            case .shared(let handle): try handle.read(body)
            case .exclusive(let network): try body(network)
            }
        }
    }

    private enum Batches {
        case sampler(Sampler), stream(MinibatchStream)
    }

    let access: Access
    /// The network, if no other thread can read it.
    var exclusiveNetwork: NetworkState? {
        if case .exclusive(let network) = access { network } else { nil }
    }
    private let plan: FitPlan
    var schedule: Schedule
    private let batches: Batches
    /// The network after its best epoch, or before the first step. It is the result of the fit if the best weights are kept,
    /// and the run continues from it after a divergence.
    private let best: NetworkState?
    /// The loss of the weights of `best`; nil if it is unknown. Only runs that recover from divergence compute it: the loss
    /// of an epoch is measured before its steps, so the weights after it can be much worse.
    private var bestLoss: Double?
    private(set) var position: FitPosition
    private(set) var outcome = Outcome.underway
    /// The reason why the run ended, or why it must end.
    private(set) var end: FitResult.End?

    /// The network that gets the result of a run in an ensemble.
    var target: Handle<NetworkState>?

    /// The lane in which the network's steps are made; nil for none.
    var lane: (lanes: Lanes, index: Int)?

    /// The report to pass to the progress function, if one is due.
    var report: Progress?
    private var reportTime = cp_seconds()
    private var rate: Float = 0
    /// The rows of the next step, from `prepareStep` until the step is made.
    private(set) var minibatch: Sampler.Minibatch?
    /// Whether the network is as the latest step of this run has left it.
    private var hasStepped = false
    /// The epoch in which this worker's stream has no more rows; nil for none.
    private var exhaustedEpoch: UInt64?
    /// With workers, the reason to end the fit on which they have agreed. `end` is then the reason of this worker.
    private var agreedEnd: FitResult.End?

    private init(
        access: Access, plan: FitPlan, batches: Batches, best: NetworkState?, position: FitPosition
    ) {
        self.access = access
        self.plan = plan
        schedule = plan.schedule
        self.batches = batches
        self.best = best
        self.position = position
    }

    /// A run that starts at the fit position of `network`, which is the network of `access`.
    /// `neighbour`: another run of the plan with the same rows in all steps, or nil.
    static func make(
        _ plan: FitPlan, _ access: Access, _ network: NetworkState, neighbour: FitRun? = nil
    ) throws(BackpropError) -> FitRun {
        let batches: Batches
        switch (neighbour, plan.source) {
        case (let neighbour?, _): batches = neighbour.batches
        case (nil, .stream(let stream)): batches = .stream(stream)
        case (nil, .rows(let data, let plan)):
            batches = .sampler(
                try Sampler.make(plan, data, seed: network.fit.seed, restart: network.fit.restart, for: network))
        }
        if !plan.needsBest { network.best = nil }
        var best = plan.needsBest ? network.best : nil
        if plan.needsBest, best == nil { best = try makeBest(network) }
        // Before the end of the first epoch, `best` serves recovery from divergence only.
        if plan.recovers || network.fit.best < .infinity { network.best = best }
        return FitRun(access: access, plan: plan, batches: batches, best: best, position: network.fit)
    }

    /// A copy of the network as the best so far. If a resumed fit had a better one that neither the network nor its file
    /// kept (because of other options, or a file of version 0.1), the best loss is unknown.
    private static func makeBest(_ network: NetworkState) throws(BackpropError) -> NetworkState {
        let best = try network.copy()
        if network.fit.waited > 0 || network.fit.rows > 0 {
            best.fit.best = .infinity
            best.fit.waited = 0
            network.fit = best.fit
        }
        return best
    }

    /// Whether `best` has been compared with the network after an epoch.
    private var hasBest: Bool { best != nil && position.best < .infinity }

    var isUnderway: Bool {
        if case .underway = outcome { true } else { false }
    }

    /// The loss of the weights that the run ends with; NaN before the first step.
    var loss: Double {
        if plan.keepsBest, hasBest { return bestLoss ?? position.best }
        return !position.loss.isNaN || position.rows == 0 ? position.loss : position.meanLoss
    }

    var result: FitResult {
        let epochs = plan.epoch(position)
        let waited = min(position.waited, epochs)  // other epochs, if a fit is resumed with minibatches of another size
        return FitResult(
            loss: isDiverged ? .nan : loss, end: isDiverged ? .diverged : end ?? .complete,
            restart: Int(position.restart), missingClass: plan.missingClass,
            counts: (epochs, position.step, position.best < .infinity ? epochs - waited : 0))
    }

    /// The error that ended the run.
    var error: BackpropError? {
        if case .failed(let error) = outcome { error } else { nil }
    }

    var isDiverged: Bool { error?.code == .notFinite }

    var isStopped: Bool { end?.isStop ?? false }

    func stop() {
        if isUnderway { end = .stopped }
    }

    func fail(_ error: BackpropError) { outcome = .failed(error) }

    /// Whether the run is before its next report and its end.
    var isDue: Bool { isUnderway && report == nil }

    /// Runs to the next report or to the end.
    func advance() {
        report = nil
        while isDue {
            let step = position.step
            prepareStep()
            stepAlone()
            if position.step > step, isReportDue { reportStep() }
        }
    }

    // MARK: Steps

    /// Selects the minibatch of the next step, if neither the epoch nor the run ends.
    func prepareStep() {
        do throws(BackpropError) {
            if end == nil, plan.trainer.isCancelled { end = .cancelled }
            if plan.isEpochEndDue(position) { return }
            let ownEnd = plan.workers == nil ? end : agreedEnd
            if let reason = ownEnd ?? plan.end(at: position) {
                end = try agree(on: reason)
                try finish()
                outcome = .finished
            } else {
                minibatch = try nextMinibatch()
            }
        } catch {
            outcome = .failed(error)
        }
    }

    /// Makes the step of the minibatch, or ends the epoch.
    func stepAlone() {
        do throws(BackpropError) {
            try stepOrRecover()
        } catch {
            outcome = .failed(error)
        }
    }

    /// After a divergence, goes back to the best network with half the learning rate.
    private func stepOrRecover() throws(BackpropError) {
        let minibatch = minibatch
        self.minibatch = nil
        do throws(BackpropError) {
            if let minibatch {
                try step(minibatch)
            } else if plan.isEpochEndDue(position) {
                try finishEpoch()
            }
        } catch {
            guard error.code == .notFinite, plan.recovers, let best, position.rateFactor > 0x1p-30 else {
                throw error
            }
            plan.workers?.stage = .idle
            try access.write { network throws(BackpropError) in
                try network.assign(from: best)
                network.fit.rateFactor = position.rateFactor / 2
                position = network.fit
                hasStepped = false
            }
        }
    }

    /// The minibatch of the next step; nil if the stream has ended the epoch or the fit.
    private func nextMinibatch() throws(BackpropError) -> Sampler.Minibatch? {
        switch batches {
        case .sampler(let sampler): return sampler.minibatch(step: position.step)
        case .stream(let stream) where plan.workers != nil: return try sharedMinibatch(stream)
        case .stream(let stream):
            let answer = try stream.minibatch(at: position)
            if end == nil, plan.trainer.isCancelled { end = .cancelled }  // by the stream's function
            switch answer {
            case .minibatch(let minibatch): return isStopped ? nil : minibatch
            case .epochEnd: position.stream?.isEpochEnded = true
            case .stop: end = end ?? .stopped
            }
            return nil
        }
    }

    /// The minibatch of a worker, which is empty if this worker's stream has ended the epoch or the fit.
    private func sharedMinibatch(_ stream: MinibatchStream) throws(BackpropError) -> Sampler.Minibatch {
        let epoch = position.stream?.epoch ?? 0
        plan.workers?.hasMoreRows = false
        if exhaustedEpoch == epoch { return stream.empty }
        switch try stream.minibatch(at: position) {
        case .minibatch(let minibatch):
            if minibatch.rows < stream.capacity { exhaustedEpoch = epoch } else { plan.workers?.hasMoreRows = true }
            return minibatch
        case .epochEnd: exhaustedEpoch = epoch
        case .stop: end = end ?? .stopped
        }
        return stream.empty
    }

    private func step(_ minibatch: Sampler.Minibatch) throws(BackpropError) {
        guard let workers = plan.workers else { return try stepOfNetwork(minibatch) }
        want(workers)
        do throws(BackpropError) {
            try stepOfNetwork(minibatch)
        } catch {
            guard case .settled = workers.stage else { throw error }
            if let end = workers.agreedEnd {
                agreedEnd = Self.ends[end]
            } else if workers.rows == 0, position.stream != nil, position.rows > 0 {
                position.stream?.isEpochEnded = true
            } else {
                throw error
            }
            workers.stage = .idle
        }
    }

    private func stepOfNetwork(_ minibatch: Sampler.Minibatch) throws(BackpropError) {
        prepareRate()
        try access.write { network throws(BackpropError) in
            network.areRowsRepeated = hasStepped
            defer { network.areRowsRepeated = false }
            let loss =
                minibatch.isScaled
                ? try network.train(
                    scaled: minibatch.inputs, minibatch.targets, weights: minibatch.weights, rows: minibatch.rows, rate: rate)
                : try network.train(
                    minibatch.inputs, minibatch.targets, weights: minibatch.weights, rows: minibatch.rows, rate: rate)
            hasStepped = true
            record(loss, rows: plan.workers?.rows ?? minibatch.rows)
            network.fit = position
        }
    }

    /// Returns the learning rate of the next step.
    @discardableResult
    func prepareRate() -> Float {
        rate = schedule.rate(step: position.step, epoch: plan.epoch(position), factor: position.rateFactor)
        return rate
    }

    /// Records a step in the position of the run.
    func record(_ loss: Float, rows: Int) {
        minibatch = nil
        position.lossSum += Double(loss) * (plan.lossIsSum ? 1 : Double(rows))
        position.rows &+= UInt64(rows)
        position.step += 1
        if case .stream(let stream) = batches {
            let isEnd = plan.workers.map { $0.sum(0) == 0 } ?? (rows < stream.capacity)
            position.stream?.advance(endsEpoch: isEnd)
        }
    }

    /// The reasons on which workers agree, in the order of their precedence.
    private static var ends: [FitResult.End] { [.stopped, .cancelled, .timeLimit] }

    /// Proposes the reason for which this worker wants to end the fit, if it has one.
    private func want(_ workers: Workers) {
        if end == nil, plan.isOverTime { end = .timeLimit }
        workers.wantedEnd = Self.ends.firstIndex { $0 == end }
    }

    /// Returns the reason why the fit ends. With workers, it ends on all of them or on none.
    private func agree(on reason: FitResult.End) throws(BackpropError) -> FitResult.End {
        guard let workers = plan.workers else { return reason }
        want(workers)
        try access.read { network throws(BackpropError) in try workers.agree(fingerprint: network.fingerprint(.finish)) }
        workers.wantedEnd = nil
        return agreedEnd ?? workers.agreedEnd.map { Self.ends[$0] } ?? reason
    }

    /// Reports a step, unless it ends an epoch.
    func reportStep() {
        if !plan.isEpochEndDue(position) { report(loss: position.meanLoss, validationLoss: .nan, isEpochEnd: false) }
    }

    /// The rows of a minibatch as the network computes with them.
    func scaledRows(_ rows: Sampler.Minibatch) throws(BackpropError) -> Lanes.Rows {
        guard !rows.isScaled, let network = exclusiveNetwork else { return (rows.inputs, rows.targets) }
        return try network.scaled(rows.inputs, rows.targets, rows: rows.rows)
    }

    /// Brings the network up to date, if its latest steps were made in a lane.
    private func unload() {
        guard let lane, let network = exclusiveNetwork else { return }
        lane.lanes.unload(lane.index)
        network.fit = position
    }

    /// Ends the steps in the lane for now.
    func releaseLane() {
        unload()
        lane?.lanes.vacate(lane?.index ?? 0)
    }

    private func finishEpoch() throws(BackpropError) {
        let loss = position.meanLoss
        let validationLoss = plan.common.isValidated ? try currentLoss() : .nan
        let (after, isBetter) = plan.position(
            after: position, loss: validationLoss.isNaN ? loss : validationLoss, schedule)
        let isBest = isBetter ? try isBetterThanBest(validationLoss) : false
        try access.write { network throws(BackpropError) in
            position = after
            network.fit = after
            guard isBest, let best else { return }
            unload()
            try best.assign(from: network)
            network.best = best
        }
        report(loss: loss, validationLoss: validationLoss, isEpochEnd: true)
    }

    /// The loss of the present weights.
    private func currentLoss() throws(BackpropError) -> Double {
        var loss = Double.nan
        unload()
        try access.read { network throws(BackpropError) in loss = try plan.loss(of: network) }
        return loss
    }

    /// Whether a network after an epoch with a better loss replaces `best`: a run that recovers from divergence compares the
    /// losses of the weights.
    private func isBetterThanBest(_ validationLoss: Double) throws(BackpropError) -> Bool {
        guard plan.comparesWeights else { return true }
        let loss = validationLoss.isNaN ? try currentLoss() : validationLoss
        guard try loss < requireBestLoss() else { return false }
        bestLoss = loss
        return true
    }

    /// Returns the loss of the weights of `best`; infinity if it is not finite.
    private func requireBestLoss() throws(BackpropError) -> Double {
        if let bestLoss { return bestLoss }
        var loss = Double.infinity
        do throws(BackpropError) {
            if let best { loss = try plan.loss(of: best) }
        } catch {
            guard error.code == .notFinite else { throw error }
            plan.workers?.stage = .idle
        }
        bestLoss = loss
        return loss
    }

    /// The network keeps its best network only if the two differ.
    private func finish() throws(BackpropError) {
        releaseLane()
        lane = nil
        if plan.comparesWeights, plan.keepsBest, hasBest { _ = try requireBestLoss() }
        try access.write { network throws(BackpropError) in
            if plan.keepsBest, hasBest, let best { try network.assign(from: best) }
            if let best, network.fit.step == 0 || best.fit.isSame(as: network.fit) { network.best = nil }
        }
    }

    // MARK: Reports

    var isReportDue: Bool {
        guard plan.trainer.progress != nil else { return false }
        let interval = plan.options[.progressInterval], seconds = plan.options[.progressSeconds]
        return (interval > 0 && position.step % UInt64(interval) == 0) || (seconds > 0 && cp_seconds() - reportTime >= seconds)
    }

    private func report(loss: Double, validationLoss: Double, isEpochEnd: Bool) {
        guard plan.trainer.progress != nil else { return }
        report = Progress(
            restart: Int(position.restart), loss: loss, validationLoss: validationLoss, learningRate: Double(rate),
            isEpochEnd: isEpochEnd, counts: (plan.epoch(position), plan.epochs, position.step, plan.steps))
        reportTime = cp_seconds()
    }
}
