/// Several processes that train one network together, each with its part of the rows. `backprop.h` describes them under "Workers".
extension Network {
    /// How an all-reduce function combines the numbers of all workers.
    public enum Reduction: Sendable {
        case sum, maximum
    }

    /// Numbers of this worker, which an all-reduce function replaces by the combined numbers of all workers.
    public enum Exchange {
        case floats(UnsafeMutableBufferPointer<Float>)
        case doubles(UnsafeMutableBufferPointer<Double>)
    }

    /// Removes the all-reduce function: this process trains alone.
    public func removeAllReduce() throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in state.setWorkers(nil) }
    }
}

#if !hasFeature(Embedded)
extension Network {
    /// Makes the network that of one of several workers. From then on, training, gradients, fits and the scaling are those of
    /// the rows of all workers, which must all make the same calls.
    ///
    /// - Parameters:
    ///   - worker: The number of this worker, from 0.
    ///   - workers: The number of workers.
    ///   - allReduce: Combines the numbers of all workers, and gives all of them the same result. An error that it throws
    ///     fails the call with `BackpropError.Code.callback`, and is that error's `underlying`.
    /// - Throws: `.invalidValue` for a number of workers other than 1 to 65,535, or a worker that is not below it.
    public func setAllReduce(
        worker: Int, of workers: Int, _ allReduce: @escaping @Sendable (Exchange, Reduction) throws -> Void
    ) throws(BackpropError) {
        let thrown = ThrownErrors()
        let made = try Workers.make(index: worker, count: workers) { values, count, element, operation in
            thrown.code {
                let reduction: Reduction = operation == .sum ? .sum : .maximum
                if element == .float {
                    let floats = values.assumingMemoryBound(to: Float.self)
                    try allReduce(.floats(.init(start: floats, count: count)), reduction)
                } else {
                    let doubles = values.assumingMemoryBound(to: Double.self)
                    try allReduce(.doubles(.init(start: doubles, count: count)), reduction)
                }
            }
        }
        made.thrown = thrown
        try handle.write { (state) throws(BackpropError) in state.setWorkers(made) }
    }
}
#endif
