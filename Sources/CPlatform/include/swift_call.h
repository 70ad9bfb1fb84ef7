/* The calling convention of functions that receive a Swift closure as its function and its context. For RISC-V, Clang has none for
 * Swift, and Swift uses that of C. */
#ifndef CPLATFORM_SWIFT_CALL_H
#define CPLATFORM_SWIFT_CALL_H

#ifdef __riscv
#define CP_SWIFT_CALL
#define CP_SWIFT_CONTEXT
#else
#define CP_SWIFT_CALL __attribute__((swiftcall))
#define CP_SWIFT_CONTEXT __attribute__((swift_context))
#endif

#endif
