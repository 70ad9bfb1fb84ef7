import CKernels

/// Enters this build's products, and the steps along them, into the table. Only the pointers that kernels.h marks as optional may be NULL.
func fillProducts(_ table: UnsafeMutablePointer<cp_kernels>) {
    table.pointee.forward = { forward($0!, $1, $2, $3, $4!, $5, $6!, $7) }
    table.pointee.update = { update($0!, $1, $2, $3..<$4, $5, $6!, $7, $8!, $9, $10) }
    table.pointee.gradient = { gradient($0!, $1, $2, $3..<$4, $5, $6!, $7, $8!, $9, $10 != 0, $11) }
    table.pointee.backward = { backward($0!, $1, $2, $3, $4!, $5!, $6) }
    table.pointee.backward_rows = { backward($0!, $1, $2, $3, $4, $5!, $6!, $7) }
    table.pointee.optimize = { optimize($0!, $1!, $2!, $3, $4, $5) }
    table.pointee.is_finite_step = { isFiniteStep($0!, $1!, $2!, $3, $4, $5) ? 1 : 0 }
    table.pointee.gram = { gram($0!, $1, $2, $3, $4, $5!, $6) }
    guard hasFMA else { return }
    table.pointee.lanes = Wide.count
    table.pointee.lane_product = { laneProduct($0!) }
    table.pointee.lane_optimize = { optimize($0!, Wide($1!), Wide($2!), $3!, $4!, $5, $6, $7) }
}
