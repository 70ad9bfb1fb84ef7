import Backprop
import CBackprop

@_cdecl("bp_network_train_step") @implementation @_optimize(speed)
public func bp_network_train_step(
    _ network: OpaquePointer!, _ input: UnsafePointer<Float>!, _ target: UnsafePointer<Float>!, _ learning_rate: Float,
    _ loss_out: UnsafeMutablePointer<Float>!
) -> Int32 {
    writingLoss(loss_out) { () throws(BackpropError) in
        guard let input, let target else { throw refusedNull(input == nil ? "input" : "target", network) }
        return try Handle(inline: try require(network, "network")).write { (state: NetworkState) throws(BackpropError) in
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
        guard rows != 0, let inputs, let targets else {
            return try trainWithoutRows(network, inputs, targets, rows, learning_rate)
        }
        return try Handle(inline: try require(network, "network")).write { (state: NetworkState) throws(BackpropError) in
            try state.train(inputs, targets, rows: rows, rate: learning_rate)
        }
    }
}

/// The step of a worker that has no rows; otherwise throws. Not inlined, so that steps with rows keep their registers.
@inline(never)
private func trainWithoutRows(
    _ network: OpaquePointer?, _ inputs: UnsafePointer<Float>?, _ targets: UnsafePointer<Float>?, _ rows: Int, _ rate: Float
) throws(BackpropError) -> Float {
    let (inputs, targets) = try requireRows(inputs, targets, rows, of: network)
    var loss: Float = 0
    try change(network) { (state) throws(BackpropError) in loss = try state.train(inputs, targets, rows: rows, rate: rate) }
    return loss
}

@_cdecl("bp_network_gradient") @implementation
public func bp_network_gradient(
    _ network: OpaquePointer!, _ inputs: UnsafePointer<Float>!, _ targets: UnsafePointer<Float>!, _ rows: Int,
    _ gradient_out: UnsafeMutablePointer<Float>!, _ count: Int, _ loss_out: UnsafeMutablePointer<Float>!
) -> Int32 {
    writingLoss(loss_out) { () throws(BackpropError) in
        let (inputs, targets) = try requireRows(inputs, targets, rows, of: network)
        let out = try requireNonNull(gradient_out, "gradient_out", of: network)
        var loss: Float = 0
        try change(network) { (state) throws(BackpropError) in
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
        try change(network) { (state) throws(BackpropError) in
            try state.apply(gradient: gradient, count: count, rate: learning_rate)
        }
    }
}

@_cdecl("bp_network_backpropagate") @implementation
public func bp_network_backpropagate(
    _ network: OpaquePointer!, _ inputs: UnsafePointer<Float>!, _ output_gradients: UnsafePointer<Float>!, _ rows: Int,
    _ gradient_out: UnsafeMutablePointer<Float>!, _ count: Int, _ input_gradients_out: UnsafeMutablePointer<Float>!
) -> Int32 {
    status { () throws(BackpropError) in
        let isOfInputs = count == 0 && input_gradients_out != nil
        let (inputs, outputGradients) = try requireRows(inputs, output_gradients, rows, "output_gradients", of: network)
        let gradient = isOfInputs ? gradient_out : try requireNonNull(gradient_out, "gradient_out", of: network)
        try change(network) { (state) throws(BackpropError) in
            try state.backpropagate(
                inputs, outputGradients: outputGradients, rows: rows, into: gradient, count: count,
                inputGradients: input_gradients_out)
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
        let (inputs, targets) = try requireRows(inputs, targets, rows)
        try change(network) { (state) throws(BackpropError) in
            out.pointee = try state.checkGradient(inputs, targets, rows: rows)
        }
    }
}
