import CPlatform

/// How the columns of a host's numbers become those the network computes with: (x − offset) / scale. Never changed once
/// made.
final class Scaling {
    let method: ScalingMethod
    let columns: Int
    let offset, scale: Floats

    private init(_ method: ScalingMethod, _ columns: Int, offset: consuming Floats, scale: consuming Floats) {
        self.method = method
        self.columns = columns
        self.offset = offset
        self.scale = scale
    }

    static func make(_ method: ScalingMethod, columns: Int) throws(BackpropError) -> Scaling? {
        guard method != .none else { return nil }
        let offset = try Floats(columns), scale = try Floats(columns)
        return Scaling(method, columns, offset: offset, scale: scale)
    }

    func copy() throws(BackpropError) -> Scaling {
        let offset = try Floats(copying: offset), scale = try Floats(copying: scale)
        return Scaling(method, columns, offset: offset, scale: scale)
    }

    /// From [rows × columns] finite numbers: mean and deviation, least and range, or middle and half the range. A column in
    /// which all numbers are the same is shifted to 0 only.
    func fit(_ values: UnsafePointer<Float>, rows: Int) {
        for column in 0..<columns {
            var low = values[column], high = low
            var sum = 0.0
            for row in 0..<rows {
                let value = values[row * columns + column]
                low = min(low, value)
                high = max(high, value)
                sum += Double(value)
            }
            let mean = sum / Double(rows)
            var squares = 0.0
            for row in 0..<rows {
                let distance = Double(values[row * columns + column]) - mean
                squares += distance * distance
            }
            let isStandard = method == .standard && low < high
            var width = isStandard ? (squares / Double(rows)).squareRoot() : Double(high) - Double(low)
            offset.base[column] = isStandard ? Float(mean) : low
            if method == .symmetric {
                width /= 2
                offset.base[column] = Float(Double(low) + width)
            }
            let bounded = Float(min(width, Double(Float.greatestFiniteMagnitude)))
            scale.base[column] = bounded > 0 ? bounded : 1
        }
    }

    func apply(_ values: UnsafePointer<Float>, rows: Int, to scaled: UnsafeMutablePointer<Float>) {
        for row in 0..<rows {
            let at = row * columns
            for i in 0..<columns { scaled[at + i] = self.scaled(values[at + i], column: i) }
        }
    }

    @inline(__always)
    func scaled(_ value: Float, column: Int) -> Float { (value - offset.base[column]) / scale.base[column] }

    /// The way back, in place.
    func undo(_ values: UnsafeMutablePointer<Float>, rows: Int) {
        for row in 0..<rows {
            let at = row * columns
            for i in 0..<columns { values[at + i] = values[at + i] * scale.base[i] + offset.base[i] }
        }
    }
}

extension NetworkState {
    /// Targets fill the range of the last activation, and stay as they are for the cross-entropies. From 0 to 1 is within
    /// the range of most registered activations.
    private var automaticTargetScaling: ScalingMethod {
        let last = layers[layers.count - 1].activation
        let (least, greatest) = last.range
        if loss != .squaredError { return .none }
        if last.isPlugin || greatest != -least { return .minMax }
        return greatest == .infinity ? .standard : .symmetric
    }

    package func fitScaling(
        inputs inputMethod: String, targets targetMethod: String, _ inputs: UnsafePointer<Float>?,
        _ targets: UnsafePointer<Float>?, rows: Int
    ) throws(BackpropError) {
        let forInputs = try fitted(
            try ScalingMethod.find(inputMethod).resolved(.standard), inputs, rows: rows, columns: inputCount, "inputs")
        let forTargets = try fitted(
            try ScalingMethod.find(targetMethod).resolved(automaticTargetScaling), targets, rows: rows,
            columns: outputCount, "targets")
        inputScaling = forInputs
        targetScaling = forTargets
        scaledRows = nil
        forgetBuffers()
    }

    private func fitted(
        _ method: ScalingMethod, _ values: UnsafePointer<Float>?, rows: Int, columns: Int, _ what: String
    ) throws(BackpropError) -> Scaling? {
        guard let scaling = try Scaling.make(method, columns: columns) else { return nil }
        guard let values else { throw BackpropError(.nullArgument, "\(what) is NULL") }
        try requireRows(rows)
        try requireFinite(values, rows: rows, columns: columns, what)
        scaling.fit(values, rows: rows)
        return scaling
    }

    /// A training call's rows as the network computes with them, good until the next.
    @inline(__always)
    func scaled(
        _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, rows: Int
    ) throws(BackpropError) -> (UnsafePointer<Float>, UnsafePointer<Float>) {
        if inputScaling == nil, targetScaling == nil { return (inputs, targets) }
        return try scaledCopy(inputs, targets, rows: rows)
    }

    @inline(never)
    private func scaledCopy(
        _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, rows: Int
    ) throws(BackpropError) -> (UnsafePointer<Float>, UnsafePointer<Float>) {
        try requireRows(rows)
        let place = try checkedProduct(rows, inputScaling == nil ? 0 : inputCount)
        let needed = try place + checkedProduct(rows, targetScaling == nil ? 0 : outputCount)
        if (scaledRows?.values.count ?? -1) < needed { scaledRows = FloatBuffer(values: try Floats(needed)) }
        guard let buffer = scaledRows?.values.base else { return (inputs, targets) }
        inputScaling?.apply(inputs, rows: rows, to: buffer)
        targetScaling?.apply(targets, rows: rows, to: buffer + place)
        return (
            inputScaling == nil ? inputs : UnsafePointer(buffer),
            targetScaling == nil ? targets : UnsafePointer(buffer + place)
        )
    }
}
