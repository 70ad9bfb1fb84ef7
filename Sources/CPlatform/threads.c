#define _GNU_SOURCE
#include "threads.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "atomics.h"
#include "environment.h"
#include "gate.h"
#include "this_thread.h"

/* How a thread waits: some microseconds of pauses, then by giving its turn away, so that where others need the
 * processors nobody waits for a thread that cannot run; in the end, if it is of the team, it sleeps. */
enum { PAUSES = 500, TURNS = 100 };

/* Nanoseconds within which one brief job follows another closely. */
enum { CLOSE = 50000 };

/* One job at a time. A share of it is claimed by a compare-and-swap on `next`, which holds the job's number above and the
 * index of the next share below. The caller closes `next` before it changes anything else: a thread that comes late, and
 * may have read parts of two jobs, finds another `next` and claims nothing. Tests/Models/team.py explores the protocol. */
static struct {
    uint32_t owned;  /* a caller has the team */
    uint32_t number; /* of the latest job; sleepers wait for it to change */
    uint32_t sleepers;
    uint32_t helpers; /* threads of the team that may join this job */
    uint64_t next;
    uint64_t done; /* shares */
    uint64_t count;
    void (*task)(void *, ptrdiff_t);
    void *context;
} job __attribute__((aligned(64)));

static uint32_t started;   /* threads of the team there are */
static uint32_t wished;    /* as bp_set_thread_count said */
static uint32_t available; /* processors */

/* Comes before each step that other threads can see. A test puts delays there. */
#ifndef CP_STEP
#define CP_STEP() ((void)0)
#endif

#define LOAD(p) (CP_STEP(), __atomic_load_n(&(p), __ATOMIC_ACQUIRE))
#define STORE(p, v) (CP_STEP(), __atomic_store_n(&(p), (v), __ATOMIC_RELEASE))

/* What `next` holds. No share has the index CLOSED: a job has at most INT32_MAX. */
enum { CLOSED = -1 };
static uint64_t ticket(uint32_t number, int32_t index) { return (uint64_t)number << 32 | (uint32_t)index; }

static void wait_briefly(uint32_t attempt) {
    if (attempt < PAUSES) cp_wait(0);
    else sched_yield();
}

static void futex(uint32_t *word, int operation, uint32_t value) {
    syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

/* Does what is left of job `number`. */
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
        if (LOAD(job.number) != number) return; /* forked inside the task: in the child this job has ended */
        __atomic_add_fetch(&job.done, 1, __ATOMIC_ACQ_REL);
        next = LOAD(job.next);
    }
}

static void *member(void *argument) {
    uint32_t index = (uint32_t)(uintptr_t)argument, seen = 0;
    cp_this_thread.role = CP_HELPER;
    cp_set_environment(CP_DEFAULT_ENVIRONMENT);
    for (;;) {
        for (uint32_t spins = 0; LOAD(job.number) == seen; spins++) {
            if (spins < PAUSES + TURNS) {
                wait_briefly(spins);
                continue;
            }
            __atomic_add_fetch(&job.sleepers, 1, __ATOMIC_SEQ_CST);
            if (LOAD(job.number) == seen) futex(&job.number, FUTEX_WAIT, seen);
            __atomic_sub_fetch(&job.sleepers, 1, __ATOMIC_SEQ_CST);
        }
        seen = LOAD(job.number);
        if (index >= LOAD(job.helpers)) continue;
        work(seen);
        if (cp_this_thread.role == CP_ORPHAN) return NULL;
    }
}

/* A team is started anew when needed. A job in progress ends: its caller, where that is the thread which forked, finds
 * another number. */
void cp_team_after_fork(void) {
    started = 0;
    job.next = ticket(++job.number, CLOSED);
    job.owned = job.sleepers = 0;
}

/* Starts threads up to `helpers`; the caller owns the team. The host's signals are not for them. */
static void start(uint32_t helpers) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) == 0) {
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        pthread_attr_setstacksize(&attributes, 1 << 20); /* a host's functions may run on it */
        for (pthread_t thread; started < helpers; STORE(started, started + 1))
            if (pthread_create(&thread, &attributes, member, (void *)(uintptr_t)started) != 0) break;
        pthread_attr_destroy(&attributes);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static uint32_t processors(void) {
    if (!LOAD(available)) {
        cpu_set_t set;
        int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
        STORE(available, (uint32_t)(count < 1 ? 1 : count > CP_MOST_THREADS ? CP_MOST_THREADS : count));
    }
    return LOAD(available);
}

size_t cp_thread_count(void) {
    uint32_t wish = LOAD(wished);
    return wish ? wish : processors();
}

void cp_set_thread_count(size_t count) { STORE(wished, (uint32_t)count); }

/* Whether the latest brief job that found the team asleep was some microseconds ago: then it is worth its waking. */
static bool follows_closely(void) {
    static uint64_t latest;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t time = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    return time - __atomic_exchange_n(&latest, time, __ATOMIC_RELAXED) < CLOSE;
}

bool cp_run_parallel(ptrdiff_t count, bool brief, void (*task)(void *, ptrdiff_t), void *context) {
    /* Threads beyond the processors would only take turns. */
    uint32_t wish = (uint32_t)cp_thread_count(), helpers = (wish < processors() ? wish : processors()) - 1, unowned = 0;
    if (count - 1 < (ptrdiff_t)helpers) helpers = count > 0 ? (uint32_t)count - 1 : 0;
    bool asleep = LOAD(started) < helpers || LOAD(job.sleepers);
    if (helpers == 0 || count > INT32_MAX || (brief && asleep && !follows_closely()) ||
        !__atomic_compare_exchange_n(&job.owned, &unowned, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
        for (ptrdiff_t i = 0; i < count; i++) task(context, i);
        return true;
    }
    int error = errno;
    if (started < helpers) start(helpers);
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
    if (__atomic_load_n(&job.sleepers, __ATOMIC_SEQ_CST)) futex(&job.number, FUTEX_WAKE, INT32_MAX);
    work(number);
    bool ended = false;
    for (uint32_t attempt = 0; !ended && LOAD(job.number) == number; attempt++) {
        ended = LOAD(job.done) == (uint64_t)count;
        if (!ended) wait_briefly(attempt);
    }
    if (ended) STORE(job.owned, 0); /* else the team is no longer this call's */
    errno = error;
    return ended;
}

/* A closure may run functions of the host. On any thread they are inside the network that the caller is in, and run in
 * the caller's floating-point environment. */
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
        cp_clear_x87_flags(); /* of earlier functions: where they are unmasked they would trap now */
        cp_set_x87_control(task->x87);
    }
    task->function(index, task->context);
    cp_set_host_environment(host);
    cp_set_current_visit(visit);
}

__attribute__((swiftcall)) bool cp_run_closure(ptrdiff_t count, bool brief, cp_closure *function, void *context) {
    closure task = {function, context, cp_current_visit(), cp_host_environment(), cp_x87_control()};
    bool ended = cp_run_parallel(count, brief, run_closure, &task);
    if (!ended && task.visit) task.visit->lost = true;
    return ended;
}
