import CPlatform

/// A host's functions see matrices without padding: these are theirs, for layers of up to `size` numbers.
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
        _ plugin: ActivationPlugin, z source: UnsafePointer<Float>, a target: UnsafeMutablePointer<Float>, rows: Int,
        columns: Int
    ) throws(BackpropError) {
        pack(source, z.base, rows, columns)
        try check(plugin.forward(z.base, a.base, rows, columns), plugin, "forward")
        unpack(a.base, target, rows, columns)
    }

    /// d f′(z), in place.
    func backward(
        _ plugin: ActivationPlugin, z zSource: UnsafePointer<Float>, a aSource: UnsafePointer<Float>,
        d: UnsafeMutablePointer<Float>, rows: Int, columns: Int
    ) throws(BackpropError) {
        pack(zSource, z.base, rows, columns)
        pack(aSource, a.base, rows, columns)
        pack(d, da.base, rows, columns)
        try check(plugin.backward(z.base, a.base, da.base, dz.base, rows, columns), plugin, "backward")
        unpack(dz.base, d, rows, columns)
    }

    /// a = f(z) for numbers that `fill` brings and `take` takes, one by one.
    func forwardUnpadded(
        _ plugin: ActivationPlugin, rows: Int, columns: Int,
        fill: (_ z: UnsafeMutablePointer<Float>, _ i: Int) -> Void, take: (_ a: UnsafePointer<Float>, _ i: Int) -> Void
    ) throws(BackpropError) {
        for i in 0..<rows * columns { fill(z.base, i) }
        try check(plugin.forward(z.base, a.base, rows, columns), plugin, "forward")
        for i in 0..<rows * columns { take(a.base, i) }
    }

    private func check(_ code: Int32, _ plugin: ActivationPlugin, _ pass: String) throws(BackpropError) {
        guard code == 0 else {
            throw BackpropError(.callback, "activation \"\(plugin.name)\" failed with code \(code) in its \(pass) pass")
        }
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
