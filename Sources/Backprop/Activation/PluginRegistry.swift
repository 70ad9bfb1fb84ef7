import CPlatform

/// The host's activations or losses by name, for the whole process, in the order of registration. `cp_lock` guards them.
/// Those of a plug-in file are in its `PluginFile` until its entry point has succeeded.
package struct PluginRegistry {
    package static var activations: PluginRegistry { PluginRegistry(.activation, BuiltInActivation.self) }

    /// (Its initial value is a constant: there is no initialization at run time, and so no race.)
    nonisolated(unsafe) private static var listed = PluginList()

    private let subject: Plugin.Subject
    private let typeName: StaticString
    /// A function, so that memory is allocated only after a call has made sure of the reserve.
    private let builtInNames: () -> [String]
    private let synonyms: StaticString

    init<BuiltIn: Selectable>(_ subject: Plugin.Subject, _ builtIn: BuiltIn.Type) {
        self.subject = subject
        typeName = builtIn.typeName
        builtInNames = { BuiltIn.allCases.map { $0.name } }
        synonyms = builtIn.synonyms
    }

    package func register(_ plugin: Plugin) throws(BackpropError) {
        try validate(plugin.name)
        guard !isBuiltIn(plugin.name), Self.add(plugin) else { throw Self.taken(plugin) }
    }

    package func unregister(_ name: String) throws(BackpropError) {
        try requireNotBuiltIn(name)
        // The last reference is released here, outside the lock, because the host's destroy callback may call the library.
        guard remove(name) != nil else { throw unknown(name) }
    }

    /// Sets the destroy callback of a plug-in that was registered without one.
    package func setDestroy(_ name: String, _ destroy: @escaping () -> Void) throws(BackpropError) {
        var isSet = false
        try change(name) { isSet = $0.setDestroy(destroy) }
        guard isSet else { throw BackpropError(.invalidValue, "\(typeName) \"\(name)\" already has a destroy") }
    }

    func change(_ name: String, _ body: (Plugin) -> Void) throws(BackpropError) {
        try requireNotBuiltIn(name)
        guard changeAny(name, body) else { throw unknown(name) }
    }

    private func changeAny(_ name: String, _ body: (Plugin) -> Void) -> Bool {
        cp_lock()
        defer { cp_unlock() }
        guard let plugin = PluginFile.current?.list.find(name, subject) ?? Self.listed.find(name, subject) else { return false }
        body(plugin)
        return true
    }

    /// Calls `body` with a registered plug-in, inside the lock. Returns nil if there is none of that name.
    static func find<Result>(_ name: String, _ subject: Plugin.Subject, _ body: (Plugin) -> Result) -> Result? {
        cp_lock()
        defer { cp_unlock() }
        return listed.find(name, subject).map { body($0) }
    }

    /// The name with this index, built-in ones first.
    package func name(at index: Int) throws(BackpropError) -> String {
        let builtIn = builtInNames()
        if index >= 0, index < builtIn.count { return builtIn[index] }
        cp_lock()
        defer { cp_unlock() }
        guard index >= 0, let plugin = Self.listed.at(index - builtIn.count, subject) else {
            throw BackpropError(.unknownName, "\(typeName) index \(UInt(bitPattern: index)) is out of range")
        }
        return plugin.name
    }

    /// Moves all of a file's plug-ins to the registry, or none.
    static func adopt(_ file: PluginFile) throws(BackpropError) {
        cp_lock()
        defer { cp_unlock() }
        var each = file.list.first
        while let plugin = each {
            if listed.find(plugin.name, plugin.subject) != nil { throw taken(plugin) }
            each = plugin.next
        }
        while let plugin = file.list.removeFirst() { listed.append(plugin) }
    }

    /// Adds a plug-in. Returns false if its name is already registered.
    private static func add(_ plugin: Plugin) -> Bool {
        let file = PluginFile.current
        cp_lock()
        defer { cp_unlock() }
        guard listed.find(plugin.name, plugin.subject) == nil else { return false }
        if let file {
            guard file.add(plugin) else { return false }
        } else {
            listed.append(plugin)
        }
        plugin.isAdopted = true
        return true
    }

    private func remove(_ name: String) -> Plugin? {
        cp_lock()
        defer { cp_unlock() }
        return PluginFile.current?.list.remove(name, subject) ?? Self.listed.remove(name, subject)
    }

    private func isBuiltIn(_ name: String) -> Bool { builtInNames().contains { $0.isSame(as: name) } }

    private func requireNotBuiltIn(_ name: String) throws(BackpropError) {
        guard !isBuiltIn(name) else {
            throw BackpropError(.unsupported, "\(typeName) \"\(name)\" is built in and cannot be changed")
        }
    }

    private static func taken(_ plugin: Plugin) -> BackpropError {
        let typeName: StaticString = plugin.subject == .activation ? "activation" : "loss"
        return BackpropError(.invalidValue, "\(typeName) \"\(plugin.name)\" is already registered")
    }

    func unknown(_ name: String) -> BackpropError {
        var suggestion = Suggestion(for: name)
        for each in builtInNames() { suggestion.consider(each) }
        suggestion.consider(synonyms: synonyms)
        considerListed(&suggestion)
        var text: Text = "no \(typeName) is named \"\(name)\": "
        if let found = suggestion.found { text += "did you mean \"\(found)\"? " }
        return BackpropError(.unknownName, text + "bp_\(typeName)_name lists all")
    }

    private func considerListed(_ suggestion: inout Suggestion) {
        cp_lock()
        defer { cp_unlock() }
        var each = Self.listed.first
        while let plugin = each {
            if plugin.subject == subject { suggestion.consider(plugin.name) }
            each = plugin.next
        }
    }

    private func validate(_ name: String) throws(BackpropError) {
        guard Self.isValid(name) else {
            throw BackpropError(
                .invalidValue, "\(typeName) name \"\(name)\" must have 1 to 64 characters of a-z, 0-9, '_', '.', '-'")
        }
    }

    /// Whether the host may register a function by this name.
    static func isValid(_ name: String) -> Bool {
        let allowed = name.utf8.allSatisfy { c in
            (c >= 0x61 && c <= 0x7A) || (c >= 0x30 && c <= 0x39) || c == 0x5F || c == 0x2E || c == 0x2D
        }
        return allowed && name.utf8.count >= 1 && name.utf8.count <= 64
    }
}

extension PluginRegistry {
    static func findActivation(_ name: String) -> (plugin: ActivationPlugin, isThreadSafe: Bool)? {
        find(name, .activation) {
            let plugin = unsafeDowncast($0, to: ActivationPlugin.self)
            return (plugin, plugin.isThreadSafe)
        }
    }

    /// Affects layers that get the activation after this call.
    package static func setThreadSafe(_ name: String, _ isThreadSafe: Bool) throws(BackpropError) {
        try activations.change(name) { unsafeDowncast($0, to: ActivationPlugin.self).isThreadSafe = isThreadSafe }
    }

    package static func kind(of name: String) throws(BackpropError) -> ActivationKind {
        switch try Activation.find(name) {
        case .builtIn: .builtIn
        case .plugin(let plugin, _): plugin.kind
        }
    }
}
