/// Frozen layers, for fine-tuning: a training step computes their outputs, but changes neither their parameters nor their
/// running statistics.
extension NetworkState {
    package func setTrainable(_ index: Int, _ isTrainable: Bool) throws(BackpropError) {
        let layer = try layer(index)
        guard isTrainable != layer.isTrainable else { return }
        layer.isTrainable = isTrainable
        discardBuffers()  // the row plan depends on it, and gradients of frozen layers must be 0
    }

    package func isTrainable(_ index: Int) throws(BackpropError) -> Bool { try layer(index).isTrainable }

    /// The index of the first layer that is not frozen; the number of layers if all are frozen. Backward ends there.
    var firstTrainable: Int { layers.firstIndex { $0.isTrainable } ?? layers.count }

    /// Refuses a step that could change nothing.
    func requireTrainable() throws(BackpropError) {
        guard firstTrainable < layers.count else {
            throw BackpropError(.invalidValue, "all layers are frozen: make a layer trainable to train the network")
        }
    }
}
