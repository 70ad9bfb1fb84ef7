import CPlatform

/// A whole file in memory, freed with its owner.
struct FileBytes: ~Copyable {
    private let bytes: UnsafeMutablePointer<UInt8>
    private let count: Int

    var buffer: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: bytes, count: count) }

    init(reading path: String) throws(BackpropError) {
        guard !path.isEmpty else { throw BackpropError(.invalidValue, "the path is empty") }
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        let error = path.withCString { cp_read_file($0, 1 << 58, &bytes, &count) }
        guard error == 0, let bytes else { throw fileError(error, "read", path) }
        self.bytes = bytes
        self.count = count
    }

    deinit { cp_free(bytes) }
}

/// The error for an errno.
func fileError(_ code: Int32, _ verb: String, _ path: String) -> BackpropError {
    if code == cp_out_of_memory_errno { return BackpropError(.outOfMemory, "out of memory: cannot \(verb) \(path)") }
    let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
        String(cString: cp_describe_errno(code, buffer.baseAddress, 256).unsafelyUnwrapped)
    }
    return BackpropError(.io, "cannot \(verb) \(path): \(text)")
}
