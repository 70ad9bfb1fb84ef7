import CPlatform

/// A plug-in: a shared object whose entry point registers activations and losses. While the entry point runs, this object holds
/// those that it registers on this thread. If the entry point fails, they are discarded.
package final class PluginFile {
    private let path: CString
    private let library: SharedObject
    var list = PluginList()
    /// The error of the first registration that failed.
    private var firstError: BackpropError?

    private init(_ path: CString, _ library: SharedObject) {
        self.path = path
        self.library = library
    }

    deinit {
        while list.removeFirst() != nil {}  // one by one: freeing a long list recursively could overflow the stack
    }

    /// The file whose entry point runs on this thread.
    static var current: PluginFile? {
        cp_current_plugin_file().map { Unmanaged<PluginFile>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Loads the file at a path. `enter` calls the entry point and returns its result.
    package static func load(
        _ path: CString, entry: String, enter: (ForeignFunction) -> Int32
    ) throws(BackpropError) {
        let library = try SharedObject.open(path)
        let function = try library.function(try CString(entry))
        let file = PluginFile(path, library)
        try withExtendedLifetime(file) { () throws(BackpropError) in
            let outer = cp_current_plugin_file()
            cp_set_current_plugin_file(Unmanaged.passUnretained(file).toOpaque())
            let code = enter(function)
            cp_set_current_plugin_file(outer)
            try file.requireSuccess(code)
            try PluginRegistry.adopt(file)
        }
    }

    private func requireSuccess(_ code: Int32) throws(BackpropError) {
        guard code != 0 else { return }
        let reason = firstError.map { ": \($0.message)" } ?? ""
        throw BackpropError(.callback, "plug-in \(path.shown) failed with code \(Int(code))\(reason)")
    }

    /// Adds a plug-in. Returns false if the file has already registered its name.
    func add(_ plugin: Plugin) -> Bool {
        guard list.find(plugin.name, plugin.subject) == nil else { return false }
        plugin.keepOpen(library)
        list.append(plugin)
        return true
    }

    /// Stores the error of the file's first failed registration on this thread. It is a part of the message if the entry
    /// point fails.
    package static func note(_ error: BackpropError) {
        guard let current, current.firstError == nil else { return }
        current.firstError = error
    }
}
