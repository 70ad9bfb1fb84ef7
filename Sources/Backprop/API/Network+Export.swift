/// Source code of a network's prediction, for programs without this library. `backprop.h` describes the files at
/// `bp_network_export_c`.
extension Network {
    /// Writes a C99 file with the weights and a function `PREFIX_predict(const float *input, float *output)`. An old file is
    /// replaced completely or not at all.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - prefix: The start of all names: a letter and at most 63 letters, digits and underscores.
    ///   - weightBits: 32 for floats, or 8 for integers with a scale for each unit.
    ///   - folded: Whether weights and biases contain batch normalization and scaling. The function is then smaller and faster,
    ///     but does not return the bits of `predict(_:)`; a comment in the file states the difference.
    /// - Throws: `.invalidValue` for an argument; `.notFinite` if a batch normalization or a folded weight overflows; `.callback`
    ///   with 8 bits or `folded`, which compute predictions; `.io`.
    public func exportC(
        to path: String, prefix: String, weightBits: Int = 32, folded: Bool = false
    ) throws(BackpropError) {
        try handle.export(swift: false, to: try CString(path), name: prefix, weightBits: weightBits, folded: folded)
    }

    /// Writes a Swift file with an enum that has functions `predict`, as `exportC(to:prefix:weightBits:folded:)` does.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - typeName: The enum: a capital letter and at most 63 letters, digits and underscores.
    ///   - weightBits: 32 for floats, or 8 for integers with a scale for each unit.
    ///   - folded: Whether weights and biases contain batch normalization and scaling.
    public func exportSwift(
        to path: String, typeName: String, weightBits: Int = 32, folded: Bool = false
    ) throws(BackpropError) {
        try handle.export(swift: true, to: try CString(path), name: typeName, weightBits: weightBits, folded: folded)
    }

    /// `exportC(to:prefix:weightBits:folded:)` for the operating system's representation of a path.
    public func exportC(
        to path: UnsafePointer<CChar>, prefix: String, weightBits: Int = 32, folded: Bool = false
    ) throws(BackpropError) {
        try handle.export(swift: false, to: CString(path), name: prefix, weightBits: weightBits, folded: folded)
    }

    /// `exportSwift(to:typeName:weightBits:folded:)` for the operating system's representation of a path.
    public func exportSwift(
        to path: UnsafePointer<CChar>, typeName: String, weightBits: Int = 32, folded: Bool = false
    ) throws(BackpropError) {
        try handle.export(swift: true, to: CString(path), name: typeName, weightBits: weightBits, folded: folded)
    }
}
