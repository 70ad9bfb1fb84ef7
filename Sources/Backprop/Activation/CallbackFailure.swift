import CPlatform

/// The failure of an activation callback, if there was one. Of several on different threads, the one of the lowest row
/// counts. A class, because several threads share it. It is allocated with the buffers, not in each step.
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

    /// Throws the failure noted since the last check, if any. All threads must have ended their work. `place`: where in the
    /// message, such as " in its forward pass". `activation` returns the activation of a layer, counted from 0.
    func check(_ place: StaticString, _ activation: (_ layer: Int) -> Activation) throws(BackpropError) {
        guard code != 0, case .plugin(let plugin, _) = activation(layer) else { return }
        defer { (code, row) = (0, .max) }
        throw plugin.callbackError(code, place)
    }
}
