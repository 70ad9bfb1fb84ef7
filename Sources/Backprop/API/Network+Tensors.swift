/// The tensors of a model file, by their names in the file. `backprop.h` lists them.
extension Network {
    /// The names of all tensors, in the order of the file.
    public var tensorNames: [String] {
        get throws(BackpropError) {
            try handle.read { (state) throws(BackpropError) in try state.tensorNames() }
        }
    }

    /// Returns the shape of a tensor. A vector has one row.
    ///
    /// - Throws: `.unknownName`.
    public func tensorShape(_ name: String) throws(BackpropError) -> (rows: Int, columns: Int) {
        try handle.read { (state) throws(BackpropError) in try state.tensorShape(name) }
    }

    /// Returns the elements of a tensor [rows × columns].
    ///
    /// - Throws: `.unknownName`.
    public func tensor(_ name: String) throws(BackpropError) -> [Float] {
        try handle.read { (state) throws(BackpropError) in try state.tensorValues(name) }
    }

    /// Replaces all elements of a tensor, or throws and replaces none.
    ///
    /// - Parameters:
    ///   - name: The name of the tensor. The tensors of an optimizer cannot be set.
    ///   - values: [rows × columns], all finite; running variances at least 0, scales above 0.
    /// - Throws: `.unknownName`; `.mismatch` for another count; `.notFinite`; `.invalidValue` for a variance or a scale out of
    ///   range; `.unsupported` for a tensor of the optimizer.
    public func setTensor(_ name: String, _ values: [Float]) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in try state.setTensor(name, values, count: values.count) }
    }
}
