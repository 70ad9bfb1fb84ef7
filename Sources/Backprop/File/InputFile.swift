import CPlatform

/// A regular file, open for reading.
struct InputFile: ~Copyable {
    private let path: CString
    private let file: Int32
    let count: Int

    init(reading path: CString) throws(BackpropError) {
        try requirePart(cp_has_files, "files")
        try requireNotEmpty(path)
        var (file, count) = (Int32(-1), 0)
        let (error, reason) = withReason { reason in path.withPointer { cp_open_file($0, &file, &count, reason) } }
        guard error == 0 else { throw fileError(error, "read", path, reason) }
        self.path = path
        self.file = file
        self.count = count
    }

    deinit { cp_close_file(file) }

    func read(_ range: Range<Int>, to bytes: UnsafeMutablePointer<UInt8>) throws(BackpropError) {
        let (error, reason) = withReason { cp_read_file(file, range.lowerBound, bytes, range.count, $0) }
        guard error == 0 else { throw fileError(error, "read", path, reason) }
    }
}

func requireNotEmpty(_ path: CString) throws(BackpropError) {
    guard !path.isEmpty else { throw BackpropError(.invalidValue, "the path is empty") }
}

/// The error for an errno.
func fileError(_ code: Int32, _ verb: StaticString, _ path: CString, _ reason: CString) -> BackpropError {
    if code == cp_out_of_memory_errno { return BackpropError(.outOfMemory, "out of memory: cannot \(verb) \(path.shown)") }
    return BackpropError(systemError: code, "cannot \(verb) \(path.shown): \(reason.shown)")
}
