import Backprop
import CBackprop
import CPlatform

@_cdecl("bp_predictor_create") @implementation
public func bp_predictor_create(_ network: OpaquePointer!, _ predictor_out: UnsafeMutablePointer<OpaquePointer?>!) -> Int32 {
    status { () throws(BackpropError) in
        let out = try requireHandleOut(predictor_out, "predictor_out")
        let network = try Handle<NetworkState>(try require(network, "network"))
        out.pointee = try Handle<PredictorState>.make(from: network).pointer
    }
}

@_cdecl("bp_predictor_free") @implementation
public func bp_predictor_free(_ predictor: OpaquePointer!) {
    guard let predictor else { return }
    if let handle = try? Handle<PredictorState>(predictor) { handle.free() }
}

@_cdecl("bp_predictor_update") @implementation
public func bp_predictor_update(_ predictor: OpaquePointer!, _ network: OpaquePointer!) -> Int32 {
    status { () throws(BackpropError) in
        let predictor = try Handle<PredictorState>(try require(predictor, "predictor"))
        try predictor.update(from: try Handle<NetworkState>(try require(network, "network")))
    }
}

@_cdecl("bp_predictor_sizes") @implementation
public func bp_predictor_sizes(
    _ predictor: OpaquePointer!, _ inputs_out: UnsafeMutablePointer<Int>!, _ outputs_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    outputs_out?.pointee = 0
    return status { () throws(BackpropError) in
        let inputs = try zeroed(inputs_out, "inputs_out"), outputs = try zeroed(outputs_out, "outputs_out")
        let predictor = try require(predictor, "predictor")
        do throws(RunFailure) {
            (inputs.pointee, outputs.pointee) = try Handle<PredictorState>.sizes(predictor)
        } catch {
            throw BackpropError(error)
        }
    }
}

@_cdecl("bp_predictor_run") @implementation @_optimize(speed)
public func bp_predictor_run(
    _ predictor: OpaquePointer!, _ inputs: UnsafePointer<Float>!, _ rows: Int, _ outputs_out: UnsafeMutablePointer<Float>!
) -> Int32 {
    if rows == 1, let predictor, let inputs, let outputs_out,
        Handle<PredictorState>.runRow(predictor, inputs, into: outputs_out)
    {
        return BP_OK
    }
    return run(predictor, inputs, rows, outputs_out)
}

/// Not within `status`, whose messages and reserve need memory and locks.
@inline(never)
private func run(
    _ predictor: OpaquePointer?, _ inputs: UnsafePointer<Float>?, _ rows: Int, _ outputs_out: UnsafeMutablePointer<Float>?
) -> Int32 {
    guard let predictor else { return refuse(BP_ERROR_NULL_ARGUMENT, "predictor is NULL") }
    if inputs == nil, rows != 0 { return refuse(BP_ERROR_NULL_ARGUMENT, "inputs is NULL") }
    if outputs_out == nil, rows != 0 { return refuse(BP_ERROR_NULL_ARGUMENT, "outputs_out is NULL") }
    do throws(RunFailure) {
        try Handle<PredictorState>.run(predictor, inputs, rows: rows, into: outputs_out)
        return BP_OK
    } catch {
        if case .callback(let error) = error { return report(error) }
        return refuse(error.code.rawValue, error.text)
    }
}

private func refuse(_ status: Int32, _ text: StaticString) -> Int32 {
    cp_set_static_error_text(fixed(text))
    return status
}
