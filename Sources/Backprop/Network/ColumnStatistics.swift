/// The number, mean, spread and range of the values of each column, in double precision, accumulated over any number of
/// matrices. Missing values (NaN) are not counted.
///
/// Each block of rows gets its mean and the sum of squared differences from it, in two passes. Blocks are combined as in
/// T. F. Chan, G. H. Golub and R. J. LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances"
/// (1979), which is accurate also where the mean is large compared with the spread.
final class ColumnStatistics {
    struct Column {
        var count = 0.0, mean = 0.0
        /// Σ (x − mean)²
        var squares = 0.0
        var least = Double.infinity, greatest = -Double.infinity

        /// The (biased) standard deviation.
        var deviation: Double { (squares / count).squareRoot() }
    }

    /// The number of columns.
    let count: Int
    private(set) var rows = 0
    /// Whether any rows were in double precision.
    private(set) var hasDoubles = false
    private let storage: Doubles
    /// For `addUp`.
    private let room: Doubles
    let columns: UnsafeMutablePointer<Column>

    private init(count: Int, storage: consuming Doubles, room: consuming Doubles) {
        self.count = count
        columns = UnsafeMutableRawPointer(storage.base).assumingMemoryBound(to: Column.self)
        columns.initialize(repeating: Column(), count: count)
        self.storage = storage
        self.room = room
    }

    static func make(_ count: Int) throws(BackpropError) -> ColumnStatistics {
        let storage = try Doubles(try checkedProduct(count, MemoryLayout<Column>.stride / 8))
        let room = try Doubles(2 * count + 2)
        return ColumnStatistics(count: count, storage: storage, room: room)
    }

    /// Adds rows whose values are finite or missing.
    @inline(never)
    func add(_ source: RowSource, rows: Int) {
        if source.isDouble { hasDoubles = true }
        self.rows += rows
        let size = 1024  // so few that rows stay in the caches for the second pass and the next columns
        for first in stride(from: 0, to: rows, by: size) {
            for column in 0..<count { add(source, first..<min(rows, first + size), column) }
        }
    }

    func add(_ other: ColumnStatistics) {
        hasDoubles = hasDoubles || other.hasDoubles
        rows += other.rows
        for i in 0..<count where other.columns[i].count > 0 { columns[i].combine(other.columns[i]) }
    }

    /// Replaces the statistics by those of the rows of all workers.
    func addUp(_ workers: Workers) throws(BackpropError) {
        let (first, second) = (room.base, room.base + count)
        for i in 0..<count { (first[i], second[i]) = (columns[i].count, columns[i].count * columns[i].mean) }
        (second[count], second[count + 1]) = (Double(rows), hasDoubles ? 1 : 0)
        try workers.exchange(first, 2 * count + 2, .double)
        rows = second[count] > 0 ? 1 : 0  // whether there are any
        hasDoubles = second[count + 1] > 0
        for i in 0..<count {
            let own = columns[i]
            columns[i].count = first[i]
            columns[i].mean = first[i] > 0 ? second[i] / first[i] : 0
            let distance = own.mean - columns[i].mean
            first[i] = own.squares + own.count * distance * distance
        }
        try workers.exchange(first, count, .double)
        for i in 0..<count {
            columns[i].squares = first[i]
            (first[i], second[i]) = (-columns[i].least, columns[i].greatest)
        }
        try workers.exchange(first, 2 * count, .double, .maximum)
        for i in 0..<count { (columns[i].least, columns[i].greatest) = (-first[i], second[i]) }
    }

    private func add(_ source: RowSource, _ rows: Range<Int>, _ index: Int) {
        var block = Column(), sum = 0.0
        // Distances from a value near the mean keep digits that a sum of large values would lose.
        var origin = Double.nan
        for row in rows {
            let value = source.number(row, index, columns: count)
            if value.isNaN { continue }
            if origin.isNaN { origin = value }
            block.least = min(block.least, value)
            block.greatest = max(block.greatest, value)
            block.count += 1
            sum += value - origin
        }
        guard block.count > 0 else { return }
        block.mean = origin + sum / block.count
        for row in rows {
            let distance = source.number(row, index, columns: count) - block.mean
            if !distance.isNaN { block.squares += distance * distance }
        }
        columns[index].combine(block)
    }
}

/// The statistics from which a scaling is computed.
final class ScalingStatistics {
    let inputs, targets: ColumnStatistics

    private init(_ inputs: ColumnStatistics, _ targets: ColumnStatistics) {
        self.inputs = inputs
        self.targets = targets
    }

    static func make(inputs: Int, targets: Int) throws(BackpropError) -> ScalingStatistics {
        ScalingStatistics(try ColumnStatistics.make(inputs), try ColumnStatistics.make(targets))
    }

    static func make(
        copying other: ScalingStatistics?, inputs: Int, targets: Int
    ) throws(BackpropError) -> ScalingStatistics {
        let copy = try make(inputs: inputs, targets: targets)
        if let other {
            copy.inputs.add(other.inputs)
            copy.targets.add(other.targets)
        }
        return copy
    }
}

extension ColumnStatistics.Column {
    fileprivate mutating func combine(_ other: Self) {
        let total = count + other.count
        let step = other.mean - mean, share = other.count / total
        mean = count == 0 ? other.mean : mean + step * share
        squares += other.squares + step * step * count * share
        least = min(least, other.least)
        greatest = max(greatest, other.greatest)
        count = total
    }
}
