import CPlatform

/// w −= rate g, rounded as in `update`.
func step(_ w: Target, _ g: Source, _ count: Int, _ rate: Float) {
    var i = 0
    while i < count {
        save(multiplyAdd(-rate, load(g + i), load(w + i)), w + i)
        i += 16
    }
}

/// Σ |x|: infinite or NaN when an element is.
func sumOfMagnitudes(_ x: Source, _ count: Int) -> Float {
    var first = Lanes.zero, second = Lanes.zero
    var i = 0
    while i + 16 <= count {
        first += magnitude(loadLanes(x + i))
        second += magnitude(loadLanes(x + i + 8))
        i += 16
    }
    var total = cp_sum(first + second)
    while i < count {
        total += x[i].magnitude
        i += 1
    }
    return total
}
