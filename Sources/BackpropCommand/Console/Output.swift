import Backprop
import CConsole

/// Text for standard output, written in blocks.
final class Output {
    private var bytes: Bytes = []

    func write(_ text: Text) throws(BackpropError) {
        bytes += text.bytes
        if bytes.count >= 1 << 16 { try flush() }
    }

    func flush() throws(BackpropError) {
        let error = bytes.withUnsafeBytes { con_write(1, $0.baseAddress, $0.count) }
        bytes.removeAll(keepingCapacity: true)
        guard error == 0 else { throw systemFailure("standard output", error) }
    }
}

/// Writes to standard error, at once. An error there cannot be reported.
func writeError(_ text: Text) {
    _ = text.bytes.withUnsafeBytes { con_write(2, $0.baseAddress, $0.count) }
}

/// Notes about the data, on standard error, unless they are switched off.
struct Notes {
    let isQuiet: Bool

    func note(_ text: Text) {
        if !isQuiet { writeError("note: \(Text(text.bytes.printable))\n") }
    }
}
