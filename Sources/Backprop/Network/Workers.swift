import CPlatform

/// The workers that train one network together: processes, each with its copy of the network and its part of the rows. The
/// host's function combines numbers of all workers. `backprop.h` describes the exchanges under "Workers".
///
/// Between two calls, and between two steps of a fit, the next exchange of each worker is an agreement: a message of one size
/// for all calls. A worker that fails there takes part in this agreement, so that no other worker waits for it. Within a
/// pass, its failure is part of the next exchange of the pass.
package final class Workers {
    package enum Operation: Int32 {
        case sum, maximum
    }

    /// Combines `count` numbers with those of the other workers, in place. Returns 0, or the host's error code.
    package typealias Function = (
        _ values: UnsafeMutableRawPointer, _ count: Int, _ element: RowDescription.Element, _ operation: Operation
    ) -> Int32

    /// Starts the sum of `count` numbers with those of the other workers, in place, and returns; or, for nil, completes all sums that
    /// were started. Returns 0, or the host's error code.
    package typealias Overlap = (_ values: UnsafeMutablePointer<Float>?, _ count: Int) -> Int32

    /// The purpose of an agreement.
    enum Call: UInt64 {
        case pass, secondOrder, scaling, fit, loss, finish
    }

    enum Stage {
        /// In no call that workers make together, or between the steps of a fit.
        case idle
        /// The next exchange is an agreement.
        case open
        /// In a pass that has made this number of exchanges.
        case pass(Int)
        /// After the exchanges of a pass: if the call fails now, it fails on all workers.
        case decided
        /// The call has failed on all workers.
        case settled
    }

    /// The number of this worker, from 0, and of all workers.
    let index, count: Int
    var stage = Stage.idle
    /// Whether the parameters were found to be the same on all workers.
    private(set) var areParametersCompared = false
    /// An argument of the call in progress that must be the same on all workers, and whether this worker has rows for the
    /// next step of a fit from a stream.
    var argument: UInt64 = 0
    var hasMoreRows = false
    /// The rows of all workers in the latest pass.
    var rows = 0
    package var overlap: Overlap?
    /// The numbers of the gradient whose exchange the pass in progress has started. `finish` is called for them before the pass
    /// ends, also if it fails.
    private(set) var started = 0
    #if !hasFeature(Embedded)
    /// The errors that the host's closure has thrown, by code.
    var thrown: ThrownErrors?
    #endif
    private let function: Function
    /// The numbers of `Slot`; then one number of each worker, plus 1.
    private let message: Doubles
    /// Numbers of a pass.
    private var buffer: FloatBuffer?

    private enum Slot {
        /// Workers whose call failed because a number is not finite, and for other reasons.
        static var notFinite: Int { 0 }
        static var others: Int { 1 }
        /// The sums of a number that must be the same on all workers, and of its square.
        static var fingerprint: Int { 2 }
        static var fingerprintSquare: Int { 3 }
        /// Workers that want to end a fit, for each of the reasons.
        static var ends: Int { 4 }
        /// Any sums.
        static var sums: Int { 4 + endCount }
        static var numbers: Int { sums + 3 }
    }
    private static var endCount: Int { 3 }
    /// So that the sums of `fingerprint` are exact.
    private static var most: Int { 65_535 }

    /// The reason for which this worker wants to end the fit in progress, and then the reason on which all have agreed: from
    /// 0 on; nil for none.
    var wantedEnd: Int?
    private(set) var agreedEnd: Int?

    /// The part of `count` rows, which all workers have, that is the share of this one.
    func share(of count: Int) -> Range<Int> {
        func start(_ worker: Int) -> Int {
            count / self.count * worker + Int(Int64(count % self.count) * Int64(worker) / Int64(self.count))
        }
        return start(index)..<start(index + 1)
    }

    private init(index: Int, count: Int, message: consuming Doubles, _ function: @escaping Function) {
        self.index = index
        self.count = count
        self.message = message
        self.function = function
    }

    package static func make(
        index: Int, count: Int, _ function: @escaping Function
    ) throws(BackpropError) -> Workers {
        guard count > 0, count <= most, index >= 0, index < count else {
            throw BackpropError(
                .invalidValue,
                "worker \(UInt(bitPattern: index)) of \(UInt(bitPattern: count)): the number of workers must be 1 to \(most), and a "
                    + "worker's number less than that")
        }
        let message = try Doubles(Slot.numbers + count)
        return Workers(index: index, count: count, message: message, function)
    }

    // MARK: Agreements

    /// Makes sure that all workers make the same call, and that it has not failed on any; otherwise throws on all of them.
    /// `fingerprint`: must be the same on all workers. `number` and `sums`: for `number(of:)` and `sum(_:)`. `failure`: the
    /// reason why this worker cannot make the call.
    @inline(never)
    func agree(
        fingerprint: UInt64, number: Int64 = 0, sums: (Double, Double, Double) = (0, 0, 0), failure: BackpropError? = nil
    ) throws(BackpropError) {
        let m = message.base
        cp_clear(m, (Slot.numbers + count) * 8)
        let folded = Double((fingerprint ^ fingerprint >> 16 ^ fingerprint >> 32 ^ fingerprint >> 48) & 0xFFFF)
        m[Slot.fingerprint] = folded
        m[Slot.fingerprintSquare] = folded * folded
        if let wantedEnd { m[Slot.ends + wantedEnd] = 1 }
        (m[Slot.sums], m[Slot.sums + 1], m[Slot.sums + 2]) = sums
        m[Slot.numbers + index] = Double(number) + 1
        (m[Slot.notFinite], m[Slot.others]) = Self.failures(failure)
        try exchange(m, Slot.numbers + count, .double)
        try check(m[Slot.notFinite], m[Slot.others], failure)
        guard let sum = Self.count(m[Slot.fingerprint]), let squares = Self.count(m[Slot.fingerprintSquare]),
            sum < 1 << 32, squares.multipliedReportingOverflow(by: UInt64(count)) == (sum * sum, false),
            (0..<count).allSatisfy({ m[Slot.numbers + $0] >= 1 })  // otherwise two workers have the same number
        else {
            settle()
            throw BackpropError(
                .mismatch,
                "the \(count) workers made different calls, or differ in the network's settings, parameters or steps, the "
                    + "learning rate, the trainer's options, the instruction set, or the numbers of rows with shared_rows 1; or two "
                    + "have the same number; or the all-reduce function does not combine the numbers of all of them")
        }
        areParametersCompared = true
        agreedEnd = nil
        for end in (0..<Self.endCount).reversed() where m[Slot.ends + end] > 0 { agreedEnd = end }
    }

    /// Lets the other workers know that this one has failed, unless they know. Returns the error of the call. Not for a pass.
    @inline(never)
    func refuse(_ error: BackpropError) -> BackpropError {
        if case .settled = stage { return error }
        do throws(BackpropError) {
            try agree(fingerprint: 0, failure: error)
            return error
        } catch let agreed {
            return agreed
        }
    }

    /// After an agreement: the sum of the workers' values.
    func sum(_ index: Int) -> Double { message.base[Slot.sums + index] }

    /// The same as a whole number.
    func count(_ index: Int) -> UInt64 { Self.count(sum(index)) ?? 0 }

    /// After an agreement: the number of a worker.
    func number(of worker: Int) -> UInt64 {
        min(Self.count(message.base[Slot.numbers + worker] - 1) ?? 0, 1 << 40)
    }

    /// The sum of the numbers of all workers before `end`.
    func total(before end: Int) -> Int {
        var total: UInt64 = 0
        for worker in 0..<end { total += number(of: worker) }
        return Int(clamping: total)
    }

    /// A whole number; nil for what the host's function cannot have computed.
    private static func count(_ value: Double) -> UInt64? { value >= 0 && value < 0x1p53 ? UInt64(value) : nil }

    // MARK: Exchanges of a pass

    /// Allocates memory for exchanges of `count` doubles.
    func reserve(_ count: Int) throws(BackpropError) {
        if let buffer, buffer.values.count >= 2 * (count + 2) { return }
        buffer = FloatBuffer(values: try Floats(2 * (count + 2)))
    }

    /// The numbers of the next `addUp`.
    var numbers: UnsafeMutablePointer<Double> {
        UnsafeMutableRawPointer(buffer.unsafelyUnwrapped.values.base).assumingMemoryBound(to: Double.self)
    }

    /// Replaces `numbers` by the sums over all workers.
    func addUp(_ count: Int, failure: BackpropError? = nil) throws(BackpropError) {
        let numbers = numbers
        (numbers[count], numbers[count + 1]) = Self.failures(failure)
        try exchange(numbers, count + 2, .double)
        try check(numbers[count], numbers[count + 1], failure)
        if case .pass(let exchanges) = stage { stage = .pass(exchanges + 1) }
    }

    /// Replaces the gradient, followed by `tailCount` numbers, by the sums over all workers. Returns that of the loss. All
    /// workers then have the same numbers.
    func addUp(gradient: FloatBuffer, loss: Double, failure: BackpropError? = nil) throws(BackpropError) -> Double {
        let count = gradient.values.count, tail = gradient.values.base + count - Self.tailCount
        let high = Float(loss)
        (tail[0], tail[1]) = (high, Float(loss - Double(high)))  // so that the digits of a double are kept
        let failures = Self.failures(failure)
        (tail[2], tail[3]) = (Float(failures.notFinite), Float(failures.others))
        if overlaps(gradient) {
            try start(gradient, until: count)
        } else {
            try exchange(gradient.values.base, count, .float)
        }
        try check(Double(tail[2]), Double(tail[3]), failure)
        stage = .decided
        return Double(tail[0]) + Double(tail[1])
    }

    /// The loss in two numbers, and the workers that failed, for two kinds of reasons.
    static var tailCount: Int { 4 }

    // MARK: Overlap

    /// The numbers of an exchange that is started: 4 MB. With 1 Gbit/s it takes 34 ms, many times the latency of most networks of
    /// machines, and the last one, which nothing overlaps, is short beside a gradient of 10 MB and more.
    static var bucket: Int { 1 << 20 }

    /// Whether the exchange of the gradient is started bucket by bucket.
    func overlaps(_ gradient: FloatBuffer) -> Bool { overlap != nil && gradient.values.count > Self.bucket }

    /// Starts the exchange of each bucket whose numbers are all before `end`, where the gradient is complete so far. After the last
    /// one, completes all of them.
    @inline(never)
    func start(_ gradient: FloatBuffer, until end: Int) throws(BackpropError) {
        guard overlaps(gradient) else { return }
        while case let size = min(Self.bucket, gradient.values.count - started), size > 0, started + size <= end {
            let values = gradient.values.base + started
            started += size
            try requireSuccess(callOverlap(values, size), "start function")
        }
        if started == gradient.values.count { try requireSuccess(finish(), "finish function") }
    }

    @inline(never)
    private func finish() -> Int32 {
        if started == 0 { return 0 }
        started = 0
        return callOverlap(nil, 0)
    }

    /// Ends a call that has failed on all workers: no exchange may run after it.
    @inline(never)
    private func settle() {
        stage = .settled
        _ = finish()
    }

    @inline(never)
    private func callOverlap(_ values: UnsafeMutablePointer<Float>?, _ count: Int) -> Int32 {
        HostEnvironment().run { overlap?(values, count) ?? 0 }
    }

    // MARK: The host's function

    func exchange(
        _ values: UnsafeMutableRawPointer, _ count: Int, _ element: RowDescription.Element, _ operation: Operation = .sum
    ) throws(BackpropError) {
        try requireSuccess(HostEnvironment().run { function(values, count, element, operation) }, "function")
    }

    @inline(never)
    private func requireSuccess(_ code: Int32, _ name: StaticString) throws(BackpropError) {
        guard code != 0 else { return }
        settle()
        #if !hasFeature(Embedded)
        if let thrown = thrown?.take(code) {
            throw BackpropError(.callback, "the all-reduce \(name) failed: \(String(describing: thrown))", underlying: thrown)
        }
        #endif
        throw BackpropError(.callback, "the all-reduce \(name) failed with code \(Int(code))")
    }

    static var noRows: BackpropError { BackpropError(.invalidValue, "rows is 0 on all workers: at least 1 is needed") }

    private static func failures(_ failure: BackpropError?) -> (notFinite: Double, others: Double) {
        guard let failure else { return (0, 0) }
        return failure.code == .notFinite ? (1, 0) : (0, 1)
    }

    /// Throws if a worker has failed: on this worker `failure`, if it is the reason. A number that is not finite ends the call
    /// with that code on all workers, unless another worker has another failure: a fit may then recover.
    private func check(_ notFinite: Double, _ others: Double, _ failure: BackpropError?) throws(BackpropError) {
        if notFinite == 0, others == 0 { return }
        settle()
        if let failure, failure.code != .notFinite || others == 0 { throw failure }
        guard others == 0 else { throw BackpropError(.worker, "the call failed on another worker") }
        throw BackpropError(.notFinite, "a number is not finite on another worker")
    }
}

/// A hash of settings.
struct Fingerprint {
    private(set) var value: UInt64 = 0x9E37_79B9_7F4A_7C15

    mutating func add(_ word: UInt64) {
        value = (value ^ word) &* 0xBF58_476D_1CE4_E5B9
        value ^= value >> 31
    }
}
