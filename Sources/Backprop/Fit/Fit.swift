import CPlatform

extension Handle where Object == TrainerState {
    /// Fits the network of a handle. The trainer is busy meanwhile, and the network can be looked at between steps, but
    /// changed by nobody else. A fit that fails leaves it as it was.
    package func fit(
        _ network: Handle<NetworkState>, _ rows: Rows, validation: Rows?
    ) throws(BackpropError) -> FitResult {
        let trainer = try write { (trainer) throws(BackpropError) in
            trainer.beginFit()
            return trainer
        }
        defer { _ = try? writeInFit { (trainer) throws(BackpropError) in trainer.endFit() } }
        try network.write { (network) throws(BackpropError) in network.isBeingFitted = true }
        defer { _ = try? network.writeInFit { (network) throws(BackpropError) in network.isBeingFitted = false } }

        let plan = try network.read { (state) throws(BackpropError) in
            let data = try FitData.make(
                rows, weights: trainer.weights, validation: validation, fraction: trainer.options[.validationFraction],
                seed: UInt64(trainer.options[.seed]), for: state)
            return FitPlan(trainer, data, for: state)
        }
        return try plan.run(network)
    }
}

extension FitPlan {
    fileprivate func run(_ network: Handle<NetworkState>) throws(BackpropError) -> FitResult {
        let seed = UInt64(options[.seed])
        let isResumed = try network.read { (state) throws(BackpropError) in options[.resume] == 1 && state.fit.step > 0 }
        if options[.restarts] > 0, !isResumed { return try runRestarts(network, seed: seed) }

        let start = try network.read { (state) throws(BackpropError) in try state.copy() }
        do throws(BackpropError) {
            let run = try network.writeInFit { (state) throws(BackpropError) in
                if !isResumed {
                    state.fit = FitPosition()
                    state.fit.seed = seed
                }
                return try FitRun.make(self, .shared(network), state)
            }
            try advance([run], parallel: false)
            if case .failed(let error) = run.outcome { throw error }
            return FitResult(loss: run.loss, isStopped: run.isStopped)
        } catch {
            _ = try? network.writeInFit { (state) throws(BackpropError) in try state.assign(from: start) }
            throw error
        }
    }

    /// Runs all to their ends, with the reports in between: those of a round in the order of the runs, whoever was first.
    func advance(_ runs: [FitRun], parallel: Bool) throws(BackpropError) {
        while runs.contains(where: { $0.isUnderway }) {
            Parallel.run(runs.count, parallel: parallel) { runs[$0].advance() }
            guard let progress = trainer.progress else { continue }
            for run in runs {
                guard let report = run.report else { continue }
                let answer = progress(report)
                if answer < 0 { throw BackpropError(.callback, "the progress function gave \(Int(answer))") }
                if answer > 0 {
                    for run in runs { run.stop() }
                }
            }
        }
    }
}
