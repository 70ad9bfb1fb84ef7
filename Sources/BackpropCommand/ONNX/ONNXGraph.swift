import Backprop

/// The graph of an ONNX model: nodes and constants, appended one after the other. Field numbers are those of onnx.proto.
struct ONNXGraph {
    private var nodes = ProtobufMessage(), constants = ProtobufMessage()
    /// The name of the latest result.
    private(set) var latest = Bytes("inputs")

    /// The code of float32 in onnx.proto.
    static var float32: Int { 1 }

    /// Adds a constant of these dimensions, and returns its name.
    mutating func constant(_ name: Text, _ dimensions: [Int], _ values: [Float]) -> Bytes {
        constants.add(5) { tensor in
            for size in dimensions { tensor.add(1, size) }
            tensor.add(2, Self.float32)
            tensor.add(8, name.bytes)
            var raw: Bytes = []
            raw.reserveCapacity(4 * values.count)
            for value in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { raw += $0 } }
            tensor.add(9, raw)
        }
        return name.bytes
    }

    /// Adds a node, whose result has the node's name.
    @discardableResult
    mutating func append(
        _ type: StaticString, _ name: Text, _ inputs: [Bytes], _ attributes: [ONNXAttribute] = []
    ) -> Bytes {
        nodes.add(1) { node in
            for input in inputs { node.add(1, input) }
            node.add(2, name.bytes)
            node.add(3, name.bytes)
            node.add(4, type)
            for attribute in attributes { node.add(5, attribute.message) }
        }
        latest = name.bytes
        return latest
    }

    /// The message GraphProto, for a network with these numbers of inputs and outputs.
    func message(inputs: Int, outputs: Int) -> ProtobufMessage {
        var graph = nodes
        graph.add(2, "network")
        graph.append(constants)
        graph.add(11, Self.rows("inputs", columns: inputs))
        graph.add(12, Self.rows("outputs", columns: outputs))
        return graph
    }

    /// The description of a matrix [rows × columns] with any number of rows.
    private static func rows(_ name: StaticString, columns: Int) -> ProtobufMessage {
        var description = ProtobufMessage()
        description.add(1, name)
        description.add(2) { type in
            type.add(1) { tensor in
                tensor.add(1, float32)
                tensor.add(2) { shape in
                    shape.add(1) { $0.add(2, "rows") }
                    shape.add(1) { $0.add(1, columns) }
                }
            }
        }
        return description
    }
}

/// A named number of a node.
struct ONNXAttribute {
    private let name: StaticString
    private let real: Float?
    private let whole: Int

    init(_ name: StaticString, _ value: Float) { (self.name, real, whole) = (name, value, 0) }

    init(_ name: StaticString, _ value: Int) { (self.name, real, whole) = (name, nil, value) }

    var message: ProtobufMessage {
        var message = ProtobufMessage()
        message.add(1, name)
        if let real { message.add(2, real) } else { message.add(3, whole) }
        message.add(20, real == nil ? 2 : 1)
        return message
    }
}
