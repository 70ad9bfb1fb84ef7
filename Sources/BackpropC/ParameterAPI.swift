import Backprop
import CBackprop

@_cdecl("bp_network_parameter_count") @implementation
public func bp_network_parameter_count(_ network: OpaquePointer!, _ count_out: UnsafeMutablePointer<Int>!) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(count_out, "count_out")
        try read(network) { (state) throws(BackpropError) in out.pointee = state.parameterCount }
    }
}

@_cdecl("bp_network_get_parameters") @implementation
public func bp_network_get_parameters(
    _ network: OpaquePointer!, _ parameters_out: UnsafeMutablePointer<Float>!, _ count: Int
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try require(parameters_out, "parameters_out")
        try read(network) { (state) throws(BackpropError) in try state.getParameters(out, count: count) }
    }
}

@_cdecl("bp_network_set_parameters") @implementation
public func bp_network_set_parameters(
    _ network: OpaquePointer!, _ parameters: UnsafePointer<Float>!, _ count: Int
) -> Int32 {
    status { () throws(BackpropError) in
        let parameters = try require(parameters, "parameters")
        try change(network) { (state) throws(BackpropError) in try state.setParameters(parameters, count: count) }
    }
}
