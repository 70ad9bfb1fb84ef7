import CPlatform

/// What callers know by a handle: networks and trainers.
package protocol Guarded: AnyObject {
    /// Tells the handles of one class from those of another.
    static var kind: UInt32 { get }
    /// What messages call it.
    static var noun: String { get }
    /// Why a change is refused while a fit is in progress.
    static var isInFit: StaticString { get }
    /// Whether calls run the host's callbacks.
    var mayCallBack: Bool { get }
}

/// A handle names an object by a gate and a generation; the gate is the object's lock.
///
/// `cp_gate.state` holds the generation above and, below, how many readers are inside, or that a writer is. Entering is
/// one compare-and-swap that checks the generation and takes the lock at once, so a handle whose object was freed
/// can do no harm. Threads that have to wait take a ticket and are served in order: a thread that trains in a loop lets
/// the others in after each step. After a fork `cp_gates_after_fork` clears what other threads left in the gates.
package struct Handle<Object: Guarded>: @unchecked Sendable {
    let gate: UnsafeMutablePointer<cp_gate>
    let generation: UInt64

    // MARK: Making and ending

    package init(owning object: Object) throws(BackpropError) {
        guard let gate = Self.takeGate() else {
            throw BackpropError(.outOfMemory, "out of memory: no room for another handle")
        }
        self.gate = gate
        generation = cp_load64(&gate.pointee.state) >> 32
        cp_store32(&gate.pointee.kind, Object.kind)
        cp_store_pointer(&gate.pointee.object, Unmanaged.passRetained(object).toOpaque())
    }

    /// Waits for those inside. From a callback of this object, it takes effect when the call in progress returns.
    package func free() {
        do throws(BackpropError) {
            try enter(writing: true)
        } catch {
            if error.code == .busy { cp_store32(&gate.pointee.free_pending, 1) }
            return
        }
        let object = gate.pointee.object
        cp_store_pointer(&gate.pointee.object, nil)
        cp_store32(&gate.pointee.free_pending, 0)
        cp_store32(&gate.pointee.calls_back, 0)
        gate.pointee.fitter = nil
        cp_store64(&gate.pointee.state, ((generation + 1) & Self.generationMask) << 32)
        Self.putGate(gate)
        // Last, outside the gate: the host's destroy callbacks may call the library.
        if let object { Unmanaged<Object>.fromOpaque(object).release() }
    }

    // MARK: Using

    /// Runs `body` alone with the object.
    @inline(__always)
    package func write<R>(_ body: (Object) throws(BackpropError) -> R) throws(BackpropError) -> R {
        try visit(writing: true, inFit: false, body)
    }

    /// Marks a fit of this thread, on the object or with it, as in progress: all changes but its own are refused from now on.
    func beginFit(_ body: (Object) -> Void = { _ in }) throws(BackpropError) -> Object {
        try write { object in
            gate.pointee.fitter = cp_thread_identity()
            body(object)
            return object
        }
    }

    func endFit() {
        _ = try? writeInFit { _ in gate.pointee.fitter = nil }
    }

    /// Changes the object for the fit in progress.
    func writeInFit<R>(_ body: (Object) throws(BackpropError) -> R) throws(BackpropError) -> R {
        try visit(writing: true, inFit: true, body)
    }

    /// Runs `body` with the object, which it must not change, beside other readers.
    @inline(__always)
    package func read<R>(_ body: (Object) throws(BackpropError) -> R) throws(BackpropError) -> R {
        try visit(writing: false, inFit: false, body)
    }

    @inline(__always)
    private func visit<R>(
        writing: Bool, inFit: Bool, _ body: (Object) throws(BackpropError) -> R
    ) throws(BackpropError) -> R {
        try enter(writing: writing)
        defer { leave(writing: writing) }
        guard let pointer = gate.pointee.object else { throw Self.invalid }
        let environment = cp_environment()
        // The gate keeps the object alive: counting references costs more than all else on the way in.
        let result = Unmanaged<Object>.fromOpaque(pointer)._withUnsafeGuaranteedRef {
            object -> Result<R, BackpropError> in
            do throws(BackpropError) {
                return .success(
                    object.mayCallBack || gate.pointee.fitter != nil || !cp_is_default(environment)
                        ? try visitWithCare(object, writing: writing, inFit: inFit, body) : try body(object))
            } catch {
                return .failure(error)
            }
        }
        cp_restore_environment(environment)
        return try result.get()
    }

    /// The host may come back from its callbacks: `enterSlowly` then finds this visit. And its floating-point environment
    /// may be any.
    @inline(never)
    private func visitWithCare<R>(
        _ object: Object, writing: Bool, inFit: Bool, _ body: (Object) throws(BackpropError) -> R
    ) throws(BackpropError) -> R {
        if writing, !inFit, gate.pointee.fitter != nil { throw BackpropError(.busy, "\(Object.isInFit)") }
        if !writing, object.mayCallBack, cp_load32(&gate.pointee.calls_back) == 0 { cp_store32(&gate.pointee.calls_back, 1) }
        var visit = cp_visit(gate: gate, writes: writing, lost: false, outer: cp_current_visit())
        return try inDefaultEnvironment { () throws(BackpropError) in
            try withUnsafeMutablePointer(to: &visit) { pointer throws(BackpropError) in
                cp_set_current_visit(pointer)
                defer { cp_set_current_visit(pointer.pointee.outer) }
                do throws(BackpropError) {
                    let result = try body(object)
                    if !pointer.pointee.lost { return result }
                } catch {
                    if !pointer.pointee.lost { throw error }
                }
                if writing { cp_store32(&gate.pointee.free_pending, 1) }  // changed in part
                throw BackpropError.lostInFork
            }
        }
    }

    // MARK: The lock

    private static var writer: UInt64 { UInt64(CP_GATE_WRITER) }
    private var idle: UInt64 { generation << 32 }

    @inline(__always)
    private func enter(writing: Bool) throws(BackpropError) {
        let someoneWaits = cp_load32(&gate.pointee.next_ticket) != cp_load32(&gate.pointee.now_serving)
        if someoneWaits || !tryEnter(writing: writing) { try enterSlowly(writing: writing) }
    }

    @inline(__always)
    private func tryEnter(writing: Bool) -> Bool {
        if writing { return cp_exchange_if_equal64(&gate.pointee.state, idle, idle | Self.writer) }
        let state = cp_load64(&gate.pointee.state)
        let readers = state & 0xFFFF_FFFF
        guard state >> 32 == generation, readers < Self.writer - 1 else { return false }
        return cp_exchange_if_equal64(&gate.pointee.state, state, state + 1)
    }

    @inline(never)
    private func enterSlowly(writing: Bool) throws(BackpropError) {
        try requireGeneration()
        if let own = ownVisit() {
            guard !writing, !own.pointee.writes else {
                throw BackpropError(.busy, "called from a callback of the same \(Object.noun)")
            }
            while !tryEnter(writing: false) { cp_wait(0) }  // inside already: no need to queue
            return
        }
        var ticket = takeTurn(), attempt: UInt32 = 0, patience = Self.firstPatience
        defer { cp_store32(&gate.pointee.now_serving, ticket &+ 1) }
        while !tryEnter(writing: writing) {
            try requireGeneration()
            wait(&attempt)
            guard attempt >= patience, writing, cp_load32(&gate.pointee.calls_back) != 0,
                cp_load32(&gate.pointee.next_ticket) != ticket &+ 1
            else { continue }
            cp_store32(&gate.pointee.now_serving, ticket &+ 1)
            ticket = takeTurn()
            attempt = 0
            if patience < 1 << 24 { patience += patience / 4 }
        }
    }

    /// A reader inside may wait, in a callback, for a call of another thread, which waits behind a writer, which waits for
    /// the reader. So where readers have callbacks, a writer that has waited for them with patience gives its turn to those
    /// behind it and takes a new ticket. Its patience grows each time by a quarter, from about a millisecond on, until
    /// it is more than the readers inside take for a call: so readers that keep coming do not keep it out for ever.
    private static var firstPatience: UInt32 { 240 }

    /// Waits in the queue; the ticket.
    private func takeTurn() -> UInt32 {
        let ticket = cp_next32(&gate.pointee.next_ticket)
        var attempt: UInt32 = 0
        while cp_load32(&gate.pointee.now_serving) != ticket { wait(&attempt) }
        return ticket
    }

    private func leave(writing: Bool) {
        if writing {
            cp_store64(&gate.pointee.state, idle)
        } else {
            _ = cp_subtract64(&gate.pointee.state, 1)
        }
        if cp_load32(&gate.pointee.free_pending) != 0 { free() }
    }

    private func wait(_ attempt: inout UInt32) {
        cp_wait(attempt)
        if attempt < .max { attempt += 1 }
    }

    private func requireGeneration() throws(BackpropError) {
        guard cp_load64(&gate.pointee.state) >> 32 == generation else {
            throw Self.invalid
        }
    }

    /// This thread is inside this gate, and a callback of the host's came back.
    private func ownVisit() -> UnsafeMutablePointer<cp_visit>? {
        var visit = cp_current_visit()
        while let each = visit, each.pointee.gate != gate { visit = each.pointee.outer }
        return visit
    }
}
