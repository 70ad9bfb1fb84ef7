import Backprop

/// The choices of the user about the columns of training data.
struct ColumnChoices {
    var targets: [Bytes] = [], ignored: [Bytes] = [], categories: [Bytes] = []
    var hasHeader = true
    /// Whether the target holds classes, also if they are numbers.
    var hasClasses = false
}

/// The first pass over training data: finds the columns and their kinds.
struct ColumnScan {
    private static var mostCategories: Int { 1000 }
    private static var mostClasses: Int { 10_000 }

    /// What is known of a column.
    private struct State {
        let name: Bytes
        let isTarget: Bool
        /// Whether numbers are texts, too.
        let isForced: Bool
        /// nil: no value yet.
        var holdsNumbers: Bool?
        var categories: [Bytes: Int] = [:]
    }

    private let reader: CSVReader
    private var states: [State] = []
    /// The index in `states` of each column of the file; nil for an ignored one.
    private var places: [Int?] = []

    private init(_ reader: CSVReader) { self.reader = reader }

    /// Reads all rows. Returns the columns and the number of rows.
    static func run(
        _ reader: CSVReader, _ choices: ColumnChoices, _ notes: Notes
    ) throws(BackpropError) -> (schema: Schema, rows: Int) {
        var scan = ColumnScan(reader)
        guard try reader.next() else { throw failure(reader.name + ": the file is empty") }
        try scan.begin(choices, notes)
        var rows = 0
        var hasRow = !choices.hasHeader
        if !hasRow { hasRow = try reader.next() }
        while hasRow {
            try scan.read()
            rows += 1
            hasRow = try reader.next()
        }
        guard rows > 0 else { throw failure(reader.name + ": there are names of columns, but no rows") }
        return (try scan.schema(choices), rows)
    }

    /// Reads the names of the columns.
    private mutating func begin(_ choices: ColumnChoices, _ notes: Notes) throws(BackpropError) {
        let names = ColumnNames(reader, hasHeader: choices.hasHeader)
        var targets = choices.targets
        if targets.isEmpty {
            targets = [names.all[names.all.count - 1]]
            notes.note("the target is the last column, \(Text(targets[0])); --target selects another one")
        }
        for name in targets + choices.ignored + choices.categories { try names.require(name) }
        for (index, name) in names.all.enumerated() {
            if choices.ignored.contains(name) {
                places.append(nil)
                continue
            }
            if name.isEmpty {
                notes.note("column \(index + 1) has no name and is ignored")
                places.append(nil)
                continue
            }
            try names.require(name)
            guard name.isUTF8 else { throw reader.failure("column \(index + 1): the name is not UTF-8") }
            let isTarget = targets.contains(name)
            places.append(states.count)
            states.append(
                State(
                    name: name, isTarget: isTarget,
                    isForced: choices.categories.contains(name) || (isTarget && choices.hasClasses)))
        }
        for target in targets where !states.contains(where: { $0.name == target }) {
            throw reader.failure("column \(quoted: target) is the target and is ignored")
        }
        guard states.contains(where: { !$0.isTarget }) else {
            throw reader.failure("no column is left for the inputs (is the delimiter right? see --delimiter)")
        }
    }

    /// Reads the values of a row.
    private mutating func read() throws(BackpropError) {
        guard reader.count == places.count else {
            throw reader.failure("\(counted(reader.count, "field")), but the first row has \(places.count)")
        }
        for (index, place) in places.enumerated() {
            guard let place else { continue }
            let field = reader.field(index)
            if states[place].isForced {
                if !FieldValue.isMissing(field) { try addCategory(field, to: place) }
                continue
            }
            switch FieldValue(field) {
            case .missing: break
            case .notFinite: throw reader.failure("column \(quoted: states[place].name): \(quoted: field) is not a finite number")
            case .number:
                if states[place].holdsNumbers == false { throw mixed(field, place, "a number", "texts") }
                states[place].holdsNumbers = true
            case .text:
                if states[place].holdsNumbers == true { throw mixed(field, place, "not a number", "numbers") }
                states[place].holdsNumbers = false
                try addCategory(field, to: place)
            }
        }
    }

    private func mixed(
        _ field: ArraySlice<UInt8>, _ place: Int, _ kind: StaticString, _ others: StaticString
    ) -> BackpropError {
        let name = states[place].name
        let advice: Text =
            states[place].isTarget ? "--classes reads all as classes" : "\"--categories \(Text(name))\" reads all as texts"
        return reader.failure(
            "column \(quoted: name): \(quoted: field) is \(kind), but the values before it are \(others); \(advice)")
    }

    private mutating func addCategory(_ field: ArraySlice<UInt8>, to place: Int) throws(BackpropError) {
        let category = Bytes(field)
        guard states[place].categories[category] == nil else { return }
        let (name, isTarget) = (states[place].name, states[place].isTarget)
        guard category.isUTF8 else { throw reader.failure("column \(quoted: name): the text is not UTF-8") }
        let most = isTarget ? Self.mostClasses : Self.mostCategories
        guard states[place].categories.count < most else {
            throw reader.failure(
                isTarget
                    ? "column \(quoted: name) has more than \(most) classes"
                    : "column \(quoted: name) has more than \(most) distinct texts; \"--ignore \(Text(name))\" omits it")
        }
        states[place].categories[category] = 0
    }

    private func schema(_ choices: ColumnChoices) throws(BackpropError) -> Schema {
        var schema = Schema(hasHeader: choices.hasHeader)
        for state in states {
            guard state.holdsNumbers != nil || !state.categories.isEmpty else {
                throw failure(
                    "\(reader.name): column \(quoted: state.name) has no value"
                        + (state.isTarget ? "" : "; \"--ignore \(Text(state.name))\" omits it"))
            }
            let categories = state.holdsNumbers == true ? nil : Self.sorted(state.categories)
            let column = Column(state.name, categories: categories)
            if state.isTarget { schema.targets.append(column) } else { schema.inputs.append(column) }
        }
        if schema.targets.count > 1, let text = schema.targets.first(where: { $0.categories != nil }) {
            throw failure("\(reader.name): column \(quoted: text.name) holds classes: it must be the only target")
        }
        if let classes = schema.classes, classes.count < 2 {
            throw failure("\(reader.name): column \(quoted: schema.targets[0].name) has one class only, \(quoted: classes[0])")
        }
        return schema
    }

    /// In the order of their numbers if all are numbers, otherwise of their bytes.
    private static func sorted(_ categories: [Bytes: Int]) -> [Bytes] {
        let texts = Array(categories.keys)
        var numbers: [(number: Double, text: Bytes)] = []
        for text in texts {
            if case .number(let number) = FieldValue(text[...]) { numbers.append((number, text)) }
        }
        guard numbers.count == texts.count else { return texts.sorted { $0.lexicographicallyPrecedes($1) } }
        return numbers.sorted {
            $0.number != $1.number ? $0.number < $1.number : $0.text.lexicographicallyPrecedes($1.text)
        }.map { $0.text }
    }
}
