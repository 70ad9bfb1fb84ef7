import Backprop
import CBackprop

@_cdecl("bp_trainer_create") @implementation
public func bp_trainer_create(_ trainer_out: UnsafeMutablePointer<OpaquePointer?>!) -> Int32 {
    status { () throws(BackpropError) in
        let out = try requireHandleOut(trainer_out, "trainer_out")
        out.pointee = try Handle(owning: TrainerState()).pointer
    }
}

@_cdecl("bp_trainer_free") @implementation
public func bp_trainer_free(_ trainer: OpaquePointer!) {
    guard let trainer else { return }
    guard let handle = try? Handle<TrainerState>(trainer) else { return }
    _ = try? handle.read { (state) throws(BackpropError) in state.cancel() }
    handle.free()
}

@_cdecl("bp_trainer_set_option") @implementation
public func bp_trainer_set_option(_ trainer: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ value: Double) -> Int32 {
    status { () throws(BackpropError) in
        let name = try text(name, "name")
        try changeTrainer(trainer) { (state) throws(BackpropError) in try state.setOption(name, value) }
    }
}

@_cdecl("bp_trainer_get_option") @implementation
public func bp_trainer_get_option(
    _ trainer: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ value_out: UnsafeMutablePointer<Double>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(value_out, "value_out")
        let name = try text(name, "name")
        try Handle<TrainerState>(try require(trainer, "trainer")).read { (state) throws(BackpropError) in
            out.pointee = try state.option(name)
        }
    }
}

@_cdecl("bp_trainer_set_row_weights") @implementation
public func bp_trainer_set_row_weights(
    _ trainer: OpaquePointer!, _ row_weights: UnsafePointer<Float>!, _ rows: Int
) -> Int32 {
    status { () throws(BackpropError) in
        let weights = rows == 0 ? nil : try require(row_weights, "row_weights")
        try changeTrainer(trainer) { (state) throws(BackpropError) in try state.setRowWeights(weights, count: rows) }
    }
}

@_cdecl("bp_trainer_set_progress") @implementation
public func bp_trainer_set_progress(
    _ trainer: OpaquePointer!, _ progress: bp_progress_fn!, _ user_data: UnsafeMutableRawPointer!
) -> Int32 {
    status { () throws(BackpropError) in
        try changeTrainer(trainer) { (state) throws(BackpropError) in
            state.progress = progress.map { progress in
                { report in
                    var record = bp_progress(report)
                    return progress(&record, user_data)
                }
            }
        }
    }
}

@_cdecl("bp_trainer_fit") @implementation
public func bp_trainer_fit(
    _ trainer: OpaquePointer!, _ network: OpaquePointer!, _ inputs: UnsafePointer<Float>!, _ targets: UnsafePointer<Float>!,
    _ rows: Int, _ validation_inputs: UnsafePointer<Float>!, _ validation_targets: UnsafePointer<Float>!,
    _ validation_rows: Int, _ loss_out: UnsafeMutablePointer<Double>!
) -> Int32 {
    fit(
        trainer, network, .floats(inputs, targets, rows), .floats(validation_inputs, validation_targets, validation_rows),
        loss_out)
}

@_cdecl("bp_trainer_fit_stream") @implementation
public func bp_trainer_fit_stream(
    _ trainer: OpaquePointer!, _ network: OpaquePointer!, _ next: bp_next_fn!, _ user_data: UnsafeMutableRawPointer!,
    _ validation_inputs: UnsafePointer<Float>!, _ validation_targets: UnsafePointer<Float>!, _ validation_rows: Int,
    _ loss_out: UnsafeMutablePointer<Double>!
) -> Int32 {
    fit(
        trainer, network, .stream(next, user_data), .floats(validation_inputs, validation_targets, validation_rows), loss_out)
}

/// The data of a C call that fits a network.
enum FitArguments {
    case floats(UnsafePointer<Float>?, UnsafePointer<Float>?, Int)
    case described(UnsafePointer<bp_rows>?, UnsafePointer<bp_rows>?)
    case stream(bp_next_fn?, UnsafeMutableRawPointer?)

    fileprivate func data(for network: OpaquePointer?) throws(BackpropError) -> TrainingData {
        guard case .stream(let next, let userData) = self else { return .rows(try rows(for: network)) }
        let function = try require(next, "next")
        return .stream { request in
            var minibatch = bp_minibatch(request)
            defer { request.rows = minibatch.rows }
            return function(&minibatch, userData)
        }
    }

    /// The rows, of a call without a stream.
    fileprivate func rows(for network: OpaquePointer?) throws(BackpropError) -> Rows {
        switch self {
        case .floats(let inputs, let targets, let rows):
            let (inputs, targets) = rows == 0 ? try requireNoRows(of: network) : try requireRows(inputs, targets, rows)
            return Rows(inputs: inputs, targets: targets, count: rows)
        case .described(let inputs, let targets): return try pair(inputs, targets, "inputs", "targets")
        case .stream: throw BackpropError(.unsupported, "a stream")
        }
    }

    fileprivate var validation: Rows? {
        get throws(BackpropError) {
            switch self {
            case .floats(let inputs, let targets, let rows) where rows != 0:
                return Rows(
                    inputs: try require(inputs, "validation_inputs"), targets: try require(targets, "validation_targets"),
                    count: rows)
            case .floats(let inputs, let targets, _):
                guard inputs == nil, targets == nil else {
                    throw BackpropError(
                        .invalidValue, "validation_rows is 0: pass NULL for validation_inputs and validation_targets")
                }
                return nil
            case .described(nil, nil), .stream: return nil
            case .described(let inputs, let targets):
                return try pair(inputs, targets, "validation_inputs", "validation_targets")
            }
        }
    }
}

/// Runs a C call that fits a network.
@inline(never)
func fit(
    _ trainer: OpaquePointer?, _ network: OpaquePointer?, _ data: FitArguments, _ validation: FitArguments,
    _ loss_out: UnsafeMutablePointer<Double>?
) -> Int32 {
    var success = BP_OK
    let code = writingLoss(loss_out) { () throws(BackpropError) in
        let trainer = try Handle<TrainerState>(try require(trainer, "trainer"))
        let handle = try Handle<NetworkState>(try require(network, "network"))
        let rows: TrainingData, validationRows: Rows?
        do throws(BackpropError) {
            rows = try data.data(for: network)
            validationRows = try validation.validation
        } catch {
            throw refused(error, network)
        }
        let result = try trainer.fit(handle, rows, validation: validationRows)
        success = successCode(result)
        return result.loss
    }
    return code == BP_OK ? success : code
}

/// The status of a fit that did not fail.
private func successCode(_ result: FitResult) -> Int32 {
    if result.isStopped { return BP_STOPPED }
    guard let missing = result.missingClass else { return BP_OK }
    _ = report(BackpropError(.invalidValue, "class \(missing) has fewer than 2 rows, which stratify needs"))
    return BP_WARNING_MISSING_CLASS
}

@_cdecl("bp_trainer_fit_ensemble") @implementation
public func bp_trainer_fit_ensemble(
    _ trainer: OpaquePointer!, _ networks: UnsafePointer<OpaquePointer?>!, _ count: Int,
    _ learning_rates: UnsafePointer<Double>!, _ inputs: UnsafePointer<Float>!, _ targets: UnsafePointer<Float>!, _ rows: Int,
    _ validation_inputs: UnsafePointer<Float>!, _ validation_targets: UnsafePointer<Float>!, _ validation_rows: Int,
    _ results_out: UnsafeMutablePointer<bp_fit_result>!
) -> Int32 {
    fitEnsemble(
        trainer, networks, count, learning_rates, .floats(inputs, targets, rows),
        .floats(validation_inputs, validation_targets, validation_rows), results_out)
}

/// Runs a C call that fits several networks.
@inline(never)
func fitEnsemble(
    _ trainer: OpaquePointer?, _ networks: UnsafePointer<OpaquePointer?>?, _ count: Int, _ rates: UnsafePointer<Double>?,
    _ data: FitArguments, _ validation: FitArguments, _ results_out: UnsafeMutablePointer<bp_fit_result>?
) -> Int32 {
    var success = BP_OK
    let code = status { () throws(BackpropError) in
        let trainer = try Handle<TrainerState>(try require(trainer, "trainer"))
        let networks = try requireNonNull(networks, "networks")
        guard count > 0, count <= Handle<NetworkState>.mostObjects else {
            throw BackpropError(
                count == 0 ? .invalidValue : .limit,
                "count is \(UInt(bitPattern: count)), not 1 to \(Handle<NetworkState>.mostObjects)")
        }
        try Reserve.require(64 * UInt64(count))
        let size = Int(results_out?.pointee.struct_size ?? 0)  // before a result is written: it has the size of this version
        for index in 0..<count { _ = try output(results_out, index, size) }
        let result = try trainer.fit(
            count: count, { (index) throws(BackpropError) in try Handle(try requireNonNull(networks[index], "it")) },
            rates: rates, try data.rows(for: networks[0]), validation: try validation.validation
        ) { index, result in (try? output(results_out, index, size))?.put(bp_fit_result(result)) }
        success = successCode(result)
    }
    return code == BP_OK ? success : code
}

/// A struct of an array of the caller, whose structs may be of another version. `size`: the distance of two.
@inline(never)
private func output(
    _ results_out: UnsafeMutablePointer<bp_fit_result>?, _ index: Int, _ size: Int
) throws(BackpropError) -> StructOutput<bp_fit_result>? {
    guard let results_out else { return nil }
    let place = UnsafeMutableRawPointer(results_out) + index * size
    return try StructOutput(place.assumingMemoryBound(to: bp_fit_result.self), "results_out")
}

@_cdecl("bp_trainer_get_result") @implementation
public func bp_trainer_get_result(_ trainer: OpaquePointer!, _ result_out: UnsafeMutablePointer<bp_fit_result>!) -> Int32 {
    status { () throws(BackpropError) in
        let out = try StructOutput(try require(result_out, "result_out"), "result_out")
        try Handle<TrainerState>(try require(trainer, "trainer")).read { (state) throws(BackpropError) in
            out.put(state.latestResult.map { bp_fit_result($0) } ?? bp_fit_result())
        }
    }
}

@_cdecl("bp_trainer_cancel") @implementation
public func bp_trainer_cancel(_ trainer: OpaquePointer!) -> Int32 {
    status { () throws(BackpropError) in
        try Handle<TrainerState>(try require(trainer, "trainer")).read { (state) throws(BackpropError) in state.cancel() }
    }
}

extension bp_minibatch {
    fileprivate init(_ request: MinibatchStream.Request) {
        self.init(
            struct_size: UInt32(MemoryLayout<bp_minibatch>.size), reserved: 0, epoch: request.epoch, batch: request.batch,
            first_row: request.firstRow, capacity: request.capacity, inputs: request.inputs, targets: request.targets,
            row_weights: request.weights, rows: 0)
    }
}

extension bp_progress {
    fileprivate init(_ report: Progress) {
        self.init(
            struct_size: UInt32(MemoryLayout<bp_progress>.size), restart: UInt32(report.restart), epoch: report.counts.epoch,
            epochs: report.counts.epochs, step: report.counts.step, steps: report.counts.steps, loss: report.loss,
            validation_loss: report.validationLoss, learning_rate: report.learningRate,
            epoch_ended: report.isEpochEnd ? 1 : 0, reserved: 0)
    }
}

extension bp_fit_result {
    fileprivate init(_ result: FitResult) {
        self.init(
            struct_size: 0, end: result.end.rawValue, epochs: result.counts.epochs, steps: result.counts.steps,
            best_epoch: result.counts.bestEpoch, loss: result.loss, restart: UInt32(result.restart), reserved: 0)
    }
}

/// Runs `body` with the trainer of a handle, without any other reader or writer.
private func changeTrainer(
    _ trainer: OpaquePointer?, _ body: (TrainerState) throws(BackpropError) -> Void
) throws(BackpropError) {
    try Handle<TrainerState>(try require(trainer, "trainer")).write(body)
}
