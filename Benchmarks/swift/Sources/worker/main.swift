// The ordinary Swift build of the library as a worker of bench.py: protocol in worker.h, work as in backprop_worker.c.
import Backprop
import Foundation

/// What a "prep" line asks for.
struct Job {
    let trains: Bool, batch: Int, threads: Int, eta: Float, hidden: String, output: String, usesBatchnorm: Bool, sizes: [Int]
    let isCrossEntropy: Bool, isAdam: Bool, dropout: Double
    let inputs: [Float], targets: [Float], weights: [Float]
    let rows: Int

    init(_ words: [String]) throws {
        func numbers(_ suffix: String) throws -> [Float] {
            let data = try Data(contentsOf: URL(fileURLWithPath: "\(words[13])_\(suffix).f32"))
            return data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        }
        (trains, batch, threads, eta) = (words[2] == "train", Int(words[3])!, Int(words[4])!, Float(words[5])!)
        (hidden, output, usesBatchnorm) = (words[6], words[7] == "linear" ? "identity" : words[7], words[8] == "1")
        (isCrossEntropy, isAdam, dropout) = (words[9] == "cross_entropy", words[10] == "adam", Double(words[11])!)
        (rows, sizes) = (Int(words[12])!, words[14...].map { Int($0)! })
        weights = try numbers("w")
        inputs = Array(try numbers("x").prefix(rows * sizes[0]))
        targets = Array(try numbers("y").prefix(rows * sizes[sizes.count - 1]))
    }

    /// Numbers of a minibatch.
    var inputCount: Int { batch * sizes[0] }
    var targetCount: Int { batch * sizes[sizes.count - 1] }

    func network() throws -> Network {
        let network = try Network(layers: sizes, seed: 1)
        for layer in 1..<sizes.count {
            try network.setActivation(.named(layer == sizes.count - 1 ? output : hidden), layer: layer)
        }
        try network.setParameters(weights)
        for layer in 1..<sizes.count - 1 where usesBatchnorm { try network.setBatchNormalization(true, layer: layer) }
        for layer in 1..<sizes.count - 1 where dropout > 0 { try network.setDropout(dropout, layer: layer) }
        if isCrossEntropy { try network.setLoss(.crossEntropy) }
        if isAdam {
            try network.setOptimizer(.adam)
            try network.setOption("gradient_reduction", 1)
        }
        return network
    }

    /// The mean loss of all rows.
    func loss(_ network: Network) throws -> Double {
        let outputs = try network.predict(inputs)
        if isCrossEntropy {
            return zip(outputs, targets).reduce(0) { $0 - ($1.1 > 0 ? Double($1.1) * log(Double($1.0)) : 0) } / Double(rows)
        }
        return zip(outputs, targets).reduce(0) { $0 + pow(Double($1.0) - Double($1.1), 2) } / 2 / Double(rows)
    }

    func epochs(_ count: Int, _ network: Network) throws {
        let rate = isAdam ? eta : eta / Float(batch)
        let (x, y) = (inputs.span, targets.span)
        let (inputCount, targetCount) = (inputCount, targetCount)
        for _ in 0..<count {
            for b in 0..<rows / batch {
                try network.train(
                    x.extracting(b * inputCount..<(b + 1) * inputCount), y.extracting(b * targetCount..<(b + 1) * targetCount),
                    learningRate: rate)
            }
        }
    }
}

func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
}

func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
}

func run(_ job: Job, _ network: Network, _ seconds: Double) throws -> String {
    let processor = processorTime(), start = now()
    var count = 0, n = 1, calls: [Double] = [], time = start
    var outputs = [Float](repeating: 0, count: job.targetCount)
    while time - start < seconds {
        let before = time
        if job.trains {
            try job.epochs(n, network)
            count += n * job.rows
        } else {
            let first = calls.count % (job.rows / job.batch) * job.inputCount
            var span = outputs.mutableSpan
            try network.predict(job.inputs.span.extracting(first..<first + job.inputCount), into: &span)
            count += job.batch
        }
        time = now()
        if !job.trains { calls.append(time - before) } else if time - before < 0.02 { n *= 2 }
    }
    let median = calls.isEmpty ? 0 : 1e6 * calls.sorted()[calls.count / 2]
    return "\(count) \(time - start) \(processorTime() - processor) \(median)"
}

func prepare(_ job: Job) throws -> (String, Network?) {
    if ["softsign_ops", "softsign_numpy"].contains(job.hidden) { return ("skip own activations of one number only", nil) }
    try Threads.setCount(job.threads)
    let network = try job.network()
    if job.trains { try job.epochs(1, network) }
    return ("ok \(try job.loss(network)) \(job.trains ? "train" : "predict")", network)
}

try Network.registerActivation(
    "softsign_scalar", derivative: { z, _ in 1 / ((1 + abs(z)) * (1 + abs(z))) }, function: { $0 / (1 + abs($0)) })
var current: (job: Job, network: Network)?
while let line = readLine() {
    let words = line.split(separator: " ").map(String.init)
    var answer = "skip nothing prepared"
    if words[0] == "prep" {
        let job = try Job(words)
        let (text, network) = try prepare(job)
        answer = text
        current = network.map { (job, $0) }
    } else if let current {
        answer = try run(current.job, current.network, Double(words[1])!)
    }
    FileHandle.standardOutput.write(Data((answer + "\n").utf8))
}
