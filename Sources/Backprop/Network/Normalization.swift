import CPlatform

/// The parameters and running statistics of batch normalization, each [stride], 0 in the padding (notes, §5).
final class Normalization {
    let gamma, beta, runningMean, runningVariance: Floats
    private let columns: Int

    private init(
        columns: Int, gamma: consuming Floats, beta: consuming Floats, runningMean: consuming Floats,
        runningVariance: consuming Floats
    ) {
        self.columns = columns
        self.gamma = gamma
        self.beta = beta
        self.runningMean = runningMean
        self.runningVariance = runningVariance
    }

    static func make(columns: Int) throws(BackpropError) -> Normalization {
        let stride = paddedStride(columns)
        let gamma = try Floats(stride), beta = try Floats(stride), mean = try Floats(stride), variance = try Floats(stride)
        let made = Normalization(
            columns: columns, gamma: gamma, beta: beta, runningMean: mean, runningVariance: variance)
        made.reset()
        return made
    }

    func copy() throws(BackpropError) -> Normalization {
        let gamma = try Floats(copying: gamma), beta = try Floats(copying: beta)
        let mean = try Floats(copying: runningMean), variance = try Floats(copying: runningVariance)
        return Normalization(columns: columns, gamma: gamma, beta: beta, runningMean: mean, runningVariance: variance)
    }

    func assign(from other: Normalization) {
        let bytes = gamma.count * 4
        cp_copy(gamma.base, other.gamma.base, bytes)
        cp_copy(beta.base, other.beta.base, bytes)
        cp_copy(runningMean.base, other.runningMean.base, bytes)
        cp_copy(runningVariance.base, other.runningVariance.base, bytes)
    }

    func reset() {
        gamma.fill(1, count: columns)
        beta.clear()
        runningMean.clear()
        runningVariance.fill(1, count: columns)
    }
}
