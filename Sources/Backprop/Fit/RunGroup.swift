import CPlatform

/// Runs that advance together. If their networks have the same settings, they make their steps in lanes. Each run gives the
/// same bits as alone.
final class RunGroup {
    let plan: FitPlan
    /// The settings of all networks.
    let settings: NetworkState
    private(set) var runs: [FitRun] = []
    private var networks: [NetworkState] = []
    /// nil for runs that make each step alone.
    private var lanes: Lanes?

    init(_ plan: FitPlan, _ settings: NetworkState) {
        self.plan = plan
        self.settings = settings
    }

    /// The number of runs in a group, if there are `count` for all threads. 1: such runs have no lanes, or too few would be used.
    static func size(_ plan: FitPlan, _ network: NetworkState, count: Int) -> Int {
        guard case .rows(_, let batches) = plan.source, network.hasLanes(rows: batches.batch), !plan.recovers else { return 1 }
        let share = (count + cp_thread_count() - 1) / cp_thread_count()
        return share > 2 ? min(share, network.laneCount) : 1
    }

    /// Adds a run, and the network that it trains.
    func add(_ run: FitRun, _ network: NetworkState) {
        runs.append(run)
        networks.append(network)
    }

    /// Makes the lanes, after all runs are added.
    func makeLanes() throws(BackpropError) {
        guard runs.count > 1 else { return }
        let lanes = try Lanes.make(networks)
        for index in runs.indices { runs[index].lane = (lanes, index) }
        self.lanes = lanes
    }

    /// Runs each run to its next report or to its end.
    func advance() {
        guard let lanes else {
            for run in runs { run.advance() }
            return
        }
        for run in runs { run.report = nil }
        while runs.contains(where: { $0.isDue }) {
            for run in runs where run.isDue { run.prepareStep() }
            let isStep = runs.contains { $0.minibatch != nil }
            do throws(BackpropError) {
                if try !stepInLanes(lanes) {
                    for run in runs where run.isDue {
                        if isStep { run.releaseLane() }
                        run.stepAlone()
                    }
                }
            } catch {
                for run in runs { run.fail(error) }
            }
            // All report the same steps, so that they stay together.
            guard isStep, let first = runs.first(where: { $0.isDue }), first.isReportDue else { continue }
            for run in runs where run.isDue { run.reportStep() }
        }
    }

    /// Makes the steps of the minibatches. Returns false, without a change, if each run must make its step alone.
    private func stepInLanes(_ lanes: Lanes) throws(BackpropError) -> Bool {
        guard let first = runs.first(where: { $0.minibatch != nil }), let shared = first.minibatch else { return false }
        var due = LaneSet(), count = 0
        for (index, run) in runs.enumerated() {
            guard let minibatch = run.minibatch else { continue }
            if minibatch.weights != shared.weights { return false }
            due.addLane(index)
            count += 1
            lanes.rates[index] = run.prepareRate()
        }
        guard count > 1, shared.rows > settings.fewRows else { return false }
        if due != lanes.held {
            for run in runs { run.releaseLane() }
            try lanes.load(due)
        }
        let rows = try first.scaledRows(shared)
        for lane in 0..<lanes.count {
            if lane < runs.count, let own = runs[lane].minibatch, own.inputs != shared.inputs {
                lanes.setRows(lane, try runs[lane].scaledRows(own))
            } else {
                lanes.setRows(lane, rows)
            }
        }
        guard lanes.step(rows: shared.rows, weights: shared.weights) else { return false }
        for (index, run) in runs.enumerated() where run.minibatch != nil {
            run.record(lanes.loss(index, rows: shared.rows), rows: shared.rows)
        }
        return true
    }
}

extension NetworkState {
    /// Whether several threads can train networks with these settings at the same time.
    var canTrainInParallel: Bool { workers == nil && !loss.isPlugin && layers.allSatisfy { $0.activation.isThreadSafe } }
}
