import CPlatform

/// An activation of the host's. All ways to bring one come down to functions of runs of numbers, or of whole matrices.
public final class ActivationPlugin: @unchecked Sendable {
    /// a = f(z) for so many numbers.
    package typealias Map = (_ z: UnsafePointer<Float>, _ a: UnsafeMutablePointer<Float>, _ count: Int) -> Void
    /// d, the gradient for a, becomes that for z: d f′(z).
    package typealias Slope = (
        _ z: UnsafePointer<Float>, _ a: UnsafePointer<Float>, _ d: UnsafeMutablePointer<Float>, _ count: Int
    ) -> Void
    /// a = f(z) for rows × columns numbers; 0, or the host's own code for a failure.
    package typealias Forward = (
        _ z: UnsafePointer<Float>, _ a: UnsafeMutablePointer<Float>, _ rows: Int, _ columns: Int
    ) -> Int32
    /// dz from da; 0, or the host's own code for a failure.
    package typealias Backward = (
        _ z: UnsafePointer<Float>, _ a: UnsafePointer<Float>, _ da: UnsafePointer<Float>, _ dz: UnsafeMutablePointer<Float>,
        _ rows: Int, _ columns: Int
    ) -> Int32

    package enum Functions {
        /// Each number for itself.
        case numbers(Map, Slope)
        /// Columns may depend on each other, and the functions may fail.
        case matrices(Forward, Backward)
    }

    public let name: String
    let kind: ActivationKind
    let functions: Functions
    /// What the host wants to be told at the end.
    private var destroy: (() -> Void)?
    /// Shared objects with code of this activation: closed after `destroy`.
    private var libraries: [SharedObject]

    /// Whether threads of the library may call. Read and written behind the platform's lock.
    var isThreadSafe = false
    /// Neighbours in a list, which owns what it lists.
    var next: ActivationPlugin?
    #if !hasFeature(Embedded)
    /// What lies behind the codes of closures that throw.
    var thrown: ThrownErrors?
    #endif
    /// Whether `destroy` is to be called: only once registering has succeeded.
    var isAdopted = false

    package init(
        name: String, kind: ActivationKind, _ functions: Functions, libraries: [SharedObject] = [],
        destroy: (() -> Void)? = nil
    ) {
        self.name = name
        self.kind = kind
        self.functions = functions
        self.libraries = libraries
        self.destroy = destroy
    }

    deinit {
        if isAdopted { HostEnvironment().run { destroy?() } }
    }

    /// False where there is one already.
    func setDestroy(_ destroy: @escaping () -> Void) -> Bool {
        guard self.destroy == nil else { return false }
        self.destroy = destroy
        return true
    }

    func keepOpen(_ library: SharedObject) { libraries.append(library) }
}

extension ActivationPlugin {
    /// From a shared library's functions by their names; nil is the process itself.
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

    /// a = f(z) for matrices without padding; 0, or the host's code.
    func forward(_ z: UnsafePointer<Float>, _ a: UnsafeMutablePointer<Float>, rows: Int, columns: Int) -> Int32 {
        switch functions {
        case .numbers(let map, _):
            map(z, a, rows * columns)
            return 0
        case .matrices(let forward, _):
            return HostEnvironment().run { forward(z, a, rows, columns) }
        }
    }

    /// dz = da f′(z), likewise.
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

    /// Forward for padded matrices. A function of matrices sees the block in `packing`, from number `place` on.
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

    /// d f′(z), in place, for padded matrices of which the forward pass has just been.
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
