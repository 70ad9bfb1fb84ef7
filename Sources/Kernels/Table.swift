import CPlatform

// Networks reach the kernels by these C names and import neither module: so no kernel's code is compiled again, for
// another processor, into theirs.
#if FMA
@_cdecl("cp_kernels_avx2")
public func kernelsAVX2(_ table: UnsafeMutablePointer<cp_kernels>) { table.pointee = kernels(named: "avx2") }
#else
@_cdecl("cp_kernels_baseline")
public func kernelsBaseline(_ table: UnsafeMutablePointer<cp_kernels>) { table.pointee = kernels(named: "baseline") }
#endif

/// This build's kernels. The network passes every pointer, but where kernels.h notes one as optional.
private func kernels(named name: StaticString) -> cp_kernels {
    cp_kernels(
        name: UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self),
        forward: { forward($0!, $1, $2, $3, $4!, $5, $6!, $7) },
        update: { update($0!, $1, $2, $3..<$4, $5, $6!, $7, $8!, $9, $10) },
        gradient: { gradient($0!, $1, $2, $3..<$4, $5, $6!, $7, $8!, $9) },
        backward: { backward($0!, $1, $2, $3, $4!, $5!, $6) },
        transpose: { transpose($0!, $1, $2, $3, $4, $5!) },
        activate: { activate($0, $1!, $2!, $3, $4, $5) },
        differentiate: { differentiate($0, $1!, $2!, $3!, $4, $5, $6) },
        batch_statistics: { batchStatistics($0!, $1, $2, $3!, $4!) },
        normalize: { normalize($0!, $1, $2, $3!, $4!, $5!, $6!, $7!, $8!) },
        scale_and_shift: { scaleAndShift($0!, $1, $2, $3!, $4!) },
        batch_gradients: { batchGradients($0!, $1!, $2, $3, $4!, $5!) },
        denormalize: { denormalize($0!, $1!, $2, $3, $4, $5!, $6!, $7!) },
        train_rows: { trainRows($0!, $1!, $2!, $3, $4, $5!) },
        predict_row: { predictRow($0!, $1!, $2!) },
        step: { step($0!, $1!, $2, $3) },
        sum_of_magnitudes: { sumOfMagnitudes($0!, $1) },
        sum_of_squares: { sumOfSquares($0!, $1) },
        optimize: { optimize($0!, $1!, $2!, $3, $4, $5) })
}
