import CPlatform

/// Some bytes of a file, in memory: a caller's, or memory freed with its owner.
struct FileBytes: ~Copyable {
    let buffer: UnsafeBufferPointer<UInt8>
    private let owned: UnsafeMutablePointer<UInt8>?

    /// A caller's.
    init(_ buffer: UnsafeBufferPointer<UInt8>) {
        self.buffer = buffer
        owned = nil
    }

    init(_ range: Range<Int>, of file: borrowing InputFile) throws(BackpropError) {
        guard let bytes = cp_allocate_bytes(range.count) else {
            throw BackpropError(.outOfMemory, "out of memory: no room for \(range.count) bytes of a file")
        }
        do throws(BackpropError) {
            try file.read(range, to: bytes)
        } catch {
            cp_free(bytes)
            throw error
        }
        buffer = UnsafeBufferPointer(start: bytes, count: range.count)
        owned = bytes
    }

    deinit { cp_free(owned) }
}

/// Where a model's bytes come from. A file is read piece by piece: what its header promises is compared with its size
/// before memory is taken for it.
enum FileSource: ~Copyable {
    case file(InputFile)
    case memory(UnsafeBufferPointer<UInt8>)
    case owned(FileBytes)

    var count: Int {
        switch self {
        case .file(let file): file.count
        case .memory(let buffer): buffer.count
        case .owned(let bytes): bytes.buffer.count
        }
    }

    /// The range must be within.
    func bytes(_ range: Range<Int>) throws(BackpropError) -> FileBytes {
        switch self {
        case .file(let file): try FileBytes(range, of: file)
        case .memory(let buffer): FileBytes(UnsafeBufferPointer(rebasing: buffer[range]))
        case .owned(let bytes): FileBytes(UnsafeBufferPointer(rebasing: bytes.buffer[range]))
        }
    }
}
