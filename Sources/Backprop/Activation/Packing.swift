import CPlatform

/// Copies of matrices without padding, of up to `size` numbers, for the host's functions of matrices. Each thread uses a
/// different part, which begins at its `place`.
final class Packing {
    private let z, a, da, dz: Floats

    private init(z: consuming Floats, a: consuming Floats, da: consuming Floats, dz: consuming Floats) {
        self.z = z
        self.a = a
        self.da = da
        self.dz = dz
    }

    static func make(size: Int) throws(BackpropError) -> Packing {
        let z = try Floats(size), a = try Floats(size), da = try Floats(size), dz = try Floats(size)
        return Packing(z: z, a: a, da: da, dz: dz)
    }

    /// a = f(z)
    func forward(
        _ function: ActivationPlugin.Forward, _ zSource: UnsafePointer<Float>, _ aTarget: UnsafeMutablePointer<Float>,
        rows: Int, columns: Int, place: Int
    ) -> Int32 {
        let z = z.base + place, a = a.base + place
        pack(zSource, z, rows, columns)
        let code = HostEnvironment().run { function(z, a, rows, columns) }
        if code == 0 { unpack(a, aTarget, rows, columns) }
        return code
    }

    /// d = d f′(z). The copies of z and a are those of the forward pass.
    func backward(
        _ function: ActivationPlugin.Backward, _ d: UnsafeMutablePointer<Float>, rows: Int, columns: Int, place: Int
    ) -> Int32 {
        let da = da.base + place, dz = dz.base + place
        pack(d, da, rows, columns)
        let code = HostEnvironment().run { function(z.base + place, a.base + place, da, dz, rows, columns) }
        if code == 0 { unpack(dz, d, rows, columns) }
        return code
    }

    /// a = f(z) for a matrix whose elements `fill` provides and `store` receives, one by one. Returns 0, or the host's error
    /// code.
    func forwardUnpadded(
        _ plugin: ActivationPlugin, rows: Int, columns: Int,
        fill: (_ z: UnsafeMutablePointer<Float>, _ i: Int) -> Void, store: (_ a: UnsafePointer<Float>, _ i: Int) -> Void
    ) -> Int32 {
        for i in 0..<rows * columns { fill(z.base, i) }
        let code = plugin.forward(z.base, a.base, rows: rows, columns: columns)
        if code == 0 { for i in 0..<rows * columns { store(a.base, i) } }
        return code
    }

    private func pack(_ from: UnsafePointer<Float>, _ to: UnsafeMutablePointer<Float>, _ rows: Int, _ columns: Int) {
        let stride = paddedStride(columns)
        for row in 0..<rows { cp_copy(to + row * columns, from + row * stride, columns * 4) }
    }

    private func unpack(_ from: UnsafePointer<Float>, _ to: UnsafeMutablePointer<Float>, _ rows: Int, _ columns: Int) {
        let stride = paddedStride(columns)
        for row in 0..<rows { cp_copy(to + row * stride, from + row * columns, columns * 4) }
    }
}
