import CPlatform

/// "In practice, people run this algorithm for many different initial values of the weight parameters and choose the
/// weights corresponding to the lowest local minimum among all these runs." (notes, §3)
///
/// Trains copies of a network, each from new random weights, and selects the one with the lowest loss; of several, the one
/// with the lowest restart number, so that the order in which they end does not matter. Only the copies in progress and the
/// best one so far are in memory.
final class Restarts {
    private struct Candidate {
        let network: NetworkState
        let result: FitResult

        /// The loss is NaN if no step was made.
        func isWorse(than other: Candidate) -> Bool {
            let (loss, otherLoss) = (result.loss, other.result.loss)
            if otherLoss < loss || (loss.isNaN && !otherLoss.isNaN) { return true }
            return other.result.restart < result.restart && !(loss < otherLoss) && loss.isNaN == otherLoss.isNaN
        }
    }

    private let plan: FitPlan
    /// The source of the copies. Other threads may read the network of the handle during the fit.
    private let template: NetworkState
    private let seed: UInt64

    // Several threads begin and end restarts; cp_lock guards these.
    private var begunCount: UInt64 = 0
    private var best: Candidate?
    /// The error of the diverged restart with the lowest number.
    private var divergence: (error: BackpropError, restart: Int)?
    private var failure: BackpropError?
    /// The reason why the fit ended before all restarts had ended by themselves; nil if it did not.
    private var earlyEnd: FitResult.End?

    private init(_ plan: FitPlan, template: NetworkState) {
        self.plan = plan
        self.template = template
        seed = UInt64(plan.options[.seed])
    }

    static func make(_ plan: FitPlan, _ network: Handle<NetworkState>) throws(BackpropError) -> Restarts {
        let template = try network.read { (state) throws(BackpropError) in try state.copy() }
        template.best = nil
        template.setWorkers(plan.workers)
        return Restarts(plan, template: template)
    }

    /// Runs all restarts and then assigns the best copy to the network, which does not change before that.
    func run(_ network: Handle<NetworkState>) throws(BackpropError) -> FitResult {
        // Otherwise the callbacks run on the calling thread.
        let parallel = template.canTrainInParallel
        if plan.trainer.progress == nil, plan.workers == nil { try runEach(parallel) } else { try runInRounds(parallel) }
        if let failure { throw failure }
        guard let best else {
            throw divergence?.error ?? BackpropError(.invalidValue, "no restart was made")
        }
        if !best.result.loss.isNaN {
            try network.writeInFit { $0.adopt(best.network) }
        }
        var result = best.result
        if let earlyEnd { result.end = earlyEnd }
        return result
    }

    /// Each thread runs one group of restarts after the other to its end.
    private func runEach(_ parallel: Bool) throws(BackpropError) {
        let size = RunGroup.size(plan, template, count: restarts)
        let isComplete = Parallel.run(min(cp_thread_count(), restarts), parallel: parallel) { _ in
            while let group = begin(size) {
                group.advance()
                for run in group.runs { end(run) }
            }
        }
        guard isComplete else { throw .lostInFork }
    }

    private var restarts: Int { Int(plan.options[.restarts]) }

    /// The number of restarts in progress. It does not depend on the number of threads, so that the order of the reports
    /// does not either. Workers make one restart after the other: only some of them may have a progress function.
    private var window: Int {
        if plan.workers != nil { return 1 }
        return RunGroup.size(plan, template, count: .max / 2) > 1 ? 256 : 16
    }

    /// In each round, every restart of the window runs to its next report. Restarts that have ended are replaced by the next
    /// ones.
    private func runInRounds(_ parallel: Bool) throws(BackpropError) {
        let window = window
        let size = RunGroup.size(plan, template, count: min(window, restarts))
        var groups: [RunGroup] = []
        while true {
            let earlier = groups
            var runs: [FitRun] = []
            groups = []
            func include(_ group: RunGroup) {
                let count = runs.count
                for run in group.runs where run.isUnderway { runs.append(run) }
                if runs.count > count { groups.append(group) }
            }
            for group in earlier { include(group) }
            while runs.count < window, let group = begin(min(size, window - runs.count)) { include(group) }
            if runs.isEmpty { return }
            guard Parallel.run(groups.count, parallel: parallel, { groups[$0].advance() }) else { throw .lostInFork }
            try plan.report(runs)
            for run in runs where !run.isUnderway { end(run) }
            if plan.workers == nil, let stopped = runs.first(where: { $0.isStopped }) { earlyEnd = earlyEnd ?? stopped.end }
        }
    }

    /// A group of the next restarts, at most `size`; nil if there are none.
    private func begin(_ size: Int) -> RunGroup? {
        let group = RunGroup(plan, template)
        while group.runs.count < size, let (run, network) = begin() { group.add(run, network) }
        do throws(BackpropError) {
            try group.makeLanes()
        } catch {
            guarded { failure = failure ?? error }
            return nil
        }
        return group.runs.isEmpty ? nil : group
    }

    // MARK: One restart

    /// A run of the next restart, and its network; nil if there is none.
    private func begin() -> (FitRun, NetworkState)? {
        guard let restart = next() else { return nil }
        plan.workers?.stage = .idle
        do throws(BackpropError) {
            try Reserve.require()
            let network = try template.copy()
            network.setWorkers(plan.workers)
            var weights = Random(seed: seed, stream: UInt64.max - 1 - restart)
            network.initialize(seed: weights.next())
            network.fit = plan.start
            network.fit.restart = restart
            return (try FitRun.make(plan, .exclusive(network), network), network)
        } catch {
            guarded { failure = failure ?? error }
            return nil
        }
    }

    /// The number of the next restart. The first one always begins; its run checks itself for cancellation and time limit.
    private func next() -> UInt64? {
        guarded {
            guard failure == nil, begunCount < UInt64(plan.options[.restarts]) else { return nil }
            if begunCount > 0, plan.workers == nil {
                if plan.trainer.isCancelled { earlyEnd = earlyEnd ?? .cancelled }
                if plan.isOverTime { earlyEnd = earlyEnd ?? .timeLimit }
            }
            if earlyEnd != nil { return nil }
            begunCount += 1
            return begunCount - 1
        }
    }

    private func end(_ run: FitRun) {
        guard case .exclusive(let network) = run.access else { return }
        let ended = Candidate(network: network, result: run.result)
        var replaced: Candidate?
        guarded {
            if run.isStopped || (plan.workers != nil && run.end == .timeLimit) { earlyEnd = earlyEnd ?? run.end }
            switch run.outcome {
            case .failed(let error) where error.code == .notFinite:  // a restart that diverges is no candidate
                if divergence.map({ ended.result.restart < $0.restart }) ?? true {
                    divergence = (error, ended.result.restart)
                }
            case .failed(let error):
                failure = failure ?? error
            case .underway, .finished:
                guard best.map({ $0.isWorse(than: ended) }) ?? true else { return }
                replaced = best
                best = ended
            }
        }
        withExtendedLifetime(replaced) {}  // freed outside the lock
    }

    private func guarded<R>(_ body: () -> R) -> R {
        cp_lock()
        defer { cp_unlock() }
        return body()
    }
}
