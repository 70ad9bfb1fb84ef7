import Foundation

/// The files of Tests/Fixtures, which its README describes.
enum Fixtures {
    struct PyTorch: Decodable {
        let steps: Int
        let cases: [Case]
    }

    struct Case: Decodable, Sendable {
        let name: String
        let layerSizes: [Int]
        let activations: [String]
        let batchnorm: [Int]
        let loss: String
        let gradientReduction: Double
        let learningRate: Double
        let batchSize: Int
        let inputs: [[Float]]
        let targets: [[Float]]
        let initialParameters: [Float]
        let losses: [Double]
        let firstGradient: [Double]
        let finalParameters: [Double]
        let runningMean: [[Double]]
        let runningVar: [[Double]]
        let predictions: [[Double]]
    }

    struct Activation: Decodable {
        let value: [Double]
        let derivative: [Double]
    }

    static let pyTorch: PyTorch? = {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try? decoder.decode(PyTorch.self, from: data("pytorch.json"))
    }()

    static let caseNames = pyTorch?.cases.map { $0.name } ?? []

    static func named(_ name: String) -> Case? { pyTorch?.cases.first { $0.name == name } }

    /// Points z, and for each activation its values and derivatives at these points.
    static let activations: (z: [Float], byName: [String: Activation])? = {
        guard let object = try? JSONSerialization.jsonObject(with: data("activations.json")) as? [String: Any],
            let z = object["z"] as? [Double]
        else { return nil }
        var byName: [String: Activation] = [:]
        for (name, entry) in object {
            guard let entry = entry as? [String: [Double]], let value = entry["value"], let derivative = entry["derivative"]
            else { continue }
            byName[name] = Activation(value: value, derivative: derivative)
        }
        return (z.map { Float($0) }, byName)
    }()

    private static func data(_ name: String) throws -> Data {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return try Data(contentsOf: tests.appending(path: "Fixtures").appending(path: name))
    }
}
