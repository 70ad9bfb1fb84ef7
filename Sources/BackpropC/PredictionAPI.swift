import Backprop
import CBackprop

@_cdecl("bp_network_predict") @implementation @_optimize(speed)
public func bp_network_predict(
    _ network: OpaquePointer!, _ inputs: UnsafePointer<Float>!, _ rows: Int, _ outputs_out: UnsafeMutablePointer<Float>!
) -> Int32 {
    guard rows != 0 else { return status { () throws(BackpropError) in try read(network) { (_) throws(BackpropError) in } } }
    return status { () throws(BackpropError) in
        let inputs = try requireNonNull(inputs, "inputs")
        let out = try requireNonNull(outputs_out, "outputs_out")
        try Handle(inline: try require(network, "network")).read { (state: NetworkState) throws(BackpropError) in
            try state.predict(inputs, rows: rows, into: out)
        }
    }
}

@_cdecl("bp_network_predict_layer") @implementation
public func bp_network_predict_layer(
    _ network: OpaquePointer!, _ layer: Int, _ inputs: UnsafePointer<Float>!, _ rows: Int,
    _ outputs_out: UnsafeMutablePointer<Float>!
) -> Int32 {
    status { () throws(BackpropError) in
        if rows != 0 {
            _ = try requireNonNull(inputs, "inputs")
            _ = try requireNonNull(outputs_out, "outputs_out")
        }
        try read(network) { (state) throws(BackpropError) in
            try state.predictLayer(layer, inputs, rows: rows, into: outputs_out)
        }
    }
}

@_cdecl("bp_network_input_jacobian") @implementation
public func bp_network_input_jacobian(
    _ network: OpaquePointer!, _ inputs: UnsafePointer<Float>!, _ rows: Int, _ jacobian_out: UnsafeMutablePointer<Float>!
) -> Int32 {
    status { () throws(BackpropError) in
        let inputs = try require(inputs, "inputs")
        let out = try require(jacobian_out, "jacobian_out")
        try change(network) { (state) throws(BackpropError) in try state.inputJacobian(inputs, rows: rows, into: out) }
    }
}

@_cdecl("bp_network_evaluate") @implementation
public func bp_network_evaluate(
    _ network: OpaquePointer!, _ inputs: UnsafePointer<Float>!, _ targets: UnsafePointer<Float>!, _ rows: Int,
    _ loss_out: UnsafeMutablePointer<Float>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(loss_out, "loss_out")
        let (inputs, targets) = try requireRows(inputs, targets, rows)
        try read(network) { (state) throws(BackpropError) in
            out.pointee = try state.evaluate(inputs, targets, rows: rows)
        }
    }
}

@_cdecl("bp_network_row_losses") @implementation
public func bp_network_row_losses(
    _ network: OpaquePointer!, _ inputs: UnsafePointer<Float>!, _ targets: UnsafePointer<Float>!, _ rows: Int,
    _ losses_out: UnsafeMutablePointer<Float>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try require(losses_out, "losses_out")
        let (inputs, targets) = try requireRows(inputs, targets, rows)
        try read(network) { (state) throws(BackpropError) in
            try state.rowLosses(inputs, targets, rows: rows, into: out)
        }
    }
}

@_cdecl("bp_network_score") @implementation
public func bp_network_score(
    _ network: OpaquePointer!, _ measure: UnsafePointer<CChar>!, _ inputs: UnsafePointer<Float>!,
    _ targets: UnsafePointer<Float>!, _ rows: Int, _ score_out: UnsafeMutablePointer<Double>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(score_out, "score_out")
        let measure = try text(measure, "measure")
        let (inputs, targets) = try requireRows(inputs, targets, rows)
        try read(network) { (state) throws(BackpropError) in
            out.pointee = try state.score(measure, inputs, targets, rows: rows)
        }
    }
}

@_cdecl("bp_score_name") @implementation
public func bp_score_name(
    _ index: Int, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int, _ needed_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    status { () throws(BackpropError) in try TextOutput(buffer, capacity, needed_out).put(try Measure.name(at: index)) }
}

@_cdecl("bp_network_fold_batchnorm") @implementation
public func bp_network_fold_batchnorm(_ network: OpaquePointer!) -> Int32 {
    status { () throws(BackpropError) in
        try change(network) { (state) throws(BackpropError) in try state.foldBatchnorm() }
    }
}
