final class FloatBuffer {
    let values: Floats
    init(values: consuming Floats) { self.values = values }
}
