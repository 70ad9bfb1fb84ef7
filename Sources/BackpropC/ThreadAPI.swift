import Backprop
import CBackprop

@_cdecl("bp_set_thread_count") @implementation
public func bp_set_thread_count(_ count: Int) -> Int32 {
    status { () throws(BackpropError) in
        try requireReserve()
        try Threads.setCount(count)
    }
}

@_cdecl("bp_thread_count") @implementation
public func bp_thread_count() -> Int { Threads.count }
