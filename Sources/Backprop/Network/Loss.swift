/// The function that training minimizes. The losses of rows are summed, in double precision.
enum Loss {
    case builtIn(BuiltInLoss)
    case plugin(LossPlugin)

    var name: String {
        switch self {
        case .builtIn(let function): function.name
        case .plugin(let plugin): plugin.name
        }
    }

    static func find(_ name: String) throws(BackpropError) -> Loss {
        if let function = BuiltInLoss.named(name) { return .builtIn(function) }
        if let plugin = PluginRegistry.find(name, .loss, { unsafeDowncast($0, to: LossPlugin.self) }) { return .plugin(plugin) }
        throw PluginRegistry.losses.unknown(name)
    }

    func `is`(_ function: BuiltInLoss) -> Bool { builtIn == function }

    var builtIn: BuiltInLoss? {
        if case .builtIn(let function) = self { function } else { nil }
    }

    var isPlugin: Bool { builtIn == nil }

    func isSame(as other: Loss) -> Bool {
        switch (self, other) {
        case (.builtIn(let a), .builtIn(let b)): a == b
        case (.plugin(let a), .plugin(let b)): a === b
        default: false
        }
    }

    /// Whether loss and gradient are computed directly from z, because the last activation, logistic or softmax, cancels the
    /// logarithm of the loss.
    func isFused(with activation: Activation) -> Bool {
        switch self {
        case .builtIn(.binaryCrossEntropy): activation.is(.logistic)
        case .builtIn(.crossEntropy): activation.is(.softmax)
        default: false
        }
    }

    func targetCount(outputs: Int) -> Int {
        if case .plugin(let plugin) = self { plugin.targetCount(outputs: outputs) } else { outputs }
    }

    /// The targets that the loss accepts; all if it is registered.
    var targetRange: (least: Float, greatest: Float) { builtIn?.targetRange ?? (-.infinity, .infinity) }
}

extension PluginRegistry {
    package static var losses: PluginRegistry { PluginRegistry(.loss, BuiltInLoss.self) }
}
