import Testing

/// The formulas of the lecture notes "Backpropagation in Neural Networks", with an extension for each section. The comments
/// contain the computations by hand. Most numbers are chosen so that every operation is exact.
@Suite struct FormulaTests {}

let inputBit: [Float] = [0, 0, 0, 1, 1, 0, 1, 1]
let exclusiveOr: [Float] = [0, 1, 1, 0]
