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
        let made = try Workers.make(index: worker, count: workers, Self.function(allReduce, thrown))
        made.thrown = thrown
        try handle.write { (state) throws(BackpropError) in state.setWorkers(made) }
    }

    /// Exchanges the gradients of large networks while the backward pass computes the others. All workers must call it, after
    /// `setAllReduce`. `backprop.h` describes the order of the calls under "Overlap".
    ///
    /// - Parameters:
    ///   - start: Begins what `allReduce` does, and returns. The numbers are valid until `finish` returns.
    ///   - finish: Completes all that `start` has begun. After it, nothing may access the numbers, even if it throws.
    /// - Throws: `.unsupported` for a network without an all-reduce function.
    public func setAllReduceOverlap(
        start: @escaping @Sendable (Exchange, Reduction) throws -> Void, finish: @escaping @Sendable () throws -> Void
    ) throws(BackpropError) {
        try handle.write { (state) throws(BackpropError) in
            let workers = try state.requireWorkers()
            let thrown = workers.thrown ?? ThrownErrors()
            let start = Self.function(start, thrown)
            workers.overlap = { values, count in values.map { start($0, count, .float, .sum) } ?? thrown.code(finish) }
        }
    }

    private static func function(
        _ exchange: @escaping @Sendable (Exchange, Reduction) throws -> Void, _ thrown: ThrownErrors
    ) -> Workers.Function {
        { values, count, element, operation in
            thrown.code {
                let reduction: Reduction = operation == .sum ? .sum : .maximum
                if element == .float {
                    let floats = values.assumingMemoryBound(to: Float.self)
                    try exchange(.floats(.init(start: floats, count: count)), reduction)
                } else {
                    let doubles = values.assumingMemoryBound(to: Double.self)
                    try exchange(.doubles(.init(start: doubles, count: count)), reduction)
                }
            }
        }
    }
}
#endif
