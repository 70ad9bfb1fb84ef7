import CPlatform

/// An activation of the host. Every kind is represented by functions of arrays of numbers or of matrices.
public final class ActivationPlugin: Plugin, @unchecked Sendable {
    /// a = f(z) for `count` numbers.
    package typealias Map = (_ z: UnsafePointer<Float>, _ a: UnsafeMutablePointer<Float>, _ count: Int) -> Void
    /// d, on entry the gradient for a, becomes the gradient for z: d f′(z).
    package typealias Slope = (
        _ z: UnsafePointer<Float>, _ a: UnsafePointer<Float>, _ d: UnsafeMutablePointer<Float>, _ count: Int
    ) -> Void
    /// a = f(z) for rows × columns numbers. Returns 0, or the host's error code.
    package typealias Forward = (
        _ z: UnsafePointer<Float>, _ a: UnsafeMutablePointer<Float>, _ rows: Int, _ columns: Int
    ) -> Int32
    /// Computes dz from da. Returns 0, or the host's error code.
    package typealias Backward = (
        _ z: UnsafePointer<Float>, _ a: UnsafePointer<Float>, _ da: UnsafePointer<Float>, _ dz: UnsafeMutablePointer<Float>,
        _ rows: Int, _ columns: Int
    ) -> Int32

    package enum Functions {
        /// Functions of single numbers, which cannot fail.
        case numbers(Map, Slope)
        /// Columns may depend on each other, and the functions may fail.
        case matrices(Forward, Backward)
    }

    let kind: ActivationKind
    let functions: Functions
    /// Whether threads of the library may call the functions. Guarded by `cp_lock`.
    var isThreadSafe = false

    package init(
        name: String, kind: ActivationKind, _ functions: Functions, libraries: [SharedObject] = [],
        destroy: (() -> Void)? = nil
    ) {
        self.kind = kind
        self.functions = functions
        super.init(name: name, subject: .activation, libraries: libraries, destroy: destroy)
    }
}

extension ActivationPlugin {
    /// An activation of functions in a shared library, by name. A `path` of nil is the process itself.
    package static func library(
        _ name: String, _ path: CString?, _ symbol: CString, _ derivative: CString?, _ signature: Signature,
        constants: [Double]
    ) throws(BackpropError) -> ActivationPlugin {
        let library = try SharedObject.open(path)
        let function = try library.function(symbol)
        var slope: ForeignFunction?
        if let derivative { slope = try library.function(derivative) }
        let functions = try Functions.foreign(function, derivative: slope, signature, constants: constants)
        return ActivationPlugin(name: name, kind: .library, functions, libraries: [library])
    }
}

extension ActivationPlugin {
    var isMatrixFunction: Bool {
        if case .matrices = functions { true } else { false }
    }

    /// a = f(z) for matrices without padding. Returns 0, or the host's error code.
    func forward(_ z: UnsafePointer<Float>, _ a: UnsafeMutablePointer<Float>, rows: Int, columns: Int) -> Int32 {
        switch functions {
        case .numbers(let map, _):
            map(z, a, rows * columns)
            return 0
        case .matrices(let forward, _):
            return HostEnvironment().run { forward(z, a, rows, columns) }
        }
    }

    /// dz = da f′(z) for matrices without padding. Returns 0, or the host's error code.
    func backward(
        _ z: UnsafePointer<Float>, _ a: UnsafePointer<Float>, _ da: UnsafePointer<Float>, _ dz: UnsafeMutablePointer<Float>,
        rows: Int, columns: Int
    ) -> Int32 {
        switch functions {
        case .numbers(_, let slope):
            cp_copy(dz, da, rows * columns * 4)
            slope(z, a, dz, rows * columns)
            return 0
        case .matrices(_, let backward):
            return HostEnvironment().run { backward(z, a, da, dz, rows, columns) }
        }
    }

    /// a = f(z) for padded matrices. A function of matrices gets copies without padding, in `packing` at offset `place`.
    func forward(
        _ z: UnsafePointer<Float>, _ a: UnsafeMutablePointer<Float>, rows: Int, columns: Int, packing: Packing?, place: Int
    ) -> Int32 {
        switch functions {
        case .numbers(let map, _):
            let stride = paddedStride(columns)
            for row in 0..<rows { map(z + row * stride, a + row * stride, columns) }
            return 0
        case .matrices(let forward, _):
            return packing.unsafelyUnwrapped.forward(forward, z, a, rows: rows, columns: columns, place: place)
        }
    }

    /// d = d f′(z) for padded matrices, directly after the forward pass with the same `packing` and `place`.
    func backward(
        _ z: UnsafePointer<Float>, _ a: UnsafePointer<Float>, _ d: UnsafeMutablePointer<Float>, rows: Int, columns: Int,
        packing: Packing?, place: Int
    ) -> Int32 {
        switch functions {
        case .numbers(_, let slope):
            let stride = paddedStride(columns)
            for row in 0..<rows { slope(z + row * stride, a + row * stride, d + row * stride, columns) }
            return 0
        case .matrices(_, let backward):
            return packing.unsafelyUnwrapped.backward(backward, d, rows: rows, columns: columns, place: place)
        }
    }
}
