/* team_stress.c: the thread team (Sources/CPlatform/threads.c) with delays between its steps: each share of each job is run
 * once, with the context of its job, and each job ends. There are two callers, so that the team changes its caller. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "threads.h"

enum { JOBS = 6000, CALLERS = 2, PROCESSORS = 4, MOST = 7 };

/* The team has one thread for each processor: here PROCESSORS on every machine. */
int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set) {
    (void)pid;
    CPU_ZERO_S(size, set);
    for (int i = 0; i < PROCESSORS; i++) CPU_SET_S(i, size, set);
    return 0;
}

static _Thread_local uint32_t random_state;

static uint32_t random_number(void) {
    if (!random_state) random_state = (uint32_t)(uintptr_t)&random_state | 1; /* differs between threads */
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

/* Usually no delay; sometimes a delay in which other threads can finish a job. */
void cp_step(void) {
    uint32_t number = random_number() % 256;
    if (number < 16) sched_yield();
    if (number < 3) nanosleep(&(struct timespec){0, number * 40000}, NULL);
}

typedef struct {
    uint32_t times[MOST];
    ptrdiff_t count;
} shares;

static uint32_t faults;

static void fault(void) { __atomic_add_fetch(&faults, 1, __ATOMIC_RELAXED); }

static void count_share(void *context, ptrdiff_t index) {
    shares *job = context;
    if (index < 0 || index >= job->count) fault();
    else __atomic_add_fetch(&job->times[index], 1, __ATOMIC_RELAXED);
    if (random_number() % 4 == 0) sched_yield();
}

static void *call(void *caller) {
    random_state = (uint32_t)(uintptr_t)caller + 1;
    for (int i = 0; i < JOBS; i++) {
        shares job = {.count = 2 + (ptrdiff_t)(random_number() % (MOST - 1))};
        if (!cp_run_parallel(job.count, i % 3 == 0, count_share, &job)) fault();
        for (ptrdiff_t index = 0; index < job.count; index++)
            if (job.times[index] != 1) fault();
    }
    return NULL;
}

int main(void) {
    pthread_t callers[CALLERS];
    for (uintptr_t i = 0; i < CALLERS; i++)
        if (pthread_create(&callers[i], NULL, call, (void *)i) != 0) return 1;
    for (int i = 0; i < CALLERS; i++) pthread_join(callers[i], NULL);
    printf("%s %d jobs with delays between the team's steps: %u faults\n", faults ? "not ok" : "ok", JOBS * CALLERS, faults);
    return faults != 0;
}
