import Backprop
import CBackprop

@_cdecl("bp_network_set_activation") @implementation
public func bp_network_set_activation(_ network: OpaquePointer!, _ layer: Int, _ name: UnsafePointer<CChar>!) -> Int32 {
    status { () throws(BackpropError) in
        let name = try text(name, "name")
        try change(network) { (state) throws(BackpropError) in try state.setActivation(layer, name) }
    }
}

@_cdecl("bp_network_get_activation") @implementation
public func bp_network_get_activation(
    _ network: OpaquePointer!, _ layer: Int, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int,
    _ needed_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try TextOutput(buffer, capacity, needed_out)
        try read(network) { (state) throws(BackpropError) in try out.put(try state.activationName(layer)) }
    }
}

@_cdecl("bp_network_set_batchnorm") @implementation
public func bp_network_set_batchnorm(_ network: OpaquePointer!, _ layer: Int, _ enabled: Int32) -> Int32 {
    status { () throws(BackpropError) in
        try change(network) { (state) throws(BackpropError) in try state.setBatchnorm(layer, enabled: enabled != 0) }
    }
}

@_cdecl("bp_network_get_batchnorm") @implementation
public func bp_network_get_batchnorm(
    _ network: OpaquePointer!, _ layer: Int, _ enabled_out: UnsafeMutablePointer<Int32>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(enabled_out, "enabled_out")
        try read(network) { (state) throws(BackpropError) in out.pointee = try state.isNormalized(layer) ? 1 : 0 }
    }
}

@_cdecl("bp_network_set_dropout") @implementation
public func bp_network_set_dropout(_ network: OpaquePointer!, _ layer: Int, _ rate: Double) -> Int32 {
    status { () throws(BackpropError) in
        try change(network) { (state) throws(BackpropError) in try state.setDropout(layer, rate: rate) }
    }
}

@_cdecl("bp_network_get_dropout") @implementation
public func bp_network_get_dropout(
    _ network: OpaquePointer!, _ layer: Int, _ rate_out: UnsafeMutablePointer<Double>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(rate_out, "rate_out")
        try read(network) { (state) throws(BackpropError) in out.pointee = try state.dropout(layer) }
    }
}

@_cdecl("bp_network_set_trainable") @implementation
public func bp_network_set_trainable(_ network: OpaquePointer!, _ layer: Int, _ trainable: Int32) -> Int32 {
    status { () throws(BackpropError) in
        try change(network) { (state) throws(BackpropError) in try state.setTrainable(layer, trainable != 0) }
    }
}

@_cdecl("bp_network_get_trainable") @implementation
public func bp_network_get_trainable(
    _ network: OpaquePointer!, _ layer: Int, _ trainable_out: UnsafeMutablePointer<Int32>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(trainable_out, "trainable_out")
        try read(network) { (state) throws(BackpropError) in out.pointee = try state.isTrainable(layer) ? 1 : 0 }
    }
}

@_cdecl("bp_network_set_loss") @implementation
public func bp_network_set_loss(_ network: OpaquePointer!, _ name: UnsafePointer<CChar>!) -> Int32 {
    status { () throws(BackpropError) in
        let name = try text(name, "name")
        try change(network) { (state) throws(BackpropError) in try state.setLoss(name) }
    }
}

@_cdecl("bp_network_get_loss") @implementation
public func bp_network_get_loss(
    _ network: OpaquePointer!, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int,
    _ needed_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try TextOutput(buffer, capacity, needed_out)
        try read(network) { (state) throws(BackpropError) in try out.put(state.lossName) }
    }
}

@_cdecl("bp_network_target_columns") @implementation
public func bp_network_target_columns(_ network: OpaquePointer!, _ columns_out: UnsafeMutablePointer<Int>!) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(columns_out, "columns_out")
        try read(network) { (state) throws(BackpropError) in out.pointee = state.targetCount }
    }
}

@_cdecl("bp_network_fit_scaling") @implementation
public func bp_network_fit_scaling(
    _ network: OpaquePointer!, _ input_scaling: UnsafePointer<CChar>!, _ target_scaling: UnsafePointer<CChar>!,
    _ inputs: UnsafePointer<Float>!, _ targets: UnsafePointer<Float>!, _ rows: Int
) -> Int32 {
    status { () throws(BackpropError) in
        let forInputs = try text(input_scaling, "input_scaling")
        let forTargets = try text(target_scaling, "target_scaling")
        try change(network) { (state) throws(BackpropError) in
            try state.fitScaling(inputs: forInputs, targets: forTargets, inputs, targets, rows: rows)
        }
    }
}

@_cdecl("bp_network_get_scaling") @implementation
public func bp_network_get_scaling(
    _ network: OpaquePointer!, _ of_targets: Int32, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int,
    _ needed_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try TextOutput(buffer, capacity, needed_out)
        try read(network) { (state) throws(BackpropError) in try out.put(state.scalingMethod(ofTargets: of_targets != 0).name)
        }
    }
}

@_cdecl("bp_scaling_name") @implementation
public func bp_scaling_name(
    _ index: Int, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int, _ needed_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    status { () throws(BackpropError) in try TextOutput(buffer, capacity, needed_out).put(try ScalingMethod.name(at: index)) }
}

@_cdecl("bp_network_check_settings") @implementation
public func bp_network_check_settings(_ network: OpaquePointer!, _ targets: UnsafePointer<Float>!, _ rows: Int) -> Int32 {
    status { () throws(BackpropError) in
        try read(network) { (state) throws(BackpropError) in
            try state.checkSettings(rows == 0 ? nil : try requireNonNull(targets, "targets"), rows: rows)
        }
    }
}

@_cdecl("bp_network_set_optimizer") @implementation
public func bp_network_set_optimizer(_ network: OpaquePointer!, _ name: UnsafePointer<CChar>!) -> Int32 {
    status { () throws(BackpropError) in
        let name = try text(name, "name")
        try change(network) { (state) throws(BackpropError) in try state.setOptimizer(name) }
    }
}

@_cdecl("bp_network_get_optimizer") @implementation
public func bp_network_get_optimizer(
    _ network: OpaquePointer!, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int,
    _ needed_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try TextOutput(buffer, capacity, needed_out)
        try read(network) { (state) throws(BackpropError) in try out.put(state.optimizer.name) }
    }
}

@_cdecl("bp_network_effective_parameters") @implementation
public func bp_network_effective_parameters(
    _ network: OpaquePointer!, _ count_out: UnsafeMutablePointer<Double>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(count_out, "count_out")
        try read(network) { (state) throws(BackpropError) in out.pointee = try state.effectiveParameters() }
    }
}

@_cdecl("bp_optimizer_name") @implementation
public func bp_optimizer_name(
    _ index: Int, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int, _ needed_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    status { () throws(BackpropError) in try TextOutput(buffer, capacity, needed_out).put(try Optimizer.name(at: index)) }
}

@_cdecl("bp_network_set_option") @implementation
public func bp_network_set_option(_ network: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ value: Double) -> Int32 {
    status { () throws(BackpropError) in
        let name = try text(name, "name")
        try change(network) { (state) throws(BackpropError) in try state.setOption(name, value) }
    }
}

@_cdecl("bp_network_get_option") @implementation
public func bp_network_get_option(
    _ network: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ value_out: UnsafeMutablePointer<Double>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(value_out, "value_out")
        let name = try text(name, "name")
        try read(network) { (state) throws(BackpropError) in out.pointee = try state.option(name) }
    }
}
