import CKernels
import Testing

/// Batch normalization (notes, §5), column by column. Padding that is 0 stays 0.
extension KernelTests {
    struct Shape: Sendable {
        let rows, columns: Int
    }

    static let shapes: [Shape] = [1, 2, 3, 5, 8, 16, 17, 40].flatMap { rows in
        [1, 3, 15, 16, 17, 33, 50].map { Shape(rows: rows, columns: $0) }
    }

    @Test(arguments: KernelTable.all)
    func statisticsAreMeanAndBiasedVariance(table: KernelTable) {
        var numbers = TestNumbers(6)
        for shape in Self.shapes {
            let z = Matrix(shape.rows, shape.columns, numbers.array(shape.rows * shape.columns).map { $0 + 3 })
            let mean = Matrix(1, shape.columns)
            let variance = Matrix(1, shape.columns)
            table.kernels.batch_statistics(z.base, shape.rows, z.stride, mean.base, variance.base)
            for column in 0..<shape.columns {
                let own = (0..<shape.rows).map { Double(z[$0, column]) }
                let exactMean = own.reduce(0, +) / Double(shape.rows)
                let exactVariance = own.reduce(0) { $0 + ($1 - exactMean) * ($1 - exactMean) } / Double(shape.rows)
                #expect((Double(mean[0, column]) - exactMean).magnitude < 2e-6)
                #expect((Double(variance[0, column]) - exactVariance).magnitude < 2e-6)
            }
            #expect(mean.paddingIs(0) && variance.paddingIs(0) && mean.isFenceWhole && variance.isFenceWhole && z.isFenceWhole)
        }
    }

    /// The variance must not be computed as a difference of large numbers.
    @Test(arguments: KernelTable.all)
    func varianceOfNumbersFarFromZeroIsAccurate(table: KernelTable) {
        let z = Matrix(4, 1, [10_000, 10_001, 10_002, 10_003])
        let mean = Matrix(1, 1)
        let variance = Matrix(1, 1)
        table.kernels.batch_statistics(z.base, 4, z.stride, mean.base, variance.base)
        #expect(mean.numbers == [10_001.5] && variance.numbers == [1.25])
    }

    @Test(arguments: KernelTable.all, [false, true])
    func normalizeSubtractsTheMeanDividesScalesAndShifts(table: KernelTable, inPlace: Bool) {
        var numbers = TestNumbers(7)
        for shape in Self.shapes {
            let z = Matrix(shape.rows, shape.columns, numbers.array(shape.rows * shape.columns))
            let old = z.numbers
            let vectors = (0..<4).map { _ in Matrix(1, shape.columns, numbers.array(shape.columns)) }
            let (mean, inverse, gamma, beta) = (vectors[0], vectors[1], vectors[2], vectors[3])
            let normalized = Matrix(shape.rows, shape.columns)
            let out = inPlace ? z : Matrix(shape.rows, shape.columns)
            table.kernels.normalize(
                z.base, shape.rows, z.stride, mean.base, inverse.base, gamma.base, beta.base, normalized.base, out.base)
            for row in 0..<shape.rows {
                for column in 0..<shape.columns {
                    let centred = Double(old[row * shape.columns + column]) - Double(mean[0, column])
                    let white = centred * Double(inverse[0, column])
                    let exact = white * Double(gamma[0, column]) + Double(beta[0, column])
                    #expect((Double(normalized[row, column]) - white).magnitude < 1e-6)
                    #expect((Double(out[row, column]) - exact).magnitude < 1e-6)
                }
            }
            #expect(normalized.paddingIs(0) && out.paddingIs(0) && normalized.isFenceWhole && out.isFenceWhole)
        }
    }

    @Test(arguments: KernelTable.all)
    func scaleAndShiftUsesOneScaleAndShiftPerColumn(table: KernelTable) {
        var numbers = TestNumbers(8)
        for shape in Self.shapes {
            let z = Matrix(shape.rows, shape.columns, numbers.array(shape.rows * shape.columns))
            let old = z.numbers
            let scale = Matrix(1, shape.columns, numbers.array(shape.columns))
            let shift = Matrix(1, shape.columns, numbers.array(shape.columns))
            table.kernels.scale_and_shift(z.base, shape.rows, z.stride, scale.base, shift.base)
            for (i, new) in z.numbers.enumerated() {
                let column = i % shape.columns
                let exact = Double(old[i]) * Double(scale[0, column]) + Double(shift[0, column])
                #expect((Double(new) - exact).magnitude < 3e-7)
            }
            #expect(z.paddingIs(0) && z.isFenceWhole)
        }
    }

    /// ∂f/∂γ = Σ d z̃, ∂f/∂β = Σ d, and ∂f/∂z / γ = (d − ∂f/∂β / B − z̃ ∂f/∂γ / B) / √(σ² + ε).
    @Test(arguments: KernelTable.all)
    func gradientsIncludeTheMeanAndTheVariance(table: KernelTable) {
        var numbers = TestNumbers(9)
        for shape in Self.shapes {
            let count = shape.rows * shape.columns
            let d = Matrix(shape.rows, shape.columns, numbers.array(count))
            let old = d.numbers
            let normalized = Matrix(shape.rows, shape.columns, numbers.array(count))
            let inverse = Matrix(1, shape.columns, numbers.array(shape.columns))
            let gamma = Matrix(1, shape.columns)
            let beta = Matrix(1, shape.columns)
            table.kernels.batch_gradients(d.base, normalized.base, shape.rows, d.stride, gamma.base, beta.base)
            table.kernels.denormalize(
                d.base, normalized.base, shape.rows, shape.rows, d.stride, inverse.base, gamma.base, beta.base)
            let rows = Double(shape.rows)
            for column in 0..<shape.columns {
                var toGamma = 0.0
                var toBeta = 0.0
                for row in 0..<shape.rows {
                    toGamma += Double(old[row * shape.columns + column]) * Double(normalized[row, column])
                    toBeta += Double(old[row * shape.columns + column])
                }
                #expect((Double(gamma[0, column]) - toGamma).magnitude < 5e-6)
                #expect((Double(beta[0, column]) - toBeta).magnitude < 5e-6)
                for row in 0..<shape.rows {
                    let along = Double(normalized[row, column]) * toGamma / rows
                    let centred = Double(old[row * shape.columns + column]) - toBeta / rows - along
                    #expect((Double(d[row, column]) - centred * Double(inverse[0, column])).magnitude < 2e-6)
                }
            }
            #expect([d, gamma, beta].allSatisfy { $0.paddingIs(0) && $0.isFenceWhole } && normalized.isFenceWhole)
        }
    }
}
