import CPlatform

/// Some bytes of a file in memory: the caller's memory, or memory that this value owns.
struct FileBytes: ~Copyable {
    let buffer: UnsafeBufferPointer<UInt8>
    private let owned: UnsafeMutablePointer<UInt8>?

    /// Bytes in the caller's memory.
    init(_ buffer: UnsafeBufferPointer<UInt8>) {
        self.buffer = buffer
        owned = nil
    }

    init(_ range: Range<Int>, of file: borrowing InputFile) throws(BackpropError) {
        guard let bytes = cp_allocate_bytes(range.count) else {
            throw BackpropError(.outOfMemory, "out of memory: cannot allocate \(range.count) bytes for a file")
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

/// The source of a model's bytes. A file is read in parts: before memory is allocated for the data, the sizes in the header
/// are compared with the file's size.
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

    /// The range must be within 0..<count.
    func bytes(_ range: Range<Int>) throws(BackpropError) -> FileBytes {
        switch self {
        case .file(let file): try FileBytes(range, of: file)
        case .memory(let buffer): FileBytes(UnsafeBufferPointer(rebasing: buffer[range]))
        case .owned(let bytes): FileBytes(UnsafeBufferPointer(rebasing: bytes.buffer[range]))
        }
    }
}
