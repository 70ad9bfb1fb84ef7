import CKernels

#if arch(x86_64)
/// The AVX2 kernels, with products in the wider registers of AVX-512 (x86-64-v4). Each sum has the same order and the same
/// fused instructions, so that the results are bit-identical to those of AVX2.
@_cdecl("cp_kernels_avx512")
public func kernelsAVX512(_ table: UnsafeMutablePointer<cp_kernels>) {
    cp_kernels_avx2(table)
    fillProducts(table)
}
#endif
