import Backprop
import CBackprop

@_cdecl("bp_plugin_load") @implementation
public func bp_plugin_load(_ path: UnsafePointer<CChar>!) -> Int32 {
    status { () throws(BackpropError) in
        try PluginFile.load(try text(path, "path"), entry: "bp_plugin_register") { function in
            let register = unsafeBitCast(function, to: bp_plugin_register_fn.self)
            return withUnsafePointer(to: &host) { register($0) }
        }
    }
}

/// What a plug-in file is given: this very library's functions, whatever copy of it the file may be linked with. It stays
/// where it is: a file may keep the pointer.
nonisolated(unsafe) private var host = bp_plugin_host(
    struct_size: UInt32(MemoryLayout<bp_plugin_host>.size), abi_version: UInt32(BP_ABI_VERSION),
    register_scalar: bp_activation_register_scalar, register_vector: bp_activation_register_vector,
    register_foreign: bp_activation_register_foreign, register_library: bp_activation_register_library,
    set_thread_safe: bp_activation_set_thread_safe, set_destroy: bp_activation_set_destroy, last_error_message: bp_last_error_message)
