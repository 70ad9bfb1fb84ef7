#include "threads.h"

#include "parts.h"
#ifndef CP_IS_BARE
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "atomics.h"
#include "environment.h"
#include "gate.h"
#include "system.h"
#include "this_thread.h"

/* A waiting thread first executes some microseconds of pause instructions, then yields the processor, so that a thread
 * which it waits for can run even if all processors are busy. At last a thread of the team sleeps. */
enum { PAUSES = 500, YIELDS = 100 };

/* Brief jobs at most this many nanoseconds apart follow each other closely. */
enum { CLOSE_INTERVAL = 50000 };

/* The current job; there is at most one. A thread claims a share by a compare-and-swap on `next`, which holds the job's
 * number in the high half and the index of the next share in the low half. The caller closes `next` before it changes
 * anything else: a late thread, which may have read fields of two jobs, finds a different `next` and claims nothing.
 * Tests/Models/team.py explores the protocol. */
static struct {
    uint32_t owned;  /* 1 while a caller uses the team */
    uint32_t number; /* of the latest job; sleeping threads wait for it to change */
    uint32_t sleepers;
    uint32_t helpers; /* threads of the team that may join this job */
    cp_atomic64 next;
    cp_atomic64 done;  /* shares completed */
    cp_atomic64 count; /* shares in total */
    void (*task)(void *, ptrdiff_t);
    void *context;
} job __attribute__((aligned(64)));

static uint32_t started;   /* threads of the team that exist */
static uint32_t requested; /* threads, by bp_set_thread_count; 0: as many as processors */
static uint32_t available; /* processors; 0: not known yet */

/* Precedes each step that other threads can observe. A test inserts delays here. */
#ifndef CP_STEP
#define CP_STEP() ((void)0)
#endif

#define LOAD(p) (CP_STEP(), __atomic_load_n(&(p), __ATOMIC_ACQUIRE))
#define STORE(p, v) (CP_STEP(), __atomic_store_n(&(p), (v), __ATOMIC_RELEASE))

/* A value of `next`. No share has the index CLOSED: a job has at most INT32_MAX shares. */
enum { CLOSED = -1 };
static uint64_t ticket(uint32_t number, int32_t index) { return (uint64_t)number << 32 | (uint32_t)index; }

static void wait_briefly(uint32_t attempt) {
    if (attempt < PAUSES) cp_wait(0);
    else sched_yield();
}

/* Claims and runs shares of job `number` until none is left. */
static void work(uint32_t number) {
    uint64_t next = LOAD(job.next);
    for (;;) {
        uint64_t count = LOAD(job.count);
        void (*task)(void *, ptrdiff_t) = LOAD(job.task);
        void *context = LOAD(job.context);
        if (next >> 32 != number || (uint32_t)next >= count) return;
        CP_STEP();
        if (!__atomic_compare_exchange_n(&job.next, &next, next + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) continue;
        task(context, (ptrdiff_t)(uint32_t)next);
        if (LOAD(job.number) != number) return; /* the task forked: in the child this job is over */
        __atomic_add_fetch(&job.done, 1, __ATOMIC_ACQ_REL);
        next = LOAD(job.next);
    }
}

static void *run_helper(void *argument) {
    uint32_t index = (uint32_t)(uintptr_t)argument, seen = 0;
    cp_this_thread.role = CP_HELPER;
    cp_set_environment(CP_DEFAULT_ENVIRONMENT);
    for (;;) {
        for (uint32_t spins = 0; LOAD(job.number) == seen; spins++) {
            if (spins < PAUSES + YIELDS) {
                wait_briefly(spins);
                continue;
            }
            __atomic_add_fetch(&job.sleepers, 1, __ATOMIC_SEQ_CST);
            if (LOAD(job.number) == seen) cp_sleep(&job.number, seen);
            __atomic_sub_fetch(&job.sleepers, 1, __ATOMIC_SEQ_CST);
        }
        seen = LOAD(job.number);
        if (index >= LOAD(job.helpers)) continue;
        work(seen);
        if (cp_this_thread.role == CP_ORPHAN) return NULL;
    }
}

/* The next job starts a new team. A job in progress is over: its caller, if it is the thread that forked, sees that the
 * number has changed. */
void cp_team_after_fork(void) {
    started = 0;
    job.next = ticket(++job.number, CLOSED);
    job.owned = job.sleepers = 0;
}

/* Starts threads until there are `helpers`, or as many as the system allows. The caller owns the team. */
static void start_threads(uint32_t helpers) {
    while (started < helpers && cp_start_thread(run_helper, (void *)(uintptr_t)started)) STORE(started, started + 1);
}

static uint32_t processors(void) {
    if (!LOAD(available)) {
        uint32_t count = cp_processors();
        STORE(available, count > CP_MOST_THREADS ? CP_MOST_THREADS : count);
    }
    return LOAD(available);
}

size_t cp_thread_count(void) {
    uint32_t count = LOAD(requested);
    return count ? count : processors();
}

void cp_set_thread_count(size_t count) { STORE(requested, (uint32_t)count); }

/* Whether the previous brief job that found the team asleep was at most CLOSE_INTERVAL ago: then waking the team pays off. */
static bool follows_closely(void) {
    static cp_atomic64 latest;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t time = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    return time - __atomic_exchange_n(&latest, time, __ATOMIC_RELAXED) < CLOSE_INTERVAL;
}

bool cp_run_parallel(ptrdiff_t count, bool brief, void (*task)(void *, ptrdiff_t), void *context) {
    /* More threads than processors would bring no speed. */
    uint32_t threads = (uint32_t)cp_thread_count(), unowned = 0;
    uint32_t helpers = (threads < processors() ? threads : processors()) - 1;
    if (count - 1 < (ptrdiff_t)helpers) helpers = count > 0 ? (uint32_t)count - 1 : 0;
    bool asleep = LOAD(started) < helpers || LOAD(job.sleepers);
    if (helpers == 0 || count > INT32_MAX || (brief && asleep && !follows_closely()) ||
        !__atomic_compare_exchange_n(&job.owned, &unowned, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
        for (ptrdiff_t i = 0; i < count; i++) task(context, i);
        return true;
    }
    int error = errno;
    if (started < helpers) start_threads(helpers);
    uint32_t number = job.number + 1;
    STORE(job.next, ticket(number, CLOSED));
    STORE(job.done, 0);
    STORE(job.helpers, helpers);
    STORE(job.count, (uint64_t)count);
    STORE(job.task, task);
    STORE(job.context, context);
    STORE(job.next, ticket(number, 0));
    CP_STEP();
    __atomic_store_n(&job.number, number, __ATOMIC_SEQ_CST);
    CP_STEP();
    if (__atomic_load_n(&job.sleepers, __ATOMIC_SEQ_CST)) cp_wake_all(&job.number);
    work(number);
    bool ended = false;
    for (uint32_t attempt = 0; !ended && LOAD(job.number) == number; attempt++) {
        ended = LOAD(job.done) == (uint64_t)count;
        if (!ended) wait_briefly(attempt);
    }
    if (ended) STORE(job.owned, 0); /* otherwise the team does not belong to this call any more */
    errno = error;
    return ended;
}

/* A closure may call callbacks of the host. On every thread they run with the caller's visits and in the caller's
 * floating-point environment. */
typedef struct {
    cp_closure *function;
    void *context;
    cp_visit *visit;
    uint64_t host;
    uint16_t x87;
} closure;

static void run_closure(void *context, ptrdiff_t index) {
    const closure *task = context;
    cp_visit *visit = cp_current_visit();
    uint64_t host = cp_host_environment();
    cp_set_current_visit(task->visit);
    cp_set_host_environment(task->host);
    if (cp_x87_control() != task->x87) {
        cp_clear_x87_flags(); /* flags of earlier callbacks would trap now if their exceptions are unmasked */
        cp_set_x87_control(task->x87);
    }
    task->function(index, task->context);
    cp_set_host_environment(host);
    cp_set_current_visit(visit);
}

CP_SWIFT_CALL bool cp_run_closure(ptrdiff_t count, bool brief, cp_closure *function, void *context) {
    closure task = {function, context, cp_current_visit(), cp_host_environment(), cp_x87_control()};
    bool ended = cp_run_parallel(count, brief, run_closure, &task);
    if (!ended && task.visit) task.visit->lost = true;
    return ended;
}
#endif
