/* A team of threads for steps large enough to share. Started when first needed; spins briefly between jobs, then sleeps. */
#ifndef CPLATFORM_THREADS_H
#define CPLATFORM_THREADS_H

#include <stdbool.h>
#include <stddef.h>

/* Runs task(context, 0) … task(context, count - 1), each once, on the calling thread and those of the team that are
 * free; returns when all are done. A second caller meanwhile does its work alone. A brief job, done before a sleeping
 * thread would be awake, is shared with the team while such jobs follow each other closely.
 *   True; false only in the child of a fork that a task on the calling thread made, where the shares of the other threads
 * are not done. */
bool cp_run_parallel(ptrdiff_t count, bool brief, void (*task)(void *context, ptrdiff_t index), void *context);

/* The same for a Swift closure (Int) -> Void that does not escape: its function and its context, as Swift passes them.
 * (To hand it over as a value of Swift's it would have to be put on the heap.) Where the result is
 * false, the caller's visit is lost. */
typedef __attribute__((swiftcall)) void cp_closure(ptrdiff_t index, __attribute__((swift_context)) void *context);
__attribute__((swiftcall)) bool cp_run_closure(ptrdiff_t count, bool brief, cp_closure *function, void *context);

/* How many threads a job may use, the caller's included; 0 chooses as many as there are processors. */
void cp_set_thread_count(size_t count);
size_t cp_thread_count(void);

enum { CP_MOST_THREADS = 256 };

/* In the child of a fork, where the team's threads are not. */
void cp_team_after_fork(void);

#endif
