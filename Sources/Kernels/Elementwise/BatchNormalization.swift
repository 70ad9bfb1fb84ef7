// Batch normalization of padded matrices, column by column (notes, §5; Ioffe and Szegedy 2015). The sum of a column is
// computed in the order of the rows.

/// μ = 1/B Σ z and σ² = 1/B Σ (z − μ)².
func batchStatistics(_ z: Source, _ rows: Int, _ stride: Int, _ mean: Target, _ variance: Target) {
    let share = Vector(repeating: 1 / Float(rows))
    forEachVector(of: stride) { column in
        var sum = Vector.zero
        for row in 0..<rows { sum += load(z + row * stride + column) }
        let mu = sum * share
        var squares = Vector.zero
        for row in 0..<rows {
            let d = load(z + row * stride + column) - mu
            squares += d * d
        }
        save(mu, mean + column)
        save(squares * share, variance + column)
    }
}

/// z̃ = (z − μ) / √(σ² + ε) and ẑ = γ z̃ + β.
func normalize(
    _ z: Source, _ rows: Int, _ stride: Int, _ mean: Source, _ inverseDeviation: Source, _ gamma: Source, _ beta: Source,
    _ normalized: Target, _ out: Target
) {
    for row in 0..<rows {
        forEachVector(of: stride) { column in
            let at = row * stride + column
            let value = (load(z + at) - load(mean + column)) * load(inverseDeviation + column)
            save(value, normalized + at)
            save(value * load(gamma + column) + load(beta + column), out + at)
        }
    }
}

/// z = scale z + shift: normalization with given statistics.
func scaleAndShift(_ z: Target, _ rows: Int, _ stride: Int, _ scale: Source, _ shift: Source) {
    for row in 0..<rows {
        forEachVector(of: stride) { column in
            let at = z + row * stride + column
            save(load(at) * load(scale + column) + load(shift + column), at)
        }
    }
}

/// ∂f/∂γ = Σ ∂f/∂ẑ · z̃ and ∂f/∂β = Σ ∂f/∂ẑ.
func batchGradients(
    _ d: Source, _ normalized: Source, _ rows: Int, _ stride: Int, _ gammaGradient: Target, _ betaGradient: Target
) {
    forEachVector(of: stride) { column in
        var products = Vector.zero, sum = Vector.zero
        for row in 0..<rows {
            let at = row * stride + column
            let value = load(d + at)
            products += value * load(normalized + at)
            sum += value
        }
        save(products, gammaGradient + column)
        save(sum, betaGradient + column)
    }
}

/// Computes ∂f/∂z without its factor γ from ∂f/∂ẑ. The derivatives of μ and σ² are included:
///
///     ∂f/∂z = γ / √(σ² + ε) · (∂f/∂ẑ − 1/B ∂f/∂β − z̃ 1/B ∂f/∂γ)
///
/// `batch` is B. `rows` may be fewer, for a part of the minibatch.
func denormalize(
    _ d: Target, _ normalized: Source, _ rows: Int, _ batch: Int, _ stride: Int, _ inverseDeviation: Source,
    _ gammaGradient: Source, _ betaGradient: Source
) {
    let share = Vector(repeating: 1 / Float(batch))
    for row in 0..<rows {
        forEachVector(of: stride) { column in
            let at = row * stride + column
            let along = load(normalized + at) * (load(gammaGradient + column) * share)
            let centred = load(d + at) - load(betaGradient + column) * share - along
            save(centred * load(inverseDeviation + column), d + at)
        }
    }
}

/// Calls `body` with 0, 16, 32 … below `stride`.
@inline(__always)
private func forEachVector(of stride: Int, _ body: (Int) -> Void) {
    var column = 0
    while column < stride {
        body(column)
        column += 16
    }
}
