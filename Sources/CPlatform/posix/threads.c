#include "parts.h"
#if CP_HAS_THREADS
#include <pthread.h>
#include <signal.h>

#include "../system.h"

bool cp_start_thread(void *(*run)(void *), void *argument) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_t attributes;
    bool is_started = false;
    if (pthread_attr_init(&attributes) == 0) {
        pthread_t thread;
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        pthread_attr_setstacksize(&attributes, 1 << 20);
        is_started = pthread_create(&thread, &attributes, run, argument) == 0;
        pthread_attr_destroy(&attributes);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return is_started;
}
#endif
