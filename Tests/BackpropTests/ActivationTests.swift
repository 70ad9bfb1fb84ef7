import CKernels
import Foundation
import Testing

/// The built-in activations, for each instruction set of this processor.
@Suite struct ActivationTests {
    /// Names in the order of their numbers in kernels.h.
    static let kinds = PlainActivation.names
    /// The activations with values and derivatives in the fixtures.
    static let smooth = kinds.filter { $0 != "sign" }

    /// The largest errors that docs/performance.md states, in units in the last place. (1e-8 instead of 0, because the expected
    /// values are rounded to double precision.)
    static let largestErrors = [
        "identity": 1e-8, "relu": 1e-8, "leaky_relu": 1, "elu": 1.5, "softsign": 1.5, "logistic": 2, "tanh": 2, "softplus": 2,
        "silu": 2, "gelu": 2, "selu": 1.6, "mish": 2, "hard_sigmoid": 1.5, "hard_swish": 2, "relu6": 1e-8, "sine": 0.6,
        "gaussian": 2,
    ]

    /// Compared with PyTorch at 61 points, and with the C library in double precision at 150 000 points.
    @Test(arguments: KernelTable.all)
    func valuesAreWithinTheStatedErrors(table: KernelTable) throws {
        let fixture = try #require(Fixtures.activations)
        let z = Self.sweep
        var figures: [String] = []
        for name in Self.smooth {
            let expected = try #require(fixture.byName[name])
            let atPoints = worstUlps(table.values(name, fixture.z), Self.cut(expected.value, fixture.z))
            let largest = try #require(Self.largestErrors[name])
            #expect(atPoints <= largest, "\(name)")
            let onSweep = worstUlps(table.values(name, z), Self.cut(z.map { PlainActivation.value(name, Double($0)) }, z))
            #expect(onSweep <= largest, "\(name)")
            figures.append("\(name) \(String(format: "%.2f / %.2f", atPoints, onSweep))")
        }
        let list = figures.joined(separator: ", ")
        print("activations, \(table.name), worst error in ulp at PyTorch's points / at 150 000: \(list)")
    }

    /// A derivative that is computed from the rounded a has an absolute error, the rounding of numbers near 1. Other derivatives
    /// have a relative error of at most 1e-5.
    @Test(arguments: KernelTable.all, smooth)
    func derivativesAgreeWithPyTorch(table: KernelTable, name: String) throws {
        let fixture = try #require(Fixtures.activations)
        let expected = try #require(fixture.byName[name])
        let fromRoundedNumbers = ["logistic", "tanh", "elu", "silu", "gelu", "selu", "mish", "gaussian"].contains(name)
        for (i, slope) in table.derivatives(name, fixture.z).enumerated() {
            let exact = expected.derivative[i]
            let allowed = 1e-5 * exact.magnitude + (fromRoundedNumbers ? 2e-7 : 1e-44)
            #expect((Double(slope) - exact).magnitude <= allowed, "\(name)′(\(fixture.z[i])) = \(slope), not \(exact)")
        }
    }

    @Test(arguments: KernelTable.all)
    func signIsMinusOneZeroOrOne(table: KernelTable) {
        #expect(table.values("sign", [-3, -1e-30, -0.0, 0, 1e-30, 7, .infinity, -.infinity]) == [-1, -1, 0, 0, 1, 1, 1, -1])
        #expect(table.derivatives("sign", [-3, 0, 5]) == [1, 1, 1])  // as in the perceptron algorithm
    }

    @Test(arguments: KernelTable.all, kinds)
    func aNaNGivesANaNAndAffectsNoNeighbour(table: KernelTable, name: String) {
        let z: [Float] = (0..<40).map { $0 % 7 == 3 ? .nan : Float($0) / 8 - 2 }
        let a = table.values(name, z)
        let clean = table.values(name, z.map { $0.isNaN ? 0 : $0 })
        for i in z.indices {
            #expect(a[i].isNaN == z[i].isNaN, "\(name)(\(z[i])) = \(a[i])")
            if !z[i].isNaN { #expect(a[i].bitPattern == clean[i].bitPattern) }
        }
    }

    @Test(arguments: KernelTable.all)
    func infinitiesGiveTheLimits(table: KernelTable) {
        let limits: [(name: String, below: Float, above: Float)] = [
            ("identity", -.infinity, .infinity), ("logistic", 0, 1), ("tanh", -1, 1), ("relu", 0, .infinity),
            ("leaky_relu", -.infinity, .infinity), ("elu", -1, .infinity), ("softplus", 0, .infinity),
            ("silu", 0, .infinity), ("gelu", 0, .infinity), ("softsign", -1, 1),
            ("selu", Float(-PlainActivation.seluScale * PlainActivation.seluAlpha), .infinity), ("mish", 0, .infinity),
            ("hard_sigmoid", 0, 1), ("hard_swish", 0, .infinity), ("relu6", 0, 6), ("gaussian", 0, 0),
        ]
        for (name, below, above) in limits {
            #expect(table.values(name, [-.infinity, .infinity]) == [below, above], "\(name)")
            #expect(table.values(name, [-3e38, 3e38]).allSatisfy { $0.isFinite }, "\(name)")
        }
    }

    /// Up to 2²² by a reduction in vectors, beyond that one by one: the error is the same, and infinities have no sine.
    @Test(arguments: KernelTable.all)
    func sinesOfLargeNumbersAreExactToARounding(table: KernelTable) {
        var z: [Float] = [0x1p22, Float(0x1p22).nextUp, 0x1p22 - 0.5, .greatestFiniteMagnitude, 1.6367e38, 16_367_173 * 0x1p72]
        for bits in stride(from: Float(100).bitPattern, to: Float.infinity.bitPattern, by: 30_011) {
            z += [Float(bitPattern: bits), -Float(bitPattern: bits)]
        }
        for n in 1...2000 {  // near the zeros
            z += [Float(Double(n) * 663.5 * Double.pi), Float((Double(n) + 0.5) * 331 * Double.pi)]
        }
        #expect(worstUlps(table.values("sine", z), z.map { sin(Double($0)) }) <= 0.6)
        #expect(worstUlps(table.derivatives("sine", z), z.map { cos(Double($0)) }) <= 0.6)
        #expect(table.values("sine", [.infinity, 1, -.infinity])[1] == Float(sin(1.0)))
        for each in [Float.infinity, -.infinity] { #expect(table.values("sine", [each])[0].isNaN) }
    }

    @Test(arguments: KernelTable.all)
    func derivativesAtKinksAreTheOnesFromTheLeft(table: KernelTable) {
        #expect(table.derivatives("relu6", [0, Float(0).nextUp, 6, Float(6).nextUp]) == [0, 1, 1, 0])
        #expect(table.derivatives("hard_sigmoid", [-3, 3, Float(3).nextUp]) == [0, 1 / 6, 0])
        #expect(table.derivatives("hard_swish", [-3, 3, Float(3).nextUp]) == [0, 1.5, 1])
        #expect(table.derivatives("selu", [0]) == [Float(PlainActivation.seluScale * PlainActivation.seluAlpha)])
    }

    @Test(arguments: KernelTable.all, smooth)
    func hugeNumbersGiveNoNaN(table: KernelTable, name: String) {
        let sizes: [Float] = [88, 89, 90, 104, 105, 200, 1000, 1e10, 1e30, 3.4e38]
        let z = sizes + sizes.map { -$0 }
        #expect(table.values(name, z).allSatisfy { $0.isFinite }, "\(table.values(name, z))")
        #expect(table.derivatives(name, z).allSatisfy { $0.isFinite }, "\(table.derivatives(name, z))")
    }

    /// Far from 0 an activation is flat or a straight line.
    @Test(arguments: KernelTable.all)
    func derivativesOfHugeNumbersAreTheLimits(table: KernelTable) {
        let scale = Float(PlainActivation.seluScale)
        let limits: [(name: String, below: Float, above: Float)] = [
            ("identity", 1, 1), ("logistic", 0, 0), ("tanh", 0, 0), ("relu", 0, 1), ("leaky_relu", 0.01, 1), ("elu", 0, 1),
            ("softplus", 0, 1), ("silu", 0, 1), ("gelu", 0, 1), ("selu", 0, scale), ("mish", 0, 1), ("hard_sigmoid", 0, 0),
            ("hard_swish", 0, 1), ("relu6", 0, 0), ("gaussian", 0, 0),
        ]
        for (name, below, above) in limits {
            for size in [Float(200), 1e5, 1e20, 1e38, .greatestFiniteMagnitude] {
                let slopes = table.derivatives(name, [-size, size])
                #expect((slopes[0] - below).magnitude <= 1e-6 && (slopes[1] - above).magnitude <= 1e-6, "\(name) at ±\(size)")
            }
        }
    }

    /// The position of a number in a row must not change a bit of its result.
    @Test(arguments: KernelTable.all, kinds)
    func resultsDoNotDependOnThePlaceInARow(table: KernelTable, name: String) {
        var numbers = TestNumbers(6)
        let z = numbers.array(150, scale: 9)
        let a = table.values(name, z)
        let d = table.derivatives(name, z)
        for i in stride(from: 0, to: 150, by: 11) {
            #expect(table.values(name, [z[i]])[0].bitPattern == a[i].bitPattern)
            #expect(table.derivatives(name, [z[i]])[0].bitPattern == d[i].bitPattern)
        }
    }

    @Test(arguments: KernelTable.all)
    func symmetricActivationsAreSymmetric(table: KernelTable) {
        let z = Self.sweep.filter { $0.magnitude < 80 }
        let mirrored = z.map { -$0 }
        for name in ["tanh", "softsign", "identity", "sine"] {  // f(−z) = −f(z)
            #expect(table.values(name, mirrored) == table.values(name, z).map { -$0 }, "\(name)")
        }
        for (a, b) in zip(table.values("logistic", z), table.values("logistic", mirrored)) {  // σ(−z) = 1 − σ(z)
            #expect((a + b - 1).magnitude <= 1.2e-7)
        }
    }

    // MARK: Test data and errors

    /// Where Tests/Accuracy found the largest errors among all floats, of one activation or another.
    private static let worst: [Float] = [
        -0x1.76ea8p+2, 0x1.00a52p-3, 0x1.0a068ap-1, -0x1.265a04p-2, 0x1.302f22p-2, 0x1.3f6fb6p-2, 0x1.ffd7fep+10, -0x1.28c206p-2,
        -0x1.06443p-5, -0x1.d9a3c6p+0, -0x1.3b1736p-2, -0x1.4cb3cp+2, -0x1.e720cap-3, 0x1.5f1a7cp+0, -0x1.09de8p+3,
        0x1.09dfa4p+3, 0x1.09dfbp+3,
    ]

    /// The worst numbers; steps of 1/1000 in ±30; magnitudes from 1e-45 to 100; every 4099th float of magnitude 1/1024 to 128.
    static let sweep: [Float] = {
        var z: [Float] = worst + (-30_000...30_000).map { Float($0) / 1000 }
        for i in 0..<10_000 {
            let size = Float(pow(10, -45 + 47 * Double(i) / 10_000))
            z += [size, -size]
        }
        for bits in stride(from: Float(1.0 / 1024).bitPattern, to: Float(128).bitPattern, by: 4099) {
            z += [Float(bitPattern: bits), -Float(bitPattern: bits)]
        }
        return z
    }()

    /// The exact values with 0 instead of subnormal numbers in the tails: there an activation is 0.
    private static func cut(_ exact: [Double], _ z: [Float]) -> [Double] {
        zip(exact, z).map { $1.magnitude > 1 && $0.magnitude < Double(Float.leastNormalMagnitude) ? 0 : $0 }
    }

    /// The largest error in units in the last place of the exact value, which is 1.4e-45 for subnormal values.
    private func worstUlps(_ found: [Float], _ exact: [Double]) -> Double {
        var worst = 0.0
        for (a, exact) in zip(found, exact) {
            let ulps = (Double(a) - exact).magnitude / Double(Float(exact).ulp)
            worst = max(worst, ulps.isNaN ? .infinity : ulps)
        }
        return worst
    }
}

extension KernelTable {
    func values(_ name: String, _ z: [Float]) -> [Float] { run(name, z, 1).a }

    /// f′(z), computed from gradients of 1.
    func derivatives(_ name: String, _ z: [Float]) -> [Float] { run(name, z, 1).d }

    /// Returns a = f(z) and d f′(z) for a matrix z and gradients d; 1 for d == nil.
    func run(_ name: String, _ z: [Float], _ rows: Int, d: [Float]? = nil) -> (a: [Float], d: [Float]) {
        let kind = Int32((PlainActivation.names + ["softmax"]).firstIndex(of: name) ?? -1)
        let columns = z.count / rows
        let matrixOfZ = Matrix(rows, columns, z)
        let a = Matrix(rows, columns)
        let gradient = Matrix(rows, columns, d ?? z.map { _ in 1 })
        kernels.activate(kind, matrixOfZ.base, a.base, rows, columns, a.stride)
        kernels.differentiate(kind, matrixOfZ.base, a.base, gradient.base, rows, columns, a.stride)
        return (a.numbers, gradient.numbers)
    }
}
