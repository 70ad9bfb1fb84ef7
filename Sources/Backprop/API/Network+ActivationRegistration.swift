/// A scalar activation a = f(z) as a type, which may have stored constants. The library compiles its loops for each such
/// type: there is no call for each number.
///
///     struct Swish: ScalarActivation {
///         let slope: Float
///         func value(at z: Float) -> Float { z / (1 + exp(-slope * z)) }
///         func derivative(at z: Float, value a: Float) -> Float { … }
///     }
///     try Network.registerActivation("swish2", Swish(slope: 2))
public protocol ScalarActivation: Sendable {
    /// Returns f(z).
    func value(at z: Float) -> Float
    /// Returns f′(z), where a = f(z).
    func derivative(at z: Float, value a: Float) -> Float
}

/// Custom activations, registered by name for all networks of the process. `backprop.h` describes each kind in detail.
///
/// With `isThreadSafe: true`, several threads may call the functions at the same time. With `isThreadSafe: false`, a call
/// on a network calls them only on its own thread.
///
/// A name has 1 to 64 characters of a-z, 0-9, '_', '.' and '-'. Registration throws `.invalidValue` for a malformed name
/// or one that is already registered, and `.outOfMemory`.
extension Network {
    /// Registers a scalar activation as a closure.
    ///
    /// - Parameters:
    ///   - name: The name of the activation.
    ///   - isThreadSafe: Whether several threads may call the closures at the same time.
    ///   - derivative: f′(z), where a = f(z). An omitted derivative is approximated by central differences.
    ///   - function: f(z).
    /// - Throws: `.invalidValue`; `.outOfMemory`.
    public static func registerActivation(
        _ name: String, isThreadSafe: Bool = true, derivative: (@Sendable (_ z: Float, _ a: Float) -> Float)? = nil,
        function: @escaping @Sendable (Float) -> Float
    ) throws(BackpropError) {
        try register(ActivationPlugin(name: name, kind: .scalar, .closure(function, derivative: derivative)), isThreadSafe)
    }

    /// Registers a scalar activation as a value of a type that implements `ScalarActivation`.
    ///
    /// - Parameters:
    ///   - name: The name of the activation.
    ///   - activation: The function and its derivative.
    ///   - isThreadSafe: Whether several threads may call them at the same time.
    /// - Throws: `.invalidValue`; `.outOfMemory`.
    @inlinable
    public static func registerActivation(
        _ name: String, _ activation: some ScalarActivation, isThreadSafe: Bool = true
    ) throws(BackpropError) {
        try registerLoops(
            name, isThreadSafe,
            map: { z, a, count in
                for i in 0..<count { a[i] = activation.value(at: z[i]) }
            },
            slopes: { z, a, slopes, count in
                for i in 0..<count { slopes[i] = activation.derivative(at: z[i], value: a[i]) }
            })
    }

    @usableFromInline
    static func registerLoops(
        _ name: String, _ isThreadSafe: Bool,
        map: @escaping (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void,
        slopes: @escaping (UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
    ) throws(BackpropError) {
        try register(ActivationPlugin(name: name, kind: .scalar, .loops(map: map, slopes: slopes)), isThreadSafe)
    }

    /// Registers a function of a shared library as a scalar activation.
    ///
    /// - Parameters:
    ///   - name: The name of the activation.
    ///   - path: The shared library, as `dlopen` accepts it: a path with a slash is a file, a name without one is searched
    ///     for. nil is the process itself.
    ///   - function: The symbol of f(z, constants …).
    ///   - derivative: The symbol of f′, with the same signature. nil: central differences approximate it.
    ///   - signature: The result and parameter types, such as "d(d)" or "d(d,i)": f is Float, d Double, i Int32, l Int64,
    ///     u UInt32. The first parameter is z.
    ///   - constants: The values of the parameters after z, at most 15.
    ///   - isThreadSafe: Whether several threads may call the function at the same time.
    /// - Throws: `.library` if the library cannot be opened or lacks the function; `.invalidValue` for the name, the
    ///   signature or the constants; `.outOfMemory`.
    public static func registerActivation(
        _ name: String, library path: String?, function: String, derivative: String? = nil, signature: String,
        constants: [Double] = [], isThreadSafe: Bool = false
    ) throws(BackpropError) {
        try registerActivation(
            name, path: try CString(path), function, derivative, signature, constants, isThreadSafe)
    }

    /// Registers a function of a shared library by the operating system's representation of its path: bytes that end with a
    /// NUL and need not be UTF-8. (A literal is a `String`.)
    @_disfavoredOverload
    public static func registerActivation(
        _ name: String, library path: UnsafePointer<CChar>, function: String, derivative: String? = nil, signature: String,
        constants: [Double] = [], isThreadSafe: Bool = false
    ) throws(BackpropError) {
        try registerActivation(name, path: CString(path), function, derivative, signature, constants, isThreadSafe)
    }

    private static func registerActivation(
        _ name: String, path: CString?, _ function: String, _ derivative: String?, _ signature: String,
        _ constants: [Double], _ isThreadSafe: Bool
    ) throws(BackpropError) {
        try register(
            try ActivationPlugin.library(
                name, path, try CString(function), try CString(derivative), try Signature(parsing: signature),
                constants: constants), isThreadSafe)
    }

    /// Removes the name of a registered activation. Networks that use the activation keep it.
    ///
    /// - Throws: `.unknownName`; `.unsupported` for a built-in activation.
    public static func unregisterActivation(_ name: String) throws(BackpropError) {
        try PluginRegistry.activations.unregister(name)
    }

    /// Compares the derivative of an activation with differences of its values.
    ///
    /// - Returns: A report; a correct derivative has a `worstError` below 1e-2.
    /// - Throws: `.unknownName`; `.unsupported` for "sign", whose derivative in training is not its own; `.notFinite` if the
    ///   function is finite at none of the points; `.callback` if it fails; `.outOfMemory`.
    public static func checkActivation(_ name: String) throws(BackpropError) -> ActivationReport {
        try ActivationCheck.run(name)
    }

    private static func register(_ plugin: ActivationPlugin, _ isThreadSafe: Bool) throws(BackpropError) {
        plugin.isThreadSafe = isThreadSafe
        try PluginRegistry.activations.register(plugin)
    }
}

#if !hasFeature(Embedded)
extension Network {
    /// Registers a vector activation: functions of whole matrices, which may couple the numbers of a row and may fail. An
    /// error that one of them throws fails the network's call with `BackpropError.Code.callback`, and is that error's
    /// `underlying`.
    ///
    /// - Parameters:
    ///   - name: The name of the activation.
    ///   - isThreadSafe: Whether several threads may call the closures at the same time. Each call then gets a part of the
    ///     rows.
    ///   - forward: Computes a from z, both [rows × columns], row-major; `columns` is the size of the layer.
    ///   - backward: Computes dz from da, the gradients of the loss with respect to z and a, all [rows × columns].
    /// - Throws: `.invalidValue`; `.outOfMemory`.
    public static func registerActivation(
        _ name: String, isThreadSafe: Bool = true,
        forward:
            @escaping @Sendable (
                _ z: UnsafeBufferPointer<Float>, _ a: UnsafeMutableBufferPointer<Float>, _ columns: Int
            ) throws -> Void,
        backward:
            @escaping @Sendable (
                _ z: UnsafeBufferPointer<Float>, _ a: UnsafeBufferPointer<Float>, _ da: UnsafeBufferPointer<Float>,
                _ dz: UnsafeMutableBufferPointer<Float>, _ columns: Int
            ) throws -> Void
    ) throws(BackpropError) {
        let thrown = ThrownErrors()
        let plugin = ActivationPlugin(
            name: name, kind: .vector,
            .matrices(
                { z, a, rows, columns in
                    let count = rows * columns
                    return thrown.code { try forward(.init(start: z, count: count), .init(start: a, count: count), columns) }
                },
                { z, a, da, dz, rows, columns in
                    let count = rows * columns
                    return thrown.code {
                        try backward(
                            .init(start: z, count: count), .init(start: a, count: count), .init(start: da, count: count),
                            .init(start: dz, count: count), columns)
                    }
                }))
        plugin.thrown = thrown
        try register(plugin, isThreadSafe)
    }
}
#endif
