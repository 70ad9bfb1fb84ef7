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
