/// The numbers of a fit that are the same for all workers. Without workers, those of this process.
struct CommonData {
    /// The numbers of training rows, 0 in a stream, and of rows of a minibatch.
    let rows, batch: UInt64
    /// 0 if a stream determines it.
    let stepsPerEpoch: UInt64
    /// Whether any worker has validation rows.
    let isValidated: Bool
    /// Whether all workers have all rows, and each trains on a share of each minibatch.
    let areRowsShared: Bool
    /// The number of workers that each have their own rows in memory; 0 for one process, shared rows and streams.
    let separateWorkers: UInt64

    /// `rows`, `batch`, `stepsPerEpoch` and `validationRows`: of this worker.
    @inline(never)
    static func make(
        rows: Int, batch: Int, stepsPerEpoch: Int64, validationRows: Int, _ options: Options<TrainerOption>,
        for network: NetworkState
    ) throws(BackpropError) -> CommonData {
        var (rows, batch, steps, isValidated) = (UInt64(rows), UInt64(batch), UInt64(stepsPerEpoch), validationRows > 0)
        var separateWorkers: UInt64 = 0
        let isShared = options[.sharedRows] == 1
        if let workers = network.workers {
            var hash = Fingerprint()
            for option in TrainerOption.allCases where !option.mayDiffer(isShared: isShared) {
                hash.add(options[option].bitPattern)
            }
            for word in network.fit.words { hash.add(word) }
            if isShared {
                hash.add(rows)
                hash.add(UInt64(validationRows))
            }
            workers.argument = hash.value
            try workers.agree(
                fingerprint: network.fingerprint(.fit), number: stepsPerEpoch,
                sums: (Double(rows), Double(batch), isValidated ? 1 : 0))
            isValidated = workers.sum(2) > 0
            if !isShared {
                (rows, batch) = (workers.count(0), workers.count(1))
                if rows > 0, workers.count > 1 { separateWorkers = UInt64(workers.count) }
            }
            for worker in 0..<workers.count { steps = max(steps, workers.number(of: worker)) }
        }
        return CommonData(
            rows: rows, batch: batch, stepsPerEpoch: steps, isValidated: isValidated, areRowsShared: isShared,
            separateWorkers: separateWorkers)
    }
}

extension TrainerOption {
    /// Whether workers of one fit may have different values.
    fileprivate func mayDiffer(isShared: Bool) -> Bool {
        switch self {
        case .timeLimit, .progressInterval, .progressSeconds: true
        case .batchSize: !isShared
        default: false
        }
    }
}
