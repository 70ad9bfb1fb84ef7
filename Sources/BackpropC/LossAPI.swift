import Backprop
import CBackprop

@_cdecl("bp_loss_register") @implementation
public func bp_loss_register(
    _ name: UnsafePointer<CChar>!, _ target_columns: Int, _ function: bp_loss_fn!, _ user_data: UnsafeMutableRawPointer!,
    _ destroy: bp_destroy_fn!
) -> Int32 {
    registering { () throws(BackpropError) in
        let name = try text(name, "name")
        let function = try require(function, "function")
        let plugin = try LossPlugin.make(
            name, targetColumns: target_columns, libraries: libraries(containing: address(of: function), nil),
            destroy: destroy.map { destroy in { destroy(user_data) } }
        ) { function($0, $1, $2, $3, $4, $5, $6, user_data) }
        try PluginRegistry.losses.register(plugin)
    }
}

@_cdecl("bp_loss_unregister") @implementation
public func bp_loss_unregister(_ name: UnsafePointer<CChar>!) -> Int32 {
    status { () throws(BackpropError) in try PluginRegistry.losses.unregister(try text(name, "name")) }
}

@_cdecl("bp_loss_name") @implementation
public func bp_loss_name(
    _ index: Int, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int, _ needed_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    status { () throws(BackpropError) in
        try TextOutput(buffer, capacity, needed_out).put(try PluginRegistry.losses.name(at: index))
    }
}

@_cdecl("bp_loss_check") @implementation
public func bp_loss_check(
    _ name: UnsafePointer<CChar>!, _ outputs: UnsafePointer<Float>!, _ targets: UnsafePointer<Float>!, _ rows: Int,
    _ columns: Int, _ worst_error_out: UnsafeMutablePointer<Double>!
) -> Int32 {
    status { () throws(BackpropError) in
        let worstError = try zeroed(worst_error_out, "worst_error_out")
        worstError.pointee = try LossCheck.run(
            try text(name, "name"), try require(outputs, "outputs"), try require(targets, "targets"), rows: rows,
            columns: columns)
    }
}
