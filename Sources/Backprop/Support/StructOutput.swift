import CPlatform

/// A struct of a caller's that begins with its size as a UInt32. The caller may have been compiled with an older version
/// of the struct, which is shorter, or with a newer one, which is longer.
package struct StructOutput<Record: BitwiseCopyable> {
    private let place: UnsafeMutableRawPointer
    private let size: Int

    /// Clears what is to be filled, after the size. `first`: the size of the struct's first version, below which there is
    /// none.
    package init(
        _ pointer: UnsafeMutablePointer<Record>, first: Int = MemoryLayout<Record>.size, _ name: StaticString
    ) throws(BackpropError) {
        place = UnsafeMutableRawPointer(pointer)
        let given = place.loadUnaligned(as: UInt32.self)
        guard given >= first else {
            throw BackpropError(
                .invalidValue, "\(name)->struct_size is \(Int(given)), less than any version has: set it to sizeof(*\(name))")
        }
        size = min(Int(given), MemoryLayout<Record>.size)
        cp_clear(place + 4, size - 4)
    }

    /// Fills as much of it as both versions have, and says how much that is.
    package func put(_ record: Record) {
        withUnsafeBytes(of: record) { bytes in
            if let base = bytes.baseAddress { cp_copy(place + 4, base + 4, size - 4) }
        }
        place.storeBytes(of: UInt32(size), as: UInt32.self)
    }
}
