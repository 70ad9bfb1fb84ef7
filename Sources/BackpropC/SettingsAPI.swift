import Backprop
import CBackprop

@_cdecl("bp_network_step_count") @implementation
public func bp_network_step_count(_ network: OpaquePointer!, _ steps_out: UnsafeMutablePointer<UInt64>!) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(steps_out, "steps_out")
        try reading(network) { (state) throws(BackpropError) in out.pointee = state.steps }
    }
}

@_cdecl("bp_network_get_activation") @implementation
public func bp_network_get_activation(
    _ network: OpaquePointer!, _ layer: Int, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int,
    _ needed_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try TextOutput(buffer, capacity, needed_out)
        try reading(network) { (state) throws(BackpropError) in try out.put(try state.activationName(layer)) }
    }
}

@_cdecl("bp_network_get_batchnorm") @implementation
public func bp_network_get_batchnorm(
    _ network: OpaquePointer!, _ layer: Int, _ enabled_out: UnsafeMutablePointer<Int32>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(enabled_out, "enabled_out")
        try reading(network) { (state) throws(BackpropError) in out.pointee = try state.isNormalized(layer) ? 1 : 0 }
    }
}

@_cdecl("bp_network_get_loss") @implementation
public func bp_network_get_loss(
    _ network: OpaquePointer!, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int,
    _ needed_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try TextOutput(buffer, capacity, needed_out)
        try reading(network) { (state) throws(BackpropError) in try out.put(state.loss.name) }
    }
}

@_cdecl("bp_network_get_optimizer") @implementation
public func bp_network_get_optimizer(
    _ network: OpaquePointer!, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int,
    _ needed_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try TextOutput(buffer, capacity, needed_out)
        try reading(network) { (state) throws(BackpropError) in try out.put(state.optimizer.name) }
    }
}

@_cdecl("bp_network_get_scaling") @implementation
public func bp_network_get_scaling(
    _ network: OpaquePointer!, _ of_targets: Int32, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int,
    _ needed_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try TextOutput(buffer, capacity, needed_out)
        try reading(network) { (state) throws(BackpropError) in try out.put(state.scalingMethod(ofTargets: of_targets != 0).name)
        }
    }
}

@_cdecl("bp_loss_name") @implementation
public func bp_loss_name(
    _ index: Int, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int, _ needed_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    status { () throws(BackpropError) in try TextOutput(buffer, capacity, needed_out).put(try Loss.name(at: index)) }
}

@_cdecl("bp_optimizer_name") @implementation
public func bp_optimizer_name(
    _ index: Int, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int, _ needed_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    status { () throws(BackpropError) in try TextOutput(buffer, capacity, needed_out).put(try Optimizer.name(at: index)) }
}

@_cdecl("bp_scaling_name") @implementation
public func bp_scaling_name(
    _ index: Int, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int, _ needed_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    status { () throws(BackpropError) in try TextOutput(buffer, capacity, needed_out).put(try ScalingMethod.name(at: index)) }
}
