/// An activation of the host's. All ways to bring one come down to two functions of whole matrices.
///
/// Callbacks run on the thread that calls the network; concurrent predictions may run them at the same time.
public final class ActivationPlugin: @unchecked Sendable {
    /// a = f(z) for rows × columns numbers; 0, or the host's own code for a failure.
    package typealias Forward = (
        _ z: UnsafePointer<Float>, _ a: UnsafeMutablePointer<Float>, _ rows: Int, _ columns: Int
    ) -> Int32
    /// dz from da; 0, or the host's own code for a failure.
    package typealias Backward = (
        _ z: UnsafePointer<Float>, _ a: UnsafePointer<Float>, _ da: UnsafePointer<Float>, _ dz: UnsafeMutablePointer<Float>,
        _ rows: Int, _ columns: Int
    ) -> Int32

    public let name: String
    let forward: Forward
    let backward: Backward
    private let destroy: (() -> Void)?

    /// Neighbours in the registry, which owns what it lists.
    var next: ActivationPlugin?
    /// Whether `destroy` is to be called: only once registering has succeeded.
    var isAdopted = false

    package init(
        name: String, forward: @escaping Forward, backward: @escaping Backward, destroy: (() -> Void)? = nil
    ) {
        self.name = name
        self.forward = forward
        self.backward = backward
        self.destroy = destroy
    }

    /// From functions of one number. Without a derivative, central differences.
    convenience init(
        name: String, function: @escaping (Float) -> Float, derivative: ((_ z: Float, _ a: Float) -> Float)?,
        destroy: (() -> Void)? = nil
    ) {
        let slope = derivative ?? { z, _ in centralDifference(of: function, at: z) }
        self.init(
            name: name,
            forward: { z, a, rows, columns in
                for i in 0..<rows * columns { a[i] = function(z[i]) }
                return 0
            },
            backward: { z, a, da, dz, rows, columns in
                for i in 0..<rows * columns { dz[i] = da[i] * slope(z[i], a[i]) }
                return 0
            },
            destroy: destroy)
    }

    deinit {
        if isAdopted { destroy?() }
    }
}

/// (f(z + h) − f(z − h)) / 2h with h near 2⁻⁸ max(1, |z|): a power of two, so that z ± h lose little.
package func centralDifference(of function: (Float) -> Float, at z: Float) -> Float {
    let size = z.magnitude < 1 ? 1 : z.magnitude
    let step = Float(bitPattern: size.bitPattern & 0x7F80_0000) / 256
    let above = z + step
    let below = z - step
    return (function(above) - function(below)) / (above - below)
}
