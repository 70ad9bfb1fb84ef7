import CPlatform

extension Handle where Object == TrainerState {
    /// Fits `count` networks to the same rows, each as a fit of its own would. `network` returns the network of an index.
    /// `rates`: their learning rates, or nil for the trainer's. Calls `put` with the result of each network when the fit cannot
    /// fail any more. A fit that fails leaves all networks unchanged. Returns the result of the network with the lowest loss,
    /// whose number is its `restart`.
    package func fit(
        count: Int, _ network: (Int) throws(BackpropError) -> Handle<NetworkState>, rates: UnsafePointer<Double>?,
        _ rows: Rows, validation: Rows?, put: (Int, FitResult) -> Void
    ) throws(BackpropError) -> FitResult {
        try inDefaultEnvironment { () throws(BackpropError) in
            let ensemble = Ensemble(try beginFit { $0.forgetCancellation() }, count)
            defer {
                ensemble.endFits()
                endFit()
            }
            let result = try ensemble.fit(network, rates, rows, validation: validation, put: put)
            finishFit { $0.latestResult = result }
            return result
        }
    }
}

/// A fit of several networks. Networks with the same settings share a plan, and make groups.
private final class Ensemble {
    private let trainer: TrainerState
    private let count: Int
    /// The run of each network.
    private var runs: [FitRun] = []
    private var groups: [RunGroup] = []

    init(_ trainer: TrainerState, _ count: Int) {
        self.trainer = trainer
        self.count = count
    }

    func fit(
        _ network: (Int) throws(BackpropError) -> Handle<NetworkState>, _ rates: UnsafePointer<Double>?, _ rows: Rows,
        validation: Rows?, put: (Int, FitResult) -> Void
    ) throws(BackpropError) -> FitResult {
        guard trainer.options[.restarts] == 0 else {
            throw BackpropError(.unsupported, "restarts draw new weights for one network: set 0 to fit several")
        }
        try forEach { index throws(BackpropError) in
            try add(try network(index), rate: rates.map { $0[index] }, rows, validation: validation)
        }
        try run()
        let result = try bestResult()
        // A freed network fails the fit before any network changes.
        try forEach { index throws(BackpropError) in try runs[index].target?.visit(changes: false) { _ in } }
        for (index, run) in runs.enumerated() {
            put(index, run.result)
            if !run.isDiverged, let trained = run.exclusiveNetwork { run.target?.finishFit { $0.adopt(trained) } }
        }
        return result
    }

    /// Calls `body` with the index of each network. The message of its error names the network.
    @inline(never)
    private func forEach(_ body: (Int) throws(BackpropError) -> Void) throws(BackpropError) {
        for index in 0..<count {
            do throws(BackpropError) {
                try body(index)
            } catch {
                throw BackpropError(error.code, "network \(index): \(error.message)")
            }
        }
    }

    func endFits() {
        for run in runs { run.target?.endFit() }
    }

    /// Begins the fit of a network, of which the ensemble trains a copy.
    private func add(
        _ handle: Handle<NetworkState>, rate: Double?, _ rows: Rows, validation: Rows?
    ) throws(BackpropError) {
        try Reserve.require()
        do throws(BackpropError) {
            _ = try handle.beginFit()
        } catch {
            guard runs.contains(where: { $0.target?.gate == handle.gate }) else { throw error }
            throw BackpropError(.invalidValue, "it is in the array twice")
        }
        do throws(BackpropError) {
            try addRun(handle, rate: rate, rows, validation: validation)
        } catch {
            handle.endFit()
            throw error
        }
    }

    private func addRun(
        _ handle: Handle<NetworkState>, rate: Double?, _ rows: Rows, validation: Rows?
    ) throws(BackpropError) {
        var copy: NetworkState?
        try handle.visit(changes: false) { (state) throws(BackpropError) in
            guard state.workers == nil else {
                throw BackpropError(.unsupported, "it has an all-reduce function: give each worker other networks, without one")
            }
            copy = try state.copy()
        }
        guard let network = copy else { return }
        if let other = groups.first?.settings, !other.hasLayers(of: network) || other.targetCount != network.targetCount {
            throw BackpropError(.mismatch, "its layers, or the targets of its loss, are not those of network 0")
        }
        let similar = groups.last { $0.includes(network) }
        let plan =
            if let similar { similar.plan } else { try FitPlan.make(trainer, .rows(rows), validation: validation, for: network) }
        if !plan.isResumed {
            network.fit = plan.start
            network.best = nil
        }
        let isFull = similar.map { $0.runs.count >= RunGroup.size(plan, network, count: count) } ?? true
        let run = try FitRun.make(plan, .exclusive(network), network, neighbour: isFull ? nil : similar?.runs.first)
        if let rate { try run.schedule.setPeak(rate) }
        let group = if let similar, !isFull { similar } else { RunGroup(plan, network) }
        if isFull { groups.append(group) }
        group.add(run, network)
        run.target = handle
        runs.append(run)
    }

    /// Runs all to their ends.
    private func run() throws(BackpropError) {
        for group in groups { try group.makeLanes() }
        let parallel = groups.allSatisfy { $0.settings.canTrainInParallel }
        // With reports within an epoch, the other groups wait with theirs of its end.
        var isWithinEpoch = false
        func isDue(_ group: RunGroup) -> Bool {
            group.runs.contains { $0.isUnderway && (!isWithinEpoch || $0.report?.isEpochEnd == false) }
        }
        while groups.contains(where: isDue) {
            let isComplete = Parallel.run(groups.count, parallel: parallel) { index in
                if isDue(groups[index]) { groups[index].advance() }
            }
            guard isComplete else { throw .lostInFork }
            isWithinEpoch = runs.contains { $0.report?.isEpochEnd == false }
            try report(isEpochEnd: !isWithinEpoch)
        }
    }

    /// Calls the progress function with the report of the network with the lowest loss.
    private func report(isEpochEnd: Bool) throws(BackpropError) {
        var best: Progress?
        for (index, run) in runs.enumerated() {
            guard var report = run.report, report.isEpochEnd == isEpochEnd else { continue }
            report.restart = index
            if best.map({ report.fitLoss < $0.fitLoss || $0.fitLoss.isNaN }) ?? true { best = report }
        }
        guard let best, try trainer.report(best) else { return }
        for run in runs { run.stop() }
    }

    /// The result of the network with the lowest loss.
    private func bestResult() throws(BackpropError) -> FitResult {
        var best: Int?
        for (index, run) in runs.enumerated() where !run.isDiverged {
            if let error = run.error { throw error }
            if best.map({ run.loss < runs[$0].loss || runs[$0].loss.isNaN }) ?? true { best = index }
        }
        guard let best else { throw runs[0].error ?? .lostInFork }  // all have diverged
        var result = runs[best].result
        result.restart = best
        if let stopped = runs.first(where: { $0.isStopped }) { result.end = stopped.end ?? result.end }
        return result
    }
}

extension RunGroup {
    /// Whether a run of the network could be in this group, if it is not full.
    fileprivate func includes(_ network: NetworkState) -> Bool {
        settings.optimizerState?.steps == network.optimizerState?.steps && settings.hasSettings(of: network)
            && (plan.options[.resume] == 0 || settings.fit.isContinued(as: network.fit))
    }
}

extension FitPosition {
    /// Whether a resumed fit has the same rows in its next steps.
    fileprivate func isContinued(as other: FitPosition) -> Bool {
        seed == other.seed && restart == other.restart && step == other.step && trainingRows == other.trainingRows
            && batchSize == other.batchSize && stream == nil && other.stream == nil
    }
}

extension Progress {
    /// The loss by which fits are compared.
    fileprivate var fitLoss: Double { validationLoss.isNaN ? loss : validationLoss }
}
