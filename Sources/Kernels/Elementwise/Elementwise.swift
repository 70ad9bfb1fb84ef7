import CKernels

/// w −= rate g, with the same rounding as in `update`.
func step(_ w: Target, _ g: Source, _ count: Int, _ rate: Float) {
    var i = 0
    while i < count {
        save(multiplyAdd(-rate, load(g + i), load(w + i)), w + i)
        i += 16
    }
}

/// Σ |x|. It is infinite or NaN if an element is infinite or NaN.
func sumOfMagnitudes(_ x: Source, _ count: Int) -> Float {
    var a = Lanes.zero, b = a, c = a, d = a
    var i = 0
    while i + 32 <= count {
        a += magnitude(loadLanes(x + i))
        b += magnitude(loadLanes(x + i + 8))
        c += magnitude(loadLanes(x + i + 16))
        d += magnitude(loadLanes(x + i + 24))
        i += 32
    }
    var total = cp_sum((a + b) + (c + d))
    while i < count {
        total += x[i].magnitude
        i += 1
    }
    return total
}

/// Σ x² in double precision, which is finite for all finite floats.
func sumOfSquares(_ x: Source, _ count: Int) -> Double {
    var sum = SIMD8<Double>.zero
    var i = 0
    while i < count {
        let value = SIMD8<Double>(loadLanes(x + i))
        sum += value * value
        i += 8
    }
    let four = sum.lowHalf + sum.highHalf
    return (four[0] + four[2]) + (four[1] + four[3])
}
