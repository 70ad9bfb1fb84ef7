import CPlatform

/// A layer's dropout in one step, [rows × stride] each: the factors, 0 or 1 / (1 − rate), and the thinned outputs, a times
/// the factor.
final class DropoutWorkspace {
    let factors, thinned: Floats

    private init(factors: consuming Floats, thinned: consuming Floats) {
        self.factors = factors
        self.thinned = thinned
    }

    static func make(size: Int) throws(BackpropError) -> DropoutWorkspace {
        let factors = try Floats(size), thinned = try Floats(size)
        return DropoutWorkspace(factors: factors, thinned: thinned)
    }

    @_optimize(speed)
    func multiply(_ values: UnsafeMutablePointer<Float>, _ start: Int, _ count: Int) {
        for i in start..<start + count { values[i] *= factors.base[i] }
    }
}
