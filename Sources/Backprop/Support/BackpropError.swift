/// Why a call failed. A failed call has changed nothing.
public struct BackpropError: Error, Sendable, CustomStringConvertible {
    /// The numbers are those of `backprop.h`.
    public enum Code: Int32, Sendable {
        case nullArgument = -1
        case invalidValue = -2
        case invalidHandle = -3
        case busy = -4
        case unknownName = -5
        case unsupported = -6
        case bufferTooSmall = -7
        case outOfMemory = -50
        case limit = -51
        case io = -100
        case notAModel = -101
        case corrupt = -102
        case version = -103
        case mismatch = -104
        case notFinite = -200
        case callback = -300
        case library = -301
    }

    public let code: Code
    /// The errno of the operating system where it refused (`io`), else 0.
    public let systemError: Int32
    /// One line that says what was wrong.
    public let message: String
    #if !hasFeature(Embedded)
    /// What a closure of the program's threw, where that is why.
    public let underlying: (any Error)?
    #endif

    public var description: String { message }

    /// A literal, which takes no memory: for when there is none.
    init(_ code: Code, literal message: String) {
        self.code = code
        self.message = message
        systemError = 0
        #if !hasFeature(Embedded)
        underlying = nil
        #endif
    }

    /// The operating system refused.
    @inline(never)
    init(systemError: Int32, _ message: Text) {
        code = .io
        self.systemError = systemError
        self.message = Self.line(message)
        #if !hasFeature(Embedded)
        underlying = nil
        #endif
    }

    #if hasFeature(Embedded)
    @inline(never)
    package init(_ code: Code, _ message: Text) {
        self.code = code
        self.message = Self.line(message)
        systemError = 0
    }
    #else
    package init(_ code: Code, _ message: Text, underlying: (any Error)? = nil) {
        self.code = code
        self.message = Self.line(message)
        self.underlying = underlying
        systemError = 0
    }
    #endif

    static var lostInFork: BackpropError {
        BackpropError(
            .invalidHandle, literal: "the process was forked inside this call while other threads shared its work")
    }

    /// What a caller named may hold line breaks.
    private static func line(_ message: Text) -> String {
        String(decoding: message.bytes.map { $0 < 0x20 ? 0x3F : $0 }, as: UTF8.self)
    }
}
