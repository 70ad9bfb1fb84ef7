import CPlatform

/// Activations made from functions of one number.
extension ActivationPlugin.Functions {
    package typealias Scalar = cp_scalar_function
    package typealias ScalarDerivative = cp_scalar_derivative
    /// slopes = f′(z) for `count` numbers.
    typealias Slopes = (
        _ z: UnsafePointer<Float>, _ a: UnsafePointer<Float>, _ slopes: UnsafeMutablePointer<Float>, _ count: Int
    ) -> Void

    package static func scalar(
        _ function: @escaping Scalar, derivative: ScalarDerivative?, _ context: UnsafeMutableRawPointer?
    ) -> Self {
        .numbers(
            { z, a, count in cp_map_scalar(function, context, z, a, count) },
            derivative.map { derivative in
                { z, a, d, count in cp_slope_scalar(derivative, context, z, a, d, count) }
            } ?? differences { z in HostEnvironment().run { function(z, context) } })
    }

    /// From Swift closures of one number.
    package static func closure(
        _ function: @escaping (Float) -> Float, derivative: ((_ z: Float, _ a: Float) -> Float)?
    ) -> Self {
        .numbers(
            { z, a, count in
                let host = HostEnvironment()
                for i in 0..<count { a[i] = host.run { function(z[i]) } }
            },
            derivative.map { derivative in
                { z, a, d, count in
                    let host = HostEnvironment()
                    for i in 0..<count { d[i] *= host.run { derivative(z[i], a[i]) } }
                }
            } ?? differences { z in HostEnvironment().run { function(z) } })
    }

    /// From Swift functions that contain the loop over the numbers.
    static func loops(map: @escaping ActivationPlugin.Map, slopes: @escaping Slopes) -> Self {
        .numbers(
            { z, a, count in HostEnvironment().run { map(z, a, count) } },
            { z, a, d, count in
                let host = HostEnvironment(), capacity = 64
                withUnsafeTemporaryAllocation(of: Float.self, capacity: capacity) { buffer in
                    let slope = buffer.baseAddress.unsafelyUnwrapped
                    var start = 0
                    while start < count {
                        let part = min(capacity, count - start)
                        host.run { slopes(z + start, a + start, slope, part) }
                        for i in 0..<part { d[start + i] *= slope[i] }
                        start += part
                    }
                }
            })
    }

    /// From a C function with any signature of numbers. The two most common signatures do not need libffi.
    package static func foreign(
        _ function: @escaping ForeignFunction, derivative: ForeignFunction?, _ signature: Signature,
        constants: [Double]
    ) throws(BackpropError) -> Self {
        let call = try ForeignCall.make(signature, constants: constants)
        if signature.isSame(as: "f(f)") {
            let function = unsafeBitCast(function, to: cp_float_function.self)
            return .numbers(
                { z, a, count in cp_map_float(function, z, a, count) },
                derivative.map { unsafeBitCast($0, to: cp_float_function.self) }.map { derivative in
                    { z, _, d, count in cp_slope_float(derivative, z, d, count) }
                } ?? differences { z in HostEnvironment().run { function(z) } })
        }
        if signature.isSame(as: "d(d)") {
            let function = unsafeBitCast(function, to: cp_double_function.self)
            return .numbers(
                { z, a, count in cp_map_double(function, z, a, count) },
                derivative.map { unsafeBitCast($0, to: cp_double_function.self) }.map { derivative in
                    { z, _, d, count in cp_slope_double(derivative, z, d, count) }
                } ?? fineDifferences { z in HostEnvironment().run { function(z) } })
        }
        return .numbers(
            { z, a, count in for i in 0..<count { a[i] = Float(call(function, Double(z[i]))) } },
            derivative.map { derivative in
                { z, _, d, count in for i in 0..<count { d[i] *= Float(call(derivative, Double(z[i]))) } }
            } ?? (signature.isDouble ? fineDifferences { call(function, $0) } : differences { Float(call(function, Double($0))) })
        )
    }
}

/// f′(z) ≈ (f(z + h) − f(z − h)) / 2h with h near 2⁻⁸ max(1, |z|). h is a power of two, so that z ± h has a small rounding
/// error.
private func differences(_ function: @escaping (Float) -> Float) -> ActivationPlugin.Slope {
    { z, _, d, count in
        for i in 0..<count {
            let step = powerOfTwo(below: z[i]) / 256
            let above = z[i] + step
            let below = z[i] - step
            d[i] *= (function(above) - function(below)) / (above - below)
        }
    }
}

/// `differences` in double precision, which allows h near 2⁻¹⁷ max(1, |z|). The result has the precision of a Float.
private func fineDifferences(_ function: @escaping (Double) -> Double) -> ActivationPlugin.Slope {
    { z, _, d, count in
        for i in 0..<count {
            let step = Double(powerOfTwo(below: z[i])) / 131072
            let above = Double(z[i]) + step
            let below = Double(z[i]) - step
            d[i] *= Float((function(above) - function(below)) / (above - below))
        }
    }
}

/// The greatest power of two that is at most max(1, |z|).
func powerOfTwo(below z: Float) -> Float {
    let size = z.magnitude < 1 ? 1 : z.magnitude
    return Float(bitPattern: size.bitPattern & 0x7F80_0000)
}
