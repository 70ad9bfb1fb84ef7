/* What fork means for the library: the child has the forking thread only, and all memory as it was at that moment. The
 * process-wide locks are held across it, so that nobody is in the middle of what they guard. (pthread_once starts over in
 * the child where another thread was in the middle of it.) */
#include <pthread.h>

#include "atomics.h"
#include "gate.h"
#include "reserve.h"
#include "this_thread.h"
#include "threads.h"

static void before_fork(void) {
    cp_lock();
    cp_lock_reserve();
}

static void after_fork_in_parent(void) {
    cp_unlock_reserve();
    cp_unlock();
}

static void after_fork_in_child(void) {
    if (cp_this_thread.role == CP_HELPER) { /* the visit is in the stack of a thread that is not there */
        cp_this_thread.role = CP_ORPHAN;
        cp_this_thread.visit = NULL;
    }
    cp_team_after_fork();
    cp_gates_after_fork();
    cp_unlock_reserve();
    cp_unlock();
}

__attribute__((constructor)) static void watch_forks(void) {
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}
