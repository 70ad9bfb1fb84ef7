import CPlatform

/// Memory for Swift's own objects, strings and arrays when the system has none left (CPlatform/reserve.h). Who makes more
/// of them than a call usually does says so first.
package enum Reserve {
    @inline(never)
    package static func require(_ more: Int = 0) throws(BackpropError) {
        guard cp_make_reserve(more) else { throw exhausted }
    }

    package static var exhausted: BackpropError { BackpropError(.outOfMemory, literal: "out of memory") }

    /// For what is made of a caller's text: itself, and the message that names it, which grows by doubling.
    package static func require(forText count: Int) throws(BackpropError) {
        if count > 1000 { try require(8 * count) }
    }

    /// For what is made of layers: they, their buffers, their tensors, and a model's header with so many bytes of texts.
    static func require(forLayers count: Int, texts: Int = 0) throws(BackpropError) {
        if count > 32 || texts > 4096 { try require(8192 * count + 96 * texts) }
    }

    /// For what is read of a file's header.
    static func require(forHeader count: Int) throws(BackpropError) {
        if count > 8192 { try require(12 * count) }
    }
}
