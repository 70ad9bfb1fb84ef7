import Backprop

/// An activation as nodes of operator set 17. The library's Python package writes the same nodes.
enum ONNXActivation {
    private enum Operand {
        /// The weighted sum, the result of an earlier node of the activation, or a number.
        case z, node(Int), number(Float)
    }

    private struct Node {
        let type: StaticString
        let operands: [Operand]
        let attributes: [ONNXAttribute]

        init(_ type: StaticString, _ operands: [Operand] = [.z], _ attributes: [ONNXAttribute] = []) {
            (self.type, self.operands, self.attributes) = (type, operands, attributes)
        }
    }

    /// The nodes of each built-in activation.
    private static var table: [(name: StaticString, nodes: [Node])] {
        [
            ("identity", []),
            ("sign", [Node("Sign")]),
            ("logistic", [Node("Sigmoid")]),
            ("tanh", [Node("Tanh")]),
            ("relu", [Node("Relu")]),
            ("leaky_relu", [Node("LeakyRelu", [.z], [ONNXAttribute("alpha", 0.01)])]),
            ("elu", [Node("Elu", [.z], [ONNXAttribute("alpha", 1.0)])]),
            ("softplus", [Node("Softplus")]),
            ("softsign", [Node("Softsign")]),
            ("silu", [Node("Sigmoid"), Node("Mul", [.z, .node(0)])]),
            (
                "gelu",
                [
                    Node("Mul", [.z, .number(0.70710678)]), Node("Erf", [.node(0)]), Node("Add", [.node(1), .number(1)]),
                    Node("Mul", [.z, .node(2)]), Node("Mul", [.node(3), .number(0.5)]),
                ]
            ),
            ("selu", [Node("Selu", [.z], [ONNXAttribute("alpha", 1.67326324), ONNXAttribute("gamma", 1.05070099)])]),
            ("mish", [Node("Softplus"), Node("Tanh", [.node(0)]), Node("Mul", [.z, .node(1)])]),
            (
                "hard_sigmoid",
                [Node("HardSigmoid", [.z], [ONNXAttribute("alpha", 0.166666672), ONNXAttribute("beta", 0.5)])]
            ),
            ("hard_swish", [Node("HardSwish")]),
            ("relu6", [Node("Clip", [.z, .number(0), .number(6)])]),
            ("sine", [Node("Sin")]),
            ("gaussian", [Node("Mul", [.z, .z]), Node("Neg", [.node(0)]), Node("Exp", [.node(1)])]),
            ("softmax", [Node("Softmax", [.z], [ONNXAttribute("axis", 1)])]),
        ]
    }

    /// Appends the activation of a layer's latest result.
    static func append(_ activation: String, layer: Int, to graph: inout ONNXGraph) throws(BackpropError) {
        let name = Bytes(activation.utf8)
        guard let nodes = table.first(where: { name == $0.name })?.nodes else {
            throw BackpropError(
                .unsupported, "layer \(layer): ONNX has no operator for the custom activation \(quoted: name)")
        }
        let z = graph.latest
        var results: [Bytes] = []
        for (number, node) in nodes.enumerated() {
            var inputs: [Bytes] = []
            for (place, operand) in node.operands.enumerated() {
                switch operand {
                case .z: inputs.append(z)
                case .node(let index): inputs.append(results[index])
                case .number(let value): inputs.append(graph.constant("layers.\(layer).constant\(number).\(place)", [], [value]))
                }
            }
            results.append(graph.append(node.type, "layers.\(layer).\(node.type)\(number)", inputs, node.attributes))
        }
    }
}
