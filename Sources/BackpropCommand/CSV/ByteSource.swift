import Backprop
import CConsole
import CPlatform

/// The bytes of a file in blocks, as they are read: for files of any length.
final class ByteSource {
    /// The name of the file in messages.
    let name: Text
    private let file: Int32
    private let buffer: UnsafeMutablePointer<UInt8>
    private static var capacity: Int { 1 << 16 }
    private var hasBegun = false

    private init(_ name: Text, _ file: Int32, _ buffer: UnsafeMutablePointer<UInt8>) {
        self.name = name
        self.file = file
        self.buffer = buffer
    }

    deinit {
        cp_free(buffer)
        if file != 0 { con_close(file) }
    }

    /// Opens a file; "-" is standard input.
    static func open(_ path: Bytes) throws(BackpropError) -> ByteSource {
        let isInput = path == "-"
        let name = isInput ? "standard input" : Text(path)
        let file = isInput ? 0 : (path + [0]).withUnsafeBytes { con_open($0.baseAddress?.assumingMemoryBound(to: CChar.self)) }
        guard file >= 0 else { throw systemFailure(name, -file) }
        guard let buffer = cp_allocate_bytes(capacity) else {
            if !isInput { con_close(file) }
            throw outOfMemory(name)
        }
        return ByteSource(name, file, buffer)
    }

    /// The next block, which is valid until the next call; empty at the end. The first block holds at least one line, unless the
    /// line is longer than a block.
    func next() throws(BackpropError) -> UnsafeBufferPointer<UInt8> {
        var count = 0
        while true {
            let read = con_read(file, buffer + count, Self.capacity - count)
            guard read >= 0 else { throw systemFailure(name, Int32(-read)) }
            count += read
            let block = UnsafeBufferPointer(start: buffer, count: count)
            if hasBegun || read == 0 || count == Self.capacity || block.contains(0x0A) {
                hasBegun = true
                return block
            }
        }
    }

    static func outOfMemory(_ name: Text) -> BackpropError { BackpropError(.outOfMemory, name + ": out of memory") }
}

/// A complete file in memory, for reading it twice.
final class FileContents {
    let name: Text
    private var bytes: UnsafeMutablePointer<UInt8>
    private var count = 0

    private init(_ name: Text, _ bytes: UnsafeMutablePointer<UInt8>) {
        self.name = name
        self.bytes = bytes
    }

    deinit { cp_free(bytes) }

    static func read(_ path: Bytes) throws(BackpropError) -> FileContents {
        let source = try ByteSource.open(path)
        var capacity = 1 << 20
        guard let bytes = cp_allocate_bytes(capacity) else { throw ByteSource.outOfMemory(source.name) }
        let contents = FileContents(source.name, bytes)
        while true {
            let block = try source.next()
            guard let base = block.baseAddress, !block.isEmpty else { return contents }
            if contents.count + block.count > capacity {
                capacity *= 2
                guard let larger = cp_allocate_bytes(capacity) else { throw ByteSource.outOfMemory(source.name) }
                cp_copy(larger, contents.bytes, contents.count)
                cp_free(contents.bytes)
                contents.bytes = larger
            }
            cp_copy(contents.bytes + contents.count, base, block.count)
            contents.count += block.count
        }
    }

    var block: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: bytes, count: count) }
}
