#ifdef __linux__
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../system.h"

uint32_t cp_processors(void) {
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count < 1 ? 1 : (uint32_t)count;
}

void cp_sleep(uint32_t *word, uint32_t value) { syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0); }
void cp_wake_all(uint32_t *word) { syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0); }

void cp_discard_signal(int signal) {
    const struct timespec no_wait = {0, 0};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    while (sigtimedwait(&set, NULL, &no_wait) < 0 && errno == EINTR) {}
}

static bool membarrier(int command) { return syscall(SYS_membarrier, command, 0, 0) == 0; }
bool cp_register_barrier(void) { return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED); }
/* Registers again in the child of a fork. */
bool cp_order_all_threads(void) {
    return membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) ||
        (cp_register_barrier() && membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED));
}
#endif
