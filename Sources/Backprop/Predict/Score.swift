extension NetworkState {
    package func score(
        _ measure: String, _ inputs: UnsafePointer<Float>, _ targets: UnsafePointer<Float>, rows: Int
    ) throws(BackpropError) -> Double {
        let measure = try Measure.find(measure)
        try requireRows(rows)
        try requireFinite(inputs, rows: rows, columns: inputCount, "inputs")
        try requireScorable()
        try requireFiniteTargets(targets, rows: rows, "targets")
        let outputs = try Floats(rows * outputCount)
        try predict(inputs, rows: rows, into: outputs.base)
        try requireFinite(outputs.base, rows: rows, columns: outputCount, "outputs")
        let predictions = Predictions(
            outputs: outputs.base, targets: targets, rows: rows, columns: outputCount, weights: EqualWeights())
        guard let score = predictions.score(measure, threshold: threshold) else {
            throw BackpropError(.invalidValue, "targets: too many are missing for a score")
        }
        return score
    }

    /// Computes a measure of the predictions of described rows. Means over rows are weighted.
    package func score(
        _ measure: String, _ inputs: DescribedRows, _ targets: DescribedRows
    ) throws(BackpropError) -> Double {
        let rows = try rows(inputs, targets)
        if rows.narrowed == nil, rows.weights == nil {
            return try score(measure, rows.inputs, rows.targets, rows: rows.count)
        }
        let measure = try Measure.find(measure)
        try requireScorable()
        try requireFinite(inputs, inputScaling, "inputs")
        let count = try checkedProduct(rows.count, outputCount)
        let outputs = try Floats(count), y = try Floats(count)
        // Without the offset, numbers are exact also where it is large. It changes no difference of an output and a target.
        let scaling = measure == .accuracy ? nil : targetScaling
        try fill(y.base, targets, count: rows.count, scaling, "targets", acceptsMissing: acceptsMissingTargets)
        try predict(
            inputs, into: RowOutput(floats: outputs.base, columns: outputCount), scaling: scaling == nil ? targetScaling : nil)
        if let scaling {
            scaling.undoWithoutOffset(outputs.base, rows: rows.count)
            scaling.undoWithoutOffset(y.base, rows: rows.count)
        }
        try requireFinite(outputs.base, rows: rows.count, columns: outputCount, "outputs")
        let predictions = Predictions(
            outputs: outputs.base, targets: y.base, rows: rows.count, columns: outputCount, weights: GivenWeights(rows.weights))
        guard let score = predictions.score(measure, threshold: threshold) else {
            throw BackpropError(.invalidValue, "targets: too many are missing, or have weight 0, for a score")
        }
        return score
    }

    /// Refuses a loss whose targets are not those of the outputs.
    func requireScorable() throws(BackpropError) {
        guard targetCount == outputCount else {
            throw BackpropError(
                .unsupported,
                "a score compares each output with a target, but loss \"\(loss.name)\" has target_columns \(targetCount)")
        }
    }

    /// The threshold between the two classes of a single output, unscaled: 0 for the activations from −1 to 1, otherwise 0.5.
    private var threshold: Float {
        let last = layers[layers.count - 1].activation
        let (least, greatest) = last.range
        let middle: Float = greatest == -least && greatest < .infinity ? 0 : 0.5
        guard let scaling = targetScaling else { return middle }
        return middle * scaling.scale.base[0] + scaling.offset.base[0]
    }
}

/// The weights of rows. Scores without them are compiled separately, so that they cost nothing there.
private protocol RowWeighting {
    subscript(row: Int) -> Double { get }
}

private struct EqualWeights: RowWeighting {
    @inline(__always)
    subscript(row: Int) -> Double { 1 }
}

private struct GivenWeights: RowWeighting {
    private let values: UnsafePointer<Float>?

    init(_ values: UnsafePointer<Float>?) { self.values = values }

    subscript(row: Int) -> Double { values.map { Double($0[row]) } ?? 1 }
}

/// Each score is nil if no target is left to compare with. Missing targets (NaN) are not counted.
private struct Predictions<Weighting: RowWeighting> {
    let outputs, targets: UnsafePointer<Float>  // [rows × columns]
    let rows, columns: Int
    let weights: Weighting

    func score(_ measure: Measure, threshold: Float) -> Double? {
        switch measure {
        case .accuracy: accuracy(threshold: threshold)
        case .r2: determination
        case .meanAbsoluteError: meanAbsoluteError
        }
    }

    /// The share of rows whose largest output is that of the largest target; of equal values the first counts. With one
    /// output, the share of rows whose output and target lie on the same side of the threshold. Rows with a missing target are not counted.
    func accuracy(threshold: Float) -> Double? {
        var hits = 0.0, counted = 0.0
        for row in 0..<rows {
            let a = outputs + row * columns, y = targets + row * columns
            if (0..<columns).contains(where: { y[$0].isNaN }) { continue }
            counted += weights[row]
            let isHit = columns == 1 ? (a[0] > threshold) == (y[0] > threshold) : largest(a) == largest(y)
            if isHit { hits += weights[row] }
        }
        return counted == 0 ? nil : hits / counted
    }

    /// R² = 1 − Σ (ŷ − y)² / Σ (y − ȳ)², the mean over the outputs. A target that is the same in all rows
    /// counts 1 if all its outputs equal it, otherwise 0.
    var determination: Double? {
        var total = 0.0
        var countedColumns = 0
        for column in 0..<columns {
            var sum = 0.0, count = 0.0
            for row in 0..<rows where isObserved(row, column) {
                sum += weights[row] * Double(targets[row * columns + column])
                count += weights[row]
            }
            if count == 0 { continue }
            countedColumns += 1
            let mean = sum / count
            var residue = 0.0, spread = 0.0
            var least = Double.infinity, greatest = -Double.infinity
            for row in 0..<rows where isObserved(row, column) && weights[row] > 0 {
                let y = Double(targets[row * columns + column]), error = Double(outputs[row * columns + column]) - y
                residue += weights[row] * (error * error)
                spread += weights[row] * ((y - mean) * (y - mean))
                least = min(least, y)
                greatest = max(greatest, y)
            }
            total += least == greatest ? (residue == 0 ? 1 : 0) : 1 - residue / spread
        }
        return countedColumns == 0 ? nil : total / Double(countedColumns)
    }

    var meanAbsoluteError: Double? {
        var sum = 0.0, count = 0.0
        for i in 0..<rows * columns where !targets[i].isNaN {
            sum += weights[i / columns] * (Double(outputs[i]) - Double(targets[i])).magnitude
            count += weights[i / columns]
        }
        return count == 0 ? nil : sum / count
    }

    private func isObserved(_ row: Int, _ column: Int) -> Bool { !targets[row * columns + column].isNaN }

    private func largest(_ values: UnsafePointer<Float>) -> Int {
        var best = 0
        for i in 1..<columns where values[i] > values[best] { best = i }
        return best
    }
}
