import Backprop
import CBackprop

@_cdecl("bp_network_set_metadata") @implementation
public func bp_network_set_metadata(
    _ network: OpaquePointer!, _ key: UnsafePointer<CChar>!, _ value: UnsafePointer<CChar>!
) -> Int32 {
    status { () throws(BackpropError) in
        let key = try validText(key, "key")
        let value = try validText(value, "value")
        try change(network) { (state) throws(BackpropError) in try state.setMetadata(key, value) }
    }
}

@_cdecl("bp_network_get_metadata") @implementation
public func bp_network_get_metadata(
    _ network: OpaquePointer!, _ key: UnsafePointer<CChar>!, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int,
    _ needed_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try TextOutput(buffer, capacity, needed_out)
        let key = try validText(key, "key")
        try read(network) { (state) throws(BackpropError) in try out.put(try state.metadata(key)) }
    }
}

@_cdecl("bp_network_metadata_key") @implementation
public func bp_network_metadata_key(
    _ network: OpaquePointer!, _ index: Int, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int,
    _ needed_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try TextOutput(buffer, capacity, needed_out)
        try read(network) { (state) throws(BackpropError) in try out.put(try state.metadataKey(at: index)) }
    }
}

@_cdecl("bp_network_remove_metadata") @implementation
public func bp_network_remove_metadata(_ network: OpaquePointer!, _ key: UnsafePointer<CChar>!) -> Int32 {
    status { () throws(BackpropError) in
        let key = try validText(key, "key")
        try change(network) { (state) throws(BackpropError) in try state.removeMetadata(key) }
    }
}
