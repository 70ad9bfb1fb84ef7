import CPlatform

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
    /// `activation` is that of a layer, counted from 0.
    func check(_ pass: StaticString, _ activation: (_ layer: Int) -> Activation) throws(BackpropError) {
        guard code != 0, case .plugin(let plugin, _) = activation(layer) else { return }
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
