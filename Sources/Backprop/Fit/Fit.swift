import CPlatform

extension Handle where Object == TrainerState {
    /// Fits the network of a handle. During the fit, the trainer cannot be changed. Other threads can read the network
    /// between steps, but cannot change it. A fit that fails leaves the network unchanged.
    package func fit(
        _ network: Handle<NetworkState>, _ data: TrainingData, validation: Rows?
    ) throws(BackpropError) -> FitResult {
        try inDefaultEnvironment { () throws(BackpropError) in try run(network, data, validation: validation) }
    }

    private func run(
        _ network: Handle<NetworkState>, _ data: TrainingData, validation: Rows?
    ) throws(BackpropError) -> FitResult {
        let trainer = try beginFit { $0.forgetCancellation() }
        defer { endFit() }
        _ = try network.beginFit()
        defer { network.endFit() }

        var workers: Workers?
        try network.visit(changes: false) { (state) in workers = state.workers }
        workers?.stage = .idle
        do throws(BackpropError) {
            let plan = try network.read { (state) throws(BackpropError) in
                try FitPlan.make(trainer, data, validation: validation, for: state)
            }
            let result = try plan.run(network)
            finishFit { $0.latestResult = result }
            return result
        } catch {
            throw workers?.refuse(error) ?? error
        }
    }
}

extension FitPlan {
    fileprivate func run(_ network: Handle<NetworkState>) throws(BackpropError) -> FitResult {
        if options[.restarts] > 0, !isResumed { return try Restarts.make(self, network).run(network) }

        let start = try network.read { (state) throws(BackpropError) in try state.copy() }
        do throws(BackpropError) {
            let run = try network.writeInFit { (state) throws(BackpropError) in
                if !isResumed {
                    state.fit = self.start
                    state.best = nil
                }
                return try FitRun.make(self, .shared(network), state)
            }
            while run.isUnderway {
                run.advance()
                try report([run])
            }
            if case .failed(let error) = run.outcome { throw error }
            return run.result
        } catch {
            _ = try? network.writeInFit { (state) throws(BackpropError) in
                try state.assign(from: start)
                state.best = start.best
            }
            throw error
        }
    }

    /// Calls the progress function with the reports of the runs, in order. Its result applies to all runs.
    func report(_ runs: [FitRun]) throws(BackpropError) {
        for run in runs {
            guard let report = run.report, try trainer.report(report) else { continue }
            for run in runs { run.stop() }
        }
    }
}

extension TrainerState {
    /// Calls the progress function, if there is one. Returns whether the fit must stop.
    func report(_ report: Progress) throws(BackpropError) -> Bool {
        guard let progress else { return false }
        let answer = HostEnvironment().run { progress(report) }
        if answer < 0 { throw BackpropError(.callback, "the progress function returned \(Int(answer))") }
        return answer > 0
    }
}
