/// Weights of 8 bits: the weights of a unit are integers from −127 to 127, multiplied by the unit's scale.
extension Layer {
    func weightScales() throws(BackpropError) -> Floats {
        let scales = try Floats(outputs)
        for output in 0..<outputs {
            var largest: Float = 0
            for input in 0..<inputs { largest = max(largest, weights.base[index(output: output, input: input)].magnitude) }
            scales.base[output] = largest / 127
        }
        return scales
    }

    func integer(output: Int, input: Int, scale: Float) -> Float {
        guard scale > 0 else { return 0 }
        return max(-127, min(127, (weights.base[index(output: output, input: input)] / scale).rounded()))
    }
}

extension NetworkState {
    /// A copy with the values of the weights of 8 bits.
    func quantized() throws(BackpropError) -> NetworkState {
        let copy = try copyForPrediction()
        for layer in copy.layers {
            let scales = try layer.weightScales()
            for output in 0..<layer.outputs {
                let scale = scales.base[output]
                for input in 0..<layer.inputs {
                    layer.weights.base[layer.index(output: output, input: input)] =
                        scale * layer.integer(output: output, input: input, scale: scale)
                }
            }
        }
        return copy
    }

    /// The number of rows for `largestDifference`.
    static var sampledRows: Int { 256 }

    /// The largest difference between the outputs of two networks, for pseudo-random rows: scaled inputs from −1 to 1.
    func largestDifference(from other: NetworkState) throws(BackpropError) -> Float {
        let inputs = try Floats(inputCount), outputs = try Floats(outputCount), others = try Floats(outputCount)
        var random = Random(seed: 1, stream: 0)
        var largest: Float = 0
        for _ in 0..<Self.sampledRows {
            for i in 0..<inputCount {
                inputs.base[i] = random.nextSigned()
                if let inputScaling {
                    inputs.base[i] = inputs.base[i] * inputScaling.scale.base[i] + inputScaling.offset.base[i]
                }
            }
            try predictLayer(layers.count, inputs.base, rows: 1, into: outputs.base)
            try other.predictLayer(layers.count, inputs.base, rows: 1, into: others.base)
            for i in 0..<outputCount {
                let difference = (outputs.base[i] - others.base[i]).magnitude
                if !(difference <= largest) { largest = difference }
            }
        }
        return largest
    }
}
