import CKernels

// Networks reach the kernels by C names and import no module of kernels: so no kernel's code is compiled again, for
// another processor, into theirs.

/// The instructions that every processor of the architecture has.
@_cdecl("cp_kernels_baseline")
public func kernelsBaseline(_ table: UnsafeMutablePointer<cp_kernels>) {
    fillProducts(table)
    fillElementwise(table)
    fillRows(table)
}
