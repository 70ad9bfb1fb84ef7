/* A reserve of memory for Swift objects, strings and arrays, used when the system has no memory left.
 *
 * Embedded Swift allocates by posix_memalign and does not check the result: a failure would crash the host. In the shared
 * library, these calls are redirected to this file (ld --wrap). When the system refuses memory, it comes from the reserve,
 * which every call of the library checks before it starts. A call in progress continues with memory of the reserve. The
 * next call fails only if too little of the reserve is left and the system has no memory for a new one. Memory whose size
 * depends on the caller's data is allocated by memory.h instead, which reports a failure. */
#ifndef CPLATFORM_RESERVE_H
#define CPLATFORM_RESERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parts.h"

/* The memory that one call may need, for networks of up to CP_RESERVE_LAYERS layers and names of up to CP_RESERVE_TEXT characters.
 * The objects of a layer take less than 200 bytes. */
#ifdef CP_IS_BARE
enum { CP_RESERVE_BYTES = 8 << 10, CP_BYTES_OF_LAYER = 512, CP_RESERVE_TEXT = 100 };
#else
enum { CP_RESERVE_BYTES = 256 << 10, CP_BYTES_OF_LAYER = 8192, CP_RESERVE_TEXT = 1000 };
#endif
enum { CP_RESERVE_LAYERS = CP_RESERVE_BYTES / CP_BYTES_OF_LAYER };

enum { CP_RESERVE_NONE, CP_RESERVE_READY, CP_RESERVE_LARGE };

static inline int cp_reserve(void) {
    extern int cp_reserve_state __attribute__((visibility("hidden")));
    return __atomic_load_n(&cp_reserve_state, __ATOMIC_RELAXED);
}

/* Whether the reserve has CP_RESERVE_BYTES. */
static inline bool cp_has_reserve(void) { return cp_reserve() != CP_RESERVE_NONE; }

/* Ensures that the reserve has CP_RESERVE_BYTES and `more`; false if the system has too little memory. The additional
 * memory is held until the call ends, which must call cp_trim_reserve. */
bool cp_make_reserve(uint64_t more);
static inline bool cp_reserve_is_large(void) { return cp_reserve() == CP_RESERVE_LARGE; }
void cp_trim_reserve(void);

/* For fork: while the lock is held, no other thread changes the reserve. */
void cp_lock_reserve(void);
void cp_unlock_reserve(void);

#endif
