import CKernels

/// c = start + a b, for each lane: what the other products compute for one network, in the same order, so that the results are
/// bit-identical.
@inline(never)
func laneProduct(_ product: UnsafePointer<cp_lane_product>) {
    let width = Int(CP_LANE_WIDTH), height = Int(CP_LANE_HEIGHT)
    let p = product.pointee
    var column = 0
    while column < p.columns {
        let isWide = p.columns - column >= width
        var row = 0
        while row < p.rows {
            if isWide, p.rows - row >= 4 {
                cp_lane_tile(product, row, column, 4, Int32(CP_LANE_WIDTH))
                row += 4
            } else if !isWide, p.rows - row >= height {
                cp_lane_tile(product, row, column, Int32(CP_LANE_HEIGHT), 1)
                row += height
            } else {
                for i in 0..<(isWide ? width : 1) { cp_lane_tile(product, row, column + i, 1, 1) }
                row += 1
            }
        }
        column += isWide ? width : 1
    }
}
