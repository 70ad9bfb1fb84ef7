/// The weights of the rows: each multiplies the loss of its row.
final class RowWeights {
    private let values: Floats

    var base: UnsafePointer<Float> { UnsafePointer(values.base) }
    var count: Int { values.count }

    private init(values: consuming Floats) { self.values = values }

    static func make(copying weights: UnsafePointer<Float>, count: Int) throws(BackpropError) -> RowWeights {
        let values = try Floats(try checkedProduct(count, 1))
        for i in 0..<count {
            try require(weights[i], row: i)
            values.base[i] = weights[i]
        }
        return RowWeights(values: values)
    }

    static func require(_ weight: Float, row: Int) throws(BackpropError) {
        guard weight >= 0, weight.isFinite else {
            throw BackpropError(
                .invalidValue, "the weight of row \(row) is \(decimal(weight)): a weight must be finite and at least 0")
        }
    }
}
