#if !hasFeature(Embedded)
import CPlatform

/// What an activation's closures have thrown, by the code that goes through the library in its place.
final class ThrownErrors: @unchecked Sendable {
    private var errors: [Int32: any Error] = [:]
    private var latest: Int32 = 0

    /// 0, or a code for what `body` throws.
    func code(_ body: () throws -> Void) -> Int32 {
        do {
            try body()
            return 0
        } catch {
            return keep(error)
        }
    }

    /// The error behind a code, once.
    func take(_ code: Int32) -> (any Error)? {
        cp_lock()
        defer { cp_unlock() }
        return errors.removeValue(forKey: code)
    }

    /// Of several threads' errors in a call one is taken: the others are not to pile up.
    private func keep(_ error: any Error) -> Int32 {
        var old: [Int32: any Error] = [:]  // goes after the lock: to end an error may call the library
        cp_lock()
        defer { cp_unlock() }
        if errors.count >= 256 { swap(&old, &errors) }
        latest = latest == .max ? 1 : latest + 1
        errors[latest] = error
        return latest
    }
}
#endif
