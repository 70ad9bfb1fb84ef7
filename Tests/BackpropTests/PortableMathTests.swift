import Foundation
import Testing

@testable import Backprop

/// Exponentials and logarithms, compared with the C library in extended precision, which has 11 more bits.
@Suite struct PortableMathTests {
    @Test func knownValuesAreExact() {
        #expect(exponential(ofNegative: 0) == 1 && exponential(ofNegative: -1e300) == 0)
        #expect(exponential(ofNegative: -.infinity) == 0 && exponential(ofNegative: -701) == 0)
        #expect(exponential(ofNegative: .nan).isNaN)
        #expect(logarithm(1) == 0 && logarithm(0) == -.infinity && logarithm(.infinity) == .infinity)
        #expect(logarithm(-1).isNaN && logarithm(.nan).isNaN && logarithm(-.infinity).isNaN)
        #expect(logarithm(ofOnePlus: 0) == 0 && logarithm(ofOnePlus: 1) == 0x1.62e42fefa39efp-1)
        #expect(logarithm(ofOnePlus: 0x1p-1074) == 0x1p-1074 && logarithm(ofOnePlus: .nan).isNaN)
    }

    #if arch(x86_64)
    /// The error in units in the last place of the result.
    private func error(_ value: Double, _ exact: Float80) -> Double {
        let ulp = Double(exact).ulp
        return Double((Float80(value) - exact).magnitude / Float80(ulp))
    }

    @Test func exponentialIsWithinOnePointOneUnits() {
        var numbers = TestNumbers(1)
        var worst = 0.0
        for scale in [1e-9, 0.01, 1, 30, 700] {
            for _ in 0..<200_000 {
                let x = -scale * Double(numbers.next().magnitude)
                worst = max(worst, error(exponential(ofNegative: x), Foundation.exp(Float80(x))))
            }
        }
        #expect(worst < 1.1)
    }

    @Test func logarithmIsWithinOneUnit() {
        var numbers = TestNumbers(2)
        var worst = 0.0
        for exponent in [-1074.0, -1000, -60, -3, -1, 0, 1, 7, 1000] {
            for _ in 0..<100_000 {
                let x = (1 + Double(numbers.next().magnitude)) * Foundation.pow(2, exponent)
                worst = max(worst, error(logarithm(x), Foundation.log(Float80(x))))
            }
        }
        for _ in 0..<500_000 {  // arguments near 1, where the logarithm is near 0
            let x = 1 + 0.01 * Double(numbers.next())
            worst = max(worst, error(logarithm(x), Foundation.log(Float80(x))))
        }
        #expect(worst < 1)
    }

    @Test func logarithmOfOnePlusIsWithinOneUnit() {
        var numbers = TestNumbers(3)
        var worst = 0.0
        for scale in [1e-300, 1e-17, 1e-9, 0.001, 0.5, 1] {
            for _ in 0..<200_000 {
                let x = scale * Double(numbers.next().magnitude)
                worst = max(worst, error(logarithm(ofOnePlus: x), Foundation.log1p(Float80(x))))
            }
        }
        #expect(worst < 1)
    }
    #endif
}
