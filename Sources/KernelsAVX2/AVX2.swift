import CKernels

#if arch(x86_64)
/// Kernels with AVX2 and fused multiply-add (x86-64-v3).
@_cdecl("cp_kernels_avx2")
public func kernelsAVX2(_ table: UnsafeMutablePointer<cp_kernels>) {
    fillProducts(table)
    fillElementwise(table)
    fillRows(table)
}
#endif
