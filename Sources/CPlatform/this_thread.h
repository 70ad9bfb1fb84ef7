/* The library's data of each thread. */
#ifndef CPLATFORM_THIS_THREAD_H
#define CPLATFORM_THIS_THREAD_H

#include <stdint.h>

#include "gate.h"
#include "parts.h"

enum cp_role {
    CP_CALLER,
    CP_HELPER, /* a thread of the team */
    CP_ORPHAN, /* in the child of a fork by a thread of the team: the call that it helped does not exist there */
};

typedef struct cp_thread {
    cp_visit *visit;   /* the innermost visit */
    void *plugin_file; /* the plug-in file whose entry point runs */
    const char *error_text;
    char *error_buffer; /* of a thread whose messages were not all static; or NULL */
    uint64_t host;      /* the caller's floating-point environment, while the library computes in the default one; or 0 */
    enum cp_role role;
} cp_thread;

/* All initial-exec libraries opened by dlopen share a few hundred bytes (glibc.rtld.optional_static_tls), so this struct must
 * stay small. */
extern CP_THREAD_LOCAL cp_thread cp_this_thread __attribute__((visibility("hidden")));

#endif
