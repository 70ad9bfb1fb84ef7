@testable import Backprop

/// A model file split into header and data. Both can be changed; `sealed` reassembles the file with a valid checksum.
struct ModelText {
    var header: String
    var data: [UInt8]

    init(_ bytes: [UInt8]) {
        let length = (0..<8).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
        header = String(decoding: bytes[8..<8 + length], as: UTF8.self)
        data = Array(bytes[(8 + length)...])
    }

    var sealed: [UInt8] {
        let text = Array(header.utf8)
        var bytes = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text + data
        let place = ModelFormat.checksumStart..<ModelFormat.checksumStart + ModelFormat.checksumDigits
        guard bytes.count >= place.upperBound else { return bytes }
        let checksum = bytes.withUnsafeBufferPointer { ModelFormat.checksum(of: $0, .init(start: nil, count: 0)) }
        bytes.replaceSubrange(place, with: ModelFormat.hex(checksum).bytes)
        return bytes
    }

    /// A copy with `text` in the header replaced once by `other`; nil if the header does not contain `text`.
    func replacing(_ text: String, with other: String) -> ModelText? {
        let parts = header.split(separator: text, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        var changed = self
        changed.header = parts[0] + other + parts[1]
        return changed
    }
}

/// Loads a model from memory.
@discardableResult
func load(_ bytes: [UInt8]) throws(BackpropError) -> NetworkState {
    try bytes.withUnsafeBufferPointer { (buffer) throws(BackpropError) in try NetworkState.load(buffer) }
}

/// The flat parameters.
func parameters(of state: NetworkState) throws -> [Float] {
    var flat = [Float](repeating: 0, count: state.parameterCount)
    try state.getParameters(&flat, count: flat.count)
    return flat
}
