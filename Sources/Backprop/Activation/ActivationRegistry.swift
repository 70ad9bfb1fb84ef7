import CPlatform

/// The host's activations by name, for the whole process, in the order of registration. `cp_lock` guards it. The activations
/// of a plug-in file are in its `PluginFile` until its entry point has succeeded.
package enum ActivationRegistry {
    /// (Its initial value is a constant: there is no initialization at run time, and so no race.)
    nonisolated(unsafe) private static var listed = PluginList()

    package static func register(_ plugin: ActivationPlugin) throws(BackpropError) {
        try validate(plugin.name)
        guard BuiltInActivation.named(plugin.name) == nil, add(plugin) else { throw taken(plugin.name) }
    }

    package static func unregister(_ name: String) throws(BackpropError) {
        try requireNotBuiltIn(name)
        // The last reference is released here, outside the lock, because the host's destroy callback may call the library.
        guard remove(name) != nil else { throw unknown(name) }
    }

    /// Affects layers that get the activation after this call.
    package static func setThreadSafe(_ name: String, _ isThreadSafe: Bool) throws(BackpropError) {
        try change(name) { $0.isThreadSafe = isThreadSafe }
    }

    /// Sets the destroy callback of an activation that was registered without one.
    package static func setDestroy(_ name: String, _ destroy: @escaping () -> Void) throws(BackpropError) {
        var isSet = false
        try change(name) { isSet = $0.setDestroy(destroy) }
        guard isSet else { throw BackpropError(.invalidValue, "activation \"\(name)\" already has a destroy") }
    }

    private static func change(_ name: String, _ body: (ActivationPlugin) -> Void) throws(BackpropError) {
        try requireNotBuiltIn(name)
        guard changeAny(name, body) else { throw unknown(name) }
    }

    private static func changeAny(_ name: String, _ body: (ActivationPlugin) -> Void) -> Bool {
        cp_lock()
        defer { cp_unlock() }
        guard let plugin = PluginFile.current?.list.find(name) ?? listed.find(name) else { return false }
        body(plugin)
        return true
    }

    static func find(_ name: String) -> (plugin: ActivationPlugin, isThreadSafe: Bool)? {
        cp_lock()
        defer { cp_unlock() }
        return listed.find(name).map { ($0, $0.isThreadSafe) }
    }

    /// The name of the activation with this index, built-in ones first.
    package static func name(at index: Int) throws(BackpropError) -> String {
        let builtIn = BuiltInActivation.allCases
        if index >= 0, index < builtIn.count { return builtIn[index].name }
        cp_lock()
        defer { cp_unlock() }
        guard index >= 0, let plugin = listed.at(index - builtIn.count) else {
            throw BackpropError(.unknownName, "activation index \(UInt(bitPattern: index)) is out of range")
        }
        return plugin.name
    }

    package static func kind(of name: String) throws(BackpropError) -> ActivationKind {
        switch try Activation.find(name) {
        case .builtIn: .builtIn
        case .plugin(let plugin, _): plugin.kind
        }
    }

    /// Moves all of a file's activations to the registry, or none.
    static func adopt(_ file: PluginFile) throws(BackpropError) {
        cp_lock()
        defer { cp_unlock() }
        var each = file.list.first
        while let plugin = each {
            if listed.find(plugin.name) != nil { throw taken(plugin.name) }
            each = plugin.next
        }
        while let plugin = file.list.removeFirst() { listed.append(plugin) }
    }

    /// Adds an activation. Returns false if its name is already registered.
    private static func add(_ plugin: ActivationPlugin) -> Bool {
        let file = PluginFile.current
        cp_lock()
        defer { cp_unlock() }
        guard listed.find(plugin.name) == nil else { return false }
        if let file {
            guard file.add(plugin) else { return false }
        } else {
            listed.append(plugin)
        }
        plugin.isAdopted = true
        return true
    }

    private static func remove(_ name: String) -> ActivationPlugin? {
        cp_lock()
        defer { cp_unlock() }
        return PluginFile.current?.list.remove(name) ?? listed.remove(name)
    }

    private static func requireNotBuiltIn(_ name: String) throws(BackpropError) {
        guard BuiltInActivation.named(name) == nil else {
            throw BackpropError(.unsupported, "activation \"\(name)\" is built in and cannot be changed")
        }
    }

    private static func taken(_ name: String) -> BackpropError {
        BackpropError(.invalidValue, "activation \"\(name)\" is already registered")
    }

    static func unknown(_ name: String) -> BackpropError {
        var suggestion = Suggestion(for: name)
        for each in BuiltInActivation.allCases { suggestion.consider(each.name) }
        suggestion.consider(synonyms: BuiltInActivation.synonyms)
        considerListed(&suggestion)
        var text: Text = "no activation is named \"\(name)\": "
        if let found = suggestion.found { text += "did you mean \"\(found)\"? " }
        return BackpropError(.unknownName, text + "bp_activation_name lists all")
    }

    private static func considerListed(_ suggestion: inout Suggestion) {
        cp_lock()
        defer { cp_unlock() }
        var each = listed.first
        while let plugin = each {
            suggestion.consider(plugin.name)
            each = plugin.next
        }
    }

    private static func validate(_ name: String) throws(BackpropError) {
        let allowed = name.utf8.allSatisfy { c in
            (c >= 0x61 && c <= 0x7A) || (c >= 0x30 && c <= 0x39) || c == 0x5F || c == 0x2E || c == 0x2D
        }
        guard allowed, name.utf8.count >= 1, name.utf8.count <= 64 else {
            throw BackpropError(.invalidValue, "an activation name must have 1 to 64 characters of a-z, 0-9, '_', '.', '-'")
        }
    }
}
