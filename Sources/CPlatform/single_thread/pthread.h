/* The functions of pthread.h that the library uses, for systems without threads. Their builds search this folder for headers. */
#ifndef SINGLE_THREAD_PTHREAD_H
#define SINGLE_THREAD_PTHREAD_H

#include <errno.h>
#include <sys/types.h>

/* Macros, because newlib has types of these names. */
#define pthread_once_t int
#define pthread_mutex_t int
#define pthread_key_t int
#define PTHREAD_ONCE_INIT 0
#define PTHREAD_MUTEX_INITIALIZER 0

static inline int pthread_once(pthread_once_t *once, void (*body)(void)) {
    if (!*once) {
        *once = 1;
        body();
    }
    return 0;
}
static inline int pthread_mutex_lock(pthread_mutex_t *mutex) { return (void)mutex, 0; }
static inline int pthread_mutex_unlock(pthread_mutex_t *mutex) { return (void)mutex, 0; }
/* No key: the thread does not end before the program. */
static inline int pthread_key_create(pthread_key_t *key, void (*at_end)(void *)) { return (void)key, (void)at_end, EAGAIN; }
static inline int pthread_setspecific(pthread_key_t key, const void *value) { return (void)key, (void)value, EINVAL; }

#endif
