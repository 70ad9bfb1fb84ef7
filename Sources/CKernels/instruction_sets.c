#include "instruction_sets.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static bool is_always_supported(void) { return true; }

#if defined(__x86_64__)
/* Whether the processor has all instructions of the level that the kernels are compiled for (Package.swift), and the
 * operating system saves its registers. */
static bool has_avx2(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("x86-64-v3");
}

static bool has_avx512(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("x86-64-v4");
}
#endif

static const cp_instruction_set sets[] = {
#if defined(__x86_64__)
    {"avx512", has_avx512, cp_kernels_avx512},
    {"avx2", has_avx2, cp_kernels_avx2},
#endif
    {"baseline", is_always_supported, cp_kernels_baseline},
};
enum { COUNT = sizeof sets / sizeof *sets };

const cp_instruction_set *cp_instruction_set_at(size_t index) { return index < COUNT ? &sets[index] : NULL; }

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const cp_instruction_set *best;

static void choose_best(void) {
    const char *limit = getenv("BACKPROP_INSTRUCTION_SET");
    size_t first = 0;
    for (size_t i = 0; limit && i < COUNT; i++)
        if (strcmp(limit, sets[i].name) == 0) first = i;
    for (best = &sets[first]; !best->is_supported(); best++) {}
}

const cp_instruction_set *cp_best_instruction_set(void) {
    pthread_once(&once, choose_best);
    return best;
}
