import CPlatform

/// An object that callers refer to by a handle: a network, a trainer or a predictor.
package protocol HandleObject: AnyObject {
    /// Distinguishes the handles of one class from those of another.
    static var kind: UInt32 { get }
    /// The name of the class in messages.
    static var typeName: String { get }
    /// The message of the error `.busy` for a change during a fit.
    static var busyInFitMessage: StaticString { get }
    /// Whether calls on the object may run callbacks of the host.
    var mayCallBack: Bool { get }
    /// Called at the end of a change in which callbacks may run. Returns the error of the call, if it fails.
    func ended(_ error: BackpropError?) -> BackpropError?
}

extension HandleObject {
    package func ended(_ error: BackpropError?) -> BackpropError? { error }
}

/// A handle identifies an object by a gate and a generation. The gate is the object's lock.
///
/// `cp_gate.state` holds the generation in its upper half and, in its lower half, the number of readers inside or the mark
/// of a writer. A thread enters by one compare-and-swap, which checks the generation and takes the lock, so a handle whose
/// object was freed is refused safely. Threads that must wait take a ticket and enter in order: a thread that trains in a
/// loop lets the others in after each step. After a fork `cp_gates_after_fork` resets the gates that other threads held.
package struct Handle<Object: HandleObject>: @unchecked Sendable {
    let gate: UnsafeMutablePointer<cp_gate>
    let generation: UInt64

    // MARK: Creating and freeing

    package init(owning object: Object) throws(BackpropError) {
        guard let gate = Self.allocateGate() else {
            throw BackpropError(.outOfMemory, "out of memory: cannot allocate a handle")
        }
        self.gate = gate
        generation = cp_load64(&gate.pointee.state) >> 32
        cp_store_pointer(&gate.pointee.object, Unmanaged.passRetained(object).toOpaque())
        cp_store32(&gate.pointee.kind, Object.kind)
    }

    /// Frees the object when all threads have left it. Called from a callback of this object, it takes effect when the call
    /// in progress returns.
    package func free() {
        do throws(BackpropError) {
            try enter(writing: true)
        } catch {
            if error.code == .busy { cp_store32(&gate.pointee.free_pending, 1) }
            return
        }
        let object = gate.pointee.object
        cp_store32(&gate.pointee.kind, 0)
        cp_store_pointer(&gate.pointee.object, nil)
        cp_publish(&gate.pointee.published, nil)
        cp_store32(&gate.pointee.free_pending, 0)
        cp_store32(&gate.pointee.calls_back, 0)
        gate.pointee.fitter = nil
        cp_store64(&gate.pointee.state, ((generation + 1) & Self.generationMask) << 32)
        Self.recycleGate(gate)
        // The release comes last, outside the gate, since the host's destroy callbacks may call the library.
        if let object { Unmanaged<Object>.fromOpaque(object).release() }
    }

    // MARK: Reading and writing

    /// Runs `body` with the object, without any other reader or writer.
    @inline(__always)
    package func write<R>(_ body: (Object) throws(BackpropError) -> R) throws(BackpropError) -> R {
        try visit(writing: true, inFit: false, body)
    }

    /// Replaces the object by the one that `body` makes from it, without any other reader or writer.
    package func replace(_ body: (Object) throws(BackpropError) -> Object) throws(BackpropError) {
        var old: Object?
        try write { object throws(BackpropError) in
            let new = try body(object)
            old = object
            cp_store_pointer(&gate.pointee.object, Unmanaged.passRetained(new).toOpaque())
            Unmanaged.passUnretained(object).release()  // the gate's reference
        }
        withExtendedLifetime(old) {}  // freed outside the gate
    }

    /// Marks a fit by this thread as in progress on the object, a network or the trainer. Until `endFit`, only `writeInFit`
    /// can change the object.
    @inline(never)
    func beginFit(_ body: (Object) -> Void = { _ in }) throws(BackpropError) -> Object {
        try write { object in
            gate.pointee.fitter = cp_thread_identity()
            body(object)
            return object
        }
    }

    /// Ends the fit that `beginFit` began.
    func endFit() {
        finishFit { _ in gate.pointee.fitter = nil }
    }

    /// `writeInFit` at the end of a fit; does nothing if the object was freed. Not inlined, since the code of a visit is large.
    @inline(never)
    func finishFit(_ body: (Object) -> Void) {
        _ = try? writeInFit { body($0) }  // `body` cannot throw; passed itself, its call would trap in WebAssembly
    }

    /// Runs `body` as `write` does, for the fit in progress.
    func writeInFit<R>(_ body: (Object) throws(BackpropError) -> R) throws(BackpropError) -> R {
        try visit(writing: true, inFit: true, body)
    }

    /// Runs `body` with the object, which it must not change. Other readers may run at the same time.
    @inline(__always)
    package func read<R>(_ body: (Object) throws(BackpropError) -> R) throws(BackpropError) -> R {
        try visit(writing: false, inFit: false, body)
    }

    /// `write` if `changes`, otherwise `read`. Not inlined, since the code of a visit is large.
    @inline(never)
    package func visit(changes: Bool, _ body: (Object) throws(BackpropError) -> Void) throws(BackpropError) {
        try visit(writing: changes, inFit: false, body)
    }

    @inline(__always)
    private func visit<R>(
        writing: Bool, inFit: Bool, _ body: (Object) throws(BackpropError) -> R
    ) throws(BackpropError) -> R {
        try enter(writing: writing)
        defer { leave(writing: writing) }
        guard let pointer = gate.pointee.object else { throw Self.invalid }
        let environment = cp_environment()
        // The gate retains the object: counting references here would cost more than the rest of the entry.
        let result = Unmanaged<Object>.fromOpaque(pointer)._withUnsafeGuaranteedRef {
            object -> Result<R, BackpropError> in
            do throws(BackpropError) {
                return .success(
                    object.mayCallBack || gate.pointee.fitter != nil || !cp_is_default(environment)
                        ? try visitSlowly(object, writing: writing, inFit: inFit, body) : try body(object))
            } catch {
                return .failure(error)
            }
        }
        cp_restore_environment(environment)
        return try result.get()
    }

    /// Runs `body` where a callback of the host may call the library, a fit is in progress, or the floating-point environment
    /// is not the default. It records the visit, so that `enterSlowly` finds it when a callback calls with the same handle.
    @inline(never)
    private func visitSlowly<R>(
        _ object: Object, writing: Bool, inFit: Bool, _ body: (Object) throws(BackpropError) -> R
    ) throws(BackpropError) -> R {
        if writing, !inFit, gate.pointee.fitter != nil { throw BackpropError(.busy, "\(Object.busyInFitMessage)") }
        if !writing, object.mayCallBack, cp_load32(&gate.pointee.calls_back) == 0 { cp_store32(&gate.pointee.calls_back, 1) }
        var visit = cp_visit(gate: gate, writes: writing, lost: false, outer: cp_current_visit())
        return try inDefaultEnvironment { () throws(BackpropError) in
            try withUnsafeMutablePointer(to: &visit) { pointer throws(BackpropError) in
                cp_set_current_visit(pointer)
                defer { cp_set_current_visit(pointer.pointee.outer) }
                do throws(BackpropError) {
                    let result = try body(object)
                    if writing { _ = object.ended(nil) }
                    if !pointer.pointee.lost { return result }
                } catch {
                    let ended = writing ? object.ended(error) : nil
                    if !pointer.pointee.lost { throw ended ?? error }
                }
                if writing { cp_store32(&gate.pointee.free_pending, 1) }  // the object is partly changed
                throw BackpropError.lostInFork
            }
        }
    }

    // MARK: The lock

    private static var writer: UInt64 { UInt64(CP_GATE_WRITER) }
    private var idle: UInt64 { generation << 32 }

    @inline(__always)
    private func enter(writing: Bool) throws(BackpropError) {
        let hasWaiters = cp_load32(&gate.pointee.next_ticket) != cp_load32(&gate.pointee.now_serving)
        if hasWaiters || !tryEnter(writing: writing) { try enterSlowly(writing: writing) }
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
        if let outer = enclosingVisit() {
            guard !writing, !outer.pointee.writes else {
                throw BackpropError(.busy, "called from a callback of the same \(Object.typeName)")
            }
            while !tryEnter(writing: false) { cp_wait(0) }  // the thread holds the gate already: it must not queue
            return
        }
        var ticket = waitForTurn(), attempt: UInt32 = 0, patience = Self.firstPatience
        defer { cp_store32(&gate.pointee.now_serving, ticket &+ 1) }
        while !tryEnter(writing: writing) {
            try requireGeneration()
            wait(&attempt)
            guard attempt >= patience, writing, cp_load32(&gate.pointee.calls_back) != 0,
                cp_load32(&gate.pointee.next_ticket) != ticket &+ 1
            else { continue }
            cp_store32(&gate.pointee.now_serving, ticket &+ 1)
            ticket = waitForTurn()
            attempt = 0
            if patience < 1 << 24 { patience += patience / 4 }
        }
    }

    /// The number of attempts after which a writer first gives up its turn, about a millisecond.
    ///
    /// A reader inside may wait, in a callback, for a call of another thread; that call waits behind a writer, and the writer
    /// waits for the reader. Therefore, where readers have callbacks, a writer that has waited for `patience` attempts gives
    /// its turn to the threads behind it and takes a new ticket. Its patience grows by a quarter each time, until it exceeds
    /// the duration of the readers' calls, so that a continuous stream of readers does not exclude the writer for ever.
    private static var firstPatience: UInt32 { 240 }

    /// Takes a ticket and waits until it is served. Returns the ticket.
    private func waitForTurn() -> UInt32 {
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

    /// The visit of this thread to this gate from whose callback the present call comes; nil if there is none.
    private func enclosingVisit() -> UnsafeMutablePointer<cp_visit>? {
        var visit = cp_current_visit()
        while let each = visit, each.pointee.gate != gate { visit = each.pointee.outer }
        return visit
    }
}
