/* The floating-point environment of a thread: how numbers are rounded, what becomes of subnormal numbers, which exceptions
 * trap, and which have occurred. The library computes in the default environment, so that results do not depend on the
 * caller's; functions of the host run in the caller's.
 *
 * An environment is one number: what controls the arithmetic, and the flags of exceptions. For another architecture this
 * block is the only place to fill in. On x86-64 the library computes with vector registers alone, so that MXCSR is all that
 * matters to its arithmetic. The control word of the x87 (fesetround sets both) matters to functions of the host, so that
 * the library's threads take it over, and to the C library's text of numbers (numbers.c). */
#ifndef CPLATFORM_ENVIRONMENT_H
#define CPLATFORM_ENVIRONMENT_H

#include <stdbool.h>
#include <stdint.h>

/* Where one is not inlined, all functions of that Swift file get unwind tables. */
#define CP_INLINE __attribute__((always_inline)) static inline

#if defined(__x86_64__)

#define CP_DEFAULT_ENVIRONMENT UINT64_C(0x1f80) /* to nearest, subnormal numbers kept, all exceptions masked, no flags */
#define CP_QUIET_FLAGS UINT64_C(0x32)           /* subnormal operand, underflow, inexact */
#define CP_LOUD_FLAGS UINT64_C(0x0d)            /* invalid, division by zero, overflow */
#define CP_DEFAULT_X87 0x37f
CP_INLINE uint64_t cp_environment(void) {
    uint32_t environment;
    __asm__ volatile("stmxcsr %0" : "=m"(environment));
    return environment;
}
CP_INLINE void cp_set_environment(uint64_t environment) {
    uint32_t all = (uint32_t)environment;
    __asm__ volatile("ldmxcsr %0" : : "m"(all));
}

CP_INLINE uint16_t cp_x87_control(void) {
    uint16_t control;
    __asm__ volatile("fnstcw %0" : "=m"(control));
    return control;
}
CP_INLINE void cp_set_x87_control(uint16_t control) { __asm__ volatile("fldcw %0" : : "m"(control)); }
CP_INLINE void cp_clear_x87_flags(void) { __asm__ volatile("fnclex"); }

#elif defined(__aarch64__)

/* FPCR below, FPSR above. */
#define CP_DEFAULT_ENVIRONMENT UINT64_C(0)
#define CP_QUIET_FLAGS (UINT64_C(0x98) << 32)
#define CP_LOUD_FLAGS (UINT64_C(0x07) << 32)
#define CP_DEFAULT_X87 0
CP_INLINE uint64_t cp_environment(void) {
    uint64_t control, status;
    __asm__ volatile("mrs %0, fpcr\n\tmrs %1, fpsr" : "=r"(control), "=r"(status));
    return (uint32_t)control | status << 32;
}
CP_INLINE void cp_set_environment(uint64_t environment) {
    __asm__ volatile("msr fpcr, %0\n\tmsr fpsr, %1" : : "r"(environment & 0xffffffff), "r"(environment >> 32));
}

CP_INLINE uint16_t cp_x87_control(void) { return 0; }
CP_INLINE void cp_set_x87_control(uint16_t control) { (void)control; }
CP_INLINE void cp_clear_x87_flags(void) {}

#else
#error "No floating-point environment for this architecture yet: see above."
#endif

/* Whether arithmetic is as by default, whatever exceptions have occurred. */
CP_INLINE bool cp_is_default(uint64_t environment) {
    return (environment & ~(CP_QUIET_FLAGS | CP_LOUD_FLAGS)) == CP_DEFAULT_ENVIRONMENT;
}

/* Makes the environment what it was before, but for the quiet flags: those raised since stay. */
CP_INLINE void cp_restore_environment(uint64_t before) {
    void cp_bring_back_environment(uint64_t before);
    if ((cp_environment() ^ before) & ~CP_QUIET_FLAGS) cp_bring_back_environment(before);
}

/* Begins the library's work for a caller whose environment is not the default. Returns what ends it, after which
 * cp_restore_environment brings the caller's environment back. */
uint64_t cp_begin_work(uint64_t callers);
void cp_end_work(uint64_t begun);

/* The environment in which functions of the host run on this thread; 0 for the one that the thread is in. */
uint64_t cp_host_environment(void);
void cp_set_host_environment(uint64_t host);

/* Around a call of a function of the host, where its environment is not 0. */
void cp_enter_host(uint64_t host);
void cp_leave_host(uint64_t host);

#endif
