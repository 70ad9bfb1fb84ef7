import Backprop

/// A column of a table that a network uses.
final class Column {
    let name: Bytes
    /// The distinct texts in the order of the network's units, one unit for each; nil for a column of numbers.
    let categories: [Bytes]?
    /// What replaces a missing value: one number for each unit; empty if missing values are refused.
    var means: [Double] = []
    private var units: [Bytes: Int] = [:]

    init(_ name: Bytes, categories: [Bytes]?) {
        self.name = name
        self.categories = categories
        for (index, category) in (categories ?? []).enumerated() { units[category] = index }
    }

    /// The number of the network's units.
    var width: Int { categories?.count ?? 1 }

    /// The unit of a category.
    func unit(of category: Bytes) -> Int? { units[category] }
}

/// The columns from which a network's inputs and targets come. The network keeps them as metadata.
struct Schema {
    var inputs: [Column] = [], targets: [Column] = []
    /// Whether the file has names of columns in its first row. Otherwise the names are 1, 2, …
    var hasHeader = true

    /// The classes of a classification.
    var classes: [Bytes]? { targets.count == 1 ? targets[0].categories : nil }

    var inputCount: Int { inputs.reduce(0) { $0 + $1.width } }
    var targetCount: Int { targets.reduce(0) { $0 + $1.width } }
}
