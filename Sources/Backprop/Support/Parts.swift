import CPlatform

/// Throws if this build of the library lacks an optional part (CPlatform/parts.h).
@inline(__always)
func requirePart(_ isPresent: Int, _ name: StaticString) throws(BackpropError) {
    guard isPresent != 0 else { throw BackpropError(.unsupported, "this build of the library has no \(name)") }
}
