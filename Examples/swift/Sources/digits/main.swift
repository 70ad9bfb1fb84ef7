// Opens the network that Examples/c/digits.c trained, trains it further, and saves it again.
//
//     swift run -c release --package-path Examples/swift digits DATA.csv MODEL.safetensors OUTPUT.safetensors [EPOCHS]
import Backprop
import Foundation

/// LeCun's scaled tanh, 1.7159 tanh(2z/3): the activation that Examples/c/digits.c brings. The file names it, and whoever
/// opens the file brings the function. Float arithmetic in the same order, and tanhf of the same C library, give the
/// bits that C gives.
func registerScaledTanh() throws {
    let height: Float = 1.7159, slope: Float = 2.0 / 3.0
    try Network.registerActivation(
        "scaled_tanh",
        derivative: { _, a in
            let t = a / height  // f′(z) = height · slope · (1 − tanh²), and the tanh is known from a = f(z)
            return height * slope * (1 - t * t)
        },
        function: { z in height * tanhf(slope * z) })
}

/// The share of images whose most probable digit is the right one.
func accuracy(_ network: Network, on images: Images) throws -> Double {
    let outputs = try network.predict(images.pixels)
    let right = images.digits.enumerated().count { image, digit in
        let probabilities = image * Images.digitCount..<(image + 1) * Images.digitCount  // where they are in outputs
        return probabilities.max { outputs[$0] < outputs[$1] } == probabilities.lowerBound + digit
    }
    return Double(right) / Double(images.count)
}

/// Seeded, so that a run can be repeated; the generator of the system cannot be.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var x = state
        x = (x ^ (x >> 30)) &* 0xBF58_476D_1CE4_E5B9
        x = (x ^ (x >> 27)) &* 0x94D0_49BB_1331_11EB
        return x ^ (x >> 31)
    }
}

func percent(_ share: Double) -> String { String(format: "%.2f %%", 100 * share) }

func run(data: String, model: String, output: String, epochs: Int) throws {
    let (training, heldOut) = try Images.read(data)

    // What the file holds by name must be there before it is opened. Everything else comes from the file: layers, loss,
    // options and the running statistics of batch normalization, so that training goes on where it stopped.
    try registerScaledTanh()
    let network = try Network.load(from: model)
    print("layers \(network.layers), held-out accuracy before: \(percent(try accuracy(network, on: heldOut)))")

    let batch = 32
    var generator = SplitMix64(state: 2)
    var order = Array(0..<training.count)
    for epoch in 1...epochs {
        order.shuffle(using: &generator)
        var sum = 0.0
        for start in stride(from: 0, to: order.count, by: batch) {
            let (pixels, targets) = training[order[start..<min(start + batch, order.count)]]
            // A small step: the network is good already, a large one would throw it out of its minimum.
            let loss = try network.train(pixels, targets, learningRate: 0.1)
            sum += Double(loss) * Double(targets.count / Images.digitCount)
        }
        print(String(format: "epoch %d/%d   loss %.4f", epoch, epochs, sum / Double(order.count)))
    }

    try network.save(to: output)
    print("held-out accuracy: \(percent(try accuracy(network, on: heldOut)))")
}

let arguments = CommandLine.arguments
guard let epochs = arguments.count == 5 ? Int(arguments[4]) : 5, (4...5).contains(arguments.count), epochs > 0 else {
    FileHandle.standardError.write(Data("usage: digits DATA.csv MODEL.safetensors OUTPUT.safetensors [EPOCHS]\n".utf8))
    exit(2)
}
do {
    try run(data: arguments[1], model: arguments[2], output: arguments[3], epochs: epochs)
} catch {
    FileHandle.standardError.write(Data("digits: \(error)\n".utf8))
    exit(1)
}
