/// One layer's matrices in a training step, [rows × stride]: z, the argument of the activation; a, its result; delta, the
/// gradient with respect to the weighted sums.
final class LayerWorkspace {
    let z, a, delta: Floats
    let norm: NormWorkspace?
    let dropout: DropoutWorkspace?
    let packing: Packing?

    private init(
        z: consuming Floats, a: consuming Floats, delta: consuming Floats, norm: NormWorkspace?, dropout: DropoutWorkspace?,
        packing: Packing?
    ) {
        self.z = z
        self.a = a
        self.delta = delta
        self.norm = norm
        self.dropout = dropout
        self.packing = packing
    }

    static func make(for layer: Layer, rows: Int) throws(BackpropError) -> LayerWorkspace {
        let size = try checkedProduct(layer.stride, rows)
        let z = try Floats(size), a = try Floats(size), delta = try Floats(size)
        let norm = layer.isNormalized ? try NormWorkspace.make(stride: layer.stride, rows: rows) : nil
        let dropout = layer.dropout > 0 ? try DropoutWorkspace.make(size: size) : nil
        let packing = layer.activation.isMatrixFunction ? try Packing.make(size: size) : nil
        return LayerWorkspace(z: z, a: a, delta: delta, norm: norm, dropout: dropout, packing: packing)
    }
}
