/// The form of a CSV file.
struct FileFormat {
    var hasHeader = true
    /// nil: it is detected.
    var delimiter: UInt8?
}
