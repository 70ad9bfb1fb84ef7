import Backprop
import CBackprop
import CPlatform

/// How a thrown error becomes a C result: its code returned, its message kept for `bp_last_error_message`.
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

@inline(never)
private func report(_ error: BackpropError) -> Int32 {
    var message = error.message
    message.withUTF8 { cp_set_error_text($0.baseAddress, $0.count) }
    if error.systemError != 0 { cp_set_errno(error.systemError) }
    return error.code.rawValue
}

/// The value of a pointer that must not be NULL. Every call asks for one before it takes any memory, but after it has
/// cleared its outputs: here it makes sure of the reserve.
@inline(__always)
func require<Pointer>(_ pointer: Pointer?, _ name: StaticString) throws(BackpropError) -> Pointer {
    try requireReserve()
    return try requireNonNull(pointer, name)
}

/// The same for arrays of calls that count every instruction, and that go on to `require` their network.
@inline(__always)
func requireNonNull<Pointer>(_ pointer: Pointer?, _ name: StaticString) throws(BackpropError) -> Pointer {
    guard let pointer else { throw missing(name) }
    return pointer
}

@inline(never)
private func missing(_ name: StaticString) -> BackpropError {
    guard cp_has_reserve() || cp_make_reserve(0) else { return Reserve.exhausted }
    return BackpropError(.nullArgument, "\(name) is NULL")
}

/// For calls that take nothing that may be NULL.
@inline(__always)
func requireReserve() throws(BackpropError) {
    if !cp_has_reserve() { try Reserve.require() }
}

/// Runs `body` alone with the network of a handle.
@inline(__always)
func changing(
    _ network: OpaquePointer?, _ body: (NetworkState) throws(BackpropError) -> Void
) throws(BackpropError) {
    try Handle<NetworkState>(try require(network, "network")).write(body)
}

/// Runs `body` with the network of a handle beside other readers.
@inline(__always)
func reading(
    _ network: OpaquePointer?, _ body: (NetworkState) throws(BackpropError) -> Void
) throws(BackpropError) {
    try Handle<NetworkState>(try require(network, "network")).read(body)
}

/// A caller's text.
func text(_ pointer: UnsafePointer<CChar>?, _ name: StaticString) throws(BackpropError) -> String {
    let pointer = try require(pointer, name)
    try Reserve.require(forText: cp_string_length(pointer))
    return String(cString: pointer)
}

/// A caller's path or symbol, as the bytes it is.
func bytes(_ pointer: UnsafePointer<CChar>?, _ name: StaticString) throws(BackpropError) -> CString {
    let pointer = try require(pointer, name)
    try Reserve.require(forText: cp_string_length(pointer))
    return CString(pointer)
}

/// A caller's text that must be UTF-8.
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

/// Where a call that gives a text is to put it.
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

    /// Its size with NUL in any case, and the text if the buffer has room.
    @inline(never)
    func put(_ text: String) throws(BackpropError) {
        let count = text.utf8.count + 1
        needed.pointee = count
        guard let buffer, capacity >= count else {
            throw BackpropError(.bufferTooSmall, "the text needs \(count) bytes, the buffer has \(capacity)")
        }
        for (i, byte) in text.utf8.enumerated() { buffer[i] = CChar(bitPattern: byte) }
        buffer[count - 1] = 0
    }
}

/// Text that lives as long as the process.
func fixed(_ text: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}

/// A size_t as an Int: one beyond Int is more than any buffer has.
func clampedToInt(_ capacity: Int) -> Int { capacity < 0 ? Int.max : capacity }

/// A number to be written, 0 until it is there.
func zeroed<Number: Numeric>(
    _ pointer: UnsafeMutablePointer<Number>?, _ name: StaticString
) throws(BackpropError) -> UnsafeMutablePointer<Number> {
    pointer?.pointee = 0
    return try require(pointer, name)
}

/// A handle to be written, NULL until it is there.
func requireHandleOut(
    _ handle_out: UnsafeMutablePointer<OpaquePointer?>?, _ name: StaticString = "network_out"
) throws(BackpropError) -> UnsafeMutablePointer<OpaquePointer?> {
    handle_out?.pointee = nil
    return try require(handle_out, name)
}
