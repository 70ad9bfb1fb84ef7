import Backprop
import CBackprop

@_cdecl("bp_network_create") @implementation
public func bp_network_create(
    _ layer_sizes: UnsafePointer<Int>!, _ layer_count: Int, _ seed: UInt64,
    _ network_out: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try requireHandleOut(network_out)
        guard layer_count >= 0, layer_count <= Int(clamping: 1 << 32 as Int64) else {
            throw BackpropError(.limit, "layer_count is too large")
        }
        let sizes = UnsafeBufferPointer(start: try require(layer_sizes, "layer_sizes"), count: layer_count)
        out.pointee = try Handle(owning: try NetworkState.make(layerSizes: sizes, seed: seed)).pointer
    }
}

@_cdecl("bp_network_clone") @implementation
public func bp_network_clone(_ network: OpaquePointer!, _ network_out: UnsafeMutablePointer<OpaquePointer?>!) -> Int32 {
    status { () throws(BackpropError) in
        let out = try requireHandleOut(network_out)
        try read(network) { (state) throws(BackpropError) in
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
        try change(network) { (state) throws(BackpropError) in state.initialize(seed: seed) }
    }
}

@_cdecl("bp_network_replace_output") @implementation
public func bp_network_replace_output(_ network: OpaquePointer!, _ size: Int, _ seed: UInt64) -> Int32 {
    status { () throws(BackpropError) in
        try Handle<NetworkState>(try require(network, "network")).replace { (state) throws(BackpropError) in
            try state.replacingOutput(size: size, seed: seed)
        }
    }
}

@_cdecl("bp_network_layer_count") @implementation
public func bp_network_layer_count(_ network: OpaquePointer!, _ count_out: UnsafeMutablePointer<Int>!) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(count_out, "count_out")
        try read(network) { (state) throws(BackpropError) in out.pointee = state.layerCount }
    }
}

@_cdecl("bp_network_layer_size") @implementation
public func bp_network_layer_size(
    _ network: OpaquePointer!, _ layer: Int, _ size_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(size_out, "size_out")
        try read(network) { (state) throws(BackpropError) in out.pointee = try state.size(ofLayer: layer) }
    }
}

@_cdecl("bp_network_step_count") @implementation
public func bp_network_step_count(_ network: OpaquePointer!, _ steps_out: UnsafeMutablePointer<UInt64>!) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(steps_out, "steps_out")
        try read(network) { (state) throws(BackpropError) in out.pointee = state.steps }
    }
}
