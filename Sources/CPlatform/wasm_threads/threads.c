/* Threads of WebAssembly: JavaScript starts workers with the same module and memory ahead of the first call, because a page starts
 * none during a call. They wait here until the library starts a thread. */
#ifdef __wasm_atomics__
#include "threads.h"

#include <sched.h>

#include "../system.h"

#define EXPORT(name) __attribute__((export_name(#name)))

static uint32_t workers;
static uint32_t started; /* threads; worker i runs thread i */
static struct {
    void *(*run)(void *);
    void *argument;
} threads[CP_MOST_THREADS];

/* Adds the calling worker, and returns its index. */
EXPORT(add_worker) uint32_t add_worker(void) { return __atomic_fetch_add(&workers, 1, __ATOMIC_ACQ_REL); }

/* Called by the worker after add_worker. Does not return. */
EXPORT(run_worker) void run_worker(uint32_t index) {
    for (uint32_t count; (count = __atomic_load_n(&started, __ATOMIC_ACQUIRE)) <= index;) cp_sleep(&started, count);
    threads[index].run(threads[index].argument);
}

bool cp_start_thread(void *(*run)(void *), void *argument) {
    if (started >= __atomic_load_n(&workers, __ATOMIC_ACQUIRE) || started >= CP_MOST_THREADS) return false;
    threads[started].run = run;
    threads[started].argument = argument;
    __atomic_store_n(&started, started + 1, __ATOMIC_RELEASE);
    cp_wake_all(&started);
    return true;
}

uint32_t cp_processors(void) { return 1 + __atomic_load_n(&workers, __ATOMIC_ACQUIRE); }

/* Called by workers only: a page's main thread may not sleep. */
void cp_sleep(uint32_t *word, uint32_t value) { __builtin_wasm_memory_atomic_wait32((int *)word, (int)value, -1); }
void cp_wake_all(uint32_t *word) { __builtin_wasm_memory_atomic_notify((int *)word, UINT32_MAX); }

bool cp_register_barrier(void) { return false; }
bool cp_order_all_threads(void) { return false; }

/* Nothing gives the processor to another thread. Some hundred nanoseconds pass instead. */
int sched_yield(void) {
    for (int i = 0; i < 256; i++) __asm__ volatile("");
    return 0;
}
#endif
