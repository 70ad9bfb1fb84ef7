import CPlatform

/// AVX2's kernels, with the products by wider registers. Each number is summed in the same order by the same fused
/// instructions, so that the bits are AVX2's.
@_cdecl("cp_kernels_avx512")
public func kernelsAVX512(_ table: UnsafeMutablePointer<cp_kernels>) {
    cp_kernels_avx2(table)
    let name: StaticString = "avx512"
    table.pointee.name = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
    table.pointee.forward = { forward($0!, $1, $2, $3, $4!, $5, $6!, $7) }
    table.pointee.update = { update($0!, $1, $2, $3..<$4, $5, $6!, $7, $8!, $9, $10) }
    table.pointee.gradient = { gradient($0!, $1, $2, $3..<$4, $5, $6!, $7, $8!, $9) }
    table.pointee.backward = { backward($0!, $1, $2, $3, $4!, $5!, $6) }
}
