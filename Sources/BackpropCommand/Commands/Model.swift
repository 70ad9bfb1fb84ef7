import Backprop

/// A model's file with the columns that it was trained on.
struct Model {
    let network: Network
    /// nil: the model was not made by `backprop train`.
    let schema: Schema?

    static func load(_ path: Bytes) throws(BackpropError) -> Model {
        let network = try withCString(path) { (path) throws(BackpropError) in try Network.load(from: path) }
        return Model(network: network, schema: try Schema.read(from: network, Text(path)))
    }

    func requireSchema() throws(BackpropError) -> Schema {
        guard let schema else {
            throw failure("the model does not contain the names of its columns: \"backprop train\" did not make it")
        }
        return schema
    }
}
