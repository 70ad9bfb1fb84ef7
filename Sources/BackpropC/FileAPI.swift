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
        guard count >= 0 else { throw BackpropError(.limit, "count is too large") }
        let file = UnsafeBufferPointer(start: count == 0 ? bytes : try require(bytes, "bytes"), count: count)
        out.pointee = try Handle(owning: try NetworkState.load(file)).pointer
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

@_cdecl("bp_network_load_weights") @implementation
public func bp_network_load_weights(_ network: OpaquePointer!, _ path: UnsafePointer<CChar>!) -> Int32 {
    status { () throws(BackpropError) in
        try Handle<NetworkState>(try require(network, "network")).loadWeights(try bytes(path, "path"))
    }
}
