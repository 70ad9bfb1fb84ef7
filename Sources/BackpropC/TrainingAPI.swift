import Backprop
import CBackprop

@_cdecl("bp_network_train_step") @implementation @_optimize(speed)
public func bp_network_train_step(
    _ network: OpaquePointer!, _ input: UnsafePointer<Float>!, _ target: UnsafePointer<Float>!, _ learning_rate: Float,
    _ loss_out: UnsafeMutablePointer<Float>!
) -> Int32 {
    writingLoss(loss_out) { () throws(BackpropError) in
        let input = try requireNonNull(input, "input")
        let target = try requireNonNull(target, "target")
        return try Handle(quickly: try require(network, "network")).write { (state: NetworkState) throws(BackpropError) in
            try state.train(input, target, rows: 1, rate: learning_rate)
        }
    }
}

@_cdecl("bp_network_train_minibatch") @implementation
public func bp_network_train_minibatch(
    _ network: OpaquePointer!, _ inputs: UnsafePointer<Float>!, _ targets: UnsafePointer<Float>!, _ rows: Int,
    _ learning_rate: Float, _ loss_out: UnsafeMutablePointer<Float>!
) -> Int32 {
    writingLoss(loss_out) { () throws(BackpropError) in
        let (inputs, targets) = try data(inputs, targets, rows)
        var loss: Float = 0
        try changing(network) { (state) throws(BackpropError) in
            loss = try state.train(inputs, targets, rows: rows, rate: learning_rate)
        }
        return loss
    }
}

@_cdecl("bp_network_gradient") @implementation
public func bp_network_gradient(
    _ network: OpaquePointer!, _ inputs: UnsafePointer<Float>!, _ targets: UnsafePointer<Float>!, _ rows: Int,
    _ gradient_out: UnsafeMutablePointer<Float>!, _ count: Int, _ loss_out: UnsafeMutablePointer<Float>!
) -> Int32 {
    writingLoss(loss_out) { () throws(BackpropError) in
        let (inputs, targets) = try data(inputs, targets, rows)
        let out = try require(gradient_out, "gradient_out")
        var loss: Float = 0
        try changing(network) { (state) throws(BackpropError) in
            loss = try state.gradient(inputs, targets, rows: rows, into: out, count: count)
        }
        return loss
    }
}

@_cdecl("bp_network_apply_gradient") @implementation
public func bp_network_apply_gradient(
    _ network: OpaquePointer!, _ gradient: UnsafePointer<Float>!, _ count: Int, _ learning_rate: Float
) -> Int32 {
    status { () throws(BackpropError) in
        let gradient = try require(gradient, "gradient")
        try changing(network) { (state) throws(BackpropError) in
            try state.apply(gradient: gradient, count: count, rate: learning_rate)
        }
    }
}

@_cdecl("bp_network_check_gradient") @implementation
public func bp_network_check_gradient(
    _ network: OpaquePointer!, _ inputs: UnsafePointer<Float>!, _ targets: UnsafePointer<Float>!, _ rows: Int,
    _ worst_error_out: UnsafeMutablePointer<Double>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(worst_error_out, "worst_error_out")
        let (inputs, targets) = try data(inputs, targets, rows)
        try changing(network) { (state) throws(BackpropError) in
            out.pointee = try state.checkGradient(inputs, targets, rows: rows)
        }
    }
}

@_cdecl("bp_network_predict") @implementation @_optimize(speed)
public func bp_network_predict(
    _ network: OpaquePointer!, _ inputs: UnsafePointer<Float>!, _ rows: Int, _ outputs_out: UnsafeMutablePointer<Float>!
) -> Int32 {
    status { () throws(BackpropError) in
        guard rows != 0 else { return try reading(network) { (_) throws(BackpropError) in } }
        let inputs = try requireNonNull(inputs, "inputs")
        let out = try requireNonNull(outputs_out, "outputs_out")
        try reading(network) { (state) throws(BackpropError) in try state.predict(inputs, rows: rows, into: out) }
    }
}

@_cdecl("bp_network_evaluate") @implementation
public func bp_network_evaluate(
    _ network: OpaquePointer!, _ inputs: UnsafePointer<Float>!, _ targets: UnsafePointer<Float>!, _ rows: Int,
    _ loss_out: UnsafeMutablePointer<Float>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(loss_out, "loss_out")
        let (inputs, targets) = try data(inputs, targets, rows)
        try reading(network) { (state) throws(BackpropError) in
            out.pointee = try state.evaluate(inputs, targets, rows: rows)
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
        let (inputs, targets) = try data(inputs, targets, rows)
        try reading(network) { (state) throws(BackpropError) in
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
        try changing(network) { (state) throws(BackpropError) in try state.foldBatchnorm() }
    }
}

/// The status of a call that gives a loss, which goes to `loss_out` where that is not NULL; 0 on failure.
@inline(__always)
func writingLoss<Number: BinaryFloatingPoint>(
    _ loss_out: UnsafeMutablePointer<Number>?, _ body: () throws(BackpropError) -> Number
) -> Int32 {
    loss_out?.pointee = 0
    return status { () throws(BackpropError) in
        let loss = try body()
        loss_out?.pointee = loss
    }
}

/// Inputs and targets, which may be NULL only where there are no rows (the network refuses those).
@inline(__always)
func data(
    _ inputs: UnsafePointer<Float>?, _ targets: UnsafePointer<Float>?, _ rows: Int
) throws(BackpropError) -> (UnsafePointer<Float>, UnsafePointer<Float>) {
    guard rows != 0 else { throw BackpropError(.invalidValue, "rows is 0") }
    return (try requireNonNull(inputs, "inputs"), try requireNonNull(targets, "targets"))
}
