/// A setting of a network that is a number; choices are small integers. `backprop.h` says what each means.
enum Option: Int, Named {
    case gradientReduction, initialization, batchnormEpsilon, batchnormMomentum, batchnormUpdate

    var name: String {
        switch self {
        case .gradientReduction: "gradient_reduction"
        case .initialization: "initialization"
        case .batchnormEpsilon: "batchnorm_epsilon"
        case .batchnormMomentum: "batchnorm_momentum"
        case .batchnormUpdate: "batchnorm_update"
        }
    }

    var standard: Double {
        switch self {
        case .gradientReduction, .initialization, .batchnormUpdate: 0
        case .batchnormEpsilon: 1e-5
        case .batchnormMomentum: 0.1
        }
    }

    var bounds: (low: Double, high: Double) {
        switch self {
        case .gradientReduction, .batchnormUpdate: (0, 1)
        case .initialization: (0, 3)
        case .batchnormEpsilon: (1e-12, 1)
        case .batchnormMomentum: (0, 1)
        }
    }

    var isChoice: Bool {
        switch self {
        case .gradientReduction, .initialization, .batchnormUpdate: true
        case .batchnormEpsilon, .batchnormMomentum: false
        }
    }
}

/// A value for every option.
struct Options {
    private var values: [Double] = Option.allCases.map { $0.standard }

    subscript(_ option: Option) -> Double { values[option.rawValue] }

    /// NaN fails both comparisons, and so is refused.
    mutating func set(_ option: Option, to value: Double) throws(BackpropError) {
        let (low, high) = option.bounds
        guard value >= low, value <= high, !option.isChoice || value == value.rounded(.down) else {
            let kind = option.isChoice ? "an integer" : "a number"
            throw BackpropError(
                .invalidValue,
                "option \"\(option.name)\" takes \(kind) from \(decimal(low)) to \(decimal(high)), not \(decimal(value))")
        }
        values[option.rawValue] = value
    }

    static func find(_ name: String) throws(BackpropError) -> Option {
        guard let option = Option.named(name) else {
            throw BackpropError(.unknownName, "no option is named \"\(name)\"")
        }
        return option
    }
}
