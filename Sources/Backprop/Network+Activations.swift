/// Activations of the program's own, for all networks of the process. `backprop.h` says more on each.
extension Network {
    /// Registers a function of one number by name. Without a derivative, central differences.
    public static func registerActivation(
        _ name: String, derivative: (@Sendable (_ z: Float, _ a: Float) -> Float)? = nil,
        function: @escaping @Sendable (Float) -> Float
    ) throws(BackpropError) {
        try ActivationRegistry.register(
            ActivationPlugin(name: name, kind: .scalar, .closure(function, derivative: derivative)))
    }

    /// Networks that use the activation go on with it.
    public static func unregisterActivation(_ name: String) throws(BackpropError) {
        try ActivationRegistry.unregister(name)
    }
}
