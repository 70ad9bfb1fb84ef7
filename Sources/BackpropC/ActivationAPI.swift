import Backprop
import CBackprop

@_cdecl("bp_activation_register_scalar") @implementation
public func bp_activation_register_scalar(
    _ name: UnsafePointer<CChar>!, _ function: bp_scalar_fn!, _ derivative: bp_scalar_derivative_fn!,
    _ user_data: UnsafeMutableRawPointer!, _ destroy: bp_destroy_fn!
) -> Int32 {
    register { () throws(BackpropError) in
        let name = try text(name, "name")
        let function = try require(function, "function")
        return ActivationPlugin(
            name: name, kind: .scalar, .scalar(function, derivative: derivative, user_data),
            libraries: libraries(containing: address(of: function), derivative.map { address(of: $0) }),
            destroy: destroy.map { destroy in { destroy(user_data) } })
    }
}

@_cdecl("bp_activation_register_vector") @implementation
public func bp_activation_register_vector(
    _ name: UnsafePointer<CChar>!, _ forward: bp_vector_forward_fn!, _ backward: bp_vector_backward_fn!,
    _ user_data: UnsafeMutableRawPointer!, _ destroy: bp_destroy_fn!
) -> Int32 {
    register { () throws(BackpropError) in
        let name = try text(name, "name")
        let forward = try require(forward, "forward")
        let backward = try require(backward, "backward")
        return ActivationPlugin(
            name: name, kind: .vector,
            .matrices({ forward($0, $1, $2, $3, user_data) }, { backward($0, $1, $2, $3, $4, $5, user_data) }),
            libraries: libraries(containing: address(of: forward), address(of: backward)),
            destroy: destroy.map { destroy in { destroy(user_data) } })
    }
}

@_cdecl("bp_activation_register_foreign") @implementation
public func bp_activation_register_foreign(
    _ name: UnsafePointer<CChar>!, _ function: bp_foreign_fn!, _ derivative: bp_foreign_fn!,
    _ signature: UnsafePointer<CChar>!, _ constants: UnsafePointer<Double>!, _ constant_count: Int
) -> Int32 {
    register { () throws(BackpropError) in
        let name = try text(name, "name")
        let function = try require(function, "function")
        return ActivationPlugin(
            name: name, kind: .foreign,
            try .foreign(
                function, derivative: derivative, try Signature(parsing: try text(signature, "signature")),
                constants: try signatureConstants(constants, constant_count)),
            libraries: libraries(containing: function, derivative))
    }
}

@_cdecl("bp_activation_register_library") @implementation
public func bp_activation_register_library(
    _ name: UnsafePointer<CChar>!, _ library_path: UnsafePointer<CChar>!, _ function_symbol: UnsafePointer<CChar>!,
    _ derivative_symbol: UnsafePointer<CChar>!, _ signature: UnsafePointer<CChar>!, _ constants: UnsafePointer<Double>!,
    _ constant_count: Int
) -> Int32 {
    register { () throws(BackpropError) in
        try .library(
            try text(name, "name"), try optionalBytes(library_path), try bytes(function_symbol, "function_symbol"),
            try optionalBytes(derivative_symbol), try Signature(parsing: try text(signature, "signature")),
            constants: try signatureConstants(constants, constant_count))
    }
}

@_cdecl("bp_activation_set_thread_safe") @implementation
public func bp_activation_set_thread_safe(_ name: UnsafePointer<CChar>!, _ thread_safe: Int32) -> Int32 {
    status { () throws(BackpropError) in try PluginRegistry.setThreadSafe(try text(name, "name"), thread_safe != 0) }
}

@_cdecl("bp_activation_set_destroy") @implementation
public func bp_activation_set_destroy(
    _ name: UnsafePointer<CChar>!, _ user_data: UnsafeMutableRawPointer!, _ destroy: bp_destroy_fn!
) -> Int32 {
    status { () throws(BackpropError) in
        let name = try text(name, "name")
        let destroy = try require(destroy, "destroy")
        try PluginRegistry.activations.setDestroy(name) { destroy(user_data) }
    }
}

@_cdecl("bp_activation_unregister") @implementation
public func bp_activation_unregister(_ name: UnsafePointer<CChar>!) -> Int32 {
    status { () throws(BackpropError) in try PluginRegistry.activations.unregister(try text(name, "name")) }
}

@_cdecl("bp_activation_name") @implementation
public func bp_activation_name(
    _ index: Int, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int, _ needed_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    status { () throws(BackpropError) in
        try TextOutput(buffer, capacity, needed_out).put(try PluginRegistry.activations.name(at: index))
    }
}

@_cdecl("bp_activation_kind") @implementation
public func bp_activation_kind(_ name: UnsafePointer<CChar>!, _ kind_out: UnsafeMutablePointer<Int32>!) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(kind_out, "kind_out")
        out.pointee = try PluginRegistry.kind(of: try text(name, "name")).rawValue
    }
}

@_cdecl("bp_activation_check") @implementation
public func bp_activation_check(
    _ name: UnsafePointer<CChar>!, _ worst_error_out: UnsafeMutablePointer<Double>!,
    _ report_out: UnsafeMutablePointer<bp_activation_report>!
) -> Int32 {
    status { () throws(BackpropError) in
        worst_error_out?.pointee = 0
        let record = try report_out.map { (out) throws(BackpropError) in try StructOutput(out, "report_out") }
        let worstError = try zeroed(worst_error_out, "worst_error_out")
        let report = try ActivationCheck.run(try text(name, "name"))
        worstError.pointee = report.worstError
        record?.put(
            bp_activation_report(
                struct_size: 0, points: UInt32(report.points), kinks: UInt32(report.kinks),
                skipped: UInt32(report.skipped), worst_error: report.worstError, worst_z: report.worstZ,
                first_kink: report.firstKink))
    }
}

/// Registers the activation that `make` returns.
private func register(_ make: () throws(BackpropError) -> ActivationPlugin) -> Int32 {
    registering { () throws(BackpropError) in try PluginRegistry.activations.register(try make()) }
}

/// Runs a registration, whose error is a part of the message of the plug-in file that fails by it.
func registering(_ body: () throws(BackpropError) -> Void) -> Int32 {
    status { () throws(BackpropError) in
        do throws(BackpropError) {
            try body()
        } catch {
            PluginFile.note(error)
            throw error
        }
    }
}

/// An optional path or symbol: nil for NULL.
private func optionalBytes(_ pointer: UnsafePointer<CChar>?) throws(BackpropError) -> CString? {
    pointer == nil ? nil : try bytes(pointer, "path or symbol")
}

/// The constants of a signature, copied.
private func signatureConstants(_ values: UnsafePointer<Double>?, _ count: Int) throws(BackpropError) -> [Double] {
    guard count >= 0, count <= 1024 else {
        throw BackpropError(.invalidValue, "constant_count is too large: a signature has at most 15 constants")
    }
    guard count > 0 else { return [] }
    return Array(UnsafeBufferPointer(start: try require(values, "constants"), count: count))
}

/// The address of a C function of any type.
func address<Function>(of function: Function) -> ForeignFunction {
    unsafeBitCast(function, to: ForeignFunction.self)
}

/// The shared objects that contain these functions.
func libraries(containing one: ForeignFunction, _ other: ForeignFunction?) -> [SharedObject] {
    [one, other].compactMap { $0.flatMap { SharedObject.holding($0) } }
}
