#include "cpu.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_once_t looked = PTHREAD_ONCE_INIT;
static bool uses_avx2;

static void look(void) {
#if defined(__x86_64__)
    const char *wish = getenv("BACKPROP_INSTRUCTION_SET");
    if (wish && strcmp(wish, "baseline") == 0) return;
    __builtin_cpu_init();
    uses_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
#endif
}

bool cp_uses_avx2(void) {
    pthread_once(&looked, look);
    return uses_avx2;
}
