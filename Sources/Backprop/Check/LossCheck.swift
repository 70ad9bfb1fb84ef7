import CPlatform

/// Compares the gradient of a registered loss with differences of its values, at outputs and targets of the caller.
package enum LossCheck {
    /// `targetCount`: the number of targets in all rows, if the caller knows it.
    package static func run(
        _ name: String, _ outputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, targetCount: Int? = nil, rows: Int,
        columns: Int
    ) throws(BackpropError) -> Double {
        guard case .plugin(let loss) = try Loss.find(name) else {
            throw BackpropError(.unsupported, "loss \"\(name)\" is built in: only registered losses are checked")
        }
        guard rows != 0, columns != 0 else { throw BackpropError(.invalidValue, "rows or columns is 0: at least 1 is needed") }
        let count = try checkedProduct(rows, columns)
        let expected = try checkedProduct(rows, loss.targetCount(outputs: columns))
        if let targetCount, targetCount != expected {
            throw BackpropError(.invalidValue, "targets: expected \(expected) numbers, got \(targetCount)")
        }
        return try inDefaultEnvironment { () throws(BackpropError) in
            try worstError(loss, outputs, targets, rows: rows, columns: columns, count: count)
        }
    }

    /// The gradient may be anything between the differences to the left and to the right, as at a kink. One output of all
    /// rows is changed at a time, since a row's loss depends on this row only.
    private static func worstError(
        _ loss: LossPlugin, _ outputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, rows: Int, columns: Int,
        count: Int
    ) throws(BackpropError) -> Double {
        let a = try Floats(count), gradients = try Floats(count)
        let middle = try Doubles(rows), left = try Doubles(rows), right = try Doubles(rows)
        cp_copy(a.base, outputs, count * 4)
        try loss.compute(
            a.base, targets, losses: middle.base, gradients: gradients.base, rows: rows, outputCount: columns)
        var largest = 1e-30
        for i in 0..<count { largest = max(largest, Double(gradients.base[i].magnitude)) }
        var worst = 0.0
        for column in 0..<columns {
            func compute(_ sign: Float, _ losses: borrowing Doubles) throws(BackpropError) {
                for i in stride(from: column, to: count, by: columns) { a.base[i] = outputs[i] + sign * step(outputs[i]) }
                try loss.compute(a.base, targets, losses: losses.base, gradients: nil, rows: rows, outputCount: columns)
            }
            try compute(-1, left)
            try compute(1, right)
            for row in 0..<rows {
                let i = row * columns + column
                a.base[i] = outputs[i]
                let h = Double(step(outputs[i])), gradient = Double(gradients.base[i])
                let below = (middle.base[row] - left.base[row]) / h, above = (right.base[row] - middle.base[row]) / h
                guard below.isFinite, above.isFinite, gradient.isFinite else {
                    throw BackpropError(
                        .notFinite, "loss \"\(loss.name)\": row \(row), column \(column): the loss or its gradient is not finite")
                }
                let distance = max(min(below, above) - gradient, gradient - max(below, above), 0)
                worst = max(worst, distance / max(below.magnitude, above.magnitude, gradient.magnitude, 0.01 * largest))
            }
        }
        return worst
    }

    /// max(1, |a|) / 256 as a power of two.
    private static func step(_ a: Float) -> Float {
        Float(sign: .plus, exponent: max(1, a.magnitude).exponent - 8, significand: 1)
    }
}
