#ifdef __APPLE__
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "../system.h"

uint32_t cp_processors(void) {
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : (uint32_t)count;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

void cp_sleep(uint32_t *word, uint32_t value) {
    pthread_mutex_lock(&mutex);
    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == value) pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
}

void cp_wake_all(uint32_t *word) {
    (void)word;
    pthread_mutex_lock(&mutex); /* a thread that has read the old value sleeps before the broadcast */
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

/* In the child of a fork: another thread may have held the mutex. */
static void reset(void) {
    mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    changed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
}
__attribute__((constructor)) static void register_reset(void) { pthread_atfork(NULL, NULL, reset); }

void cp_discard_signal(int signal) {
    sigset_t set, pending;
    sigemptyset(&set);
    sigaddset(&set, signal);
    if (sigpending(&pending) == 0 && sigismember(&pending, signal) == 1) sigwait(&set, &signal);
}

bool cp_register_barrier(void) { return false; }
bool cp_order_all_threads(void) { return false; }
#endif
