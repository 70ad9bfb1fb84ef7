import Backprop
import CConsole

/// `backprop bench`
struct Bench {
    private let seconds: Double

    init(_ arguments: Arguments) throws(BackpropError) {
        try arguments.prepare()
        seconds = try arguments.number("seconds", 0...3600) ?? 1
    }

    /// A network, the rows of a call, and the published rates for one thread and for two, in rows per second.
    private struct Workload {
        let layers: [Int]
        let rows: Int
        let isTraining: Bool
        let published: (one: Double, two: Double)

        var name: Text {
            var text: Text = isTraining ? "training " : "prediction "
            for (index, size) in layers.enumerated() { text += "\(index == 0 ? "" : "-")\(size)" }
            return text + ", \(counted(rows, "row")) a call"
        }
    }

    /// README.md has the rates, of version 0.1 on a Zen 4 with two processors.
    private static var workloads: [Workload] {
        let digits = [784, 256, 128, 10]
        return [
            Workload(layers: [2, 4, 1], rows: 1, isTraining: true, published: (20.9e6, 20.7e6)),
            Workload(layers: [64, 32, 10], rows: 1, isTraining: true, published: (3.31e6, 3.55e6)),
            Workload(layers: digits, rows: 32, isTraining: true, published: (107e3, 192e3)),
            Workload(layers: digits, rows: 512, isTraining: true, published: (107e3, 194e3)),
            Workload(layers: digits, rows: 1, isTraining: false, published: (98.6e3, 165e3)),
            Workload(layers: digits, rows: 1024, isTraining: false, published: (231e3, 453e3)),
        ]
    }

    func run() throws(BackpropError) -> Int32 {
        var table = TextTable()
        table.add(["rows per second", "here", "published, 1 thread", "published, 2 threads"])
        for workload in Self.workloads {
            table.add([
                workload.name, short(try measure(workload), digits: 3), short(workload.published.one, digits: 3),
                short(workload.published.two, digits: 3),
            ])
        }
        let output = Output()
        try output.write(
            "\(counted(Threads.count, "thread")), instruction set \(Text(Bytes(cString: NetworkState.instructionSet)))\n\n"
                + table.text)
        try output.flush()
        return 0
    }

    /// Rows per second: the best of five parts of the time.
    private func measure(_ workload: Workload) throws(BackpropError) -> Double {
        let network = try Network(layers: workload.layers, seed: 1)
        var random = Random(seed: 1, stream: 0)
        let inputs = (0..<workload.rows * workload.layers[0]).map { _ in Float(random.next(below: 1000)) / 1000 }
        let outputCount = workload.rows * workload.layers[workload.layers.count - 1]
        let targets = (0..<outputCount).map { _ in Float(random.next(below: 1000)) / 1000 }
        var outputs = [Float](repeating: 0, count: outputCount)
        var best = 0.0
        for _ in 0..<5 {
            let start = con_seconds()
            var calls = 0, elapsed = 0.0
            var block = 1
            while calls == 0 || elapsed < seconds / 5 {
                for _ in 0..<block {
                    if workload.isTraining {
                        try network.train(inputs, targets, learningRate: 1e-3)
                    } else {
                        var span = outputs.mutableSpan
                        try network.predict(inputs.span, into: &span)
                    }
                }
                calls += block
                elapsed = con_seconds() - start
                if elapsed < seconds / 500 { block *= 2 }  // so that reading the clock takes no time
            }
            best = max(best, Double(calls * workload.rows) / max(elapsed, 1e-9))
        }
        return best
    }
}
