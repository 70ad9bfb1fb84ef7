import Backprop
import CBackprop
import CPlatform

/// How a thrown error becomes a C result: its code returned, its message kept for `bp_last_error_message`.
@inline(__always)
func status(_ body: () throws(BackpropError) -> Void) -> Int32 {
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
    return error.code.rawValue
}

/// The value of a pointer that must not be NULL.
@inline(__always)
func require<Pointer>(_ pointer: Pointer?, _ name: StaticString) throws(BackpropError) -> Pointer {
    guard let pointer else { throw missing(name) }
    return pointer
}

@inline(never)
private func missing(_ name: StaticString) -> BackpropError {
    BackpropError(.nullArgument, "\(name) is NULL")
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
    String(cString: try require(pointer, name))
}

/// Text that lives as long as the process.
func fixed(_ text: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}

/// A size_t as an Int: one beyond Int is more than any buffer has.
func roomy(_ capacity: Int) -> Int { capacity < 0 ? Int.max : capacity }

/// A number to be written, 0 until it is there.
func zeroed<Number: Numeric>(
    _ pointer: UnsafeMutablePointer<Number>?, _ name: StaticString
) throws(BackpropError) -> UnsafeMutablePointer<Number> {
    let out = try require(pointer, name)
    out.pointee = 0
    return out
}

/// A handle to be written, NULL until it is there.
func emptied(
    _ handle_out: UnsafeMutablePointer<OpaquePointer?>?, _ name: StaticString = "network_out"
) throws(BackpropError) -> UnsafeMutablePointer<OpaquePointer?> {
    let out = try require(handle_out, name)
    out.pointee = nil
    return out
}
