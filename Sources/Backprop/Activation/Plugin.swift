import CPlatform

/// A function of the host that was registered by name: an activation or a loss.
public class Plugin: @unchecked Sendable {
    package enum Subject {
        case activation, loss
    }

    public let name: String
    let subject: Subject
    /// The host's callback for the end of the plug-in's lifetime.
    private var destroy: (() -> Void)?
    /// Shared objects with code of this plug-in. They are closed after `destroy`.
    private var libraries: [SharedObject]

    /// The next plug-in in a `PluginList`.
    var next: Plugin?
    #if !hasFeature(Embedded)
    /// The errors that closures have thrown, by code.
    var thrown: ThrownErrors?
    #endif
    /// Whether the registration succeeded. Only then is `destroy` called.
    var isAdopted = false

    init(name: String, subject: Subject, libraries: [SharedObject], destroy: (() -> Void)?) {
        self.name = name
        self.subject = subject
        self.libraries = libraries
        self.destroy = destroy
    }

    deinit {
        guard isAdopted else { return }
        let environment = cp_environment()  // the flags that the callback raises end here
        HostEnvironment().run { destroy?() }
        cp_restore_environment(environment)
    }

    /// Returns false if a destroy callback is already set.
    func setDestroy(_ destroy: @escaping () -> Void) -> Bool {
        guard self.destroy == nil else { return false }
        self.destroy = destroy
        return true
    }

    func keepOpen(_ library: SharedObject) { libraries.append(library) }

    func isNamed(_ name: String, _ subject: Subject) -> Bool { self.subject == subject && self.name.isSame(as: name) }

    /// The error for a code with which a function of the host failed. `place`: " in its forward pass", or nothing.
    func callbackError(_ code: Int32, _ place: StaticString = "") -> BackpropError {
        let function: Text = subject == .activation ? "activation \"\(name)\"" : "loss \"\(name)\""
        #if !hasFeature(Embedded)
        if let thrown = thrown?.take(code) {
            return BackpropError(
                .callback, function + " failed\(place): \(String(describing: thrown))", underlying: thrown)
        }
        #endif
        return BackpropError(.callback, function + " failed with code \(Int(code))\(place)")
    }
}
