import CKernels

/// `cp_interleave`, as a function whose name says for which instruction set it is compiled.
@inline(never)
func interleave(
    _ rows: UnsafePointer<UnsafePointer<Float>?>, _ first: Int, _ count: Int, _ target: Target, _ lanes: Int
) {
    cp_interleave(rows, first, count, target, lanes)
}

/// d = scale (a − y), and the losses ½ ‖a − y‖² of the rows, in double precision, added one after the other   (notes, §1)
@inline(never)
func laneSquaredError(
    _ a: Source, _ y: Source, _ d: Target, _ laneCount: Int, _ rows: Int, _ columns: Int, _ weights: Source?, _ scale: Float,
    _ losses: UnsafeMutablePointer<Double>
) {
    for lane in stride(from: 0, to: laneCount, by: 8) {
        let place = UnsafeMutableRawPointer(losses + lane)
        var total = place.loadUnaligned(as: SIMD8<Double>.self)
        var at = lane
        for row in 0..<rows {
            let weight = weights?[row] ?? 1
            var sum = SIMD8<Double>.zero
            for _ in 0..<columns {
                let output = loadLanes(a + at), target = loadLanes(y + at)
                save(lanes(scale * weight) * (output - target), d + at)
                let error = SIMD8<Double>(output) - SIMD8<Double>(target)
                sum += error * error
                at += laneCount
            }
            total += Double(weight) * (0.5 * sum)
        }
        place.storeBytes(of: total, as: SIMD8<Double>.self)
    }
}
