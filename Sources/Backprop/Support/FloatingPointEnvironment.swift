import CPlatform

/// Runs `body` in the default floating-point environment, and brings the caller's back (CPlatform/environment.h): results
/// do not depend on it, and what may go wrong inside cannot trap in a host that has exceptions trapped. All arithmetic
/// that a caller asks for runs in here, or in a visit to a network or trainer (`Handle`), which does the same.
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

/// Where functions of the host run: in the environment of the call that needs them, whatever the thread.
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
