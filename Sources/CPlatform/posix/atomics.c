#include "atomics.h"

#include "parts.h"
#ifndef CP_IS_BARE
#include <pthread.h>
#include <sched.h>
#include <time.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

void cp_lock(void) { pthread_mutex_lock(&mutex); }
void cp_unlock(void) { pthread_mutex_unlock(&mutex); }

void cp_wait(uint32_t attempt) {
    if (attempt < 200) {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ volatile("yield");
#endif
    } else if (attempt < 220) {
        sched_yield();
    } else {
        const struct timespec interval = {0, 50000};
        nanosleep(&interval, NULL);
    }
}

double cp_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
#endif
