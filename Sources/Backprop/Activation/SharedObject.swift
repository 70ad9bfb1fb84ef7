import CPlatform

/// A shared object that stays open as long as something uses it. Closing may unload its code.
package final class SharedObject {
    private let handle: UnsafeMutableRawPointer
    private let name: String

    private init(_ handle: UnsafeMutableRawPointer, _ name: String) {
        self.handle = handle
        self.name = name
    }

    deinit { cp_close_library(handle) }

    /// nil opens the process itself: the program and what it was linked with.
    package static func open(_ path: String?) throws(BackpropError) -> SharedObject {
        if let path, path.isEmpty { throw BackpropError(.invalidValue, "the path of the library is empty") }
        var reason = ""
        let handle = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 768) { buffer in
            let text = buffer.baseAddress.unsafelyUnwrapped
            let handle =
                if let path { path.withCString { cp_open_library($0, text, 768) } } else { cp_open_library(nil, text, 768) }
            if handle == nil { reason = String(cString: text) }
            return handle
        }
        guard let handle else { throw BackpropError(.library, "cannot open a library: \(reason)") }
        return SharedObject(handle, path ?? "the process")
    }

    /// The shared object that holds a function's code, so that it stays while the function is in use; nil where there is
    /// none to hold: code of the program itself, or made while it runs.
    package static func holding(_ function: ForeignFunction) -> SharedObject? {
        cp_open_library_of(function).map { SharedObject($0, "") }
    }

    package func function(_ symbol: String) throws(BackpropError) -> ForeignFunction {
        guard let function = symbol.withCString({ cp_find_function(handle, $0) }) else {
            throw BackpropError(.library, "\(name) has no function \"\(symbol)\"")
        }
        return function
    }
}
