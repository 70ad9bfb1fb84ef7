import Backprop
import CBackprop

@_cdecl("bp_network_set_all_reduce") @implementation
public func bp_network_set_all_reduce(
    _ network: OpaquePointer!, _ function: bp_all_reduce_fn!, _ worker: Int, _ workers: Int,
    _ user_data: UnsafeMutableRawPointer!
) -> Int32 {
    status { () throws(BackpropError) in
        try change(network) { (state) throws(BackpropError) in
            guard let function else { return state.setWorkers(nil) }
            state.setWorkers(
                try Workers.make(index: worker, count: workers) { function($0, $1, $2.rawValue, $3.rawValue, user_data) })
        }
    }
}

@_cdecl("bp_network_set_all_reduce_overlap") @implementation
public func bp_network_set_all_reduce_overlap(
    _ network: OpaquePointer!, _ start: bp_all_reduce_fn!, _ finish: bp_all_reduce_finish_fn!,
    _ user_data: UnsafeMutableRawPointer!
) -> Int32 {
    status { () throws(BackpropError) in
        try change(network) { (state) throws(BackpropError) in
            guard let start else {
                state.workers?.overlap = nil
                return
            }
            let finish = try requireNonNull(finish, "finish")
            try state.requireWorkers().overlap = { values, count in
                values == nil ? finish(user_data) : start(values, count, BP_FLOAT, BP_REDUCE_SUM, user_data)
            }
        }
    }
}

/// The error of a call that all workers make, and whose arguments are refused on this one: the call fails on all.
@inline(never)
func refused(_ error: BackpropError, _ network: OpaquePointer?) -> BackpropError {
    do throws(BackpropError) {
        try change(network) { (state) throws(BackpropError) in
            state.beginTogether()
            throw error
        }
        return error
    } catch let agreed {
        return agreed
    }
}

@inline(never)
func refusedNull(_ name: StaticString, _ network: OpaquePointer?) -> BackpropError { refused(missing(name), network) }

/// `requireNonNull` for a call that all workers make.
@inline(__always)
func requireNonNull<Pointer>(
    _ pointer: Pointer?, _ name: StaticString, of network: OpaquePointer?
) throws(BackpropError) -> Pointer {
    guard let pointer else { throw refusedNull(name, network) }
    return pointer
}

/// Pointers for no rows, which are not used, if other workers may have rows.
@inline(never)
func requireNoRows(
    of network: OpaquePointer?
) throws(BackpropError) -> (UnsafePointer<Float>, UnsafePointer<Float>) {
    var unused: UnsafePointer<Float>?
    try read(network) { (state) throws(BackpropError) in unused = state.noRows }
    guard let unused else {
        throw BackpropError(.invalidValue, "rows is 0: at least 1 is needed")
    }
    return (unused, unused)
}
