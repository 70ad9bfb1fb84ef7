import Backprop
import CBackprop
import CPlatform

/// Runs a C call. A thrown error becomes the returned status, and its message that of `bp_last_error_message`.
@inline(__always)
func status(_ body: () throws(BackpropError) -> Void) -> Int32 {
    defer { if cp_reserve_is_large() { cp_trim_reserve() } }
    do throws(BackpropError) {
        try body()
        return BP_OK
    } catch {
        return report(error)
    }
}

/// Stores the message of an error. Returns its status.
@inline(never)
func report(_ error: BackpropError) -> Int32 {
    var message = error.message
    message.withUTF8 { cp_set_error_text($0.baseAddress, $0.count) }
    if error.systemError != 0 { cp_set_errno(error.systemError) }
    return error.code.rawValue
}

/// Returns a pointer that must not be NULL, and makes sure that the reserve is full. Every call calls this function before it
/// allocates memory, but after it has cleared its outputs.
@inline(__always)
func require<Pointer>(_ pointer: Pointer?, _ name: StaticString) throws(BackpropError) -> Pointer {
    try requireReserve()
    return try requireNonNull(pointer, name)
}

/// Returns a pointer that must not be NULL, without the reserve: for arrays of calls that later `require` their network.
@inline(__always)
func requireNonNull<Pointer>(_ pointer: Pointer?, _ name: StaticString) throws(BackpropError) -> Pointer {
    guard let pointer else { throw missing(name) }
    return pointer
}

@inline(never)
func missing(_ name: StaticString) -> BackpropError {
    guard cp_has_reserve() || cp_make_reserve(0) else { return Reserve.exhausted }
    return BackpropError(.nullArgument, "\(name) is NULL")
}

/// Makes sure that the reserve is full, for calls without a pointer to `require`.
@inline(__always)
func requireReserve() throws(BackpropError) {
    if !cp_has_reserve() { try Reserve.require() }
}

/// Runs `body` with the network of a handle, without any other reader or writer. Not inlined: a copy takes 500 bytes.
@inline(never)
func change(
    _ network: OpaquePointer?, _ body: (NetworkState) throws(BackpropError) -> Void
) throws(BackpropError) {
    try Handle<NetworkState>(try require(network, "network")).write(body)
}

/// Runs `body` with the network of a handle. Other readers may run at the same time. Not inlined, as `change`.
@inline(never)
func read(
    _ network: OpaquePointer?, _ body: (NetworkState) throws(BackpropError) -> Void
) throws(BackpropError) {
    try Handle<NetworkState>(try require(network, "network")).read(body)
}

/// A copy of a caller's text.
func text(_ pointer: UnsafePointer<CChar>?, _ name: StaticString) throws(BackpropError) -> String {
    let pointer = try require(pointer, name)
    try Reserve.require(forText: cp_string_length(pointer))
    return String(cString: pointer)
}

/// A copy of a caller's path or symbol, as bytes.
func bytes(_ pointer: UnsafePointer<CChar>?, _ name: StaticString) throws(BackpropError) -> CString {
    let pointer = try require(pointer, name)
    try Reserve.require(forText: cp_string_length(pointer))
    return CString(pointer)
}

/// A copy of a caller's text, which must be UTF-8.
func validText(_ pointer: UnsafePointer<CChar>?, _ name: StaticString) throws(BackpropError) -> String {
    let start = try require(pointer, name)
    let count = cp_string_length(start)
    try Reserve.require(forText: count)
    let bytes = UnsafeRawBufferPointer(start: start, count: count).bindMemory(to: UInt8.self)
    guard let text = String(validating: bytes, as: UTF8.self) else {
        throw BackpropError(.invalidValue, "\(name) is not UTF-8")
    }
    return text
}

/// The output of a call that returns a text.
struct TextOutput {
    private let buffer: UnsafeMutablePointer<CChar>?
    private let capacity: Int
    private let needed: UnsafeMutablePointer<Int>

    init(
        _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: Int, _ needed_out: UnsafeMutablePointer<Int>?
    ) throws(BackpropError) {
        needed = try zeroed(needed_out, "needed_out")
        self.buffer = capacity == 0 ? buffer : try require(buffer, "buffer")
        self.capacity = clampedToInt(capacity)
    }

    /// Stores the size of the text with its NUL, and the text if it fits into the buffer.
    @inline(never)
    func put(_ text: String) throws(BackpropError) {
        let count = text.utf8.count + 1
        needed.pointee = count
        guard let buffer, capacity >= count else {
            throw BackpropError(.bufferTooSmall, "the text needs \(count) bytes, but the buffer has \(capacity)")
        }
        for (i, byte) in text.utf8.enumerated() { buffer[i] = CChar(bitPattern: byte) }
        buffer[count - 1] = 0
    }
}

/// A static text as a C string.
func fixed(_ text: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}

/// A size_t as an Int. A value above Int.max is larger than any buffer.
func clampedToInt(_ capacity: Int) -> Int { capacity < 0 ? Int.max : capacity }

/// Returns the pointer to a scalar output, which it sets to 0.
func zeroed<Number: Numeric>(
    _ pointer: UnsafeMutablePointer<Number>?, _ name: StaticString
) throws(BackpropError) -> UnsafeMutablePointer<Number> {
    pointer?.pointee = 0
    return try require(pointer, name)
}

/// Returns the pointer to an output handle, which it sets to NULL.
func requireHandleOut(
    _ handle_out: UnsafeMutablePointer<OpaquePointer?>?, _ name: StaticString = "network_out"
) throws(BackpropError) -> UnsafeMutablePointer<OpaquePointer?> {
    handle_out?.pointee = nil
    return try require(handle_out, name)
}

/// Runs a C call that returns a loss, and stores it in `loss_out` unless that is NULL; 0 if the call fails.
@inline(__always)
func writingLoss<Number: BinaryFloatingPoint>(
    _ loss_out: UnsafeMutablePointer<Number>?, _ body: () throws(BackpropError) -> Number
) -> Int32 {
    loss_out?.pointee = 0
    return status { () throws(BackpropError) in
        let loss = try body()
        loss_out?.pointee = loss
    }
}

/// Returns inputs and targets of a call that workers make together: not NULL, and of one row or more, unless other workers
/// may have rows.
@inline(never)
func requireRows(
    _ inputs: UnsafePointer<Float>?, _ targets: UnsafePointer<Float>?, _ rows: Int, _ name: StaticString = "targets",
    of network: OpaquePointer?
) throws(BackpropError) -> (UnsafePointer<Float>, UnsafePointer<Float>) {
    if rows == 0 { return try requireNoRows(of: network) }
    return (try requireNonNull(inputs, "inputs", of: network), try requireNonNull(targets, name, of: network))
}

/// Returns inputs and targets, which must not be NULL, of one row or more.
@inline(__always)
func requireRows(
    _ inputs: UnsafePointer<Float>?, _ targets: UnsafePointer<Float>?, _ rows: Int
) throws(BackpropError) -> (UnsafePointer<Float>, UnsafePointer<Float>) {
    guard rows != 0 else { throw BackpropError(.invalidValue, "rows is 0: at least 1 is needed") }
    return (try requireNonNull(inputs, "inputs"), try requireNonNull(targets, "targets"))
}
