import CPlatform

/// The scaling of the columns of a caller's rows: the network computes with (x − offset) / scale. Networks share it, so it is
/// not changed after it was fitted.
final class Scaling {
    let method: ScalingMethod
    let columns: Int
    let offset, scale: Floats
    /// The rest of each offset that a Float cannot hold, for rows in double precision: two numbers for each column, one after
    /// the other, so that the three have all bits of a Double. Empty if the scaling was fitted to other rows.
    let remainder: Floats

    var hasRemainder: Bool { remainder.count > 0 }

    private init(
        _ method: ScalingMethod, _ columns: Int, offset: consuming Floats, scale: consuming Floats,
        remainder: consuming Floats
    ) {
        self.method = method
        self.columns = columns
        self.offset = offset
        self.scale = scale
        self.remainder = remainder
    }

    static func make(
        _ method: ScalingMethod, columns: Int, hasRemainder: Bool
    ) throws(BackpropError) -> Scaling? {
        guard method != .none else { return nil }
        let offset = try Floats(columns), scale = try Floats(columns)
        let remainder = try Floats(hasRemainder ? 2 * columns : 0)
        return Scaling(method, columns, offset: offset, scale: scale, remainder: remainder)
    }

    func copy() throws(BackpropError) -> Scaling {
        let offset = try Floats(copying: offset), scale = try Floats(copying: scale)
        let remainder = try Floats(copying: remainder)
        return Scaling(method, columns, offset: offset, scale: scale, remainder: remainder)
    }

    @inline(never)
    static func areSame(_ a: Scaling?, _ b: Scaling?) -> Bool {
        func same(_ a: borrowing Floats, _ b: borrowing Floats) -> Bool {
            a.count == b.count && (0..<a.count).allSatisfy { a.base[$0] == b.base[$0] }
        }
        guard let a, let b else { return a == nil && b == nil }
        return a === b
            || a.method == b.method && same(a.offset, b.offset) && same(a.scale, b.scale) && same(a.remainder, b.remainder)
    }

    /// Computes offset and scale: mean and standard deviation, minimum and range, or middle and half the range. A column whose
    /// values are all the same is only shifted to 0; one without values stays as it is. Throws for a column that is wider than
    /// Float's range. `name`: that of the values.
    func fit(_ statistics: ColumnStatistics, _ name: String) throws(BackpropError) {
        for column in 0..<columns {
            let values = statistics.columns[column]
            guard values.count > 0 else {
                (offset.base[column], scale.base[column]) = (0, 1)
                continue
            }
            let (low, high) = (values.least, values.greatest)
            let isStandard = method == .standard && low < high
            var width = isStandard ? values.deviation : high - low
            let exact = isStandard ? values.mean : method == .symmetric ? low + width / 2 : low
            offset.base[column] = Float(exact)
            if hasRemainder {
                let rest = exact - Double(Float(exact))
                remainder.base[2 * column] = Float(rest)
                remainder.base[2 * column + 1] = Float(rest - Double(Float(rest)))
            }
            // From the rounded offset: with `symmetric`, no scaled number is beyond ±1.
            let distance = max(high - exactOffset(column), exactOffset(column) - low)
            if method == .symmetric { width = distance }
            guard max(width, distance) <= Double(Float.greatestFiniteMagnitude) else {
                throw BackpropError(
                    .invalidValue,
                    "\(name): column \(column) has numbers from \(decimal(Float(low))) to \(decimal(Float(high))), too far apart "
                        + "for scaling \"\(method.name)\"")
            }
            scale.base[column] = Float(width) > 0 ? Float(width) : 1
        }
    }

    private func exactOffset(_ column: Int) -> Double {
        Double(offset.base[column]) + (hasRemainder ? rest(column) : 0)
    }

    @inline(__always)
    private func rest(_ column: Int) -> Double {
        Double(remainder.base[2 * column]) + Double(remainder.base[2 * column + 1])
    }

    func apply(_ values: UnsafePointer<Float>, rows: Int, to scaled: UnsafeMutablePointer<Float>) {
        for row in 0..<rows {
            let at = row * columns
            for i in 0..<columns { scaled[at + i] = self.scaled(values[at + i], column: i) }
        }
    }

    @inline(__always)
    func scaled(_ value: Float, column: Int) -> Float { (value - offset.base[column]) / scale.base[column] }

    /// The remainder has digits that a Float does not: floats are scaled without it.
    @inline(__always)
    func scaled(_ value: Double, column: Int) -> Float {
        let distance = value - Double(offset.base[column])
        return Float(hasRemainder ? distance - rest(column) : distance) / scale.base[column]
    }

    func unscaled(_ value: Double, column: Int) -> Double {
        value * Double(scale.base[column]) + exactOffset(column)
    }

    /// Converts the gradient with respect to scaled values to that with respect to the caller's, in place.
    func undoGradient(_ gradients: UnsafeMutablePointer<Float>, rows: Int) {
        for row in 0..<rows {
            let at = row * columns
            for i in 0..<columns { gradients[at + i] /= scale.base[i] }
        }
    }

    /// Converts scaled values to differences from the offset in the caller's units, in place.
    func undoWithoutOffset(_ values: UnsafeMutablePointer<Float>, rows: Int) {
        for row in 0..<rows {
            let at = row * columns
            for i in 0..<columns { values[at + i] *= scale.base[i] }
        }
    }

    /// Converts scaled values back to the caller's units, in place.
    func undo(_ values: UnsafeMutablePointer<Float>, rows: Int) {
        for row in 0..<rows {
            let at = row * columns
            for i in 0..<columns { values[at + i] = values[at + i] * scale.base[i] + offset.base[i] }
        }
    }
}

extension NetworkState {
    /// The target scaling that `auto` selects: for losses of differences the one that fills the range of the last activation,
    /// otherwise none. For registered activations it is 0 to 1, which is within the range of most of them.
    private var automaticTargetScaling: ScalingMethod {
        let last = layers[layers.count - 1].activation
        let (least, greatest) = last.range
        guard let loss = loss.builtIn, loss.isOfDifferences else { return .none }
        if last.isPlugin || greatest != -least { return .minMax }
        return greatest == .infinity ? .standard : .symmetric
    }

    /// The methods for inputs and targets, by their names.
    private func scalingMethods(
        _ inputs: String, _ targets: String
    ) throws(BackpropError) -> (inputs: ScalingMethod, targets: ScalingMethod) {
        let methods = (
            inputs: try ScalingMethod.find(inputs).resolved(.standard),
            targets: try ScalingMethod.find(targets).resolved(automaticTargetScaling)
        )
        if methods.targets != .none { try requireScalableTargets(loss, targetCount) }
        return methods
    }

    /// Fits the scaling to rows; those of a scaling that is `none` may be nil.
    package func fitScaling(
        inputs inputMethod: String, targets targetMethod: String, _ inputs: UnsafePointer<Float>?,
        _ targets: UnsafePointer<Float>?, rows: Int
    ) throws(BackpropError) {
        beginTogether()
        try fitScaling(inputMethod, targetMethod, inputs.map { .floats($0) }, rows, targets.map { .floats($0) }, rows)
    }

    package func fitScaling(
        inputs inputMethod: String, targets targetMethod: String, _ inputs: DescribedRows?, _ targets: DescribedRows?
    ) throws(BackpropError) {
        beginTogether()
        try requireColumns(inputs, targets)
        try fitScaling(
            inputMethod, targetMethod, inputs?.source, inputs?.rows ?? 0, targets?.source, targets?.rows ?? 0)
    }

    @inline(never)
    private func fitScaling(
        _ inputMethod: String, _ targetMethod: String, _ inputs: RowSource?, _ inputRows: Int, _ targets: RowSource?,
        _ targetRows: Int
    ) throws(BackpropError) {
        let methods = try scalingMethods(inputMethod, targetMethod)
        let x = methods.inputs == .none ? nil : inputs, y = methods.targets == .none ? nil : targets
        let isEmpty = workers != nil && inputRows == 0 && targetRows == 0
        guard methods.inputs == .none || x != nil || isEmpty else { throw BackpropError(.nullArgument, "inputs is NULL") }
        guard methods.targets == .none || y != nil || isEmpty else { throw BackpropError(.nullArgument, "targets is NULL") }
        if x != nil { try requireShare(inputRows) }
        if y != nil { try requireShare(targetRows) }
        let statistics = try ScalingStatistics.make(inputs: inputCount, targets: outputCount)
        try add(x, inputRows, y, targetRows, to: statistics)
        try setScaling(methods, statistics)
    }

    /// Checks rows, and then adds them.
    @inline(never)
    private func add(
        _ inputs: RowSource?, _ inputRows: Int, _ targets: RowSource?, _ targetRows: Int, to statistics: ScalingStatistics
    ) throws(BackpropError) {
        switch inputs {
        case .floats(let values): try requireFinite(values, rows: inputRows, columns: inputCount, "inputs")
        case .described(let rows): try requireFinite(rows, nil, "inputs")
        case nil: break
        }
        switch targets {
        case .floats(let values): try requireFiniteTargets(values, rows: targetRows, "targets")
        case .described(let rows): try requireFinite(rows, nil, "targets", acceptsMissing: acceptsMissingTargets)
        case nil: break
        }
        if let inputs { statistics.inputs.add(inputs, rows: inputRows) }
        if let targets { statistics.targets.add(targets, rows: targetRows) }
    }

    /// Adds rows to the statistics from which `finishScaling` computes the scaling. Without any, discards the statistics.
    package func addScalingRows(_ inputs: DescribedRows?, _ targets: DescribedRows?) throws(BackpropError) {
        if inputs == nil, targets == nil {
            scalingStatistics = nil
            return
        }
        try requireColumns(inputs, targets)
        if targets != nil { try requireScalableTargets(loss, targetCount) }
        var statistics = scalingStatistics
        if statistics == nil { statistics = try ScalingStatistics.make(inputs: inputCount, targets: outputCount) }
        guard let statistics else { return }
        try add(inputs?.source, inputs?.rows ?? 0, targets?.source, targets?.rows ?? 0, to: statistics)
        scalingStatistics = statistics
    }

    /// Sets the scaling from the rows that were added, and discards their statistics.
    package func finishScaling(inputs inputMethod: String, targets targetMethod: String) throws(BackpropError) {
        beginTogether()
        try setScaling(try scalingMethods(inputMethod, targetMethod), scalingStatistics)
    }

    private func setScaling(
        _ methods: (inputs: ScalingMethod, targets: ScalingMethod), _ statistics: ScalingStatistics?
    ) throws(BackpropError) {
        var statistics = statistics
        if let workers {
            let common = try ScalingStatistics.make(copying: statistics, inputs: inputCount, targets: outputCount)
            workers.argument = UInt64(methods.inputs.rawValue << 8 | methods.targets.rawValue)
            try workers.agree(fingerprint: fingerprint(.scaling))
            try common.inputs.addUp(workers)
            try common.targets.addUp(workers)
            statistics = common
        }
        let forInputs = try fitted(methods.inputs, statistics?.inputs, "inputs")
        let forTargets = try fitted(methods.targets, statistics?.targets, "targets")
        try workers?.agree(fingerprint: fingerprint(.scaling))
        inputScaling = forInputs
        targetScaling = forTargets
        scalingStatistics = nil
        scaledRows = nil
        discardBuffers()
    }

    private func fitted(
        _ method: ScalingMethod, _ statistics: ColumnStatistics?, _ name: String
    ) throws(BackpropError) -> Scaling? {
        guard method != .none else { return nil }
        guard let statistics, statistics.rows > 0 else {
            throw BackpropError(.invalidValue, "no \(name) were added, which \"\(method.name)\" needs")
        }
        let scaling = try Scaling.make(method, columns: statistics.count, hasRemainder: statistics.hasDoubles)
        try scaling?.fit(statistics, name)
        return scaling
    }

    /// The rows of a training call, scaled if the network scales. They are valid until the next call.
    @inline(__always)
    func scaled(
        _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, rows: Int
    ) throws(BackpropError) -> (UnsafePointer<Float>, UnsafePointer<Float>) {
        if inputScaling == nil, targetScaling == nil { return (inputs, targets) }
        return try scaledCopy(inputs, targets, rows: rows)
    }

    /// The same for inputs alone.
    func scaled(_ inputs: UnsafePointer<Float>, rows: Int) throws(BackpropError) -> UnsafePointer<Float> {
        guard let inputScaling else { return inputs }
        let buffer = try requireScaledRows(try checkedProduct(rows, inputCount))
        inputScaling.apply(inputs, rows: rows, to: buffer)
        return UnsafePointer(buffer)
    }

    func requireScaledRows(_ count: Int) throws(BackpropError) -> UnsafeMutablePointer<Float> {
        if let scaledRows, scaledRows.values.count >= count { return scaledRows.values.base }
        let made = FloatBuffer(values: try Floats(count))
        scaledRows = made
        return made.values.base
    }

    @inline(never)
    private func scaledCopy(
        _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, rows: Int
    ) throws(BackpropError) -> (UnsafePointer<Float>, UnsafePointer<Float>) {
        try requireRows(rows)
        let place = try checkedProduct(rows, inputScaling == nil ? 0 : inputCount)
        let needed = try place + checkedProduct(rows, targetScaling == nil ? 0 : outputCount)
        let buffer = try requireScaledRows(needed)
        inputScaling?.apply(inputs, rows: rows, to: buffer)
        targetScaling?.apply(targets, rows: rows, to: buffer + place)
        return (
            inputScaling == nil ? inputs : UnsafePointer(buffer),
            targetScaling == nil ? targets : UnsafePointer(buffer + place)
        )
    }
}
