import CKernels

// Networks call the kernels by C names and do not import their modules. Otherwise the compiler could inline a kernel into
// code that is compiled for another instruction set.

/// Kernels of the instruction set that every processor of the architecture has, without fused multiply-add. They give the same bits on
/// all architectures.
@_cdecl("cp_kernels_baseline")
public func kernelsBaseline(_ table: UnsafeMutablePointer<cp_kernels>) {
    fillProducts(table)
    fillElementwise(table)
    fillRows(table)
}
