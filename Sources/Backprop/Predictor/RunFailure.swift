/// The failure of a predictor's run. Except for a callback's failure, it is reported without memory.
package enum RunFailure: Error {
    case invalidHandle, tooManyRows, tooManyThreads, noBuffer
    case callback(BackpropError)

    package var code: BackpropError.Code {
        switch self {
        case .invalidHandle: .invalidHandle
        case .tooManyRows, .tooManyThreads: .limit
        case .noBuffer: .busy
        case .callback(let error): error.code
        }
    }

    /// The message, unless a callback failed.
    package var text: StaticString {
        switch self {
        case .invalidHandle: "invalid predictor handle: not from this library, of another type, or freed"
        case .tooManyRows: "the rows are too many to count"
        case .tooManyThreads: "too many threads run predictors: 4096 threads can"
        case .noBuffer: "layers of more than 8176 units: all 16 buffers of the predictor are in use by runs"
        case .callback: "a callback failed"
        }
    }
}

extension BackpropError {
    package init(_ failure: RunFailure) {
        switch failure {
        case .callback(let error): self = error
        default: self.init(failure.code, "\(failure.text)")
        }
    }
}
