/// The outputs for a registered loss, [rows × outputs] without padding, and its results.
final class LossBuffers {
    let outputs, gradients: Floats  // [rows × outputs]
    let losses: Doubles  // [rows]

    private init(outputs: consuming Floats, gradients: consuming Floats, losses: consuming Doubles) {
        self.outputs = outputs
        self.gradients = gradients
        self.losses = losses
    }

    static func make(rows: Int, outputs: Int) throws(BackpropError) -> LossBuffers {
        let count = try checkedProduct(rows, outputs)
        let a = try Floats(count), gradients = try Floats(count)
        let losses = try Doubles(rows)
        return LossBuffers(outputs: a, gradients: gradients, losses: losses)
    }
}
