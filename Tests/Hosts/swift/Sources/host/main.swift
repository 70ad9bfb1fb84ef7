// The same run as host.c, in Swift, with the same numbers: host OUT FIRST|fit|stream LAST [MODEL]
import Backprop
import Foundation

let inputCount = 6, outputCount = 4, rowCount = 60

struct Bits {
    var state: UInt32 = 2026

    mutating func next() -> UInt32 {
        state = state &* 1_664_525 &+ 1_013_904_223
        return state >> 8
    }
}

func makeData() -> (inputs: [Float], targets: [Float]) {
    var bits = Bits()
    var inputs: [Float] = []
    var targets = [Float](repeating: 0, count: rowCount * outputCount)
    for row in 0..<rowCount {
        for _ in 0..<inputCount { inputs.append(Float(Int(bits.next()) - 8_388_608) / 8_388_608) }
        targets[row * outputCount + Int(bits.next() >> 16) % outputCount] = 1
    }
    return (inputs, targets)
}

func registerSquash() throws {
    try Network.registerActivation(
        "squash",
        derivative: { z, _ in
            let d = 1 + abs(z)
            return 1 / (d * d)
        },
        function: { z in z / (1 + abs(z)) })
}

func newNetwork() throws -> Network {
    let names = [
        "tanh", "relu", "squash", "gelu", "softplus", "elu", "silu", "leaky_relu", "logistic", "softsign", "softmax",
    ]
    let network = try Network(layers: [inputCount, 20, 17, 9, 16, 33, 12, 8, 15, 24, 10, outputCount], seed: 7)
    for (index, name) in names.enumerated() {
        try network.setActivation(.named(name), layer: index + 1)
        try network.setBatchNormalization(index % 2 == 0, layer: index + 1)
    }
    try network.setLoss(.crossEntropy)
    try network.setOption("gradient_reduction", 1)
    return network
}

/// In Swift, one method trains on a single row and on a minibatch.
func train(_ network: Network, _ inputs: [Float], _ targets: [Float], step: Int) throws {
    let single = step % 3 == 2
    let rows = single ? 1 : 5 + step % 9
    let first = step * 11 % (rowCount - rows + 1)
    try network.train(
        Array(inputs[first * inputCount..<(first + rows) * inputCount]),
        Array(targets[first * outputCount..<(first + rows) * outputCount]), learningRate: single ? 0.0625 : 0.25)
}

func fit(_ network: Network, _ inputs: [Float], _ targets: [Float], isStream: Bool, last: Int) throws {
    let trainer = try Trainer([
        "epochs": 20, "batch_size": 7, "learning_rate": 0.0625, "schedule": 3, "seed": 11, "validation_fraction": 0.25,
        "steps_per_epoch": 9, "keep": 1, "on_divergence": 1, "resume": 1, "progress_interval": 1,
    ])
    let weights = (0..<rowCount).map { Float($0 % 4) / 2 }
    func batch(_ rows: Range<Int>) -> Trainer.Batch {
        Trainer.Batch(
            inputs: Array(inputs[rows.lowerBound * inputCount..<rows.upperBound * inputCount]),
            targets: Array(targets[rows.lowerBound * outputCount..<rows.upperBound * outputCount]), weights: Array(weights[rows]))
    }
    try trainer.setProgress { $0.step == last ? .stop : .goOn }
    let result: FitResult
    if isStream {
        let validation = batch(0..<rowCount / 3)
        result = try trainer.fit(
            network, batches: [batch(0..<29), batch(29..<rowCount)], validation: (validation.inputs, validation.targets))
    } else {
        try trainer.setRowWeights(weights)
        result = try trainer.fit(network, inputs, targets)
    }
    guard result.isStopped else { exit(1) }
}

func write(_ values: [Float], to path: String) throws {
    try values.withUnsafeBytes { try Data($0).write(to: URL(fileURLWithPath: path)) }
}

let arguments = CommandLine.arguments
guard (4...5).contains(arguments.count), let last = Int(arguments[3]) else { exit(2) }
let (inputs, targets) = makeData()
try registerSquash()
let network = arguments.count == 5 ? try Network.load(from: arguments[4]) : try newNetwork()
if let first = Int(arguments[2]) {
    for step in first..<last { try train(network, inputs, targets, step: step) }
} else {
    for layer in 1...10 { try network.setDropout(0.125, layer: layer) }
    if arguments.count == 4 { try network.setOptimizer(.adam) }
    try fit(network, inputs, targets, isStream: arguments[2] == "stream", last: last)
}
try network.save(to: arguments[1] + ".safetensors")
try write(network.parameters(), to: arguments[1] + ".parameters")
try write(network.predict(inputs), to: arguments[1] + ".predictions")
