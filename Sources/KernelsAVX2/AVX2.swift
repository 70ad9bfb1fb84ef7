import CKernels

#if arch(x86_64)
/// Kernels with AVX2 and fused multiply-add (x86-64-v3).
@_cdecl("cp_kernels_avx2")
public func kernelsAVX2(_ table: UnsafeMutablePointer<cp_kernels>) {
    fillProducts(table)
    fillElementwise(table)
    fillRows(table)
    table.pointee.activate = cp_activate_avx2
}

/// For the AVX-512 build, which has some of the functions.
@_cdecl("cp_activate_avx2")
public func activateAVX2(
    _ kind: Int32, _ z: UnsafePointer<Float>, _ a: UnsafeMutablePointer<Float>, _ rows: Int, _ columns: Int, _ stride: Int
) {
    activate(kind, z, a, rows, columns, stride)
}
#endif
