/// "In practice, people run this algorithm for many different initial values of the weight parameters and choose the
/// weights corresponding to the lowest local minimum among all these runs." (notes, §3)
extension FitPlan {
    /// Trains copies of the network, each from fresh weights; it becomes the one with the lowest loss, the first of them
    /// where several have. Until then it stays as it is.
    func runRestarts(_ network: Handle<NetworkState>, seed: UInt64) throws(BackpropError) -> FitResult {
        var runs: [FitRun] = []
        var isThreadSafe = true
        try network.read { (state) throws(BackpropError) in
            isThreadSafe = state.layers.allSatisfy { $0.activation.isThreadSafe }
            for restart in 0..<UInt64(options[.restarts]) {
                let copy = try state.copy()
                var weights = Random(seed: seed, stream: UInt64.max - 1 - restart)
                copy.initialize(seed: weights.next())
                copy.fit.seed = seed
                copy.fit.restart = restart
                runs.append(try FitRun.make(self, .own(copy), copy))
            }
        }
        // Else a host's functions run on the thread that called.
        try advance(runs, parallel: isThreadSafe)

        var winner: FitRun?
        var failure: BackpropError?
        var isStopped = false
        for run in runs {
            isStopped = isStopped || run.isStopped
            if case .failed(let error) = run.outcome {
                guard error.code == .notFinite else { throw error }  // a start that diverges loses
                failure = failure ?? error
            } else if let best = winner {
                if run.loss < best.loss || best.loss.isNaN { winner = run }
            } else {
                winner = run
            }
        }
        guard let winner else { throw failure ?? BackpropError(.invalidValue, "there are no restarts") }
        if case .own(let copy) = winner.place, !winner.loss.isNaN {
            try network.writeInFit { (state) throws(BackpropError) in try state.assign(from: copy) }
        }
        return FitResult(loss: winner.loss, isStopped: isStopped)
    }
}
