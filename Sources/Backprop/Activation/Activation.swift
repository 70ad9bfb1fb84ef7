import CPlatform

/// The function that a layer applies to its weighted sums.
enum Activation {
    case builtIn(BuiltInActivation)
    /// `isThreadSafe`, whether the library's threads may call it, is fixed when a layer gets the activation.
    case plugin(ActivationPlugin, isThreadSafe: Bool)

    var name: String {
        switch self {
        case .builtIn(let function): function.name
        case .plugin(let plugin, _): plugin.name
        }
    }

    static func find(_ name: String) throws(BackpropError) -> Activation {
        if let function = BuiltInActivation.named(name) { return .builtIn(function) }
        if let found = PluginRegistry.findActivation(name) { return .plugin(found.plugin, isThreadSafe: found.isThreadSafe) }
        throw PluginRegistry.activations.unknown(name)
    }

    func `is`(_ function: BuiltInActivation) -> Bool {
        if case .builtIn(let other) = self { other == function } else { false }
    }

    /// The number of a built-in activation in the kernels.
    var kind: Int32 {
        if case .builtIn(let function) = self { function.kind } else { 0 }
    }

    /// Whether f′ is known to follow from a = f(z) alone.
    var derivesFromValue: Bool {
        if case .builtIn(let function) = self { function.derivesFromValue } else { false }
    }

    /// The range of its values; unbounded if the range is unknown.
    var range: (least: Float, greatest: Float) {
        if case .builtIn(let function) = self { function.range } else { (-.infinity, .infinity) }
    }

    func isSame(as other: Activation) -> Bool {
        switch (self, other) {
        case (.builtIn(let a), .builtIn(let b)): a == b
        case (.plugin(let a, let isThreadSafe), .plugin(let b, let other)): a === b && isThreadSafe == other
        default: false
        }
    }

    var isPlugin: Bool {
        if case .plugin = self { true } else { false }
    }

    /// Whether several threads may compute it at the same time, each for different rows.
    var isThreadSafe: Bool {
        if case .plugin(_, let isThreadSafe) = self { isThreadSafe } else { true }
    }

    /// Whether it is a function of matrices, which must not be padded.
    var isMatrixFunction: Bool {
        if case .plugin(let plugin, _) = self { plugin.isMatrixFunction } else { false }
    }
}
