import CKernels

/// c = start + a b, for each lane: what the other products compute for one network, in the same order, so that the results are
/// bit-identical.
@inline(never)
func laneProduct(_ product: UnsafePointer<cp_lane_product>) {
    let width = Int(CP_LANE_WIDTH)
    var column = 0
    while column < product.pointee.columns {
        let isWide = product.pointee.columns - column >= width
        var row = 0
        while row < product.pointee.rows {
            let isHigh = product.pointee.rows - row >= 4
            if isHigh, isWide {
                cp_lane_tile(product, row, column, 4, Int32(CP_LANE_WIDTH))
            } else if isHigh {
                cp_lane_tile(product, row, column, 4, 1)
            } else {
                for i in 0..<(isWide ? width : 1) { cp_lane_tile(product, row, column + i, 1, 1) }
            }
            row += isHigh ? 4 : 1
        }
        column += isWide ? width : 1
    }
}
