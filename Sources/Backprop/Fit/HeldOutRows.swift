import CPlatform

/// Copies of the rows of a split that are held out for validation, in contiguous memory.
final class HeldOutRows {
    private let inputs, targets: Floats
    private let count: Int

    var rows: Rows { Rows(inputs: inputs.base, targets: targets.base, count: count) }

    private init(inputs: consuming Floats, targets: consuming Floats, count: Int) {
        self.inputs = inputs
        self.targets = targets
        self.count = count
    }

    static func make(
        _ rows: Rows, _ indices: UnsafePointer<Int>, _ count: Int, inputs: Int, targets: Int
    ) throws(BackpropError) -> HeldOutRows {
        let x = try Floats(try checkedProduct(count, inputs)), y = try Floats(try checkedProduct(count, targets))
        for i in 0..<count {
            cp_copy(x.base + i * inputs, rows.inputs + indices[i] * inputs, inputs * 4)
            cp_copy(y.base + i * targets, rows.targets + indices[i] * targets, targets * 4)
        }
        return HeldOutRows(inputs: x, targets: y, count: count)
    }
}
