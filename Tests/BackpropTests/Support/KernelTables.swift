import CKernels
import Testing

/// The kernels that this processor can run. The methods call the product kernels with whole matrices, so that the tests do not
/// repeat the C signatures.
struct KernelTable: @unchecked Sendable, CustomTestStringConvertible {
    let name: String
    let kernels: cp_kernels

    var testDescription: String { name }

    /// The narrowest instruction set first.
    static let all: [KernelTable] = {
        var tables: [KernelTable] = []
        var index = 0
        while let set = cp_instruction_set_at(index)?.pointee {
            index += 1
            guard set.is_supported() else { continue }
            var table = cp_kernels()
            set.fill(&table)
            tables.insert(KernelTable(name: String(cString: set.name), kernels: table), at: 0)
        }
        return tables
    }()

    /// z = x W + b for `z.rows` rows of x, starting at row `start`.
    func forward(_ x: Matrix, from start: Int = 0, _ weights: Panels, _ z: Matrix) {
        kernels.forward(
            x.base + start * x.stride, x.stride, z.rows, weights.inputs, weights.base, weights.count, z.base, z.stride)
    }

    /// W −= rate xᵀ δ, for the given inputs.
    func update(_ x: Matrix, _ delta: Matrix, _ weights: Panels, rate: Float, inputs: Range<Int>) {
        kernels.update(
            x.base, x.stride, x.rows, inputs.lowerBound, inputs.upperBound, weights.inputs, delta.base, delta.stride,
            weights.base, weights.count, rate)
    }

    /// xᵀ δ, for the given inputs.
    func gradient(_ x: Matrix, _ delta: Matrix, _ gradient: Panels, inputs: Range<Int>) {
        kernels.gradient(
            x.base, x.stride, x.rows, inputs.lowerBound, inputs.upperBound, gradient.inputs, delta.base, delta.stride,
            gradient.base, gradient.count, 0, nil)
    }

    /// The same with an optimizer's step of the weights instead of a gradient.
    func step(
        _ optimizer: cp_optimizer, _ x: Matrix, _ delta: Matrix, _ weights: Panels, _ first: Panels, _ second: Panels,
        inputs: Range<Int>
    ) {
        withUnsafePointer(to: optimizer) { optimizer in
            var step = cp_step(of_weights: optimizer, of_biases: optimizer, first: first.base, second: second.base)
            kernels.gradient(
                x.base, x.stride, x.rows, inputs.lowerBound, inputs.upperBound, weights.inputs, delta.base, delta.stride,
                weights.base, weights.count, 0, &step)
        }
    }

    /// dx = δ Wᵀ
    func backward(_ delta: TransposedBlocks, _ weights: Panels, _ dx: Matrix) {
        kernels.backward(
            delta.base, delta.rows, weights.inputs, weights.outputs, weights.base, dx.base, dx.stride)
    }

    /// The same from δ itself.
    func backwardRows(_ delta: Matrix, _ weights: Panels, _ dx: Matrix) {
        kernels.backward_rows(
            delta.base, delta.stride, delta.rows, weights.inputs, weights.outputs, weights.base, dx.base, dx.stride)
    }

    /// The sum of the cross-entropies of the rows with a = softmax(z), and the gradient for z multiplied by `scale`.
    func softmaxLoss(
        _ z: Matrix, _ a: Matrix, _ targets: [Float], weights: [Float]? = nil, scale: Float = 1
    ) -> (loss: Double, d: Matrix) {
        let d = Matrix(z.rows, z.columns)
        func compute(_ weights: UnsafePointer<Float>?) -> Double {
            kernels.softmax_gradient(a.base, a.stride, targets, weights, a.rows, a.columns, scale, d.base)
            return kernels.softmax_loss(z.base, z.stride, targets, weights, z.rows, z.columns)
        }
        return (weights.map { $0.withUnsafeBufferPointer { compute($0.baseAddress) } } ?? compute(nil), d)
    }

    func transpose(_ from: Matrix, scale: Matrix?, _ to: TransposedBlocks) {
        kernels.transpose(from.base, from.stride, from.rows, from.columns, scale?.base, to.base)
    }
}

/// A matrix in transposed blocks of 16 rows: [rows / 16][columns][16].
final class TransposedBlocks {
    let rows, columns: Int
    private let matrix: Matrix

    /// Elements after the last row are `padding`.
    init(_ rows: Int, _ columns: Int, padding: Float = 0) {
        self.rows = rows
        self.columns = columns
        matrix = Matrix((rows + 15) / 16 * columns, 16)
        matrix.fill(padding)
    }

    convenience init(_ from: Matrix, padding: Float = 0) {
        self.init(from.rows, from.columns, padding: padding)
        for row in 0..<rows {
            for column in 0..<columns { base[index(row, column)] = from[row, column] }
        }
    }

    var base: UnsafeMutablePointer<Float> { matrix.base }
    var contents: [Float] { matrix.contents }
    var isFenceWhole: Bool { matrix.isFenceWhole }

    subscript(row: Int, column: Int) -> Float { base[index(row, column)] }

    private func index(_ row: Int, _ column: Int) -> Int { (row / 16 * columns + column) * 16 + row % 16 }
}
