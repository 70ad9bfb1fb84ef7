#include "cpu.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_once_t looked = PTHREAD_ONCE_INIT;
static enum cp_instruction_set best = CP_BASELINE;

static void look(void) {
#if defined(__x86_64__)
    const char *wish = getenv("BACKPROP_INSTRUCTION_SET");
    if (wish && strcmp(wish, "baseline") == 0) return;
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("bmi2")) return;
    best = CP_AVX2;
    if (wish && strcmp(wish, "avx2") == 0) return;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        best = CP_AVX512;
#endif
}

enum cp_instruction_set cp_instruction_set(void) {
    pthread_once(&looked, look);
    return best;
}
