import Backprop
import CBackprop

@_cdecl("bp_network_load") @implementation
public func bp_network_load(_ path: UnsafePointer<CChar>!, _ network_out: UnsafeMutablePointer<OpaquePointer?>!) -> Int32 {
    status { () throws(BackpropError) in
        let out = try requireHandleOut(network_out)
        out.pointee = try Handle(owning: try NetworkState.load(try bytes(path, "path"))).pointer
    }
}

@_cdecl("bp_network_load_memory") @implementation
public func bp_network_load_memory(
    _ bytes: UnsafePointer<UInt8>!, _ count: Int, _ network_out: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try requireHandleOut(network_out)
        out.pointee = try Handle(owning: try NetworkState.load(try file(bytes, count))).pointer
    }
}

@_cdecl("bp_network_save") @implementation
public func bp_network_save(_ network: OpaquePointer!, _ path: UnsafePointer<CChar>!) -> Int32 {
    status { () throws(BackpropError) in
        let path = try bytes(path, "path")
        try Handle<NetworkState>(try require(network, "network")).save(path)
    }
}

@_cdecl("bp_network_save_memory") @implementation
public func bp_network_save_memory(
    _ network: OpaquePointer!, _ buffer: UnsafeMutablePointer<UInt8>!, _ capacity: Int,
    _ needed_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(needed_out, "needed_out")
        let buffer = capacity == 0 ? buffer : try require(buffer, "buffer")
        try Handle<NetworkState>(try require(network, "network"))
            .save(into: buffer, capacity: clampedToInt(capacity), needed: &out.pointee)
    }
}

@_cdecl("bp_network_export_c") @implementation
public func bp_network_export_c(
    _ network: OpaquePointer!, _ path: UnsafePointer<CChar>!, _ prefix: UnsafePointer<CChar>!, _ weight_bits: Int32,
    _ flags: Int32
) -> Int32 {
    export(swift: false, network, path, prefix, "prefix", weight_bits, flags)
}

@_cdecl("bp_network_export_swift") @implementation
public func bp_network_export_swift(
    _ network: OpaquePointer!, _ path: UnsafePointer<CChar>!, _ type_name: UnsafePointer<CChar>!, _ weight_bits: Int32,
    _ flags: Int32
) -> Int32 {
    export(swift: true, network, path, type_name, "type_name", weight_bits, flags)
}

@inline(never)
private func export(
    swift: Bool, _ network: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ name: UnsafePointer<CChar>?,
    _ parameter: StaticString, _ bits: Int32, _ flags: Int32
) -> Int32 {
    status { () throws(BackpropError) in
        let handle = try Handle<NetworkState>(try require(network, "network"))
        let path = try bytes(path, "path")
        let name = try text(name, parameter)
        guard flags & ~BP_EXPORT_FOLDED == 0 else { throw BackpropError(.invalidValue, "flags \(Int(flags)) are unknown") }
        try handle.export(
            swift: swift, to: path, name: name, weightBits: Int(bits), folded: flags & BP_EXPORT_FOLDED != 0)
    }
}

@_cdecl("bp_network_load_weights") @implementation
public func bp_network_load_weights(_ network: OpaquePointer!, _ path: UnsafePointer<CChar>!) -> Int32 {
    loadWeights(network) { () throws(BackpropError) in .file(try bytes(path, "path")) }
}

@_cdecl("bp_network_load_weights_memory") @implementation
public func bp_network_load_weights_memory(
    _ network: OpaquePointer!, _ bytes: UnsafePointer<UInt8>!, _ count: Int
) -> Int32 {
    loadWeights(network) { () throws(BackpropError) in .memory(try file(bytes, count)) }
}

@_cdecl("bp_network_load_layer") @implementation
public func bp_network_load_layer(
    _ network: OpaquePointer!, _ layer: Int, _ path: UnsafePointer<CChar>!, _ weight_name: UnsafePointer<CChar>!,
    _ bias_name: UnsafePointer<CChar>!
) -> Int32 {
    loadLayer(network, layer, weight_name, bias_name) { () throws(BackpropError) in .file(try bytes(path, "path")) }
}

@_cdecl("bp_network_load_layer_memory") @implementation
public func bp_network_load_layer_memory(
    _ network: OpaquePointer!, _ layer: Int, _ bytes: UnsafePointer<UInt8>!, _ count: Int,
    _ weight_name: UnsafePointer<CChar>!, _ bias_name: UnsafePointer<CChar>!
) -> Int32 {
    loadLayer(network, layer, weight_name, bias_name) { () throws(BackpropError) in .memory(try file(bytes, count)) }
}

@inline(never)
private func loadWeights(
    _ network: OpaquePointer?, _ source: () throws(BackpropError) -> WeightsSource
) -> Int32 {
    status { () throws(BackpropError) in
        try Handle<NetworkState>(try require(network, "network")).loadWeights(try source())
    }
}

@inline(never)
private func loadLayer(
    _ network: OpaquePointer?, _ layer: Int, _ weight: UnsafePointer<CChar>?, _ bias: UnsafePointer<CChar>?,
    _ source: () throws(BackpropError) -> WeightsSource
) -> Int32 {
    status { () throws(BackpropError) in
        let handle = try Handle<NetworkState>(try require(network, "network"))
        let weight = try text(weight, "weight_name")
        let bias = bias == nil ? nil : try text(bias, "bias_name")
        try handle.loadWeights(try source(), layer: LayerSource(layer, weight: weight, bias: bias))
    }
}

/// The bytes of a file in the caller's memory.
private func file(_ bytes: UnsafePointer<UInt8>?, _ count: Int) throws(BackpropError) -> UnsafeBufferPointer<UInt8> {
    guard count >= 0 else { throw BackpropError(.limit, "count is too large") }
    return UnsafeBufferPointer(start: count == 0 ? bytes : try require(bytes, "bytes"), count: count)
}
