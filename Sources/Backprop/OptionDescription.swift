/// A setting that is a number; choices are small integers. The header's tables of options are printed from these.
public struct OptionDescription: Sendable {
    public enum Owner: UInt32, Sendable {
        case network, trainer
    }

    public let owner: Owner
    package let nameText, meaningText: StaticString
    public let standard, low, high: Double
    /// Whether only whole numbers are taken.
    public let isWhole: Bool

    public var name: String { Self.string(nameText) }
    public var meaning: String { Self.string(meaningText) }

    /// Every option there is, the network's first.
    public static var all: [OptionDescription] {
        NetworkOption.allCases.map { $0.description } + TrainerOption.allCases.map { $0.description }
    }

    package static func at(_ index: Int) throws(BackpropError) -> OptionDescription {
        let all = all
        guard index >= 0, index < all.count else {
            throw BackpropError(.unknownName, "there are no options from index \(UInt(bitPattern: index)) on")
        }
        return all[index]
    }

    /// NaN fails both comparisons, and so is refused.
    func require(_ value: Double) throws(BackpropError) {
        guard value >= low, value <= high, !isWhole || value == value.rounded(.down) else {
            let kind = isWhole ? "an integer" : "a number"
            throw BackpropError(
                .invalidValue, "option \"\(name)\" takes \(kind) from \(decimal(low)) to \(decimal(high)), not \(decimal(value))")
        }
    }

    private static func string(_ text: StaticString) -> String {
        String(cString: UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self))
    }
}

/// The options of one owner.
protocol OptionKey: Named, RawRepresentable<Int> {
    static var owner: OptionDescription.Owner { get }
    var description: OptionDescription { get }
}

extension OptionKey {
    var name: String { description.name }

    /// A number between two others.
    static func number(
        _ name: StaticString, _ standard: Double, _ range: ClosedRange<Double>, _ meaning: StaticString, isWhole: Bool = false
    ) -> OptionDescription {
        OptionDescription(
            owner: owner, nameText: name, meaningText: meaning, standard: standard, low: range.lowerBound,
            high: range.upperBound, isWhole: isWhole)
    }

    static func whole(
        _ name: StaticString, _ standard: Double, _ range: ClosedRange<Double>, _ meaning: StaticString
    ) -> OptionDescription {
        number(name, standard, range, meaning, isWhole: true)
    }

    static func find(_ name: String) throws(BackpropError) -> Self {
        guard let option = named(name) else { throw BackpropError(.unknownName, "no option is named \"\(name)\"") }
        return option
    }
}

/// A value for every option of one owner.
struct Options<Key: OptionKey> {
    private var values: [Double] = Key.allCases.map { $0.description.standard }

    subscript(_ option: Key) -> Double { values[option.rawValue] }

    mutating func set(_ option: Key, to value: Double) throws(BackpropError) {
        try option.description.require(value)
        values[option.rawValue] = value
    }
}
