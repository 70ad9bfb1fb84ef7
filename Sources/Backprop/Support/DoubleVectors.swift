// Loops over vectors of floats or doubles, in double precision. Each sum has one order, so that results do not depend on the
// machine.

protocol VectorElement {
    var asDouble: Double { get }
}

extension Float: VectorElement {
    @inline(__always) var asDouble: Double { Double(self) }
}

extension Double: VectorElement {
    @inline(__always) var asDouble: Double { self }
}

/// Σ a b, as four sums of every fourth product.
@_optimize(speed) @inline(never)
func dot<A: VectorElement, B: VectorElement>(_ a: UnsafePointer<A>, _ b: UnsafePointer<B>, _ count: Int) -> Double {
    var (s, t, u, v) = (0.0, 0.0, 0.0, 0.0)
    var i = 0
    while i + 4 <= count {
        s += a[i].asDouble * b[i].asDouble
        t += a[i + 1].asDouble * b[i + 1].asDouble
        u += a[i + 2].asDouble * b[i + 2].asDouble
        v += a[i + 3].asDouble * b[i + 3].asDouble
        i += 4
    }
    while i < count {
        s += a[i].asDouble * b[i].asDouble
        i += 1
    }
    return (s + t) + (u + v)
}

/// y += a x
@_optimize(speed) @inline(never)
func add<X: VectorElement>(_ a: Double, _ x: UnsafePointer<X>, to y: UnsafeMutablePointer<Double>, _ count: Int) {
    for i in 0..<count { y[i] += a * x[i].asDouble }
}
