#if !hasFeature(Embedded)
import CPlatform

/// The errors that an activation's closures have thrown. Each has a code, which the library returns in its place.
final class ThrownErrors: @unchecked Sendable {
    private var errors: [Int32: any Error] = [:]
    private var latest: Int32 = 0

    /// Returns 0, or a code for the error that `body` throws.
    func code(_ body: () throws -> Void) -> Int32 {
        do {
            try body()
            return 0
        } catch {
            return keep(error)
        }
    }

    /// Removes and returns the error with this code.
    func take(_ code: Int32) -> (any Error)? {
        cp_lock()
        defer { cp_unlock() }
        return errors.removeValue(forKey: code)
    }

    /// If several threads throw in one call, only one error is taken. The number of others is limited.
    private func keep(_ error: any Error) -> Int32 {
        var old: [Int32: any Error] = [:]  // released after the lock, because the deinit of an error may call the library
        cp_lock()
        defer { cp_unlock() }
        if errors.count >= 256 { swap(&old, &errors) }
        latest = latest == .max ? 1 : latest + 1
        errors[latest] = error
        return latest
    }
}
#endif
