import CPlatform

extension Handle {
    /// The largest number of objects.
    package static var mostObjects: Int { Int(CP_GATES_PER_CHUNK) * Int(CP_GATE_CHUNKS) }

    /// The gate with that index; nil if its chunk is not allocated.
    @inline(__always)
    static func gate(at index: UInt) -> UnsafeMutablePointer<cp_gate>? {
        let (chunk, offset) = (index / UInt(CP_GATES_PER_CHUNK), index % UInt(CP_GATES_PER_CHUNK))
        guard chunk < UInt(CP_GATE_CHUNKS), let gates = cp_load_pointer(chunks + Int(chunk)) else { return nil }
        return gates.assumingMemoryBound(to: cp_gate.self) + Int(offset)
    }

    private static var chunks: UnsafeMutablePointer<UnsafeMutableRawPointer?> {
        UnsafeMutableRawPointer(cp_gates()).assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
    }

    /// Returns an unused gate, from the list of recycled gates if it is not empty; nil if memory or indices run out.
    static func allocateGate() -> UnsafeMutablePointer<cp_gate>? {
        cp_lock()
        defer { cp_unlock() }
        let table = cp_gates().unsafelyUnwrapped
        if let gate = table.pointee.unused {
            table.pointee.unused = gate.pointee.next_unused
            return gate
        }
        let index = Int(table.pointee.count)
        let (chunk, offset) = index.quotientAndRemainder(dividingBy: Int(CP_GATES_PER_CHUNK))
        guard chunk < Int(CP_GATE_CHUNKS) else { return nil }
        if offset == 0 {
            let floats = Int(CP_GATES_PER_CHUNK) * MemoryLayout<cp_gate>.stride / 4
            guard let made = cp_allocate_floats(floats) else { return nil }
            cp_store_pointer(chunks + chunk, made)
        }
        guard let gate = gate(at: UInt(index)) else { return nil }
        gate.pointee.index = UInt32(index)
        cp_store64(&gate.pointee.state, 1 << 32)
        table.pointee.count = UInt32(index + 1)
        return gate
    }

    /// Adds a gate to the list of unused gates. A gate whose generations are used up is not used again, since its handles
    /// would repeat.
    static func recycleGate(_ gate: UnsafeMutablePointer<cp_gate>) {
        guard cp_load64(&gate.pointee.state) >> 32 != 0 else { return }
        cp_lock()
        defer { cp_unlock() }
        let table = cp_gates().unsafelyUnwrapped
        gate.pointee.next_unused = table.pointee.unused
        table.pointee.unused = gate
    }
}
