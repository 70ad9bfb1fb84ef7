import Backprop
import CBackprop

@_cdecl("bp_activation_register_scalar") @implementation
public func bp_activation_register_scalar(
    _ name: UnsafePointer<CChar>!, _ function: bp_scalar_fn!, _ derivative: bp_scalar_derivative_fn!,
    _ user_data: UnsafeMutableRawPointer!, _ destroy: bp_destroy_fn!
) -> Int32 {
    status { () throws(BackpropError) in
        let name = try text(name, "name")
        let function = try require(function, "function")
        let backward: ActivationPlugin.Backward =
            if let derivative {
                { z, a, da, dz, rows, columns in
                    for i in 0..<rows * columns { dz[i] = da[i] * derivative(z[i], a[i], user_data) }
                    return 0
                }
            } else {
                { z, _, da, dz, rows, columns in
                    for i in 0..<rows * columns {
                        dz[i] = da[i] * centralDifference(of: { function($0, user_data) }, at: z[i])
                    }
                    return 0
                }
            }
        // The loops call the host's function directly: one call a number is what it costs.
        try ActivationRegistry.register(
            ActivationPlugin(
                name: name,
                forward: { z, a, rows, columns in
                    for i in 0..<rows * columns { a[i] = function(z[i], user_data) }
                    return 0
                },
                backward: backward, destroy: destroy.map { destroy in { destroy(user_data) } }))
    }
}

@_cdecl("bp_activation_register_vector") @implementation
public func bp_activation_register_vector(
    _ name: UnsafePointer<CChar>!, _ forward: bp_vector_forward_fn!, _ backward: bp_vector_backward_fn!,
    _ user_data: UnsafeMutableRawPointer!, _ destroy: bp_destroy_fn!
) -> Int32 {
    status { () throws(BackpropError) in
        let name = try text(name, "name")
        let forward = try require(forward, "forward")
        let backward = try require(backward, "backward")
        try ActivationRegistry.register(
            ActivationPlugin(
                name: name, forward: { forward($0, $1, $2, $3, user_data) },
                backward: { backward($0, $1, $2, $3, $4, $5, user_data) },
                destroy: destroy.map { destroy in { destroy(user_data) } }))
    }
}

@_cdecl("bp_activation_unregister") @implementation
public func bp_activation_unregister(_ name: UnsafePointer<CChar>!) -> Int32 {
    status { () throws(BackpropError) in try ActivationRegistry.unregister(try text(name, "name")) }
}

@_cdecl("bp_activation_name") @implementation
public func bp_activation_name(
    _ index: Int, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int, _ needed_out: UnsafeMutablePointer<Int>!
) -> Int32 {
    status { () throws(BackpropError) in
        let out = try zeroed(needed_out, "needed_out")
        let buffer = capacity == 0 ? buffer : try require(buffer, "buffer")
        let name = try ActivationRegistry.name(at: index)
        let count = name.utf8.count + 1
        out.pointee = count
        guard let buffer, roomy(capacity) >= count else {
            throw BackpropError(.bufferTooSmall, "the name needs \(count) bytes, the buffer has \(capacity)")
        }
        for (i, byte) in name.utf8.enumerated() { buffer[i] = CChar(bitPattern: byte) }
        buffer[count - 1] = 0
    }
}
