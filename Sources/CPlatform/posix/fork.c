/* Support for fork. The child has only the forking thread, and a copy of the memory at that moment. The process-wide locks
 * are held across fork, so that the data they guard are consistent in the child. (In the child, pthread_once runs again if
 * another thread was executing it.) */
#include "parts.h"
#if CP_HAS_THREADS
#include <pthread.h>

#include "atomics.h"
#include "gate.h"
#include "readers.h"
#include "reserve.h"
#include "threads.h"

#include "../this_thread.h"

static void before_fork(void) {
    cp_lock();
    cp_lock_reserve();
}

static void after_fork_in_parent(void) {
    cp_unlock_reserve();
    cp_unlock();
}

static void after_fork_in_child(void) {
    if (cp_this_thread.role == CP_HELPER) { /* the visit is on the stack of a thread that the child does not have */
        cp_this_thread.role = CP_ORPHAN;
        cp_this_thread.visit = NULL;
    }
    cp_team_after_fork();
    cp_gates_after_fork();
    cp_readers_after_fork();
    cp_unlock_reserve();
    cp_unlock();
}

__attribute__((constructor)) static void register_handlers(void) {
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}
#endif
