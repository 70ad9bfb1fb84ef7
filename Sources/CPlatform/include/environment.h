/* The floating-point environment of a thread: the rounding mode, the treatment of subnormal numbers, the exceptions that
 * trap, and the flags of exceptions that have occurred. The library computes in the default environment, so that results
 * do not depend on the caller's environment. Callbacks of the host run in the caller's environment.
 *
 * An environment is one number: the control bits and the exception flags. To support another architecture, extend this
 * block only. On x86 the library computes in vector registers only, so that its arithmetic depends on MXCSR alone. The
 * control word of the x87 (fesetround sets both) affects callbacks of the host, so the library's threads copy it from the
 * caller; it also affects how the C library converts numbers to and from text (decimal_text.c). */
#ifndef CPLATFORM_ENVIRONMENT_H
#define CPLATFORM_ENVIRONMENT_H

#include <stdbool.h>
#include <stdint.h>

/* If one of these functions is not inlined, all functions of that Swift file get unwind tables. */
#define CP_INLINE __attribute__((always_inline)) static inline

#if defined(__x86_64__) || (defined(__i386__) && defined(__SSE2__))

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

/* Control word, flags and pointers of the x87. Saving masks all exceptions and clears their flags. */
typedef struct cp_x87_environment {
    uint32_t words[7];
} cp_x87_environment;
CP_INLINE cp_x87_environment cp_save_x87(void) {
    cp_x87_environment environment;
    __asm__ volatile("fnstenv %0\n\tfnclex" : "=m"(environment));
    return environment;
}
CP_INLINE void cp_restore_x87(const cp_x87_environment *environment) {
    __asm__ volatile("fnclex\n\tfldenv %0" : : "m"(*environment));
}

#elif defined(__arm__) && defined(__ARM_FP)

/* FPSCR without the conditions of comparisons. */
#define CP_DEFAULT_ENVIRONMENT UINT64_C(0)
#define CP_QUIET_FLAGS UINT64_C(0x98)
#define CP_LOUD_FLAGS UINT64_C(0x07)
CP_INLINE uint64_t cp_environment(void) {
    uint32_t environment;
    __asm__ volatile("vmrs %0, fpscr" : "=r"(environment));
    return environment & 0x0fffffff;
}
CP_INLINE void cp_set_environment(uint64_t environment) {
    __asm__ volatile("vmsr fpscr, %0" : : "r"((uint32_t)environment) : "cc");
}

#elif defined(__aarch64__)

/* FPCR in the low half, FPSR in the high half. */
#define CP_DEFAULT_ENVIRONMENT UINT64_C(0)
#define CP_QUIET_FLAGS (UINT64_C(0x98) << 32)
#define CP_LOUD_FLAGS (UINT64_C(0x07) << 32)
CP_INLINE uint64_t cp_environment(void) {
    uint64_t control, status;
    __asm__ volatile("mrs %0, fpcr\n\tmrs %1, fpsr" : "=r"(control), "=r"(status));
    return (uint32_t)control | status << 32;
}
CP_INLINE void cp_set_environment(uint64_t environment) {
    __asm__ volatile("msr fpcr, %0\n\tmsr fpsr, %1" : : "r"(environment & 0xffffffff), "r"(environment >> 32));
}

#elif defined(__riscv_flen)

/* fcsr: the rounding mode, above the flags. Exceptions do not trap. */
#define CP_DEFAULT_ENVIRONMENT UINT64_C(0)
#define CP_QUIET_FLAGS UINT64_C(0x03)
#define CP_LOUD_FLAGS UINT64_C(0x1c)
CP_INLINE uint64_t cp_environment(void) {
    uint32_t environment;
    __asm__ volatile("frcsr %0" : "=r"(environment));
    return environment;
}
CP_INLINE void cp_set_environment(uint64_t environment) { __asm__ volatile("fscsr %0" : : "r"((uint32_t)environment)); }

#else

/* WebAssembly has no environment but the default one. On other processors the caller's environment must be the default. */
#define CP_DEFAULT_ENVIRONMENT UINT64_C(0)
#define CP_QUIET_FLAGS UINT64_C(0)
#define CP_LOUD_FLAGS UINT64_C(0)
CP_INLINE uint64_t cp_environment(void) { return CP_DEFAULT_ENVIRONMENT; }
CP_INLINE void cp_set_environment(uint64_t environment) { (void)environment; }

#endif

#ifndef CP_DEFAULT_X87 /* no x87 */
#define CP_DEFAULT_X87 0
CP_INLINE uint16_t cp_x87_control(void) { return CP_DEFAULT_X87; }
CP_INLINE void cp_set_x87_control(uint16_t control) { (void)control; }
CP_INLINE void cp_clear_x87_flags(void) {}

typedef struct cp_x87_environment {
    uint32_t words[7];
} cp_x87_environment;
CP_INLINE cp_x87_environment cp_save_x87(void) { return (cp_x87_environment){{0}}; }
CP_INLINE void cp_restore_x87(const cp_x87_environment *environment) { (void)environment; }
#endif

/* Whether the control bits are the default ones. Exception flags are ignored. */
CP_INLINE bool cp_is_default(uint64_t environment) {
    return (environment & ~(CP_QUIET_FLAGS | CP_LOUD_FLAGS)) == CP_DEFAULT_ENVIRONMENT;
}

/* Restores an environment. Quiet flags that have been raised since stay raised. */
CP_INLINE void cp_restore_environment(uint64_t before) {
    void cp_restore_changed_environment(uint64_t before);
    if ((cp_environment() ^ before) & ~CP_QUIET_FLAGS) cp_restore_changed_environment(before);
}

/* Begins the library's work for a caller whose environment is not the default. Returns the argument for cp_end_work; after
 * cp_end_work, cp_restore_environment restores the caller's environment. */
uint64_t cp_begin_work(uint64_t callers);
void cp_end_work(uint64_t begun);

/* The environment in which callbacks of the host run on this thread; 0: the thread's current environment. */
uint64_t cp_host_environment(void);
void cp_set_host_environment(uint64_t host);

/* Called before and after a callback of the host whose environment is not 0. */
void cp_enter_host(uint64_t host);
void cp_leave_host(uint64_t host);

#endif
