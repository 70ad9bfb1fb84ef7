// Loads the network that Examples/c/digits.c trained, continues its training, and saves it.
//
//     swift run -c release --package-path Examples/swift digits DATA.csv MODEL.safetensors OUTPUT.safetensors [EPOCHS]
import Backprop
import Foundation

/// LeCun's scaled tanh, 1.7159 tanh(2z/3), the custom activation of Examples/c/digits.c. A file contains only its name, so that
/// the program must register the function before it loads the file. The results have the same bits as in C, because the
/// function does the same float arithmetic and calls tanhf of the same C library.
func registerScaledTanh() throws {
    let height: Float = 1.7159, slope: Float = 2.0 / 3.0
    try Network.registerActivation(
        "scaled_tanh",
        derivative: { _, a in
            let t = a / height  // f′(z) = height · slope · (1 − tanh²), where tanh = a / height
            return height * slope * (1 - t * t)
        },
        function: { z in height * tanhf(slope * z) })
}

/// The fraction of images whose most probable digit is correct.
func accuracy(_ network: Network, on images: Images) throws -> Double {
    let outputs = try network.predict(images.pixels)
    let right = images.digits.enumerated().count { image, digit in
        let probabilities = image * Images.digitCount..<(image + 1) * Images.digitCount  // indices in outputs
        return probabilities.max { outputs[$0] < outputs[$1] } == probabilities.lowerBound + digit
    }
    return Double(right) / Double(images.count)
}

/// A seeded generator, so that runs are reproducible.
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

func percent(_ fraction: Double) -> String { String(format: "%.2f %%", 100 * fraction) }

func run(data: String, model: String, output: String, epochs: Int) throws {
    let (training, heldOut) = try Images.read(data)

    // Activations in the file must be registered before it is loaded. The file contains everything else: layers, loss, options and
    // the running statistics of batch normalization, so that training can continue.
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
            // A small learning rate: the network is near a minimum, and large steps would increase the loss.
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
