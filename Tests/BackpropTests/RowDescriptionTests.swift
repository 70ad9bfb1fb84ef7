import Backprop
import Testing

/// `RowDescription` of doubles, compared with arrays of Float. Tests/CTests/rows.c and test_rows.py test all else of rows.
struct RowDescriptionTests {
    private let x: [Float] = (0..<60).map { Float(($0 * 7919) % 101) / 50 - 1 }
    private let y: [Float] = (0..<20).map { Float(($0 * 7907) % 103) / 60 - 1 }

    private func network() throws -> Network {
        let network = try Network(layers: [3, 5, 1], seed: 3)
        try network.setActivation(.tanh, layer: 1)
        try network.setActivation(.identity, layer: 2)
        return network
    }

    /// Calls `body` with the same rows as column-major doubles.
    private func withColumns<R>(_ body: (RowDescription, RowDescription) throws -> R) throws -> R {
        let columns = (0..<60).map { Double(x[$0 % 20 * 3 + $0 / 20]) }
        return try columns.withUnsafeBytes { x in
            try y.map(Double.init).withUnsafeBytes { y in
                try body(
                    RowDescription(x.baseAddress, .double, rows: 20, columns: 3, rowStride: 8, columnStride: 160),
                    RowDescription(y.baseAddress, .double, rows: 20, columns: 1))
            }
        }
    }

    @Test func everyMethodEqualsThatWithArraysOfFloat() throws {
        let one = try network(), other = try network()
        try withColumns { x, y in
            let loss = try one.train(x, y, learningRate: 0.01)
            #expect(loss == (try other.train(self.x, self.y, learningRate: 0.01)))
            let trainer = try Trainer(["epochs": 3, "batch_size": 4])
            let result = try trainer.fit(one, x, y, validation: (x, y))
            #expect(result.loss == (try trainer.fit(other, self.x, self.y, validation: (self.x, self.y)).loss))
            #expect(try one.predict(x) == other.predict(self.x).map(Double.init))
            #expect(try one.evaluate(x, y) == other.evaluate(self.x, self.y))
            let score = try one.score(.r2, x, y)
            #expect(abs(score - (try other.score(.r2, self.x, self.y))) < 1e-6)
        }
        #expect(try one.parameters() == other.parameters())
    }

    @Test func scalingInPiecesEqualsThatOfAllRows() throws {
        let one = try network(), other = try network()
        try withColumns { x, y in
            try one.fitScaling(targets: .standard, x, y)
            var first = x, second = x
            first.rows = 7
            second.rows = 13
            second.values = x.values.map { $0 + 56 }
            try other.addScalingRows(nil, nil)
            try other.addScalingRows(first, y)
            try other.addScalingRows(second, nil)
            try other.finishScaling(targets: .standard)
            let (a, b) = (try one.predict(x), try other.predict(x))
            #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-6 })
        }
    }

    @Test func wrongShapesAreRefused() throws {
        let network = try network()
        try withColumns { x, y in
            var fewer = y
            fewer.rows = 19
            #expect(throws: BackpropError.self) { try network.train(x, fewer, learningRate: 0.1) }
            #expect(throws: BackpropError.self) { try network.predict(y) }
            #expect(throws: BackpropError.self) { try Trainer().fit(network, x, fewer) }
        }
    }
}
