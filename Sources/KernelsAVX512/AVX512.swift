import CKernels

/// The kernels of AVX2, with products in the wider registers of AVX-512 (x86-64-v4). Each number is summed in the same
/// order by the same fused instructions, so that the bits are those of AVX2.
@_cdecl("cp_kernels_avx512")
public func kernelsAVX512(_ table: UnsafeMutablePointer<cp_kernels>) {
    cp_kernels_avx2(table)
    fillProducts(table)
}
