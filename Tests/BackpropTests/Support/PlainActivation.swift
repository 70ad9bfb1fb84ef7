import Foundation

/// The built-in activations of one number and their derivatives, in double precision with the C library.
enum PlainActivation {
    static func value(_ name: String, _ z: Double) -> Double {
        switch name {
        case "identity": z
        case "sign": z > 0 ? 1 : z < 0 ? -1 : 0
        case "logistic": logistic(z)
        case "tanh": tanh(z)
        case "relu": max(0, z)
        case "leaky_relu": z > 0 ? z : 0.01 * z
        case "elu": z > 0 ? z : expm1(z)
        case "softplus": max(0, z) + log1p(exp(-abs(z)))
        case "softsign": z / (1 + abs(z))
        case "silu": z * logistic(z)
        case "gelu": 0.5 * z * erfc(-z / 2.0.squareRoot())
        default: .nan
        }
    }

    static func derivative(_ name: String, _ z: Double) -> Double {
        switch name {
        case "identity", "sign": 1  // sign: as in the perceptron algorithm
        case "logistic": logistic(z) * logistic(-z)
        case "tanh": 1 / (cosh(z) * cosh(z))
        case "relu": z > 0 ? 1 : 0
        case "leaky_relu": z > 0 ? 1 : 0.01
        case "elu": z > 0 ? 1 : exp(z)
        case "softplus": logistic(z)
        case "softsign": 1 / ((1 + abs(z)) * (1 + abs(z)))
        case "silu": logistic(z) * (1 + z * logistic(-z))
        case "gelu": 0.5 * erfc(-z / 2.0.squareRoot()) + z * exp(-z * z / 2) / (2 * Double.pi).squareRoot()
        default: .nan
        }
    }

    static func logistic(_ z: Double) -> Double {
        z < 0 ? exp(z) / (1 + exp(z)) : 1 / (1 + exp(-z))
    }

    static func softmax(_ z: [Double]) -> [Double] {
        let largest = z.max() ?? 0
        let powers = z.map { exp($0 - largest) }
        let sum = powers.reduce(0, +)
        return powers.map { $0 / sum }
    }

    static let names = [
        "identity", "sign", "logistic", "tanh", "relu", "leaky_relu", "elu", "softplus", "softsign", "silu", "gelu",
    ]
}
