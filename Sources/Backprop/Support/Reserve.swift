import CPlatform

/// The reserve of memory for Swift's objects, strings and arrays, for when the system has none left (CPlatform/reserve.h).
/// Code that allocates more of them than a typical call must reserve it first.
package enum Reserve {
    /// Makes sure that the reserve has its usual size and `more` bytes.
    @inline(never)
    package static func require(_ more: UInt64 = 0) throws(BackpropError) {
        guard cp_make_reserve(more) else { throw exhausted }
    }

    package static var exhausted: BackpropError { BackpropError(.outOfMemory, literal: "out of memory") }

    /// For a caller's text of `count` bytes: its copy, and a message that contains it, whose array grows by doubling.
    package static func require(forText count: Int) throws(BackpropError) {
        if count > Int(CP_RESERVE_TEXT) { try require(8 * UInt64(count)) }
    }

    /// For objects of `count` layers: layers, buffers, tensors, and a model's header with `texts` bytes of metadata.
    static func require(forLayers count: Int, texts: Int = 0) throws(BackpropError) {
        if count > Int(CP_RESERVE_LAYERS) || texts > Int(CP_RESERVE_BYTES) / 64 {
            try require(UInt64(CP_BYTES_OF_LAYER) * UInt64(count) + 96 * UInt64(texts))
        }
    }

    /// For the objects of a file's header of `count` bytes.
    static func require(forHeader count: Int) throws(BackpropError) {
        if count > Int(CP_RESERVE_BYTES) / 32 { try require(12 * UInt64(count)) }
    }
}
