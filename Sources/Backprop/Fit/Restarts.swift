import CPlatform

/// "In practice, people run this algorithm for many different initial values of the weight parameters and choose the
/// weights corresponding to the lowest local minimum among all these runs." (notes, §3)
///
/// Trains copies of a network, each from fresh weights. The one with the lowest loss wins, the first of them where several
/// have it, so that the order in which they end does not matter. Only the copies at work and the best one so far are in
/// memory.
final class Restarts {
    private struct Winner {
        let network: NetworkState
        let restart: UInt64
        let loss: Double

        /// A loss is NaN where no step was made.
        func loses(to other: Winner) -> Bool {
            if other.loss < loss || (loss.isNaN && !other.loss.isNaN) { return true }
            return other.restart < restart && !(loss < other.loss) && loss.isNaN == other.loss.isNaN
        }
    }

    private let plan: FitPlan
    /// What the copies are made of: others may read the network itself meanwhile.
    private let template: NetworkState
    private let seed: UInt64

    // Several threads begin and end restarts; cp_lock guards these.
    private var begun: UInt64 = 0
    private var winner: Winner?
    /// That of the first restart which diverged.
    private var divergence: (error: BackpropError, restart: UInt64)?
    private var failure: BackpropError?
    private var isStopped = false

    private init(_ plan: FitPlan, template: NetworkState) {
        self.plan = plan
        self.template = template
        seed = UInt64(plan.options[.seed])
    }

    static func make(_ plan: FitPlan, _ network: Handle<NetworkState>) throws(BackpropError) -> Restarts {
        let template = try network.read { (state) throws(BackpropError) in try state.copy() }
        template.best = nil
        return Restarts(plan, template: template)
    }

    /// The network becomes the winner. Until then it stays as it is.
    func run(_ network: Handle<NetworkState>) throws(BackpropError) -> FitResult {
        // Else a host's functions run on the thread that called.
        let parallel = template.layers.allSatisfy { $0.activation.isThreadSafe }
        if plan.trainer.progress == nil { try runEach(parallel) } else { try runInRounds(parallel) }
        if let failure { throw failure }
        guard let winner else {
            throw divergence?.error ?? BackpropError(.invalidValue, "there are no restarts")
        }
        if !winner.loss.isNaN {
            try network.writeInFit { (state) throws(BackpropError) in
                try state.assign(from: winner.network)
                state.best = winner.network.best
            }
        }
        return FitResult(loss: winner.loss, isStopped: isStopped)
    }

    /// Each thread takes one restart after the other to its end.
    private func runEach(_ parallel: Bool) throws(BackpropError) {
        let isWhole = Parallel.run(min(cp_thread_count(), Int(plan.options[.restarts])), parallel: parallel) { _ in
            while let run = begin() {
                run.advance()
                end(run)
            }
        }
        guard isWhole else { throw .lostInFork }
    }

    /// As many at a time, whatever the number of threads: the order of the reports does not depend on it.
    private static var window: Int { 16 }

    /// In each round, every restart of the window goes on to its next report. The next restart takes the place of one that
    /// ended.
    private func runInRounds(_ parallel: Bool) throws(BackpropError) {
        var runs: [FitRun] = []
        while true {
            while runs.count < Self.window, let run = begin() { runs.append(run) }
            if runs.isEmpty { return }
            guard Parallel.run(runs.count, parallel: parallel, { runs[$0].advance() }) else { throw .lostInFork }
            try plan.report(runs)
            for run in runs where !run.isUnderway { end(run) }
            if runs.contains(where: { $0.isStopped }) { isStopped = true }
            runs.removeAll { !$0.isUnderway }
        }
    }

    // MARK: One restart

    /// nil where there is none to begin.
    private func begin() -> FitRun? {
        guard let restart = next() else { return nil }
        do throws(BackpropError) {
            try Reserve.require()
            let network = try template.copy()
            var weights = Random(seed: seed, stream: UInt64.max - 1 - restart)
            network.initialize(seed: weights.next())
            network.fit.seed = seed
            network.fit.restart = restart
            return try FitRun.make(plan, .own(network), network)
        } catch {
            guarded { failure = failure ?? error }
            return nil
        }
    }

    /// The first one begins in any case, and finds out itself that the fit is cancelled or over time.
    private func next() -> UInt64? {
        guarded {
            guard failure == nil, begun < UInt64(plan.options[.restarts]) else { return nil }
            if begun > 0 {
                isStopped = isStopped || plan.trainer.isCancelled
                if isStopped || plan.isOverTime { return nil }
            }
            begun += 1
            return begun - 1
        }
    }

    private func end(_ run: FitRun) {
        guard case .own(let network) = run.place else { return }
        let ended = Winner(network: network, restart: run.position.restart, loss: run.loss)
        var loser: Winner?
        guarded {
            isStopped = isStopped || run.isStopped
            switch run.outcome {
            case .failed(let error) where error.code == .notFinite:  // a start that diverges loses
                if divergence.map({ ended.restart < $0.restart }) ?? true { divergence = (error, ended.restart) }
            case .failed(let error):
                failure = failure ?? error
            case .underway, .finished:
                guard winner.map({ $0.loses(to: ended) }) ?? true else { return }
                loser = winner
                winner = ended
            }
        }
        withExtendedLifetime(loser) {}  // freed outside the lock
    }

    private func guarded<R>(_ body: () -> R) -> R {
        cp_lock()
        defer { cp_unlock() }
        return body()
    }
}
