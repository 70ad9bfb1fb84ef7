import Backprop
import CBackprop

@_cdecl("bp_network_tensor_name") @implementation
public func bp_network_tensor_name(
    _ network: OpaquePointer!, _ index: Int, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int,
    _ needed_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try TextOutput(buffer, capacity, needed_out)
        try read(network) { (state) throws(BackpropError) in try out.put(try state.tensorName(at: index)) }
    }
}

@_cdecl("bp_network_tensor_shape") @implementation
public func bp_network_tensor_shape(
    _ network: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ rows_out: UnsafeMutablePointer<Int>!,
    _ columns_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    status { () throws(BackpropError) in
        columns_out?.pointee = 0
        let rows = try zeroed(rows_out, "rows_out")
        let columns = try zeroed(columns_out, "columns_out")
        let name = try text(name, "name")
        try read(network) { (state) throws(BackpropError) in
            (rows.pointee, columns.pointee) = try state.tensorShape(name)
        }
    }
}

@_cdecl("bp_network_get_tensor") @implementation
public func bp_network_get_tensor(
    _ network: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ values_out: UnsafeMutablePointer<Float>!, _ count: Int
) -> Int32 {
    status { () throws(BackpropError) in
        let name = try text(name, "name")
        let out = try require(values_out, "values_out")
        try read(network) { (state) throws(BackpropError) in try state.getTensor(name, out, count: count) }
    }
}

@_cdecl("bp_network_set_tensor") @implementation
public func bp_network_set_tensor(
    _ network: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ values: UnsafePointer<Float>!, _ count: Int
) -> Int32 {
    status { () throws(BackpropError) in
        let name = try text(name, "name")
        let values = try require(values, "values")
        try change(network) { (state) throws(BackpropError) in try state.setTensor(name, values, count: count) }
    }
}
