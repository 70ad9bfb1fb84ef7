/// The values of batch normalization that the passes of one training step share.
final class NormWorkspace {
    /// z̃, [rows × stride]
    let normalized: Floats
    /// Seven vectors of [stride] each, one after the other.
    private let vectors: Floats
    private let stride: Int

    var mean: UnsafeMutablePointer<Float> { vectors.base }
    var variance: UnsafeMutablePointer<Float> { vectors.base + stride }
    var inverseDeviation: UnsafeMutablePointer<Float> { vectors.base + 2 * stride }
    var gammaGradient: UnsafeMutablePointer<Float> { vectors.base + 3 * stride }
    var betaGradient: UnsafeMutablePointer<Float> { vectors.base + 4 * stride }
    /// γ after its step, for option batchnorm_update 1.
    var newGamma: UnsafeMutablePointer<Float> { vectors.base + 5 * stride }
    /// z of a minibatch's only row, which may be the row of another worker.
    var rowOfOther: UnsafeMutablePointer<Float> { newGamma }
    var zeros: UnsafePointer<Float> { UnsafePointer(vectors.base + 6 * stride) }

    private init(stride: Int, normalized: consuming Floats, vectors: consuming Floats) {
        self.stride = stride
        self.normalized = normalized
        self.vectors = vectors
    }

    static func make(stride: Int, rows: Int) throws(BackpropError) -> NormWorkspace {
        let normalized = try Floats(try checkedProduct(stride, rows))
        let vectors = try Floats(try checkedProduct(stride, 7))
        return NormWorkspace(stride: stride, normalized: normalized, vectors: vectors)
    }

    /// For `distance`, where the minibatch's only row is that of another worker.
    func normalizeRowOfOther() {
        for i in 0..<stride { normalized.base[i] = (rowOfOther[i] - mean[i]) * inverseDeviation[i] }
    }

    /// The distance of a single row's z from the running mean.
    func distance(_ i: Int) -> Float { normalized.base[i] / inverseDeviation[i] }
}
