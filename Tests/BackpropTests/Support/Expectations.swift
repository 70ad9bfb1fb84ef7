import Backprop
import Testing

/// The error with which a call fails; nil if it succeeds.
func failure(_ call: () throws -> some Any) -> BackpropError? {
    do {
        _ = try call()
        return nil
    } catch {
        return error as? BackpropError
    }
}

/// Expects that the call fails with this code and that its message is one line that contains `part`.
func expectFailure(
    _ code: BackpropError.Code, _ part: String = "", _ call: () throws -> Void,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard let error = failure(call) else {
        Issue.record("succeeded; expected \(code)", sourceLocation: sourceLocation)
        return
    }
    #expect(error.code == code, "\(error.message)", sourceLocation: sourceLocation)
    expectOneLine(error.message, sourceLocation: sourceLocation)
    #expect(part.isEmpty || error.message.contains(part), "\(error.message)", sourceLocation: sourceLocation)
}

func expectOneLine(_ message: String, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(!message.isEmpty, sourceLocation: sourceLocation)
    #expect(message.unicodeScalars.allSatisfy { $0.value >= 0x20 }, "\(message)", sourceLocation: sourceLocation)
    #expect(message.utf8.count < 1024, sourceLocation: sourceLocation)
}

/// The largest difference divided by the largest expected magnitude.
func relativeDifference(_ found: [Float], _ expected: [Double]) -> Double {
    relativeDifference(found, expected, scale: expected.reduce(0) { max($0, $1.magnitude) })
}

func relativeDifference(_ found: [Float], _ expected: [Double], scale: Double) -> Double {
    guard found.count == expected.count else { return .infinity }
    var worst = 0.0
    for (a, b) in zip(found, expected) {
        let difference = (Double(a) - b).magnitude
        if difference.isNaN { return .infinity }
        worst = max(worst, difference)
    }
    return worst == 0 ? 0 : worst / scale
}

/// Expects each number within `tolerance` of the number that was computed by hand.
func expectNumbers(
    _ found: [Float], _ expected: [Double], within tolerance: Double = 1e-6,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(found.count == expected.count, sourceLocation: sourceLocation)
    for (i, (a, b)) in zip(found, expected).enumerated() {
        #expect((Double(a) - b).magnitude <= tolerance, "number \(i): \(a), expected \(b)", sourceLocation: sourceLocation)
    }
}

func bits(_ numbers: [Float]) -> [UInt32] { numbers.map { $0.bitPattern } }

extension [Float] {
    var asDoubles: [Double] { map { Double($0) } }
}
