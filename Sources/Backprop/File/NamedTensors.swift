/// Access to a network's tensors by their names in a model file.
extension NetworkState {
    package func tensorName(at index: Int) throws(BackpropError) -> String {
        let tensors = try namedTensors()
        guard index >= 0, index < tensors.count else {
            throw BackpropError(
                .unknownName, "index \(UInt(bitPattern: index)) is out of range: the network has \(tensors.count) tensors")
        }
        return tensors[index].name
    }

    package func tensorNames() throws(BackpropError) -> [String] { try namedTensors().map { $0.name } }

    /// The shape of a tensor as a matrix. A vector is a matrix of one row.
    package func tensorShape(_ name: String) throws(BackpropError) -> (rows: Int, columns: Int) {
        let shape = try tensor(name).shape
        return shape.count == 1 ? (1, shape[0]) : (shape[0], shape[1])
    }

    package func getTensor(_ name: String, _ values: UnsafeMutablePointer<Float>, count: Int) throws(BackpropError) {
        let tensor = try tensor(name)
        try tensor.require(count: count)
        tensor.copy(to: values)
    }

    package func tensorValues(_ name: String) throws(BackpropError) -> [Float] {
        let tensor = try tensor(name)
        var values = [Float](repeating: 0, count: tensor.count)
        tensor.copy(to: &values)
        return values
    }

    package func setTensor(_ name: String, _ values: UnsafePointer<Float>, count: Int) throws(BackpropError) {
        let tensor = try tensor(name)
        try tensor.require(count: count)
        try tensor.require(values)
        switch tensor.owner {
        case .layer:
            tensor.copy(from: values)
            hasInitialWeights = false
        case .optimizer:
            throw BackpropError(.unsupported, "\(tensor.text) belongs to the optimizer and its step count: it cannot be set")
        case .fit:
            throw BackpropError(.unsupported, "\(tensor.text) belongs to the latest fit: it cannot be set")
        case .scaling:
            try unshareScaling()
            try self.tensor(name).copy(from: values)
        }
    }

    /// Replaces the scaling, which copies of the network share, by a separate copy.
    private func unshareScaling() throws(BackpropError) {
        let forInputs = try inputScaling?.copy(), forTargets = try targetScaling?.copy()
        inputScaling = forInputs
        targetScaling = forTargets
        discardBuffers()
    }

    private func namedTensors() throws(BackpropError) -> [ModelFormat.Tensor] {
        try Reserve.require(forLayers: (best == nil ? 1 : 2) * layers.count)
        return ModelFormat.tensors(of: self)
    }

    private func tensor(_ name: String) throws(BackpropError) -> ModelFormat.Tensor {
        for tensor in try namedTensors() where tensor.name.isSame(as: name) { return tensor }
        throw BackpropError(.unknownName, "the network has no tensor \"\(name)\"")
    }
}

extension ModelFormat.Tensor {
    fileprivate func require(count given: Int) throws(BackpropError) {
        guard given == count else {
            throw BackpropError(.mismatch, "count is \(UInt(bitPattern: given)), but \(text) has \(counted(count, "element"))")
        }
    }

    /// Throws unless all values are in the tensor's range.
    fileprivate func require(_ values: UnsafePointer<Float>) throws(BackpropError) {
        for i in 0..<count {
            guard values[i].isFinite else { throw refused(.notFinite, values[i], at: i, "is not finite") }
            if !range.contains(values[i]) {
                throw refused(
                    .invalidValue, values[i], at: i, range == Self.positive ? "is a scale not above 0" : "is a variance below 0")
            }
        }
    }

    private func refused(_ code: BackpropError.Code, _ value: Float, at index: Int, _ problem: StaticString) -> BackpropError {
        BackpropError(code, "element \(index) for \(text), \(decimal(Double(value))), \(problem)")
    }
}
