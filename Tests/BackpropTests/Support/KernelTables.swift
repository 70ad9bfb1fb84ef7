import CPlatform
import Testing

/// The kernels this processor can run.
struct KernelTable: @unchecked Sendable, CustomTestStringConvertible {
    let name: String
    let kernels: cp_kernels

    var testDescription: String { name }

    static let all: [KernelTable] = {
        var table = cp_kernels()
        cp_kernels_baseline(&table)
        var tables = [KernelTable(name: String(cString: table.name), kernels: table)]
        if cp_uses_avx2() {
            cp_kernels_avx2(&table)
            tables.append(KernelTable(name: String(cString: table.name), kernels: table))
        }
        return tables
    }()
}
