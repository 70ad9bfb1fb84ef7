/* One thread, which interrupts do not call the library from. */
#include "parts.h"
#ifdef CP_IS_BARE
#include <time.h>

#include "atomics.h"
#include "threads.h"

static size_t requested;

void cp_set_thread_count(size_t count) { requested = count; }
size_t cp_thread_count(void) { return requested ? requested : 1; }

bool cp_run_parallel(ptrdiff_t count, bool brief, void (*task)(void *, ptrdiff_t), void *context) {
    (void)brief;
    for (ptrdiff_t i = 0; i < count; i++) task(context, i);
    return true;
}

CP_SWIFT_CALL bool cp_run_closure(ptrdiff_t count, bool brief, cp_closure *function, void *context) {
    (void)brief;
    for (ptrdiff_t i = 0; i < count; i++) function(i, context);
    return true;
}

void cp_lock(void) {}
void cp_unlock(void) {}
void cp_wait(uint32_t attempt) { (void)attempt; }
double cp_seconds(void) { return (double)clock() / CLOCKS_PER_SEC; }

/* The functions that Clang calls for atomic operations of 64 bits, which the processor lacks. */
uint64_t __atomic_load_8(const volatile void *p, int order) { return (void)order, *(const volatile uint64_t *)p; }
void __atomic_store_8(volatile void *p, uint64_t value, int order) { (void)order, *(volatile uint64_t *)p = value; }
uint64_t __atomic_exchange_8(volatile void *p, uint64_t value, int order) {
    uint64_t before = __atomic_load_8(p, order);
    __atomic_store_8(p, value, order);
    return before;
}
uint64_t __atomic_fetch_add_8(volatile void *p, uint64_t value, int order) {
    return __atomic_exchange_8(p, __atomic_load_8(p, order) + value, order);
}
uint64_t __atomic_fetch_sub_8(volatile void *p, uint64_t value, int order) { return __atomic_fetch_add_8(p, 0 - value, order); }
bool __atomic_compare_exchange_8(volatile void *p, void *expected, uint64_t desired, int success, int failure) {
    uint64_t before = __atomic_load_8(p, failure), *wanted = expected;
    bool is_equal = before == *wanted;
    if (is_equal) __atomic_store_8(p, desired, success);
    else *wanted = before;
    return is_equal;
}
#endif
