import CPlatform

/// A shared object that brings activations, while its entry point runs. What it registers on this thread waits here, and
/// nothing of it is left if it fails.
package final class PluginFile {
    private let path: CString
    private let library: SharedObject
    var list = PluginList()
    /// The first registration that was refused.
    private var refusal: BackpropError?

    private init(_ path: CString, _ library: SharedObject) {
        self.path = path
        self.library = library
    }

    deinit {
        while list.removeFirst() != nil {}  // one by one: the host may have brought many
    }

    /// The file whose entry point runs on this thread.
    static var current: PluginFile? {
        cp_current_plugin_file().map { Unmanaged<PluginFile>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Loads the file at a path. `enter` calls the entry point and returns what it returned.
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
            try ActivationRegistry.adopt(file)
        }
    }

    private func requireSuccess(_ code: Int32) throws(BackpropError) {
        guard code != 0 else { return }
        let reason = refusal.map { ": \($0.message)" } ?? ""
        throw BackpropError(.callback, "plug-in \(path.shown) failed with code \(Int(code))\(reason)")
    }

    /// Unless the file has brought one of that name.
    func add(_ plugin: ActivationPlugin) -> Bool {
        guard list.find(plugin.name) == nil else { return false }
        plugin.keepOpen(library)
        list.append(plugin)
        return true
    }

    /// Remembers why a registration of the file on this thread failed, to tell it if the file then fails.
    package static func note(_ error: BackpropError) {
        guard let current, current.refusal == nil else { return }
        current.refusal = error
    }
}
