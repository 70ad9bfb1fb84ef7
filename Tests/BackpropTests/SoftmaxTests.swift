import CKernels
import Foundation
import Testing

/// softmax: e^z / Σ e^z over the columns of a row.
@Suite struct SoftmaxTests {
    @Test(arguments: KernelTable.all, [1, 2, 5, 16, 17, 33])
    func rowsMatchTheFormulaAndSumToOne(table: KernelTable, columns: Int) {
        var numbers = TestNumbers(UInt64(columns))
        let rows = 7
        let z = numbers.array(rows * columns, scale: 10)
        let a = table.run("softmax", z, rows).a
        for row in 0..<rows {
            let own = Array(a[row * columns..<(row + 1) * columns])
            let exact = PlainActivation.softmax(z[row * columns..<(row + 1) * columns].map { Double($0) })
            #expect((own.reduce(0) { $0 + Double($1) } - 1).magnitude < 1e-6)
            for (a, exact) in zip(own, exact) { #expect((Double(a) - exact).magnitude <= 3e-6 * exact + 1e-40) }
        }
    }

    /// Multiples of ¼ plus an integer: no sum is rounded, so the result must be the same.
    @Test(arguments: KernelTable.all, [Float(1), -77, 4096, 1_000_000])
    func addingAConstantToAllColumnsChangesNothing(table: KernelTable, shift: Float) {
        var numbers = TestNumbers(4)
        let z = (0..<45).map { _ in Float(numbers.below(200) - 100) / 4 }
        #expect(bits(table.run("softmax", z, 5).a) == bits(table.run("softmax", z.map { $0 + shift }, 5).a))
    }

    @Test(arguments: KernelTable.all)
    func largeNumbersDoNotOverflow(table: KernelTable) {
        #expect(table.run("softmax", [1000, 1000, -1000], 1).a == [0.5, 0.5, 0])
        #expect(table.run("softmax", [3e38, -3e38, 0], 1).a == [1, 0, 0])
        #expect(table.run("softmax", [-3e38, -3e38, -3e38, -3e38], 1).a == [0.25, 0.25, 0.25, 0.25])
        #expect(table.run("softmax", [-.infinity, 2, 2], 1).a == [0, 0.5, 0.5])
    }

    @Test(arguments: KernelTable.all)
    func aNaNAffectsOnlyItsRow(table: KernelTable) {
        for place in 0..<3 {
            var z: [Float] = [1, 2, 3, 1, 2, 3, 1, 2, 3]
            z[3 + place] = .nan
            let a = table.run("softmax", z, 3).a
            #expect(a[3..<6].allSatisfy { $0.isNaN }, "NaN in column \(place): \(a[3..<6])")
            #expect(a[0..<3].allSatisfy { $0.isFinite } && Array(a[0..<3]) == Array(a[6..<9]))
        }
    }

    /// dzᵢ = aᵢ (dᵢ − Σⱼ aⱼ dⱼ)
    @Test(arguments: KernelTable.all, [1, 3, 16, 21])
    func gradientsMatchTheFormula(table: KernelTable, columns: Int) {
        var numbers = TestNumbers(UInt64(columns))
        let rows = 6
        let z = numbers.array(rows * columns, scale: 3)
        let d = numbers.array(rows * columns)
        let found = table.run("softmax", z, rows, d: d).d
        for row in 0..<rows {
            let range = row * columns..<(row + 1) * columns
            let a = PlainActivation.softmax(z[range].map { Double($0) })
            let mean = zip(a, d[range]).reduce(0) { $0 + $1.0 * Double($1.1) }
            for (i, at) in range.enumerated() {
                #expect((Double(found[at]) - a[i] * (Double(d[at]) - mean)).magnitude < 1e-6)
            }
        }
    }

    /// −Σ y log a, and its gradient a Σ y − y. A missing target (NaN) has no terms. Every instruction set gives the same bits.
    @Test(arguments: [1, 2, 3, 4, 5, 10, 16, 17, 33], [1, 3, 4, 9])
    func crossEntropiesMatchTheFormula(columns: Int, rows: Int) {
        var numbers = TestNumbers(UInt64(columns * 10 + rows))
        for scale in [Float(0.1), 5, 60] {
            let z = Matrix(rows, columns, numbers.array(rows * columns, scale: scale))
            var y = numbers.array(rows * columns).map { $0.magnitude }
            y[numbers.below(y.count)] = .nan
            let weights = numbers.array(rows).map { $0.magnitude }
            var exact = 0.0, size = 0.0
            var gradients: [Double] = []
            let a = Matrix(rows, columns)
            for row in 0..<rows {
                let range = row * columns..<(row + 1) * columns
                let share = PlainActivation.softmax(z.numbers[range].map { Double($0) })
                let targets = y[range].map { $0.isNaN ? 0 : Double($0) }
                let sum = targets.reduce(0, +)
                for (k, target) in targets.enumerated() {
                    a.base[row * a.stride + k] = Float(share[k])
                    exact -= target == 0 ? 0 : Double(weights[row]) * target * log(share[k])
                    size += Double(weights[row]) * target * (1 + abs(log(share[k])))
                    gradients.append(0.5 * Double(weights[row]) * (share[k] * sum - target))
                }
            }
            var found: Set<[UInt64]> = []
            for table in KernelTable.all {
                let (loss, d) = table.softmaxLoss(z, a, y, weights: weights, scale: 0.5)
                #expect((loss - exact).magnitude <= 1e-13 * size, "\(table.name), \(loss), not \(exact)")
                for (d, exact) in zip(d.numbers, gradients) {
                    #expect((Double(d) - exact).magnitude <= 1e-6 * Double(columns), "\(table.name)")
                }
                #expect(d.paddingIs(0) && d.isFenceWhole)
                found.insert([loss.bitPattern] + bits(d.contents).map { UInt64($0) })
            }
            #expect(found.count == 1, "\(columns) columns, \(rows) rows")
        }
    }

    @Test(arguments: KernelTable.all)
    func crossEntropiesOfExtremeRowsAreExact(table: KernelTable) {
        func loss(_ z: [Float], _ y: [Float]) -> Double {
            table.softmaxLoss(Matrix(1, z.count, z), Matrix(1, z.count), y).loss
        }
        #expect(loss([3e38, -3e38, 0], [1, 0, 0]) == 0)
        #expect((loss([3e38, 3e38, 3e38, 3e38], [0, 0.5, 0.25, 0.25]) - log(4.0)).magnitude <= 1e-15)
        #expect(loss([0, 1000], [1, 0]) == 1000)
        #expect((loss([30, 0], [1, 0]) / 9.357622968839299e-14 - 1).magnitude < 1e-2)  // log(1 + e^−30)
        #expect(loss([.nan, 0, 0, 0, 0], [1, 0, 0, 0, 0]).isNaN && loss([0, 0, .infinity], [1, 0, 0]).isNaN)
        #expect(loss([1, 2], [.nan, .nan]) == 0)
    }

    /// Processors are slow with subnormal numbers.
    @Test(arguments: KernelTable.all)
    func gradientsOfConfidentPredictionsAreNotSubnormal(table: KernelTable) {
        let a = Matrix(1, 4, [1, 1e-39, 1e-20, 1e-18])
        #expect(table.softmaxLoss(a, a, [1, 0, 0, 0]).d.numbers == [0, 0, 0, 1e-18])
    }
}
