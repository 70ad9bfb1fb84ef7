import CPlatform

/// The host's activations by name, for the whole process; in the order in which they came. The platform's lock guards it.
package enum ActivationRegistry {
    /// The registry owns the first, and each owns the next. (Constant at start: nothing to initialize, no race.)
    nonisolated(unsafe) private static var first: ActivationPlugin?

    package static func register(_ plugin: ActivationPlugin) throws(BackpropError) {
        try validate(plugin.name)
        guard BuiltInActivation.named(plugin.name) == nil, adopt(plugin) else {
            throw BackpropError(.invalidValue, "an activation named \"\(plugin.name)\" is there already")
        }
    }

    package static func unregister(_ name: String) throws(BackpropError) {
        guard BuiltInActivation.named(name) == nil else {
            throw BackpropError(.unsupported, "activation \"\(name)\" is built in and stays")
        }
        // The last reference goes when this returns, outside the lock: the host's destroy may call the library.
        guard remove(name) != nil else {
            throw BackpropError(.unknownName, "no activation is named \"\(name)\"")
        }
    }

    static func find(_ name: String) -> ActivationPlugin? {
        cp_lock()
        defer { cp_unlock() }
        var plugin = first
        while let each = plugin, !each.name.isSame(as: name) { plugin = each.next }
        return plugin
    }

    /// The name of the activation with that index, built-in ones first.
    package static func name(at index: Int) throws(BackpropError) -> String {
        let builtIn = BuiltInActivation.allCases
        if index >= 0, index < builtIn.count { return builtIn[index].name }
        guard let plugin = plugin(at: index - builtIn.count) else {
            throw BackpropError(.unknownName, "there are no activations from index \(UInt(bitPattern: index)) on")
        }
        return plugin.name
    }

    private static func plugin(at index: Int) -> ActivationPlugin? {
        guard index >= 0 else { return nil }
        cp_lock()
        defer { cp_unlock() }
        var plugin = first
        var left = index
        while let each = plugin, left > 0 {
            plugin = each.next
            left -= 1
        }
        return plugin
    }

    /// Puts the plug-in at the end, unless its name is taken.
    private static func adopt(_ plugin: ActivationPlugin) -> Bool {
        cp_lock()
        defer { cp_unlock() }
        var last: ActivationPlugin?
        var each = first
        while let present = each {
            if present.name.isSame(as: plugin.name) { return false }
            last = present
            each = present.next
        }
        plugin.isAdopted = true
        if let last { last.next = plugin } else { first = plugin }
        return true
    }

    private static func remove(_ name: String) -> ActivationPlugin? {
        cp_lock()
        defer { cp_unlock() }
        var previous: ActivationPlugin?
        var each = first
        while let present = each, !present.name.isSame(as: name) {
            previous = present
            each = present.next
        }
        guard let found = each else { return nil }
        if let previous { previous.next = found.next } else { first = found.next }
        found.next = nil
        return found
    }

    private static func validate(_ name: String) throws(BackpropError) {
        let allowed = name.utf8.allSatisfy { c in
            (c >= 0x61 && c <= 0x7A) || (c >= 0x30 && c <= 0x39) || c == 0x5F || c == 0x2E || c == 0x2D
        }
        guard allowed, name.utf8.count >= 1, name.utf8.count <= 64 else {
            throw BackpropError(.invalidValue, "a name has 1 to 64 characters of a-z, 0-9, '_', '.', '-'")
        }
    }
}
