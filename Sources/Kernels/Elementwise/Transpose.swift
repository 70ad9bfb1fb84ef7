import CKernels

/// Transposes δ in blocks of sixteen rows: to[block][column][row] = scale[column] · from[row][column].
func transpose(_ from: Source, _ fromStride: Int, _ rows: Int, _ columns: Int, _ scale: Source?, _ to: Target) {
    var row = 0
    while row < rows {
        let count = min(16, rows - row)
        let source = from + row * fromStride
        let target = to + row * columns
        var first = 0
        while count == 16, first + 8 <= columns {
            cp_transpose(source + first, fromStride, 8, target + first * 16, 16)
            cp_transpose(source + 8 * fromStride + first, fromStride, 8, target + first * 16 + 8, 16)
            if let scale {
                for column in first..<first + 8 {
                    let q = target + column * 16
                    save(Vector(repeating: scale[column]) * load(q), q)
                }
            }
            first += 8
        }
        for column in first..<columns {
            let factor = scale.map { $0[column] } ?? 1
            for i in 0..<count { target[column * 16 + i] = factor * source[i * fromStride + column] }
        }
        row += 16
    }
}
