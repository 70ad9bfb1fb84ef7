import Backprop

extension Table {
    /// Moves a share of the rows, drawn by `seed`, to the end of the table: the validation rows. Each class has the same share,
    /// as option "stratify" of a trainer does it. Returns the number of training rows.
    func split(validation fraction: Double, seed: UInt64, areClasses: Bool) throws(BackpropError) -> Int {
        guard fraction > 0 else { return rows }
        var classes = [Int](repeating: 0, count: rows)
        if areClasses {
            for row in 0..<rows { classes[row] = targets.largest(ofRow: row) }
        }
        var counts = [Int](repeating: 0, count: areClasses ? targets.columns : 1)
        for each in classes { counts[each] += 1 }
        for each in counts.indices { counts[each] = StratifiedSplit.validationCount(counts[each], fraction) }

        var isHeldOut = [Bool](repeating: false, count: rows)
        var order = Array(0..<rows)
        var random = Random(seed: seed, stream: 0)
        for end in stride(from: rows, to: 0, by: -1) {
            order.swapAt(end - 1, random.next(below: end))
            let row = order[end - 1]
            if counts[classes[row]] > 0 {
                counts[classes[row]] -= 1
                isHeldOut[row] = true
            }
        }

        var first = 0, end = rows
        while first < end {
            if !isHeldOut[first] {
                first += 1
                continue
            }
            end -= 1
            if !isHeldOut[end] {
                inputs.swapRows(first, end)
                targets.swapRows(first, end)
                first += 1
            }
            isHeldOut[end] = true
        }
        guard first < rows else { throw failure("--validation needs at least 2 rows\(areClasses ? " of a class" : "")") }
        return first
    }
}
