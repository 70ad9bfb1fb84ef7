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
        case "selu": seluScale * (z > 0 ? z : seluAlpha * expm1(z))
        case "mish": z < 0 ? z * exp(z) * (exp(z) + 2) / (exp(z) * (exp(z) + 2) + 2) : z * tanh(z + log1p(exp(-z)))
        case "hard_sigmoid": min(max(0, z + 3), 6) / 6
        case "hard_swish": z * (min(max(0, z + 3), 6) / 6)
        case "relu6": min(max(0, z), 6)
        case "sine": sin(z)
        case "gaussian": exp(-z * z)
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
        case "selu": z > 0 ? seluScale : seluScale * seluAlpha * exp(z)
        case "mish":
            (z == 0 ? 0.6 : value("mish", z) / z) + z * logistic(z) / pow(cosh(value("softplus", z)), 2)
        case "hard_sigmoid": z > -3 && z <= 3 ? 1.0 / 6 : 0
        case "hard_swish": z > 3 ? 1 : z > -3 ? (2 * z + 3) / 6 : 0
        case "relu6": z > 0 && z <= 6 ? 1 : 0
        case "sine": cos(z)
        case "gaussian": -2 * z * exp(-z * z)
        default: .nan
        }
    }

    static let seluScale = 1.0507009873554804934, seluAlpha = 1.6732632423543772848

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
        "selu", "mish", "hard_sigmoid", "hard_swish", "relu6", "sine", "gaussian",
    ]
}
