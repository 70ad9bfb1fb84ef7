import CKernels
import CPlatform

/// Compares an activation's derivative with differences of its values, for many values of z. A function of matrices is
/// compared on several matrices, by the gradient of a weighted sum of all outputs, because columns may depend on each other.
///
/// Differences are taken with several step sizes, and the smallest error counts: with small steps the rounding error is
/// large, with large steps the truncation error is. A deviation that rounding f to Floats can cause is not an error.
package final class ActivationCheck {
    private let activation: Activation
    private let kernels: cp_kernels
    private var report = ActivationReport()

    private static let columns = 16  // the kernels need no padding for 16 columns
    private static let matrixRows = 3
    private static let steps = 5
    /// The number of values of f: at z, and at z ± h and z ± 2h for each step h.
    private static let samples = 1 + 4 * steps

    private let z, a, da, dz: Floats
    /// `values`: f at each sample, [samples × outputs]. `weights`: the weights of the outputs in the sum that is compared.
    private let values, weights: Floats

    private init(
        _ activation: Activation, z: consuming Floats, a: consuming Floats, da: consuming Floats, dz: consuming Floats,
        values: consuming Floats, weights: consuming Floats
    ) {
        self.activation = activation
        kernels = NetworkState.kernels
        self.z = z
        self.a = a
        self.da = da
        self.dz = dz
        self.values = values
        self.weights = weights
    }

    /// Checks the activation with this name.
    package static func run(_ name: String) throws(BackpropError) -> ActivationReport {
        try inDefaultEnvironment { () throws(BackpropError) in try report(on: name) }
    }

    private static func report(on name: String) throws(BackpropError) -> ActivationReport {
        let activation = try Activation.find(name)
        if activation.is(.sign) {
            throw BackpropError(.unsupported, "\"sign\" cannot be checked: training uses the derivative 1 for it")
        }
        let size = columns * matrixRows
        let z = try Floats(size), a = try Floats(size), da = try Floats(size), dz = try Floats(size)
        let values = try Floats(samples * size), weights = try Floats(size)
        let check = ActivationCheck(activation, z: z, a: a, da: da, dz: dz, values: values, weights: weights)
        // The host may unregister it during the check.
        return try withExtendedLifetime(activation) { () throws(BackpropError) in
            if activation.isMatrixFunction || activation.is(.softmax) {
                try check.compareMatrices()
            } else {
                try check.compareNumbers()
            }
            guard check.report.points > 0 else {
                throw BackpropError(.notFinite, "activation \"\(name)\" is not finite at any number that was tried")
            }
            return check.report
        }
    }

    // MARK: Points

    /// Multiples of 1/4 up to 8, where many functions have kinks; numbers between them; small and large numbers.
    private func compareNumbers() throws(BackpropError) {
        weights.base[0] = 1
        try compare(0)
        for i in 1...32 { try compareBothSigns(Float(i) / 4) }
        for i in 0..<64 { try compareBothSigns(4 * fraction(i)) }
        for exponent in 3...20 { try compareBothSigns(1 / Float(1 << exponent)) }
        for z in [16, 32, 100, 1000] as [Float] { try compareBothSigns(z) }
    }

    private func compareBothSigns(_ z: Float) throws(BackpropError) {
        try compare(z)
        try compare(-z)
    }

    private func compare(_ at: Float) throws(BackpropError) {
        let size = Self.columns
        z.fill(at, count: size)
        a.clear()
        try forward(rows: 1)
        da.fill(1, count: size)
        try backward(rows: 1)
        let slope = dz.base[0]
        for sample in 0..<Self.samples {
            let place = sample % size
            if place == 0 { z.fill(at, count: size) }
            z.base[place] = at + Self.offset(sample, at)
            guard place == size - 1 || sample == Self.samples - 1 else { continue }
            try forward(rows: 1)
            for i in 0...place { values.base[sample - place + i] = a.base[i] }
        }
        record(slope, at, moved: 0, outputs: 1)
    }

    /// Matrices of numbers of four magnitudes. Each element in turn is moved by the offsets of the samples.
    private func compareMatrices() throws(BackpropError) {
        let size = Self.columns * Self.matrixRows
        for (number, scale) in ([0.01, 1, 4, 16] as [Float]).enumerated() {
            for i in 0..<size { weights.base[i] = 2 * fraction(i + 1000 * number) - 1 }
            func element(_ i: Int) -> Float { scale * (2 * fraction(i + 1000 * number + 500) - 1) }
            func reset() { for i in 0..<size { z.base[i] = element(i) } }
            reset()
            try forward(rows: Self.matrixRows)
            cp_copy(da.base, weights.base, size * 4)
            try backward(rows: Self.matrixRows)
            for moved in 0..<size {
                for sample in 0..<Self.samples {
                    reset()
                    z.base[moved] += Self.offset(sample, element(moved))
                    try forward(rows: Self.matrixRows)
                    cp_copy(values.base + sample * size, a.base, size * 4)
                }
                record(dz.base[moved], element(moved), moved: moved, outputs: size)
            }
        }
    }

    /// The fractional part of a multiple of the golden ratio: in 0 ..< 1, evenly distributed for any number of them.
    private func fraction(_ i: Int) -> Float {
        let product = Double(i + 1) * 0.6180339887498949
        return Float(product - product.rounded(.down))
    }

    // MARK: Values

    private func forward(rows: Int) throws(BackpropError) {
        switch activation {
        case .builtIn(let function): kernels.activate(function.kind, z.base, a.base, rows, Self.columns, Self.columns)
        case .plugin(let plugin, _):
            let code = plugin.forward(z.base, a.base, rows: rows, columns: Self.columns)
            if code != 0 { throw plugin.callbackError(code, " in its forward pass") }
        }
    }

    /// Computes dz from da.
    private func backward(rows: Int) throws(BackpropError) {
        switch activation {
        case .builtIn(let function):
            cp_copy(dz.base, da.base, rows * Self.columns * 4)
            kernels.differentiate(function.kind, z.base, a.base, dz.base, rows, Self.columns, Self.columns)
        case .plugin(let plugin, _):
            let code = plugin.backward(z.base, a.base, da.base, dz.base, rows: rows, columns: Self.columns)
            if code != 0 { throw plugin.callbackError(code, " in its backward pass") }
        }
    }

    // MARK: Comparison

    /// h = 2⁻⁴ … 2⁻¹² times the greatest power of two that is at most max(1, |z|).
    private static func step(_ number: Int, _ z: Float) -> Float {
        powerOfTwo(below: z) / Float(16 << (2 * number))
    }

    /// Sample 0 is at z. The others are, for each step, at z + h, z − h, z + 2h, z − 2h.
    private static func offset(_ sample: Int, _ z: Float) -> Float {
        guard sample > 0 else { return 0 }
        let (number, kind) = (sample - 1).quotientAndRemainder(dividingBy: 4)
        let h = step(number, z)
        return (kind & 1 == 0 ? h : -h) * (kind < 2 ? 1 : 2)
    }

    /// The change of the weighted sum from one sample to another, and a bound of its rounding error: two units in the last
    /// place of each output that differs, and of the output of the element that was moved.
    private func change(from one: Int, to other: Int, moved: Int, outputs: Int) -> (value: Double, rounding: Double) {
        var value = 0.0
        var rounding = 0.0
        for i in 0..<outputs {
            let before = Double(values.base[one * outputs + i])
            let after = Double(values.base[other * outputs + i])
            guard before != after || i == moved else { continue }
            let weight = Double(weights.base[i])
            value += weight * (after - before)
            rounding += weight.magnitude * max(before.magnitude, after.magnitude, 0x1p-126) * 0x1p-22
        }
        return (value, rounding)
    }

    /// Adds the comparison at one z, element `moved`, to the report. `derivative` is the activation's own.
    private func record(_ derivative: Float, _ z: Float, moved: Int, outputs: Int) {
        let slope = Double(derivative)
        var error = Double.infinity
        var sides: [(left: Double, right: Double, noise: Double)] = []
        for number in 0..<Self.steps {
            let h = Double(Self.step(number, z))
            let first = 1 + 4 * number
            let near = change(from: first + 1, to: first, moved: moved, outputs: outputs)
            let far = change(from: first + 3, to: first + 2, moved: moved, outputs: outputs)
            guard near.value.isFinite, far.value.isFinite else { continue }
            let noise = (near.rounding + far.rounding) / h + roundingOfSlope(outputs)
            error = min(error, Self.error(slope, near.value / (2 * h), noise))
            error = min(error, Self.error(slope, (8 * near.value - far.value) / (12 * h), noise))  // to order h⁴
            sides.append(
                (
                    change(from: first + 1, to: 0, moved: moved, outputs: outputs).value / h,
                    change(from: 0, to: first, moved: moved, outputs: outputs).value / h, noise
                ))
        }
        guard sides.count >= 3 else {
            report.skipped += 1
            return
        }
        report.points += 1
        // If f is smooth, a quarter of the step makes the difference of the one-sided slopes four times smaller. (The last
        // step is not used: for large z its rounding error is too large.)
        let (left, right, noise) = sides[sides.count - 2]
        let gap = (right - left).magnitude
        let before = (sides[sides.count - 3].right - sides[sides.count - 3].left).magnitude
        if gap > before / 2, gap > 8 * noise + 0.01 * max(right.magnitude, left.magnitude) {
            report.kinks += 1
            if report.kinks == 1 { report.firstKink = Double(z) }
            // At a jump, the one-sided slopes grow without bound, and no derivative is wrong. At a kink, every value between
            // them is accepted.
            let between = min(max(slope, min(left, right)), max(left, right))
            error = gap > 2 * before ? 0 : min(error, Self.error(slope, between, noise))
        }
        if error.isNaN || !slope.isFinite { error = .infinity }
        if error > report.worstError || report.points == 1 {
            report.worstError = error
            report.worstZ = Double(z)
        }
    }

    /// A bound of the rounding error of the derivative of the sum, whose terms may cancel.
    private func roundingOfSlope(_ outputs: Int) -> Double {
        guard outputs > 1 else { return 0 }
        var sum = 0.0
        for i in 0..<outputs { sum += Double(weights.base[i] * values.base[i]).magnitude }
        return sum * 0x1p-20
    }

    private static func error(_ slope: Double, _ difference: Double, _ noise: Double) -> Double {
        let distance = (slope - difference).magnitude - noise
        return distance <= 0 ? 0 : distance / max(slope.magnitude, difference.magnitude)
    }
}
