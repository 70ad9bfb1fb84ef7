/* A team of threads that share the work of large steps. Its threads start when first needed. Between jobs they spin briefly,
 * then sleep. */
#ifndef CPLATFORM_THREADS_H
#define CPLATFORM_THREADS_H

#include <stdbool.h>
#include <stddef.h>

#include "swift_call.h"

/* Runs task(context, 0) … task(context, count - 1), each once, on the calling thread and on the team; returns when all are
 * done. While one caller uses the team, other callers do their work alone. A brief job takes less time than waking a
 * thread: it is shared with a sleeping team only if such jobs follow each other closely.
 *   Returns true. Returns false only in the child of a fork by a task on the calling thread: the other threads' shares are
 * not done there. */
bool cp_run_parallel(ptrdiff_t count, bool brief, void (*task)(void *context, ptrdiff_t index), void *context);

/* Like cp_run_parallel, for a non-escaping Swift closure (Int) -> Void, passed as its function and its context. (Passed as
 * a Swift value it would be allocated on the heap.) If it returns false, the caller's visit is marked as lost. */
typedef CP_SWIFT_CALL void cp_closure(ptrdiff_t index, CP_SWIFT_CONTEXT void *context);
CP_SWIFT_CALL bool cp_run_closure(ptrdiff_t count, bool brief, cp_closure *function, void *context);

/* The number of threads that a job may use, including the caller's; 0: the number of processors. */
void cp_set_thread_count(size_t count);
size_t cp_thread_count(void);

enum { CP_MOST_THREADS = 256 };

/* In the child of a fork: the team has no threads there. */
void cp_team_after_fork(void);

#endif
