import CPlatform

/// A caller's output struct that begins with its size as a UInt32. The caller may have been compiled with an older version of
/// the struct, which is shorter, or with a newer one, which is longer.
package struct StructOutput<Record: BitwiseCopyable> {
    private let destination: UnsafeMutableRawPointer
    private let size: Int

    /// Clears the struct after its size. `first`: the size of the struct's first version; smaller sizes are refused.
    package init(
        _ pointer: UnsafeMutablePointer<Record>, first: Int = MemoryLayout<Record>.size, _ name: StaticString
    ) throws(BackpropError) {
        destination = UnsafeMutableRawPointer(pointer)
        let callerSize = destination.loadUnaligned(as: UInt32.self)
        guard callerSize >= first else {
            throw BackpropError(
                .invalidValue, "\(name)->struct_size is \(Int(callerSize)), which is too small: set it to sizeof(*\(name))"
            )
        }
        size = min(Int(clamping: callerSize), MemoryLayout<Record>.size)
        cp_clear(destination + 4, size - 4)
    }

    /// Fills the members that both versions have, and stores their size.
    package func put(_ record: Record) {
        withUnsafeBytes(of: record) { bytes in
            if let base = bytes.baseAddress { cp_copy(destination + 4, base + 4, size - 4) }
        }
        destination.storeBytes(of: UInt32(size), as: UInt32.self)
    }
}
