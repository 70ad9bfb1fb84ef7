/// Learning rates: the step sizes α_t of the notes' §1.
struct Schedule {
    enum Kind: Int {
        case constant, step, exponential, cosine, inverseTime, oneCycle, plateau
    }

    let kind: Kind
    private var options: Options<TrainerOption>
    private let steps: UInt64
    private let decayPerEpoch: Double
    private var peak: Double { options[.learningRate] }
    private var floor: Double { options[.minimumRate] }

    init(_ options: Options<TrainerOption>, steps: UInt64) {
        kind = Kind(rawValue: Int(options[.schedule])) ?? .constant
        self.options = options
        self.steps = steps
        decayPerEpoch = root(options[.decayFactor], UInt64(options[.decayEpochs]))
    }

    /// Sets the learning rate, instead of the option.
    mutating func setPeak(_ rate: Double) throws(BackpropError) { try options.set(.learningRate, to: rate) }

    /// The rate of a step in an epoch, both counted from 0. `factor` includes the reductions after plateaus and divergence.
    func rate(step: UInt64, epoch: UInt64, factor: Double) -> Float {
        let rate = scheduled(step, epoch)
        let warmup = options[.warmupSteps]
        let bounded = (rate < floor ? floor : rate) * factor
        // Not a conditional expression: for one, the compiler divides in both cases, by 0 if there is no warm-up.
        guard warmup > 0 else { return Float(bounded) }
        return Float(bounded * (Double(step) < warmup ? Double(step + 1) / warmup : 1))
    }

    /// `factor` after one more plateau.
    func reduced(_ factor: Double) -> Double {
        let lowest = peak > floor ? floor / peak : 1
        let reduced = factor * options[.decayFactor]
        return reduced < lowest ? (factor < lowest ? factor : lowest) : reduced
    }

    private func scheduled(_ step: UInt64, _ epoch: UInt64) -> Double {
        let t = Double(step)
        switch kind {
        case .constant, .plateau: return peak
        case .step: return peak * power(options[.decayFactor], epoch / UInt64(options[.decayEpochs]))
        case .exponential: return peak * power(decayPerEpoch, epoch)
        case .cosine: return Self.halfCosine(from: peak, to: floor, t / Double(steps))
        case .inverseTime: return peak / (1 + options[.inverseTimeDecay] * t)
        case .oneCycle: return oneCycle(t)
        }
    }

    /// The rate rises to the peak during the fraction `one_cycle_peak` of the steps, and then falls until the last step
    /// (Smith and Topin 2017).
    private func oneCycle(_ t: Double) -> Double {
        let start = peak / options[.oneCycleStart]
        let last = Double(steps) - 1
        let top = options[.oneCyclePeak] * Double(steps) - 1
        if t <= top, top > 0 { return Self.halfCosine(from: start, to: peak, t / top) }
        let turn = top > 0 ? top : 0
        guard last > turn else { return peak }
        return Self.halfCosine(from: peak, to: start / options[.oneCycleEnd], (t - turn) / (last - turn))
    }

    /// Half a period of a cosine from a, at x = 0, to b, at x = 1.
    private static func halfCosine(from a: Double, to b: Double, _ x: Double) -> Double {
        b + (a - b) / 2 * (1 + cosineOfHalfTurns(x > 1 ? 1 : x))
    }
}
