/// A split of rows into training rows and validation rows, in which each class has the same share of validation rows.
package struct StratifiedSplit {
    /// The indices of all rows: first the training rows, then the validation rows.
    let indices: RowIndices
    let validationCount: Int
    /// The first class without a training row or a validation row; nil if there is none.
    let missingClass: Int?

    /// Splits each class of `targets` [count × columns] as `validationCount` says. Rows are taken in the order of `shuffled`.
    static func make(
        _ shuffled: RowIndices, _ count: Int, fraction: Double, _ targets: RowSource, columns: Int
    ) throws(BackpropError) -> StratifiedSplit {
        let classes = max(columns, 2)
        let counts = try RowIndices.make(classes), indices = try RowIndices.make(count)
        for row in 0..<count { counts.base[classIndex(targets, row, columns)] += 1 }
        var validationCount = 0
        var missing: Int?
        for each in 0..<classes {
            if counts.base[each] < 2 { missing = missing ?? each }
            counts.base[each] = self.validationCount(counts.base[each], fraction)
            validationCount += counts.base[each]
        }
        guard validationCount > 0 else {
            throw BackpropError(.invalidValue, "stratify needs a class of 2 rows or more")
        }
        var trained = 0, heldOut = count - validationCount
        for i in 0..<count {
            let row = shuffled.base[i], each = classIndex(targets, row, columns)
            let isHeldOut = counts.base[each] > 0
            indices.base[isHeldOut ? heldOut : trained] = row
            if isHeldOut {
                counts.base[each] -= 1
                heldOut += 1
            } else {
                trained += 1
            }
        }
        return StratifiedSplit(indices: indices, validationCount: validationCount, missingClass: missing)
    }

    /// The number of validation rows among `count` rows: rounded, at least 1, and at most all but 1; 0 for a single row.
    package static func validationCount(_ count: Int, _ fraction: Double) -> Int {
        let share = Int((fraction * Double(count)).rounded())
        return count < 2 ? 0 : max(1, min(share, count - 1))
    }

    /// The class of a row: the column of its largest target that is not missing; for one output, 1 for a target above 0.5, otherwise 0.
    @inline(never)
    private static func classIndex(_ targets: RowSource, _ row: Int, _ columns: Int) -> Int {
        func target(_ column: Int) -> Double { targets.number(row, column, columns: columns) }
        if columns == 1 { return target(0) > 0.5 ? 1 : 0 }
        var largest = 0
        for column in 1..<columns where target(column) > target(largest) || target(largest).isNaN { largest = column }
        return largest
    }
}
