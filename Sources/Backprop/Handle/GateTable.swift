import CPlatform

extension Handle {
    @inline(__always)
    static func gate(at index: UInt) -> UnsafeMutablePointer<cp_gate>? {
        let (chunk, place) = (index / UInt(CP_GATES_PER_CHUNK), index % UInt(CP_GATES_PER_CHUNK))
        guard chunk < UInt(CP_GATE_CHUNKS), let gates = cp_load_pointer(chunks + Int(chunk)) else { return nil }
        return gates.assumingMemoryBound(to: cp_gate.self) + Int(place)
    }

    private static var chunks: UnsafeMutablePointer<UnsafeMutableRawPointer?> {
        UnsafeMutableRawPointer(cp_gates()).assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
    }

    static func takeGate() -> UnsafeMutablePointer<cp_gate>? {
        cp_lock()
        defer { cp_unlock() }
        let table = cp_gates().unsafelyUnwrapped
        if let gate = table.pointee.unused {
            table.pointee.unused = gate.pointee.next_unused
            return gate
        }
        let index = Int(table.pointee.count)
        let (chunk, place) = index.quotientAndRemainder(dividingBy: Int(CP_GATES_PER_CHUNK))
        guard chunk < Int(CP_GATE_CHUNKS) else { return nil }
        if place == 0 {
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

    /// A gate that has been through all generations is retired: its handles would come again.
    static func putGate(_ gate: UnsafeMutablePointer<cp_gate>) {
        guard cp_load64(&gate.pointee.state) >> 32 != 0 else { return }
        cp_lock()
        defer { cp_unlock() }
        let table = cp_gates().unsafelyUnwrapped
        gate.pointee.next_unused = table.pointee.unused
        table.pointee.unused = gate
    }
}
