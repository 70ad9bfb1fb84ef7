/// A layer's weights and biases in the layout of the kernels: panels of 16 outputs (kernels.h).
final class Panels {
    let inputs, outputs: Int
    private let matrix: Matrix

    /// `numbers`: the weights [outputs][inputs], then the biases [outputs]; nil for zeros.
    init(_ inputs: Int, _ outputs: Int, _ numbers: [Float]? = nil) {
        self.inputs = inputs
        self.outputs = outputs
        let panels = (outputs + 15) / 16
        matrix = Matrix(panels * (inputs + 1), 16)
        guard let numbers else { return }
        for output in 0..<outputs {
            for input in 0..<inputs { base[index(output, input)] = numbers[output * inputs + input] }
            base[index(output, inputs)] = numbers[outputs * inputs + output]
        }
    }

    var base: UnsafeMutablePointer<Float> { matrix.base }
    var count: Int { (outputs + 15) / 16 }
    var contents: [Float] { matrix.contents }
    var isFenceWhole: Bool { matrix.isFenceWhole }

    /// Input `inputs` is the bias.
    subscript(output: Int, input: Int) -> Float { base[index(output, input)] }

    var arePaddingLanesZero: Bool {
        for output in outputs..<count * 16 {
            for input in 0...inputs where self[output, input] != 0 { return false }
        }
        return true
    }

    func fill(_ value: Float) { matrix.fill(value) }

    private func index(_ output: Int, _ input: Int) -> Int {
        output / 16 * (inputs + 1) * 16 + input * 16 + output % 16
    }
}
