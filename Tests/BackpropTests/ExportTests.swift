import Backprop
import Foundation
import Testing

/// Source code of networks. Tests/Export compiles it, and compares its predictions with those of the library.
@Suite struct ExportTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)

    private func path(_ name: String) throws -> String {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder.appendingPathComponent(name).path
    }

    @Test func exportsDeclareTheirFunctions() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let network = try Network(layers: [2, 3, 1], seed: 1)
        let c = try path("net.c"), swift = try path("Net.swift")
        try network.exportC(to: c, prefix: "net", weightBits: 8)
        try network.exportSwift(to: swift, typeName: "Net")
        #expect(try String(contentsOfFile: c, encoding: .utf8).contains("void net_predict(const float *input, float *output) {"))
        #expect(try String(contentsOfFile: swift, encoding: .utf8).contains("static func predict(_ input: [Float]) -> [Float] {"))
        try c.withCString { try network.exportC(to: $0, prefix: "other") }
        #expect(try String(contentsOfFile: c, encoding: .utf8).contains("void other_predict("))
    }

    @Test func foldedWeightsContainBatchNormalizationAndScaling() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let network = try Network(layers: [2, 3, 1], seed: 1)
        try network.setBatchNormalization(true, layer: 1)
        try network.fitScaling(inputs: .standard, targets: .none, [0, 1, 2, 5], [1, 2])
        for folded in [false, true] {
            let c = try path("net.c"), swift = try path("Net.swift")
            try network.exportC(to: c, prefix: "net", folded: folded)
            try network.exportSwift(to: swift, typeName: "Net", folded: folded)
            for file in [c, swift] {
                let text = try String(contentsOfFile: file, encoding: .utf8)
                #expect(text.contains("gains1") != folded && text.contains("input_offsets") != folded)
                #expect(text.contains("folded into the weights") == folded)
            }
        }
    }

    @Test func wrongArgumentsThrowAndLeaveTheOldFile() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let network = try Network(layers: [2, 1], seed: 1)
        let kept = try path("kept.c")
        try "kept".write(toFile: kept, atomically: true, encoding: .utf8)
        for name in ["", "1", "a b", "é"] {
            #expect(throws: BackpropError.self) { try network.exportC(to: kept, prefix: name) }
            #expect(throws: BackpropError.self) { try network.exportSwift(to: kept, typeName: name) }
        }
        #expect(throws: BackpropError.self) { try network.exportSwift(to: kept, typeName: "lower") }
        for bits in [0, 16, -8, .max, .min] {
            #expect(throws: BackpropError.self) { try network.exportC(to: kept, prefix: "net", weightBits: bits) }
        }
        #expect(throws: BackpropError.self) { try network.exportC(to: "a\0b", prefix: "net") }
        #expect(try String(contentsOfFile: kept, encoding: .utf8) == "kept")
    }
}
