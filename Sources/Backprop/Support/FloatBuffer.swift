/// `Floats` as an object, for optionals and arrays.
final class FloatBuffer {
    let values: Floats
    init(values: consuming Floats) { self.values = values }
}
