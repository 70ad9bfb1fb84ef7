/// The options of one owner.
protocol OptionKey: Named, RawRepresentable<Int> {
    static var owner: OptionDescription.Owner { get }
    var description: OptionDescription { get }
}

extension OptionKey {
    var name: String { description.name }

    /// A number between two others.
    static func number(
        _ name: StaticString, _ standard: Double, _ range: ClosedRange<Double>, _ meaning: StaticString, isWhole: Bool = false,
        choices: StaticString? = nil
    ) -> OptionDescription {
        OptionDescription(
            owner: owner, nameText: name, meaningText: meaning, choicesText: choices, standard: standard, low: range.lowerBound,
            high: range.upperBound, isWhole: isWhole)
    }

    static func whole(
        _ name: StaticString, _ standard: Double, _ range: ClosedRange<Double>, _ meaning: StaticString
    ) -> OptionDescription {
        number(name, standard, range, meaning, isWhole: true)
    }

    /// One of several, which are numbered from 0 on; the first is the default. `choices`: their words.
    static func choice(_ name: StaticString, _ choices: StaticString, _ meaning: StaticString) -> OptionDescription {
        let last = Double(OptionDescription.wordCount(choices) - 1)
        return number(name, 0, 0...last, meaning, isWhole: true, choices: choices)
    }

    static func find(_ name: String) throws(BackpropError) -> Self {
        guard let option = named(name) else { throw OptionDescription.unknown(name, owner) }
        return option
    }
}

/// A value for every option of one owner.
struct Options<Key: OptionKey> {
    private var values: [Double] = Key.allCases.map { $0.description.standard }

    func isSame(as other: Self) -> Bool { values == other.values }

    subscript(_ option: Key) -> Double { values[option.rawValue] }

    mutating func set(_ option: Key, to value: Double) throws(BackpropError) {
        try option.description.require(value)
        values[option.rawValue] = value
    }
}
