/* The functions of pthread.h that the library uses, for WebAssembly with threads. Its builds search this folder for headers. */
#ifndef WASM_THREADS_PTHREAD_H
#define WASM_THREADS_PTHREAD_H

#include <errno.h>
#include <sched.h>
#include <stdbool.h>

typedef int pthread_once_t, pthread_mutex_t, pthread_key_t;
#define PTHREAD_ONCE_INIT 0
#define PTHREAD_MUTEX_INITIALIZER 0

/* Held for a short time only. A page's main thread may not sleep, so that a waiting thread spins. */
static inline int pthread_mutex_lock(pthread_mutex_t *mutex) {
    while (__atomic_exchange_n(mutex, 1, __ATOMIC_ACQUIRE)) sched_yield();
    return 0;
}
static inline int pthread_mutex_unlock(pthread_mutex_t *mutex) { return __atomic_store_n(mutex, 0, __ATOMIC_RELEASE), 0; }

enum { PTHREAD_ONCE_BEGUN = 1, PTHREAD_ONCE_ENDED };
static inline int pthread_once(pthread_once_t *once, void (*body)(void)) {
    int before = PTHREAD_ONCE_INIT;
    if (__atomic_compare_exchange_n(once, &before, PTHREAD_ONCE_BEGUN, false, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)) {
        body();
        __atomic_store_n(once, PTHREAD_ONCE_ENDED, __ATOMIC_RELEASE);
    }
    while (__atomic_load_n(once, __ATOMIC_ACQUIRE) != PTHREAD_ONCE_ENDED) sched_yield();
    return 0;
}

/* No key: no thread ends before the program. */
static inline int pthread_key_create(pthread_key_t *key, void (*at_end)(void *)) { return (void)key, (void)at_end, EAGAIN; }
static inline int pthread_setspecific(pthread_key_t key, const void *value) { return (void)key, (void)value, EINVAL; }

#endif
