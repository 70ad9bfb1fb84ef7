import CKernels

// Functions of losses.h in this build's instructions. They are not inlined: otherwise the table would have the address of the C
// function, under one name in all builds.

@inline(never)
func softmaxLoss(
    _ z: Source, _ stride: Int, _ y: Source, _ weights: Source?, _ rows: Int, _ columns: Int
) -> Double {
    cp_softmax_loss(z, stride, y, weights, rows, columns)
}

@inline(never)
func softmaxGradient(
    _ a: Source, _ stride: Int, _ y: Source, _ weights: Source?, _ rows: Int, _ columns: Int, _ scale: Float, _ d: Target
) {
    cp_softmax_gradient(a, stride, y, weights, rows, columns, scale, d)
}
