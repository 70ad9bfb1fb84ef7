/// Checks that refuse settings and targets from which a network cannot learn what is intended, although the formulas are
/// defined for them: the loss decreases, or is small, but the outputs are useless.
extension NetworkState {
    /// Checks activations and loss once: the result is valid until a setting changes.
    @inline(__always)
    func requireSettings() throws(BackpropError) {
        if hasCheckedSettings { return }
        try checkLayersAndLoss()
        hasCheckedSettings = true
    }

    /// Checks that activations and loss are compatible. The range of a registered activation is unknown: it is compatible with
    /// every loss.
    @inline(never)
    func checkLayersAndLoss() throws(BackpropError) {
        if case .plugin(let plugin) = loss { try plugin.requireRegistered(outputs: outputCount) }
        for (index, layer) in layers.enumerated() where layer.outputs == 1 && layer.activation.is(.softmax) {
            throw BackpropError(
                .invalidValue,
                "layer \(index + 1) has one unit, for which \"softmax\" is always 1: set "
                    + (index + 1 < layers.count
                        ? "another activation"
                        : "activation \"logistic\" and loss \"binary_cross_entropy\" for two classes; \(Self.oneHot)"))
        }
        let last = layers[layers.count - 1].activation
        guard let needed = loss.builtIn?.activation, !last.isPlugin, !last.is(needed) else { return }
        let pair: Text = "loss \"\(loss.name)\" does not go with "
        if loss.is(.crossEntropy), outputCount == 1 {
            throw BackpropError(
                .invalidValue,
                pair + "one output: set activation \"logistic\" and loss \"binary_cross_entropy\" for two classes; " + Self.oneHot
            )
        }
        let other: Text =
            last.is(.softmax) ? "cross_entropy" : last.is(.logistic) ? "binary_cross_entropy" : "squared_error"
        throw BackpropError(
            .invalidValue,
            pair + "\"\(last.name)\" in layer \(layers.count): set activation \"\(needed.name)\" there, or loss \"\(other)\"")
    }

    private static var oneHot: Text {
        "more classes need one output for each class, and targets of 1 in the column of the row's class and 0 elsewhere"
    }

    /// The advice for targets of a single output that look like the numbers of more than two classes; otherwise "".
    private func adviceForClasses(_ targets: RowSource, rows: Int) -> Text {
        guard outputCount == 1 else { return "" }
        var greatest = 0.0
        for row in 0..<rows {
            let target = targets.number(row, 0, columns: 1)
            guard target >= 0, target < 1000, target == target.rounded(.down) else { return "" }
            greatest = max(greatest, target)
        }
        return greatest > 1 ? "; if these are class numbers, " + Self.oneHot : ""
    }

    /// Checks settings and targets [rows × outputs], as a trainer does before a fit. Without targets, the settings alone.
    package func checkSettings(_ targets: UnsafePointer<Float>?, rows: Int) throws(BackpropError) {
        if let targets {
            try requireRows(rows)
            try requireFiniteTargets(targets, rows: rows, "targets")
        }
        try requireFittable(targets.map { .floats($0) }, weights: nil, rows: rows)
    }

    /// Checks settings and targets that are known to be finite. Rows of weight 0 are ignored.
    func requireFittable(
        _ targets: RowSource?, weights: UnsafePointer<Float>?, rows: Int
    ) throws(BackpropError) {
        try requireTrainable()
        try checkLayersAndLoss()
        try requireUpdateOrder()
        try requireSecondOrderSettings()
        try checkTargetScaling()
        guard let targets, let loss = loss.builtIn else { return }
        if let error = undefinedTarget(targets, weights, rows: rows, "targets") { throw error }
        if loss.isOfDifferences { try checkTargetRange(targets, weights, rows: rows) }
    }

    // MARK: Targets for which the loss is not defined

    /// Refuses the first target for which the loss is not defined. `scaled`: the targets that the network computes with;
    /// `unscaled`: the caller's, for the message.
    @inline(__always)
    func requireTargets(
        _ scaled: UnsafePointer<Float>, unscaled: UnsafePointer<Float>, weights: UnsafePointer<Float>? = nil, rows: Int
    ) throws(BackpropError) {
        if !loss.is(.squaredError) { try requireDefined(scaled, unscaled, weights, rows: rows) }
    }

    @inline(never)
    private func requireDefined(
        _ scaled: UnsafePointer<Float>, _ unscaled: UnsafePointer<Float>, _ weights: UnsafePointer<Float>?, rows: Int
    ) throws(BackpropError) {
        try requireRows(rows)
        let (least, greatest) = loss.targetRange
        guard containsOutside(scaled, rows * targetCount, least, greatest) else { return }
        if let error = undefinedTarget(.floats(unscaled), weights, rows: rows, "targets") { throw error }
    }

    /// Returns an error for the first target for which the loss is not defined, or nil. It ignores targets that are not
    /// finite, which `requireFinite` refuses.
    func undefinedTarget(
        _ targets: RowSource, _ weights: UnsafePointer<Float>? = nil, rows: Int, _ what: String
    ) -> BackpropError? {
        let (least, greatest) = loss.targetRange
        guard least > -.infinity, mayContainOutside(targets, rows, least, greatest) else { return nil }
        for row in 0..<rows where hasWeight(row, weights) {
            for column in 0..<outputCount {
                let value = scaledTarget(targets, row, column)
                guard value < least || value > greatest, targets.number(row, column, columns: outputCount).isFinite else {
                    continue
                }
                let range: Text =
                    loss.is(.binaryCrossEntropy)
                    ? "0 to 1, such as 0 and 1 for two classes"
                    : loss.is(.poisson)
                        ? "0 or more, such as counts"
                        : "0 or more, such as 1 in the column of the row's class and 0 elsewhere"
                return BackpropError(
                    .invalidValue,
                    described(targets, row, column, what) + ", and loss \"\(loss.name)\" accepts targets of \(range)"
                        + adviceForClasses(targets, rows: rows))
            }
        }
        return nil
    }

    // MARK: Targets that the last activation cannot reach

    /// Refuses a scaling that gives negative targets where the last activation has no negative values, or the loss accepts
    /// none.
    private func checkTargetScaling() throws(BackpropError) {
        guard let method = targetScaling?.method, method != .minMax else { return }
        let last = layers[layers.count - 1].activation
        let isOfDifferences = loss.builtIn?.isOfDifferences ?? false
        guard isOfDifferences ? last.range.least >= 0 : loss.targetRange.least > -.infinity else { return }
        throw BackpropError(
            .invalidValue,
            "target scaling \"\(method.name)\" gives targets below 0, which do not go with "
                + (isOfDifferences
                    ? "\"\(last.name)\" in layer \(layers.count): set activation \"identity\" there, or "
                    : "loss \"\(loss.name)\": ")
                + "fit target scaling \"auto\"")
    }

    /// Refuses targets outside the range of the last activation. A target may lie outside by a tenth of the spread of its
    /// column, since data have noise.
    private func checkTargetRange(
        _ targets: RowSource, _ weights: UnsafePointer<Float>?, rows: Int
    ) throws(BackpropError) {
        let last = layers[layers.count - 1].activation
        let (low, high) = last.range
        guard low > -.infinity || high < .infinity, mayContainOutside(targets, rows, low, high) else { return }
        for column in 0..<outputCount {
            var least = Double.infinity, greatest = -Double.infinity
            var farthest = 0
            var distance = 0.0
            for row in 0..<rows where hasWeight(row, weights) {
                let value = Double(scaledTarget(targets, row, column))
                if value.isNaN { continue }
                least = min(least, value)
                greatest = max(greatest, value)
                let outside = max(Double(low) - value, value - Double(high))
                if outside > distance { (distance, farthest) = (outside, row) }
            }
            guard distance > 0, distance > 1e-5 + 0.1 * (greatest - least) else { continue }
            var range: Text = "\(decimal(low))"
            range += high < .infinity ? " to \(decimal(high))" : " or more"
            throw BackpropError(
                .invalidValue,
                described(targets, farthest, column, "targets")
                    + ", and \"\(last.name)\" in layer \(layers.count) outputs \(range): set activation \"identity\" there, or fit target scaling \"auto\""
                    + adviceForClasses(targets, rows: rows))
        }
    }

    /// False if all targets are in the range, which is quickly seen where they are an array and not scaled.
    private func mayContainOutside(_ targets: RowSource, _ rows: Int, _ least: Float, _ greatest: Float) -> Bool {
        guard case .floats(let floats) = targets, targetScaling == nil else { return true }
        return containsOutside(floats, rows * outputCount, least, greatest)
    }

    private func hasWeight(_ row: Int, _ weights: UnsafePointer<Float>?) -> Bool {
        weights.map { $0[row] != 0 } ?? true
    }

    @inline(__always)
    private func scaledTarget(_ targets: RowSource, _ row: Int, _ column: Int) -> Float {
        targets.scaled(row, column, columns: outputCount, targetScaling)
    }

    private func described(_ targets: RowSource, _ row: Int, _ column: Int, _ what: String) -> Text {
        var text: Text = "\(what): row \(row), column \(column) is \(targets.text(row, column, columns: outputCount))"
        if targetScaling != nil { text += ", scaled \(decimal(scaledTarget(targets, row, column)))" }
        return text
    }
}

/// Whether any value is below `least` or above `greatest`. The loop has no branches, so that it is vectorized; a method would
/// not be.
@_optimize(speed) @inline(never)
private func containsOutside(_ values: UnsafePointer<Float>, _ count: Int, _ least: Float, _ greatest: Float) -> Bool {
    var outside: Int32 = 0
    for i in 0..<count { outside |= (values[i] < least ? 1 : 0) | (values[i] > greatest ? 1 : 0) }
    return outside != 0
}
