import CKernels

/// Enters this build's elementwise loops into the table. Only the pointers that kernels.h marks as optional may be NULL.
func fillElementwise(_ table: UnsafeMutablePointer<cp_kernels>) {
    table.pointee.activate = { activate($0, $1!, $2!, $3, $4, $5) }
    table.pointee.differentiate = { differentiate($0, $1!, $2!, $3!, $4, $5, $6) }
    table.pointee.batch_statistics = { batchStatistics($0!, $1, $2, $3!, $4!) }
    table.pointee.normalize = { normalize($0!, $1, $2, $3!, $4!, $5!, $6!, $7!, $8!) }
    table.pointee.scale_and_shift = { scaleAndShift($0!, $1, $2, $3!, $4!) }
    table.pointee.batch_gradients = { batchGradients($0!, $1!, $2, $3, $4!, $5!) }
    table.pointee.denormalize = { denormalize($0!, $1!, $2, $3, $4, $5!, $6!, $7!) }
    table.pointee.softmax_loss = { softmaxLoss($0!, $1, $2!, $3, $4, $5) }
    table.pointee.softmax_gradient = { softmaxGradient($0!, $1, $2!, $3, $4, $5, $6, $7!) }
    table.pointee.transpose = { transpose($0!, $1, $2, $3, $4, $5!) }
    table.pointee.step = { step($0!, $1!, $2, $3) }
    table.pointee.sum_of_magnitudes = { sumOfMagnitudes($0!, $1) }
    table.pointee.sum_of_squares = { sumOfSquares($0!, $1) }
    guard hasFMA else { return }
    table.pointee.interleave = { interleave($0!, $1, $2, $3!, $4) }
    table.pointee.lane_squared_error = { laneSquaredError($0!, $1!, $2!, $3, $4, $5, $6, $7, $8!) }
}
