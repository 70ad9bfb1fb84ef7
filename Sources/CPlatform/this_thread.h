/* What the library keeps for each thread. */
#ifndef CPLATFORM_THIS_THREAD_H
#define CPLATFORM_THIS_THREAD_H

#include <stdint.h>

#include "gate.h"

enum cp_role {
    CP_CALLER,
    CP_HELPER, /* a thread of the team */
    CP_ORPHAN, /* one that has forked, in the child: the call it was helping with is not there */
};

typedef struct cp_thread {
    cp_visit *visit;   /* the innermost */
    void *plugin_file; /* whose entry point runs */
    const char *error_text;
    uint64_t host; /* of this thread's caller, the floating-point environment, while the library works in another; or 0 */
    enum cp_role role;
} cp_thread;

/* Initial-exec: the memory is there from the thread's start on. By the general model a library that was opened by dlopen
 * gets it at a thread's first access, and the process ends where there is none. All such libraries of a process share
 * some hundred bytes (glibc.rtld.optional_static_tls), so this is kept small. */
extern _Thread_local cp_thread cp_this_thread __attribute__((visibility("hidden"), tls_model("initial-exec")));

#endif
