import CPlatform

/// Runs `body` in the default floating-point environment, and then restores the caller's (CPlatform/environment.h). So
/// results do not depend on the caller's environment, and an exception inside does not trap in a host that enables traps.
/// All arithmetic for a caller runs in this function, or in a visit to a network or trainer (`Handle`), which does the same.
package func inDefaultEnvironment<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    let callers = cp_environment()
    let isDefault = cp_is_default(callers)
    let begun = isDefault ? 0 : cp_begin_work(callers)
    defer {
        if !isDefault { cp_end_work(begun) }
        cp_restore_environment(callers)
    }
    return try body()
}

/// The floating-point environment of the host's callbacks: that of the caller, on every thread.
struct HostEnvironment {
    private let environment = cp_host_environment()

    @inline(__always)
    func run<R>(_ body: () -> R) -> R {
        if environment == 0 { return body() }
        cp_enter_host(environment)
        defer { cp_leave_host(environment) }
        return body()
    }
}
