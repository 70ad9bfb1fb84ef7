/// What a model's file holds as tensors, by the names it has there: `backprop.h` lists them.
extension Network {
    /// In the order of the file.
    public var tensorNames: [String] {
        get throws(BackpropError) {
            try handle.read { (state) throws(BackpropError) in try state.tensorNames() }
        }
    }

    /// A vector has one row.
    public func tensorShape(_ name: String) throws(BackpropError) -> (rows: Int, columns: Int) {
        try handle.read { (state) throws(BackpropError) in try state.tensorShape(name) }
    }

    /// The elements, row by row.
    public func tensor(_ name: String) throws(BackpropError) -> [Float] {
        try handle.read { (state) throws(BackpropError) in try state.tensorValues(name) }
    }

    /// Replaces all elements, or throws and replaces none. An optimizer's tensors cannot be set.
    public func setTensor(_ name: String, _ values: [Float]) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in try state.setTensor(name, values, count: values.count) }
    }
}
