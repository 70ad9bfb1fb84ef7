import CPlatform

/// The buffers of one prediction, with a part for each thread.
final class PredictionBuffers {
    struct Part {
        let z, a, scale, shift: UnsafeMutablePointer<Float>
        let packing: Packing?
        /// The start of this part's values in `packing`.
        let place: Int
    }

    let rows: Int
    let parts: Int
    let failure = CallbackFailure()
    private let widest: Int
    private let storage: Floats
    private let packing: Packing?

    private init(rows: Int, parts: Int, widest: Int, storage: consuming Floats, packing: Packing?) {
        self.rows = rows
        self.parts = parts
        self.widest = widest
        self.storage = storage
        self.packing = packing
    }

    static func make(widest: Int, rows: Int, parts: Int, needsPacking: Bool) throws(BackpropError) -> PredictionBuffers {
        let storage = try Floats(try checkedProduct(parts, try checkedProduct(widest, 2 * rows + 2)))
        let packing = needsPacking ? try Packing.make(size: try checkedProduct(parts, try checkedProduct(widest, rows))) : nil
        return PredictionBuffers(rows: rows, parts: parts, widest: widest, storage: storage, packing: packing)
    }

    func part(_ index: Int) -> Part {
        let matrix = rows * widest
        let z = storage.base + index * 2 * (matrix + widest)
        let scale = z + 2 * matrix
        return Part(z: z, a: z + matrix, scale: scale, shift: scale + widest, packing: packing, place: index * matrix)
    }
}
