import Backprop

/// A network as an ONNX model, with scaling, batch normalization and metadata: the model that Python's `Network.to_onnx` writes,
/// node by node and name by name. The input is "inputs" [rows × inputs], the output "outputs" [rows × outputs].
struct ONNXModel {
    /// The version of the format and of its operators, of 2022: ONNX Runtime 1.12 and later read them.
    private static var formatVersion: Int { 8 }
    private static var operatorSet: Int { 17 }

    private let message: ProtobufMessage

    init(_ network: Network) throws(BackpropError) {
        let graph = try Self.graph(network).message(inputs: network.layers[0], outputs: network.layers[network.layers.count - 1])
        var model = ProtobufMessage()
        model.add(1, Self.formatVersion)
        model.add(2, "libbackprop")
        model.add(7, graph)
        model.add(8) { operators in
            operators.add(1, "")
            operators.add(2, Self.operatorSet)
        }
        for key in try network.metadataKeys {
            let value = try network.metadata(key)
            model.add(14) { entry in
                entry.add(1, Bytes(key.utf8))
                entry.add(2, Bytes(value.utf8))
            }
        }
        message = model
    }

    /// Replaces a file, completely or not at all.
    func save(to path: UnsafePointer<CChar>) throws(BackpropError) {
        guard message.bytes.count <= Int32.max else { throw failure("an ONNX model cannot have more than 2 GiB") }
        try message.bytes.withUnsafeBufferPointer { (bytes) throws(BackpropError) in
            guard let base = bytes.baseAddress else { return }
            try replaceFile(CString(path), base, bytes.count)
        }
    }

    private static func graph(_ network: Network) throws(BackpropError) -> ONNXGraph {
        var graph = ONNXGraph()
        if try network.inputScaling != .none {
            let offsets = try network.tensor("scaling.inputs.offset"), scales = try network.tensor("scaling.inputs.scale")
            append("Sub", "scaling.inputs.offset", offsets, neutral: 0, to: &graph)
            append("Mul", "scaling.inputs.factor", scales.map { Float(1 / Double($0)) }, neutral: 1, to: &graph)
        }
        for layer in 1..<network.layers.count {
            try append(layer: layer, of: network, to: &graph)
            try ONNXActivation.append(try network.activation(layer: layer).name, layer: layer, to: &graph)
        }
        if try network.targetScaling != .none {
            append("Mul", "scaling.targets.factor", try network.tensor("scaling.targets.scale"), neutral: 1, to: &graph)
            append("Add", "scaling.targets.shift", try network.tensor("scaling.targets.offset"), neutral: 0, to: &graph)
        }
        graph.append("Identity", "outputs", [graph.latest])
        return graph
    }

    /// Appends an operation with constants of the columns, unless it changes nothing.
    private static func append(
        _ type: StaticString, _ name: StaticString, _ values: [Float], neutral: Float, to graph: inout ONNXGraph
    ) {
        if values.allSatisfy({ $0 == neutral }) { return }
        let latest = graph.latest
        let constant = graph.constant("\(name)", [values.count], values)
        graph.append(type, "\(name).applied", [latest, constant])
    }

    /// Appends weighted sums and batch normalization.
    private static func append(layer: Int, of network: Network, to graph: inout ONNXGraph) throws(BackpropError) {
        let name: Text = "layers.\(layer)"
        let inputs = network.layers[layer - 1], units = network.layers[layer]
        func constant(_ part: StaticString, _ dimensions: [Int]) throws(BackpropError) -> Bytes {
            let partName: Text = "\(name).\(part)"
            return graph.constant(partName, dimensions, try network.tensor(partName.bytes.string))
        }
        let sums = [graph.latest, try constant("weight", [units, inputs]), try constant("bias", [units])]
        graph.append("Gemm", name, sums, [ONNXAttribute("transB", 1)])
        guard try network.isBatchNormalized(layer: layer) else { return }
        let normalized = [
            graph.latest, try constant("norm.weight", [units]), try constant("norm.bias", [units]),
            try constant("norm.running_mean", [units]), try constant("norm.running_var", [units]),
        ]
        let epsilon = ONNXAttribute("epsilon", Float(try network.option("batchnorm_epsilon")))
        graph.append("BatchNormalization", "\(name).norm", normalized, [epsilon])
    }
}
