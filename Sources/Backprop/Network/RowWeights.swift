/// The weights of the rows: each multiplies the loss of its row.
final class RowWeights {
    private let values: Floats

    var base: UnsafePointer<Float> { UnsafePointer(values.base) }
    var count: Int { values.count }

    private init(values: consuming Floats) { self.values = values }

    static func make(copying weights: UnsafePointer<Float>, count: Int) throws(BackpropError) -> RowWeights {
        let values = try Floats(try checkedProduct(count, 1))
        try require(weights, rows: count)
        for i in 0..<count { values.base[i] = weights[i] }
        return RowWeights(values: values)
    }

    static func require(_ weights: UnsafePointer<Float>, rows: Int) throws(BackpropError) {
        for row in 0..<rows where !(weights[row] >= 0 && weights[row].isFinite) {
            throw BackpropError(
                .invalidValue, "the weight of row \(row) is \(decimal(weights[row])): a weight must be finite and at least 0")
        }
    }
}
