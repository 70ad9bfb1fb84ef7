import Backprop
import CBackprop

@_cdecl("bp_network_create") @implementation
public func bp_network_create(
    _ layer_sizes: UnsafePointer<Int>!, _ layer_count: Int, _ seed: UInt64,
    _ network_out: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try requireHandleOut(network_out)
        guard layer_count >= 0, layer_count <= 1 << 32 else { throw BackpropError(.limit, "layer_count is too large") }
        let sizes = UnsafeBufferPointer(start: try require(layer_sizes, "layer_sizes"), count: layer_count)
        out.pointee = try Handle(owning: try NetworkState.make(layerSizes: sizes, seed: seed)).pointer
    }
}

@_cdecl("bp_network_clone") @implementation
public func bp_network_clone(_ network: OpaquePointer!, _ network_out: UnsafeMutablePointer<OpaquePointer?>!) -> Int32 {
    status { () throws(BackpropError) in
        let out = try requireHandleOut(network_out)
        try reading(network) { (state) throws(BackpropError) in
            out.pointee = try Handle(owning: try state.copy()).pointer
        }
    }
}

@_cdecl("bp_network_free") @implementation
public func bp_network_free(_ network: OpaquePointer!) {
    guard let network else { return }
    if let handle = try? Handle<NetworkState>(network) { handle.free() }
}

@_cdecl("bp_network_initialize") @implementation
public func bp_network_initialize(_ network: OpaquePointer!, _ seed: UInt64) -> Int32 {
    status { () throws(BackpropError) in
        try changing(network) { (state) throws(BackpropError) in state.initialize(seed: seed) }
    }
}

@_cdecl("bp_network_layer_count") @implementation
public func bp_network_layer_count(_ network: OpaquePointer!, _ count_out: UnsafeMutablePointer<Int>!) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(count_out, "count_out")
        try reading(network) { (state) throws(BackpropError) in out.pointee = state.layerCount }
    }
}

@_cdecl("bp_network_layer_size") @implementation
public func bp_network_layer_size(
    _ network: OpaquePointer!, _ layer: Int, _ size_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(size_out, "size_out")
        try reading(network) { (state) throws(BackpropError) in out.pointee = try state.size(ofLayer: layer) }
    }
}

@_cdecl("bp_network_set_activation") @implementation
public func bp_network_set_activation(_ network: OpaquePointer!, _ layer: Int, _ name: UnsafePointer<CChar>!) -> Int32 {
    status { () throws(BackpropError) in
        let name = try text(name, "name")
        try changing(network) { (state) throws(BackpropError) in try state.setActivation(layer, name) }
    }
}

@_cdecl("bp_network_set_batchnorm") @implementation
public func bp_network_set_batchnorm(_ network: OpaquePointer!, _ layer: Int, _ enabled: Int32) -> Int32 {
    status { () throws(BackpropError) in
        try changing(network) { (state) throws(BackpropError) in try state.setBatchnorm(layer, enabled: enabled != 0) }
    }
}

@_cdecl("bp_network_set_dropout") @implementation
public func bp_network_set_dropout(_ network: OpaquePointer!, _ layer: Int, _ rate: Double) -> Int32 {
    status { () throws(BackpropError) in
        try changing(network) { (state) throws(BackpropError) in try state.setDropout(layer, rate: rate) }
    }
}

@_cdecl("bp_network_get_dropout") @implementation
public func bp_network_get_dropout(
    _ network: OpaquePointer!, _ layer: Int, _ rate_out: UnsafeMutablePointer<Double>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(rate_out, "rate_out")
        try reading(network) { (state) throws(BackpropError) in out.pointee = try state.dropout(layer) }
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
        try changing(network) { (state) throws(BackpropError) in
            try state.fitScaling(inputs: forInputs, targets: forTargets, inputs, targets, rows: rows)
        }
    }
}

@_cdecl("bp_network_check_settings") @implementation
public func bp_network_check_settings(_ network: OpaquePointer!, _ targets: UnsafePointer<Float>!, _ rows: Int) -> Int32 {
    status { () throws(BackpropError) in
        try reading(network) { (state) throws(BackpropError) in
            try state.checkSettings(rows == 0 ? nil : try requireNonNull(targets, "targets"), rows: rows)
        }
    }
}

@_cdecl("bp_network_set_loss") @implementation
public func bp_network_set_loss(_ network: OpaquePointer!, _ name: UnsafePointer<CChar>!) -> Int32 {
    status { () throws(BackpropError) in
        let name = try text(name, "name")
        try changing(network) { (state) throws(BackpropError) in try state.setLoss(name) }
    }
}

@_cdecl("bp_network_set_optimizer") @implementation
public func bp_network_set_optimizer(_ network: OpaquePointer!, _ name: UnsafePointer<CChar>!) -> Int32 {
    status { () throws(BackpropError) in
        let name = try text(name, "name")
        try changing(network) { (state) throws(BackpropError) in try state.setOptimizer(name) }
    }
}

@_cdecl("bp_network_set_option") @implementation
public func bp_network_set_option(_ network: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ value: Double) -> Int32 {
    status { () throws(BackpropError) in
        let name = try text(name, "name")
        try changing(network) { (state) throws(BackpropError) in try state.setOption(name, value) }
    }
}

@_cdecl("bp_network_get_option") @implementation
public func bp_network_get_option(
    _ network: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ value_out: UnsafeMutablePointer<Double>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(value_out, "value_out")
        let name = try text(name, "name")
        try reading(network) { (state) throws(BackpropError) in out.pointee = try state.option(name) }
    }
}
