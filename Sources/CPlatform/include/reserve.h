/* Memory for Swift's own objects, strings and arrays when the system has none left.
 *
 * Embedded Swift takes that memory by posix_memalign and does not look whether it got any: a refusal would end the host.
 * So in the shared library its calls come here (ld --wrap), and what the system refuses is taken from a reserve, which
 * every call of the library makes sure of before it starts. Calls go on with what they got; only when too little of the
 * reserve is left, and the system has no more for a new one, is the next call refused. What is as large as a caller's
 * numbers is not served from here, but asked for by memory.h, where no is an answer. */
#ifndef CPLATFORM_RESERVE_H
#define CPLATFORM_RESERVE_H

#include <stdbool.h>
#include <stddef.h>

/* What one call may need, if it needs no more than a network of 32 layers or a name of 1,000 characters does. */
enum { CP_RESERVE_BYTES = 256 << 10 };

enum { CP_RESERVE_NONE, CP_RESERVE_THERE, CP_RESERVE_LARGE };

static inline int cp_reserve(void) {
    extern int cp_reserve_state __attribute__((visibility("hidden")));
    return __atomic_load_n(&cp_reserve_state, __ATOMIC_RELAXED);
}

/* Whether CP_RESERVE_BYTES are there, if memory ends now. */
static inline bool cp_has_reserve(void) { return cp_reserve() != CP_RESERVE_NONE; }

/* Makes sure of CP_RESERVE_BYTES and `more`; the latter until the call ends, which says so by cp_trim_reserve. */
bool cp_make_reserve(size_t more);
static inline bool cp_reserve_is_large(void) { return cp_reserve() == CP_RESERVE_LARGE; }
void cp_trim_reserve(void);

/* For fork: nobody else is in the middle of something. */
void cp_lock_reserve(void);
void cp_unlock_reserve(void);

#endif
