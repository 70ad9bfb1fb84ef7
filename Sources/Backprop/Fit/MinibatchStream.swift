import CPlatform

/// A stream of minibatches: a callback of the host, and the buffers that it fills. Only one minibatch is in memory.
package final class MinibatchStream {
    /// A minibatch that the callback fills. All numbers count from 0.
    package struct Request {
        package let epoch, batch: UInt64
        /// The number of rows of the epoch before this minibatch.
        package let firstRow: UInt64
        package let capacity: Int
        /// [capacity × inputs], [capacity × targetCount], [capacity].
        package let inputs, targets, weights: UnsafeMutablePointer<Float>
        /// The number of rows that the callback filled.
        package var rows = 0
    }

    /// Returns 0; more than 0 to stop the fit; or less than 0 to abort it.
    package typealias Next = (inout Request) -> Int32

    enum Answer {
        case minibatch(Sampler.Minibatch), epochEnd, stop
    }

    let capacity: Int
    private let isLastDropped: Bool
    private let next: Next
    /// Only its settings are used, which do not change during a fit.
    private let network: NetworkState
    private let inputs, targets, weights: Floats

    private init(
        capacity: Int, isLastDropped: Bool, next: @escaping Next, network: NetworkState, inputs: consuming Floats,
        targets: consuming Floats, weights: consuming Floats
    ) {
        self.capacity = capacity
        self.isLastDropped = isLastDropped
        self.next = next
        self.network = network
        self.inputs = inputs
        self.targets = targets
        self.weights = weights
    }

    static func make(
        _ next: @escaping Next, _ options: Options<TrainerOption>, for network: NetworkState
    ) throws(BackpropError) -> MinibatchStream {
        let capacity = Int(clamping: Int64(options[.batchSize]))
        let inputs = try Floats(try checkedProduct(capacity, network.inputCount))
        let targets = try Floats(try checkedProduct(capacity, network.targetCount))
        return MinibatchStream(
            capacity: capacity, isLastDropped: options[.dropLast] == 1, next: next, network: network, inputs: inputs,
            targets: targets,
            weights: try Floats(capacity))
    }

    /// Calls the callback for the minibatch at a position. The minibatch is valid until the next call.
    func minibatch(at fit: FitPosition) throws(BackpropError) -> Answer {
        let position = fit.stream ?? StreamPosition()
        weights.fill(1, count: capacity)
        var request = Request(
            epoch: position.epoch, batch: position.batch, firstRow: position.batch * UInt64(capacity), capacity: capacity,
            inputs: inputs.base,
            targets: targets.base, weights: weights.base)
        let answer = HostEnvironment().run { next(&request) }
        if answer > 0 { return .stop }
        let rows = request.rows
        do throws(BackpropError) {
            if answer < 0 { throw BackpropError(.callback, "the stream function returned \(Int(answer))") }
            guard rows >= 0, rows <= capacity else {
                throw BackpropError(
                    .invalidValue, "the stream function set rows to \(UInt(bitPattern: rows)), but the capacity is \(capacity)")
            }
            if rows == 0 || (rows < capacity && isLastDropped) {
                if fit.rows > 0 || network.workers != nil { return .epochEnd }
                throw BackpropError(.invalidValue, rows == 0 ? "the epoch has no rows" : "drop_last leaves no rows in the epoch")
            }
            try check(rows)
        } catch {
            let place: Text = "epoch \(position.epoch), minibatch \(position.batch): "
            throw BackpropError(error.code, place + "\(error.message)")
        }
        return .minibatch(
            Sampler.Minibatch(
                inputs: UnsafePointer(inputs.base), targets: UnsafePointer(targets.base),
                weights: isWeighted(rows) ? UnsafePointer(weights.base) : nil, rows: rows,
                isScaled: false))
    }

    /// The minibatch of a worker without rows for the step.
    var empty: Sampler.Minibatch {
        Sampler.Minibatch(
            inputs: UnsafePointer(inputs.base), targets: UnsafePointer(targets.base), weights: nil, rows: 0, isScaled: false)
    }

    private func check(_ rows: Int) throws(BackpropError) {
        try network.requireFinite(inputs.base, rows: rows, columns: network.inputCount, "inputs")
        try network.requireFiniteTargets(targets.base, rows: rows, "targets")
        try RowWeights.require(weights.base, rows: rows)
        if let error = network.undefinedTarget(.floats(targets.base), weights.base, rows: rows, "targets") { throw error }
    }

    private func isWeighted(_ rows: Int) -> Bool {
        for i in 0..<rows where weights.base[i] != 1 { return true }
        return false
    }
}
