import CPlatform

/// The state of a predictor behind its gate. Its network is also published in the gate, where runs read it without entering.
package final class PredictorState: HandleObject {
    fileprivate(set) var network: FoldedNetwork

    fileprivate init(_ network: FoldedNetwork) {
        self.network = network
    }

    deinit { RetiredNetworks.wait(for: network) }

    package static var kind: UInt32 { CP_GATE_PREDICTOR.rawValue }
    package static var typeName: String { "predictor" }
    package static var busyInFitMessage: StaticString { "" }
    package var mayCallBack: Bool { false }
}

extension Handle where Object == PredictorState {
    package static func make(from network: Handle<NetworkState>) throws(BackpropError) -> Handle {
        cp_prepare_for_readers()
        let folded = try network.folded()
        let handle = try Handle(owning: PredictorState(folded))
        handle.publish(folded)
        return handle
    }

    /// Publishes the network's present parameters and settings. Runs in progress still use the previous ones, which are freed
    /// after the last of these runs.
    package func update(from network: Handle<NetworkState>) throws(BackpropError) {
        guard RetiredNetworks.isEmpty || cp_is_reading() || RetiredNetworks.wait(for: nil) else {
            throw BackpropError(.unsupported, "the system refuses the call membarrier, which it allowed before")
        }
        var network = try network.folded()  // before the gate is entered: no call holds two gates
        try write { (state) throws(BackpropError) in
            guard network.network.hasLayers(of: state.network.network) else {
                throw BackpropError(.mismatch, "the network's layers have other sizes than the predictor's")
            }
            publish(network)
            swap(&network, &state.network)
        }
        RetiredNetworks.wait(for: network)
    }

    private func publish(_ network: FoldedNetwork) {
        cp_publish(&gate.pointee.published, network.published)
    }

    /// The numbers of inputs and outputs.
    package static func sizes(_ predictor: OpaquePointer) throws(RunFailure) -> (inputs: Int, outputs: Int) {
        try read(predictor) { (network) throws(RunFailure) in (network.inputCount, network.outputCount) }
    }

    /// Computes outputs with the network that is published now. Takes no lock and no memory. Without rows, the arrays may be
    /// nil.
    package static func run(
        _ predictor: OpaquePointer, _ inputs: UnsafePointer<Float>?, rows: Int, into outputs: UnsafeMutablePointer<Float>?
    ) throws(RunFailure) {
        try read(predictor) { (network) throws(RunFailure) in
            guard let inputs, let outputs, rows != 0 else { return }
            try inDefaultEnvironment { () throws(RunFailure) in try network.run(inputs, rows: rows, into: outputs) }
        }
    }

    /// Calls `body` with the network that is published now, which it can use until it returns.
    private static func read<R>(
        _ predictor: OpaquePointer, _ body: (FoldedNetwork) throws(RunFailure) -> R
    ) throws(RunFailure) -> R {
        guard let (gate, generation) = parts(of: predictor) else { throw .invalidHandle }
        var mark: UInt64 = 0
        guard let reader = cp_begin_reading(&mark) else { throw .tooManyThreads }
        defer { cp_end_reading(reader, mark) }
        guard let network = published(gate, generation) else { throw .invalidHandle }
        // Without counting references: the last one must not be released here.
        return try network.pointee.network._withUnsafeGuaranteedRef { network -> Result<R, RunFailure> in
            do throws(RunFailure) { return .success(try body(network)) } catch { return .failure(error) }
        }.get()
    }

    /// The same for one row, with few instructions. Returns false, and computes nothing, where more must be done or where the
    /// call fails; the caller then calls `run`.
    @_optimize(speed)
    package static func runRow(
        _ predictor: OpaquePointer, _ inputs: UnsafePointer<Float>, into outputs: UnsafeMutablePointer<Float>
    ) -> Bool {
        let environment = cp_environment()
        var mark: UInt64 = 0
        guard let (gate, generation) = parts(of: predictor), cp_is_default(environment), let reader = cp_begin_reading(&mark)
        else {
            return false
        }
        guard let network = published(gate, generation), let plan = network.pointee.plan else {
            cp_end_reading(reader, mark)
            return false
        }
        network.pointee.run(plan, inputs, outputs)
        cp_end_reading(reader, mark)
        cp_restore_environment(environment)
        return true
    }

    /// Whatever is published after the generation changed belongs to another handle, so the generation is loaded last.
    @inline(__always)
    private static func published(
        _ gate: UnsafeMutablePointer<cp_gate>, _ generation: UInt64
    ) -> UnsafePointer<FoldedNetwork.Published>? {
        guard let network = cp_load_published(&gate.pointee.published), cp_load64(&gate.pointee.state) >> 32 == generation else {
            return nil
        }
        return UnsafePointer(network.assumingMemoryBound(to: FoldedNetwork.Published.self))
    }
}

extension Handle where Object == NetworkState {
    fileprivate func folded() throws(BackpropError) -> FoldedNetwork {
        try read { (state) throws(BackpropError) in try FoldedNetwork.make(from: state) }
    }
}
