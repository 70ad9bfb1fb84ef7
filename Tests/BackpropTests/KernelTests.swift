import CKernels
import Testing

/// The product kernels, compared with plain loops in double precision, for many sizes and strides. They must not write outside of
/// their results. The tests run for each instruction set of this processor.
@Suite struct KernelTests {
    struct Size: Sendable {
        let rows, inputs, outputs: Int
    }

    /// All sizes up to 20 rows × 40 inputs, with selected numbers of outputs; then sizes that exceed one block of the loops.
    static let sizes: [Size] = {
        var sizes: [Size] = []
        for rows in 1...20 {
            for inputs in 1...40 {
                for outputs in [1, 2, 5, 7, 8, 15, 16, 17, 24, 31, 32, 33, 47, 48, 49, 50, 64, 65, 80] {
                    sizes.append(Size(rows: rows, inputs: inputs, outputs: outputs))
                }
            }
        }
        for inputs in [95, 96, 97, 383, 384, 385, 386, 511, 512, 513, 769, 1025] {
            for rows in [1, 2, 3, 6, 7, 33] { sizes.append(Size(rows: rows, inputs: inputs, outputs: 19)) }
        }
        for rows in [127, 128, 129, 191, 193, 257, 300] {
            for inputs in [5, 97, 200] { sizes.append(Size(rows: rows, inputs: inputs, outputs: 34)) }
        }
        for outputs in [383, 384, 385, 500] { sizes.append(Size(rows: 34, inputs: 21, outputs: outputs)) }
        return sizes
    }()

    /// The largest error, relative to the error that rounding can cause.
    private struct ErrorBound {
        private(set) var worst = 0.0

        /// `exact`: a sum of `terms` products. `size`: the sum of their magnitudes.
        mutating func compare(_ found: Float, _ exact: Double, terms: Int, size: Double) {
            let allowed = Double(terms + 4) * size * 6e-8 + 1e-44
            let error = (Double(found) - exact).magnitude / allowed
            worst = max(worst, error.isNaN ? .infinity : error)
        }
    }

    @Test(arguments: KernelTable.all)
    func forwardIsTheProductPlusTheBias(table: KernelTable) {
        var numbers = TestNumbers(1)
        for size in Self.sizes {
            let (rows, inputs, outputs) = (size.rows, size.inputs, size.outputs)
            let x = Matrix(rows, inputs, numbers.array(rows * inputs), stride: inputs + rows % 3, padding: 1e30)
            let weights = Panels(inputs, outputs, numbers.array(outputs * (inputs + 1)))
            let z = Matrix(rows, outputs)
            z.fill(99)
            let before = (x.contents, weights.contents)
            table.forward(x, weights, z)

            var errors = ErrorBound()
            for row in 0..<rows {
                for output in 0..<outputs {
                    var sum = Double(weights[output, inputs])
                    var size = sum.magnitude
                    for input in 0..<inputs {
                        let product = Double(x[row, input]) * Double(weights[output, input])
                        sum += product
                        size += product.magnitude
                    }
                    errors.compare(z[row, output], sum, terms: inputs, size: size)
                }
            }
            #expect(errors.worst <= 1, "\(size)")
            #expect(z.paddingIs(0) && z.isFenceWhole, "\(size): written outside")
            #expect(before == (x.contents, weights.contents), "\(size): operands changed")
        }
    }

    /// The outputs of a row do not depend on the other rows: all bits are the same.
    @Test(arguments: KernelTable.all)
    func forwardOfOneRowIsTheSameAmongManyRows(table: KernelTable) {
        var numbers = TestNumbers(2)
        for (inputs, outputs) in [(1, 1), (3, 5), (7, 16), (33, 17), (40, 50), (97, 64), (385, 80), (769, 19), (1200, 33)] {
            let rows = 200
            let x = Matrix(rows, inputs, numbers.array(rows * inputs), stride: inputs)
            let weights = Panels(inputs, outputs, numbers.array(outputs * (inputs + 1)))
            let z = Matrix(rows, outputs)
            table.forward(x, weights, z)
            for (start, count) in [(0, 1), (5, 1), (199, 1), (3, 2), (11, 5), (50, 6), (100, 7), (17, 100)] {
                let part = Matrix(count, outputs)
                table.forward(x, from: start, weights, part)
                let whole = Array(z.numbers[start * outputs..<(start + count) * outputs])
                #expect(bits(part.numbers) == bits(whole), "\(inputs) inputs, \(outputs) outputs, rows \(start) + \(count)")
            }
        }
    }

    @Test(arguments: KernelTable.all)
    func updateSubtractsTheGradientTimesTheRate(table: KernelTable) {
        let rate: Float = 0.375
        forEachGradient { size, x, delta, start, sum, magnitude in
            let weights = Panels(size.inputs, size.outputs, start)
            let old = Panels(size.inputs, size.outputs, start)
            table.update(x, delta, weights, rate: rate, inputs: 0..<size.inputs)
            var errors = ErrorBound()
            for output in 0..<size.outputs {
                for input in 0...size.inputs {
                    let w = Double(old[output, input])
                    errors.compare(
                        weights[output, input], w - Double(rate) * sum(output, input), terms: size.rows,
                        size: w.magnitude + Double(rate) * magnitude(output, input))
                }
            }
            #expect(errors.worst <= 1, "\(size)")
            #expect(weights.arePaddingLanesZero && weights.isFenceWhole, "\(size): written outside")
        }
    }

    @Test(arguments: KernelTable.all)
    func gradientIsTheProductOfInputsAndDeltas(table: KernelTable) {
        forEachGradient { size, x, delta, _, sum, magnitude in
            let gradient = Panels(size.inputs, size.outputs)
            gradient.fill(99)
            table.gradient(x, delta, gradient, inputs: 0..<size.inputs)
            var errors = ErrorBound()
            for output in 0..<size.outputs {
                for input in 0...size.inputs {
                    errors.compare(
                        gradient[output, input], sum(output, input), terms: size.rows, size: magnitude(output, input))
                }
            }
            #expect(errors.worst <= 1, "\(size)")
            #expect(gradient.arePaddingLanesZero && gradient.isFenceWhole, "\(size): written outside")
        }
    }

    /// Calls `body` with inputs and deltas of every size and with xᵀ δ from plain loops: its elements, and for each element the
    /// sum of the magnitudes of its terms. Input `inputs` is the bias, whose x is 1.
    private func forEachGradient(
        _ body: (
            _ size: Size, _ x: Matrix, _ delta: Matrix, _ start: [Float], _ sum: (Int, Int) -> Double,
            _ magnitude: (Int, Int) -> Double
        ) -> Void
    ) {
        var numbers = TestNumbers(3)
        for size in Self.sizes {
            let (rows, inputs, outputs) = (size.rows, size.inputs, size.outputs)
            let x = Matrix(rows, inputs, numbers.array(rows * inputs), stride: inputs + rows % 3, padding: 1e30)
            let delta = Matrix(rows, outputs, numbers.array(rows * outputs))
            let before = (x.contents, delta.contents)
            var sums = [Double](repeating: 0, count: outputs * (inputs + 1))
            var magnitudes = sums
            for row in 0..<rows {
                for output in 0..<outputs {
                    let d = Double(delta[row, output])
                    for input in 0...inputs {
                        let product = d * (input < inputs ? Double(x[row, input]) : 1)
                        sums[output * (inputs + 1) + input] += product
                        magnitudes[output * (inputs + 1) + input] += product.magnitude
                    }
                }
            }
            body(
                size, x, delta, numbers.array(outputs * (inputs + 1)), { sums[$0 * (inputs + 1) + $1] },
                { magnitudes[$0 * (inputs + 1) + $1] })
            #expect(before == (x.contents, delta.contents) && x.isFenceWhole && delta.isFenceWhole, "\(size): operands changed")
        }
    }

    /// "avx512" and "avx2" give the same bits, because each sum has the same order. Disabled on processors without AVX-512.
    @Test(.enabled(if: KernelTable.all.count == 3))
    func widerRegistersGiveTheSameBits() {
        let narrow = KernelTable.all[1], wide = KernelTable.all[2]
        forEachGradient { size, x, delta, start, _, _ in
            var results: [[UInt32]] = []
            for table in [narrow, wide] {
                let weights = Panels(size.inputs, size.outputs, start), gradient = Panels(size.inputs, size.outputs)
                let z = Matrix(size.rows, size.outputs), dx = Matrix(size.rows, size.inputs)
                table.forward(x, weights, z)
                table.backward(TransposedBlocks(delta), weights, dx)
                table.gradient(x, delta, gradient, inputs: 0..<size.inputs)
                table.update(x, delta, weights, rate: 0.3, inputs: 0..<size.inputs)
                results.append(bits(z.contents + dx.contents + gradient.contents + weights.contents))
            }
            #expect(results[0] == results[1], "\(size)")
        }
    }

    /// For each optimizer, with and without decay and clipping: the step along a gradient that is not stored equals the step along a
    /// stored gradient, in the weights and in the state. "avx512" and "avx2" give the same bits.
    @Test func stepsAlongGradientsThatAreNotStoredHaveTheSameBits() {
        var numbers = TestNumbers(12)
        for (rows, inputs, outputs) in [(1, 5, 3), (2, 99, 16), (7, 40, 17), (33, 97, 50), (300, 130, 33)] {
            let x = Matrix(rows, inputs, numbers.array(rows * inputs), stride: inputs)
            let delta = Matrix(rows, outputs, numbers.array(rows * outputs))
            let start = numbers.array(outputs * (inputs + 1)), m = numbers.array(outputs * (inputs + 1))
            for kind in Int32(CP_SGD)...Int32(CP_IRPROP_MINUS) {
                for isPlain in [true, false] {
                    let optimizer = cp_optimizer(
                        kind: kind, rate: 0.01, scale: 0.5, clip: isPlain ? .infinity : 0.3, decay: isPlain ? 0 : 0.01,
                        l1: 0, shrink: isPlain ? 1 : 0.99, first_decay: 0.9, first_share: 0.1, second_decay: 0.99,
                        second_share: 0.01, second_scale: 1.5, epsilon: 1e-6)
                    var results: [String: [UInt32]] = [:]
                    for table in KernelTable.all {
                        let weights = Panels(inputs, outputs, start), expected = Panels(inputs, outputs, start)
                        let gradient = Panels(inputs, outputs)
                        let state = (first: Panels(inputs, outputs, m.map(abs)), second: Panels(inputs, outputs, m.map(abs)))
                        let other = (first: Panels(inputs, outputs, m.map(abs)), second: Panels(inputs, outputs, m.map(abs)))
                        for part in [0..<inputs / 2, inputs / 2..<inputs] {
                            table.step(optimizer, x, delta, weights, state.first, state.second, inputs: part)
                        }
                        table.gradient(x, delta, gradient, inputs: 0..<inputs)
                        withUnsafePointer(to: optimizer) {
                            table.kernels.optimize(
                                $0, expected.base, gradient.base, other.first.base, other.second.base,
                                expected.count * (inputs + 1) * 16)
                        }
                        let result = bits(weights.contents + state.first.contents + state.second.contents)
                        #expect(
                            result == bits(expected.contents + other.first.contents + other.second.contents),
                            "\(table.name), \(rows) rows, optimizer \(kind)")
                        #expect(
                            weights.arePaddingLanesZero && weights.isFenceWhole
                                && weights.contents != Panels(inputs, outputs, start).contents)
                        results[table.name] = result
                    }
                    #expect(results["avx512"] == nil || results["avx512"] == results["avx2"], "optimizer \(kind)")
                }
            }
        }
    }

    /// Each thread computes a range of the inputs. Every division gives the same bits, and no other inputs are written.
    @Test(arguments: KernelTable.all)
    func rangesOfTheInputsGiveTheSameBitsAsAllInputs(table: KernelTable) {
        var numbers = TestNumbers(10)
        for (rows, inputs, outputs) in [(1, 5, 3), (7, 40, 17), (33, 97, 50), (300, 130, 33), (12, 300, 16)] {
            let x = Matrix(rows, inputs, numbers.array(rows * inputs), stride: inputs)
            let delta = Matrix(rows, outputs, numbers.array(rows * outputs))
            let start = numbers.array(outputs * (inputs + 1))
            let whole = (weights: Panels(inputs, outputs, start), gradient: Panels(inputs, outputs))
            table.update(x, delta, whole.weights, rate: 0.3, inputs: 0..<inputs)
            table.gradient(x, delta, whole.gradient, inputs: 0..<inputs)
            for cut in Set([1, 2, 5, 6, 16, 48, 96, inputs - 1]) where cut < inputs {
                let parts = (weights: Panels(inputs, outputs, start), gradient: Panels(inputs, outputs))
                let unchanged = Panels(inputs, outputs, start)
                table.update(x, delta, parts.weights, rate: 0.3, inputs: 0..<cut)
                table.gradient(x, delta, parts.gradient, inputs: 0..<cut)
                var isOtherWritten = false
                for output in 0..<outputs {
                    for input in cut...inputs {
                        if parts.weights[output, input] != unchanged[output, input] { isOtherWritten = true }
                        if parts.gradient[output, input] != 0 { isOtherWritten = true }
                    }
                }
                #expect(!isOtherWritten, "\(inputs) inputs, the first \(cut): others written")
                table.update(x, delta, parts.weights, rate: 0.3, inputs: cut..<inputs)
                table.gradient(x, delta, parts.gradient, inputs: cut..<inputs)
                #expect(bits(parts.weights.contents) == bits(whole.weights.contents), "\(inputs) inputs cut at \(cut)")
                #expect(bits(parts.gradient.contents) == bits(whole.gradient.contents), "\(inputs) inputs cut at \(cut)")
            }
        }
    }

    @Test(arguments: KernelTable.all)
    func backwardIsTheProductWithTheTransposedWeights(table: KernelTable) {
        var numbers = TestNumbers(4)
        for size in Self.sizes {
            let (rows, inputs, outputs) = (size.rows, size.inputs, size.outputs)
            // The biases and the elements after the last row must have no effect.
            let weights = Panels(inputs, outputs, numbers.array(outputs * inputs) + [Float](repeating: 1e30, count: outputs))
            let delta = Matrix(rows, outputs, numbers.array(rows * outputs))
            let blocks = TransposedBlocks(delta, padding: 1e30)
            let dx = Matrix(rows, inputs)
            let before = (blocks.contents, weights.contents)
            table.backward(blocks, weights, dx)
            var errors = ErrorBound()
            for row in 0..<rows {
                for input in 0..<inputs {
                    var sum = 0.0
                    var size = 0.0
                    for output in 0..<outputs {
                        let product = Double(delta[row, output]) * Double(weights[output, input])
                        sum += product
                        size += product.magnitude
                    }
                    errors.compare(dx[row, input], sum, terms: outputs, size: size)
                }
            }
            #expect(errors.worst <= 1, "\(size)")
            #expect(dx.paddingIs(0) && dx.isFenceWhole, "\(size): written outside")
            #expect(before == (blocks.contents, weights.contents), "\(size): operands changed")
            guard outputs <= CP_FEW_OUTPUTS else { continue }
            let other = Matrix(rows, inputs)
            other.fill(99)
            table.backwardRows(delta, weights, other)
            #expect(bits(other.contents) == bits(dx.contents) && other.isFenceWhole, "\(size): from rows")
        }
    }

    /// The elements of the last block after the last row are unchanged.
    @Test(arguments: KernelTable.all, KernelTests.shapes)
    func transposeSwapsRowsAndColumns(table: KernelTable, shape: Shape) {
        var numbers = TestNumbers(5)
        let (rows, columns) = (shape.rows, shape.columns)
        let from = Matrix(rows, columns, numbers.array(rows * columns))
        let scale = Matrix(1, columns, numbers.array(columns))
        for isScaled in [false, true] {
            let to = TransposedBlocks(rows, columns, padding: 77)
            table.transpose(from, scale: isScaled ? scale : nil, to)
            let expected = TransposedBlocks(rows, columns, padding: 77)
            for row in 0..<rows {
                for column in 0..<columns {
                    let factor = isScaled ? scale[0, column] : 1
                    expected.base[(row / 16 * columns + column) * 16 + row % 16] = factor * from[row, column]
                }
            }
            #expect(to.contents == expected.contents)
            #expect(to.isFenceWhole && from.isFenceWhole)
        }
    }

    // MARK: Vectors

    @Test(arguments: KernelTable.all, [0, 16, 32, 48, 64, 160, 1600])
    func stepSubtractsTheGradientTimesTheRate(table: KernelTable, count: Int) {
        var numbers = TestNumbers(UInt64(count))
        let w = Matrix(1, count, numbers.array(count))
        let g = Matrix(1, count, numbers.array(count))
        let old = w.numbers
        table.kernels.step(w.base, g.base, count, 0.75)
        for (i, new) in w.numbers.enumerated() {
            #expect((Double(new) - (Double(old[i]) - 0.75 * Double(g[0, i]))).magnitude <= 1.3e-7)
        }
        #expect(w.isFenceWhole && g.isFenceWhole)
    }

    @Test(arguments: KernelTable.all, Array(0...50) + [63, 64, 65, 1000])
    func sumOfMagnitudesIncludesEveryElement(table: KernelTable, count: Int) {
        var numbers = TestNumbers(UInt64(count))
        for shift in 0..<3 {  // the caller's arrays can have any alignment
            let values = numbers.array(count)
            let x = Matrix(1, count + shift, [Float](repeating: 0, count: shift) + values, stride: count + shift)
            let sum = table.kernels.sum_of_magnitudes(x.base + shift, count)
            let exact = values.reduce(0) { $0 + Double($1.magnitude) }
            #expect((Double(sum) - exact).magnitude <= exact * 1e-6)
            for i in 0..<count {
                for bad in [Float.nan, .infinity, -.infinity] {
                    let old = x.base[shift + i]
                    x.base[shift + i] = bad
                    #expect(!table.kernels.sum_of_magnitudes(x.base + shift, count).isFinite)
                    x.base[shift + i] = old
                }
            }
        }
    }
}
