import CPlatform

/// What a layer applies to its weighted sums.
enum Activation {
    case builtIn(BuiltInActivation)
    /// Whether the library's own threads may call it is settled when a layer takes it up.
    case plugin(ActivationPlugin, isThreadSafe: Bool)

    var name: String {
        switch self {
        case .builtIn(let function): function.name
        case .plugin(let plugin, _): plugin.name
        }
    }

    static func find(_ name: String) throws(BackpropError) -> Activation {
        if let function = BuiltInActivation.named(name) { return .builtIn(function) }
        if let found = ActivationRegistry.find(name) { return .plugin(found.plugin, isThreadSafe: found.isThreadSafe) }
        throw ActivationRegistry.unknown(name)
    }

    func `is`(_ function: BuiltInActivation) -> Bool {
        if case .builtIn(let own) = self { own == function } else { false }
    }

    /// What its values lie in: unbounded where that is not known.
    var range: (least: Float, greatest: Float) {
        if case .builtIn(let function) = self { function.range } else { (-.infinity, .infinity) }
    }

    var isPlugin: Bool {
        if case .plugin = self { true } else { false }
    }

    /// Whether several threads may compute it at a time, each for rows of its own.
    var isThreadSafe: Bool {
        if case .plugin(_, let isThreadSafe) = self { isThreadSafe } else { true }
    }

    /// Whether it takes matrices without padding.
    var isMatrixFunction: Bool {
        if case .plugin(let plugin, _) = self { plugin.isMatrixFunction } else { false }
    }
}
