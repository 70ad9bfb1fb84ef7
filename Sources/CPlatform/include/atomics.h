/* Atomic operations on plain memory, waiting, the clock, and the library's mutex. */
#ifndef CPLATFORM_ATOMICS_H
#define CPLATFORM_ATOMICS_H

#include <stdbool.h>
#include <stdint.h>

/* A number for the atomic operations of 64 bits. i386 aligns a uint64_t to four bytes, where they need a lock. */
typedef uint64_t cp_atomic64 __attribute__((aligned(8)));

static inline uint64_t cp_load64(const cp_atomic64 *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
static inline void cp_store64(cp_atomic64 *p, uint64_t value) { __atomic_store_n(p, value, __ATOMIC_RELEASE); }
static inline bool cp_exchange_if_equal64(cp_atomic64 *p, uint64_t expected, uint64_t desired) {
    return __atomic_compare_exchange_n(p, &expected, desired, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}
static inline uint64_t cp_subtract64(cp_atomic64 *p, uint64_t value) { return __atomic_sub_fetch(p, value, __ATOMIC_ACQ_REL); }

static inline uint32_t cp_load32(const uint32_t *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
static inline void cp_store32(uint32_t *p, uint32_t value) { __atomic_store_n(p, value, __ATOMIC_RELEASE); }
static inline bool cp_exchange_if_equal32(uint32_t *p, uint32_t expected, uint32_t desired) {
    return __atomic_compare_exchange_n(p, &expected, desired, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}
static inline uint32_t cp_next32(uint32_t *p) { return __atomic_fetch_add(p, 1, __ATOMIC_ACQ_REL); }

static inline void *cp_load_pointer(void *const *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
static inline void cp_store_pointer(void **p, void *value) { __atomic_store_n(p, value, __ATOMIC_RELEASE); }
/* Stores value at p and returns the previous value. */
static inline void *cp_exchange_pointer(void **p, void *value) { return __atomic_exchange_n(p, value, __ATOMIC_ACQ_REL); }
static inline bool cp_exchange_pointer_if_null(void **p, void *value) {
    void *expected = 0;
    return __atomic_compare_exchange_n(p, &expected, value, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* Waits before attempt number `attempt` to read a value that another thread will change: at first a pause instruction of
 * the processor, later the rest of the time slice, then 50 microseconds. */
void cp_wait(uint32_t attempt);

/* Seconds of the monotonic clock. */
double cp_seconds(void);

/* The library's process-wide mutex, for tables that change rarely. */
void cp_lock(void);
void cp_unlock(void);

#endif
