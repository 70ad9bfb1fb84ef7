import CPlatform

/// A shared object that stays open while a reference to it exists. Closing it may unload its code.
package final class SharedObject {
    private let handle: UnsafeMutableRawPointer
    private let name: Text

    private init(_ handle: UnsafeMutableRawPointer, _ name: Text) {
        self.handle = handle
        self.name = name
    }

    deinit { cp_close_library(handle) }

    /// A path of nil opens the process itself: the program and the libraries it is linked with.
    package static func open(_ path: CString?) throws(BackpropError) -> SharedObject {
        try requirePart(cp_has_libraries, "shared libraries")
        if let path, path.isEmpty { throw BackpropError(.invalidValue, "the path of the shared library is empty") }
        let (handle, reason) = withReason { reason in
            if let path { path.withPointer { cp_open_library($0, reason) } } else { cp_open_library(nil, reason) }
        }
        guard let handle else { throw BackpropError(.library, "cannot open the shared library: \(reason.shown)") }
        return SharedObject(handle, path?.shown ?? "the process")
    }

    /// The shared object that contains a function's code, so that it stays loaded while the function is used. nil for code
    /// of the program itself and for code generated at run time.
    package static func holding(_ function: ForeignFunction) -> SharedObject? {
        cp_open_library_of(function).map { SharedObject($0, "") }
    }

    package func function(_ symbol: CString) throws(BackpropError) -> ForeignFunction {
        guard let function = symbol.withPointer({ cp_find_function(handle, $0) }) else {
            throw BackpropError(.library, "\(name) has no function \"\(symbol.shown)\"")
        }
        return function
    }
}
