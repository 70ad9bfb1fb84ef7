import CPlatform

/// The value of a handle for C: index | generation | a mark of this copy of the library. It is not an address, and never 0.
extension Handle {
    private static var indexBits: UInt64 { UInt64(CP_GATE_INDEX_BITS) }
    private static var generationBits: UInt64 { UInt64(CP_GATE_GENERATION_BITS) }
    static var generationMask: UInt64 { 1 << generationBits - 1 }
    private static var mark: UInt64 { cp_library_mark() & (1 << UInt64(CP_GATE_MARK_BITS) - 1) }

    static var invalid: BackpropError {
        BackpropError(
            .invalidHandle,
            "invalid \(Object.typeName) handle: not from this library, of another type, freed, or used by another thread at a fork"
        )
    }

    package var pointer: OpaquePointer {
        let bits = UInt64(gate.pointee.index) | generation << Self.indexBits | Self.mark << (Self.indexBits + Self.generationBits)
        return OpaquePointer(bitPattern: UInt(bits)).unsafelyUnwrapped
    }

    package init(_ pointer: OpaquePointer) throws(BackpropError) {
        try self.init(inline: pointer)
    }

    /// Like `init(_:)`, but inlined, for the calls in which every instruction matters. The generation is checked on entering the
    /// gate.
    @inline(__always)
    package init(inline pointer: OpaquePointer) throws(BackpropError) {
        guard let (gate, generation) = Self.parts(of: pointer), cp_load32(&gate.pointee.kind) == Object.kind
        else { throw Self.invalid }
        self.gate = gate
        self.generation = generation
    }

    /// The gate and the generation in a pointer; nil if it cannot be a handle of this copy of the library.
    @inline(__always)
    static func parts(of pointer: OpaquePointer) -> (gate: UnsafeMutablePointer<cp_gate>, generation: UInt64)? {
        let bits = UInt64(UInt(bitPattern: pointer))
        let index = bits & (1 << indexBits - 1)
        let generation = bits >> indexBits & generationMask
        guard bits >> (indexBits + generationBits) == mark, let gate = gate(at: UInt(index)) else { return nil }
        return (gate, generation)
    }
}
