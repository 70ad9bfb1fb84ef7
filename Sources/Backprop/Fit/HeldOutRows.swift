import CPlatform

/// The rows of a split that are held out for validation: copies of arrays in contiguous memory; of described rows only copies
/// of their weights.
final class HeldOutRows {
    let rows: Rows
    private let inputs, targets: Floats

    private init(_ rows: Rows, inputs: consuming Floats, targets: consuming Floats) {
        self.rows = rows
        self.inputs = inputs
        self.targets = targets
    }

    static func make(
        _ rows: Rows, _ indices: UnsafePointer<Int>, _ count: Int, inputs: Int, targets: Int
    ) throws(BackpropError) -> HeldOutRows {
        if let pair = rows.described {
            let weights = try Floats(count), none = try Floats(0)
            for i in 0..<count { weights.base[i] = pair.weights.map { $0[indices[i]] } ?? 1 }
            let heldOut = DescribedPair(
                pair.inputs.at(indices, count: count), pair.targets.at(indices, count: count), weights: weights.base)
            return HeldOutRows(Rows(heldOut), inputs: none, targets: weights)
        }
        let x = try Floats(try checkedProduct(count, inputs)), y = try Floats(try checkedProduct(count, targets))
        for i in 0..<count {
            cp_copy(x.base + i * inputs, rows.inputs + indices[i] * inputs, inputs * 4)
            cp_copy(y.base + i * targets, rows.targets + indices[i] * targets, targets * 4)
        }
        return HeldOutRows(Rows(inputs: x.base, targets: y.base, count: count), inputs: x, targets: y)
    }
}
