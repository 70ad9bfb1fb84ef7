import Backprop
import CBackprop
import CPlatform

@_cdecl("bp_plugin_load") @implementation
public func bp_plugin_load(_ path: UnsafePointer<CChar>!) -> Int32 {
    status { () throws(BackpropError) in try loadPlugin(try bytes(path, "path")) }
}

/// Loads a plug-in, which registers its activations and losses.
package func loadPlugin(_ path: CString) throws(BackpropError) {
    let table = try pluginTable()
    try PluginFile.load(path, entry: "bp_plugin_register") { function in
        unsafeBitCast(function, to: bp_plugin_register_fn.self)(table)
    }
}

/// The table of functions for plug-ins: those of this copy of the library, even if the plug-in is linked with another copy.
/// It is created once and never freed, since a plug-in may keep the pointer.
private func pluginTable() throws(BackpropError) -> UnsafePointer<bp_plugin_host> {
    if let made = cp_load_pointer(cp_plugin_table()) { return UnsafePointer(made.assumingMemoryBound(to: bp_plugin_host.self)) }
    let size = MemoryLayout<bp_plugin_host>.size
    guard let bytes = cp_allocate_bytes(size) else {
        throw BackpropError(.outOfMemory, "out of memory: cannot allocate a plug-in's table")
    }
    UnsafeMutableRawPointer(bytes).bindMemory(to: bp_plugin_host.self, capacity: 1).initialize(
        to: bp_plugin_host(
            struct_size: UInt32(size), abi_version: UInt32(BP_ABI_VERSION),
            register_scalar: bp_activation_register_scalar, register_vector: bp_activation_register_vector,
            register_foreign: bp_activation_register_foreign, register_library: bp_activation_register_library,
            set_thread_safe: bp_activation_set_thread_safe, set_destroy: bp_activation_set_destroy,
            last_error_message: bp_last_error_message, register_loss: bp_loss_register))
    if !cp_exchange_pointer_if_null(cp_plugin_table(), bytes) { cp_free(bytes) }  // another thread was first
    return try pluginTable()
}
