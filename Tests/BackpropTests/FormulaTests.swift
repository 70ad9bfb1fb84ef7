import Testing

/// The lecture notes "Backpropagation in Neural Networks", formula by formula; an extension for each section. Numbers
/// worked out by hand are in the comments: most are such that every step is exact.
@Suite struct FormulaTests {}

let inputBit: [Float] = [0, 0, 0, 1, 1, 0, 1, 1]
let exclusiveOr: [Float] = [0, 1, 1, 0]
