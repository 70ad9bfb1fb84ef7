/// A function of one number, with state of its own. Registered, its loops are compiled for it: it costs what its
/// arithmetic costs, without a call a number.
///
///     struct Swish: ScalarActivation {
///         let slope: Float
///         func value(at z: Float) -> Float { z / (1 + exp(-slope * z)) }
///         func derivative(at z: Float, value a: Float) -> Float { … }
///     }
///     try Network.registerActivation("swish2", Swish(slope: 2))
public protocol ScalarActivation: Sendable {
    func value(at z: Float) -> Float
    /// f′(z), where a = f(z).
    func derivative(at z: Float, value a: Float) -> Float
}

/// Activations of the program's own, by name, for all networks of the process. `backprop.h` says more on each way.
///
/// Several threads may call a closure at a time, as its being Sendable says; with `isThreadSafe: false`, one call of a
/// network calls it on the calling thread only.
extension Network {
    /// Registers a function of one number. Without a derivative, central differences.
    public static func registerActivation(
        _ name: String, isThreadSafe: Bool = true, derivative: (@Sendable (_ z: Float, _ a: Float) -> Float)? = nil,
        function: @escaping @Sendable (Float) -> Float
    ) throws(BackpropError) {
        try register(ActivationPlugin(name: name, kind: .scalar, .closure(function, derivative: derivative)), isThreadSafe)
    }

    /// Registers a function of one number that is a type of its own.
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

    /// Registers a function of a shared library, nil being the process itself. The signature, such as "d(d)" or "d(d,i)",
    /// tells its types; what follows z are the constants. Without a derivative, central differences.
    public static func registerActivation(
        _ name: String, library path: String?, function: String, derivative: String? = nil, signature: String,
        constants: [Double] = [], isThreadSafe: Bool = false
    ) throws(BackpropError) {
        try registerActivation(
            name, path: try CString(path), function, derivative, signature, constants, isThreadSafe)
    }

    /// The same with a path as the system has it: bytes ended by a NUL, which need not be UTF-8. (A literal is a String.)
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

    /// Networks that use the activation go on with it.
    public static func unregisterActivation(_ name: String) throws(BackpropError) {
        try ActivationRegistry.unregister(name)
    }

    /// Compares the derivative of an activation with differences of its values: a `worstError` below 1e-2 is good.
    public static func checkActivation(_ name: String) throws(BackpropError) -> ActivationReport {
        try ActivationCheck.run(name)
    }

    private static func register(_ plugin: ActivationPlugin, _ isThreadSafe: Bool) throws(BackpropError) {
        plugin.isThreadSafe = isThreadSafe
        try ActivationRegistry.register(plugin)
    }
}

#if !hasFeature(Embedded)
extension Network {
    /// Registers a function of whole matrices, row by row in the buffers, which may couple the numbers of a row. What it
    /// throws fails the call with `BackpropError.Code.callback`, and is that error's `underlying`.
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
