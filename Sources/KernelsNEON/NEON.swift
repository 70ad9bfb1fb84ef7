import CKernels

#if arch(arm64)
/// Kernels with NEON's fused multiply-add, which every processor of the architecture has. They give the bits of AVX2.
@_cdecl("cp_kernels_neon")
public func kernelsNEON(_ table: UnsafeMutablePointer<cp_kernels>) {
    fillProducts(table)
    fillElementwise(table)
    fillRows(table)
}
#endif
