import CKernels

#if arch(x86_64)
/// The AVX2 kernels, with products and tanh in the wider registers of AVX-512 (x86-64-v4). Each sum has the
/// same order and the same fused instructions, so that the results are bit-identical to those of AVX2.
@_cdecl("cp_kernels_avx512")
public func kernelsAVX512(_ table: UnsafeMutablePointer<cp_kernels>) {
    cp_kernels_avx2(table)
    fillProducts(table)
    table.pointee.activate = { activate($0, $1!, $2!, $3, $4, $5) }
}

private func activate(_ kind: Int32, _ z: Source, _ a: Target, _ rows: Int, _ columns: Int, _ stride: Int) {
    guard kind == Int32(CP_TANH) else { return cp_activate_avx2(kind, z, a, rows, columns, stride) }
    let count = rows * stride
    var i = 0
    while i + Wide.count <= count {
        Wide(z + i).tanh.save(a + i)
        i += Wide.count
    }
    if i < count { cp_activate_avx2(kind, z + i, a + i, 1, 8, 8) }
}
#endif
