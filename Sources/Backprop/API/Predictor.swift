/// An immutable copy of a network in its form for predictions: batch normalization is folded into the weights. Use it where a
/// prediction must not wait, while another thread trains the network.
///
///     let predictor = try Predictor(network)
///     let outputs = try predictor.run(inputs)  // on any thread
///     try predictor.update(from: network)  // on the thread that trains
///
/// Outputs have the bits of `Network.predict` after `Network.foldBatchNormalization`. `backprop.h` describes predictors in detail.
public final class Predictor: Sendable {
    private let handle: Handle<PredictorState>
    /// The numbers of inputs and outputs of a row.
    public let inputs, outputs: Int

    /// Copies a network.
    ///
    /// - Throws: `.notFinite` if folded weights would not be finite; `.limit`; `.outOfMemory`.
    public init(_ network: Network) throws(BackpropError) {
        handle = try Handle.make(from: network.handle)
        (inputs, outputs) = (network.layers[0], network.layers[network.layers.count - 1])
    }

    deinit { handle.free() }

    /// Replaces the copy by the present parameters and settings of a network. A run uses the old copy or the new one, never a
    /// mixture. The call waits for the runs in progress on other threads, and then frees the old copy.
    ///
    /// - Throws: `.mismatch` for other layer sizes; otherwise as `init(_:)`.
    public func update(from network: Network) throws(BackpropError) {
        try handle.update(from: network.handle)
    }

    /// Computes outputs.
    ///
    /// - Parameter inputs: [rows × inputs]. No rows return no outputs.
    /// - Returns: [rows × outputs].
    /// - Throws: `.invalidValue` for a count that is not a multiple of the inputs; `.callback` when an activation fails;
    ///   `.limit`; `.busy` if the 16 buffers for layers of more than 8176 units are in use.
    public func run(_ inputs: [Float]) throws(BackpropError) -> [Float] {
        let rows = try rows(inputs.count)
        var results = [Float](repeating: 0, count: rows * outputs)
        try run(inputs, rows: rows, into: &results)
        return results
    }

    /// Computes outputs, as `run(_:)` does, into memory of the caller. Takes no lock, no memory and no system call, and waits for
    /// no thread, unless it throws.
    ///
    /// - Parameters:
    ///   - inputs: [rows × inputs].
    ///   - results: [rows × outputs].
    /// - Throws: As `run(_:)`; `.invalidValue` for `results` of another count.
    @_optimize(speed)
    public func run(_ inputs: Span<Float>, into results: inout MutableSpan<Float>) throws(BackpropError) {
        let rows = try rows(inputs.count)
        guard results.count == rows * outputs else {
            throw BackpropError(.invalidValue, "results: expected \(rows * outputs) numbers, not \(results.count)")
        }
        try inputs.withUnsafeBufferPointer { (inputs) throws(BackpropError) in
            try results.withUnsafeMutableBufferPointer { (results) throws(BackpropError) in
                guard let inputs = inputs.baseAddress, let results = results.baseAddress else { return }
                try run(inputs, rows: rows, into: results)
            }
        }
    }

    private func run(
        _ inputs: UnsafePointer<Float>, rows: Int, into results: UnsafeMutablePointer<Float>
    ) throws(BackpropError) {
        let pointer = handle.pointer
        if rows == 1, Handle<PredictorState>.runRow(pointer, inputs, into: results) { return }
        do throws(RunFailure) {
            try Handle<PredictorState>.run(pointer, inputs, rows: rows, into: results)
        } catch {
            throw BackpropError(error)
        }
    }

    private func rows(_ count: Int) throws(BackpropError) -> Int {
        let (rows, rest) = count.quotientAndRemainder(dividingBy: inputs)
        guard rest == 0 else {
            throw BackpropError(.invalidValue, "inputs: expected a multiple of \(inputs) numbers, not \(count)")
        }
        return rows
    }
}
