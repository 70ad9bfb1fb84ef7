import CPlatform

/// The scaling of the columns of a caller's rows: the network computes with (x − offset) / scale. Networks share it, so it is
/// not changed after it was fitted.
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

    /// Computes offset and scale from values [rows × columns], which are finite or missing (NaN): mean and standard deviation,
    /// minimum and range, or middle and half the range. A column whose values are all the same is only shifted to 0; one
    /// without values stays as it is. Throws for a column that is wider than Float's range. `name`: that of the values.
    func fit(_ values: UnsafePointer<Float>, rows: Int, _ name: String) throws(BackpropError) {
        for column in 0..<columns {
            var low = Float.infinity, high = -Float.infinity
            var sum = 0.0
            var count = 0
            for row in 0..<rows {
                let value = values[row * columns + column]
                if value.isNaN { continue }
                low = min(low, value)
                high = max(high, value)
                sum += Double(value)
                count += 1
            }
            guard count > 0 else {
                (offset.base[column], scale.base[column]) = (0, 1)
                continue
            }
            let mean = sum / Double(count)
            var squares = 0.0
            for row in 0..<rows where !values[row * columns + column].isNaN {
                let distance = Double(values[row * columns + column]) - mean
                squares += distance * distance
            }
            let isStandard = method == .standard && low < high
            var width = isStandard ? (squares / Double(count)).squareRoot() : Double(high) - Double(low)
            offset.base[column] = isStandard ? Float(mean) : low
            if method == .symmetric {
                let middle = Float(Double(low) + width / 2)
                // From the rounded middle: no scaled number is beyond ±1.
                width = max(Double(high) - Double(middle), Double(middle) - Double(low))
                offset.base[column] = middle
            }
            let distance = max(Double(high) - Double(offset.base[column]), Double(offset.base[column]) - Double(low))
            guard max(width, distance) <= Double(Float.greatestFiniteMagnitude) else {
                throw BackpropError(
                    .invalidValue,
                    "\(name): column \(column) has numbers from \(decimal(low)) to \(decimal(high)), too far apart for scaling "
                        + "\"\(method.name)\"")
            }
            scale.base[column] = Float(width) > 0 ? Float(width) : 1
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

    /// Converts the gradient with respect to scaled values to that with respect to the caller's, in place.
    func undoGradient(_ gradients: UnsafeMutablePointer<Float>, rows: Int) {
        for row in 0..<rows {
            let at = row * columns
            for i in 0..<columns { gradients[at + i] /= scale.base[i] }
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

    package func fitScaling(
        inputs inputMethod: String, targets targetMethod: String, _ inputs: UnsafePointer<Float>?,
        _ targets: UnsafePointer<Float>?, rows: Int
    ) throws(BackpropError) {
        let forInputs = try fitted(
            try ScalingMethod.find(inputMethod).resolved(.standard), inputs, rows: rows, columns: inputCount, "inputs")
        let targetMethod = try ScalingMethod.find(targetMethod).resolved(automaticTargetScaling)
        if targetMethod != .none { try requireScalableTargets(loss, targetCount) }
        let forTargets = try fitted(targetMethod, targets, rows: rows, columns: outputCount, "targets", acceptsMissing: true)
        inputScaling = forInputs
        targetScaling = forTargets
        scaledRows = nil
        discardBuffers()
    }

    private func fitted(
        _ method: ScalingMethod, _ values: UnsafePointer<Float>?, rows: Int, columns: Int, _ name: String,
        acceptsMissing: Bool = false
    ) throws(BackpropError) -> Scaling? {
        guard let scaling = try Scaling.make(method, columns: columns) else { return nil }
        guard let values else { throw BackpropError(.nullArgument, "\(name) is NULL") }
        try requireRows(rows)
        if acceptsMissing {
            try requireFiniteTargets(values, rows: rows, name)
        } else {
            try requireFinite(values, rows: rows, columns: columns, name)
        }
        try scaling.fit(values, rows: rows, name)
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

    private func requireScaledRows(_ count: Int) throws(BackpropError) -> UnsafeMutablePointer<Float> {
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
