import CPlatform

/// A host's functions of matrices see them without padding: these are theirs, for up to `size` numbers. Threads each use a
/// place of their own.
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
        let code = function(z, a, rows, columns)
        if code == 0 { unpack(a, aTarget, rows, columns) }
        return code
    }

    /// d f′(z), in place; z and a are still there from the forward pass.
    func backward(
        _ function: ActivationPlugin.Backward, _ d: UnsafeMutablePointer<Float>, rows: Int, columns: Int, place: Int
    ) -> Int32 {
        let da = da.base + place, dz = dz.base + place
        pack(d, da, rows, columns)
        let code = function(z.base + place, a.base + place, da, dz, rows, columns)
        if code == 0 { unpack(dz, d, rows, columns) }
        return code
    }

    /// a = f(z) for numbers that `fill` brings and `take` takes, one by one; 0, or the host's code.
    func forwardUnpadded(
        _ plugin: ActivationPlugin, rows: Int, columns: Int,
        fill: (_ z: UnsafeMutablePointer<Float>, _ i: Int) -> Void, take: (_ a: UnsafePointer<Float>, _ i: Int) -> Void
    ) -> Int32 {
        for i in 0..<rows * columns { fill(z.base, i) }
        let code = plugin.forward(z.base, a.base, rows: rows, columns: columns)
        if code == 0 { for i in 0..<rows * columns { take(a.base, i) } }
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

/// The failure of a host's function, if there was one; of several on different threads that of the first row. A class,
/// since several threads note theirs in the same one; it lives as long as the buffers, so that no step allocates it.
final class CallbackFailure {
    private var code: Int32 = 0
    private var layer = 0
    private var row = Int.max

    func note(_ code: Int32, layer: Int, row: Int) {
        guard code != 0 else { return }
        cp_lock()
        defer { cp_unlock() }
        guard row < self.row else { return }
        self.code = code
        self.layer = layer
        self.row = row
    }

    /// Throws what was noted since the last check, once all threads are done.
    func check(_ layers: [Layer], _ pass: StaticString) throws(BackpropError) {
        guard code != 0, case .plugin(let plugin, _) = layers[layer].activation else { return }
        defer { (code, row) = (0, .max) }
        throw Self.error(code, plugin, pass)
    }

    static func error(_ code: Int32, _ plugin: ActivationPlugin, _ pass: StaticString) -> BackpropError {
        #if !hasFeature(Embedded)
        if let thrown = plugin.thrown?.take(code) {
            return BackpropError(
                .callback, "activation \"\(plugin.name)\" failed in its \(pass) pass: \(String(describing: thrown))",
                underlying: thrown)
        }
        #endif
        return BackpropError(.callback, "activation \"\(plugin.name)\" failed with code \(Int(code)) in its \(pass) pass")
    }
}
