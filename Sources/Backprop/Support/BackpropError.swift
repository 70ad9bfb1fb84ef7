/// The error of a failed call. A failed call has changed nothing.
public struct BackpropError: Error, Sendable, CustomStringConvertible {
    /// The kind of an error. Raw values are the status codes of `backprop.h`.
    public enum Code: Int32, Sendable {
        /// A required pointer is NULL (C interface only).
        case nullArgument = -1
        /// A value is outside the range that the function accepts.
        case invalidValue = -2
        /// A handle is not valid, or the process was forked inside the call.
        case invalidHandle = -3
        /// The call came from a callback of the same network, or changes an object during a fit.
        case busy = -4
        /// No activation, loss, option, tensor or key has that name.
        case unknownName = -5
        /// The operation is not possible with the present settings.
        case unsupported = -6
        /// A buffer is too small (C interface only).
        case bufferTooSmall = -7
        /// Memory could not be allocated.
        case outOfMemory = -50
        /// A size exceeds a limit of the library.
        case limit = -51
        /// The operating system refused to read or write; `systemError` is its error number.
        case io = -100
        /// The file is not a model.
        case notAModel = -101
        /// The model file was truncated or changed.
        case corrupt = -102
        /// The library cannot read this version of the model format.
        case version = -103
        /// Names, shapes or counts do not match the network.
        case mismatch = -104
        /// The data, the loss, the gradient or the parameters contain a NaN or an infinity.
        case notFinite = -200
        /// A callback reported a failure.
        case callback = -300
        /// A shared library cannot be opened or lacks a function.
        case library = -301
        /// The call failed on another worker.
        case worker = -302
    }

    /// The kind of the error.
    public let code: Code
    /// The operating system's errno for `Code.io`, otherwise 0.
    public let systemError: Int32
    /// One line that describes the cause.
    public let message: String
    #if !hasFeature(Embedded)
    /// The error that a closure of the program threw, if that is the cause.
    public let underlying: (any Error)?
    #endif

    /// The message.
    public var description: String { message }

    /// With a literal as the message, which needs no memory: for use when memory has run out.
    init(_ code: Code, literal message: String) {
        self.code = code
        self.message = message
        systemError = 0
        #if !hasFeature(Embedded)
        underlying = nil
        #endif
    }

    /// An error of the operating system.
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

    /// The message as one line: text of a caller in it may contain line breaks.
    private static func line(_ message: Text) -> String {
        String(decoding: message.bytes.map { $0 < 0x20 ? 0x3F : $0 }, as: UTF8.self)
    }
}
