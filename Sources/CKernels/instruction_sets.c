#include "instruction_sets.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#ifdef __APPLE__
#include <sys/sysctl.h>
#endif

static bool is_always_supported(void) { return true; }

/* Whether the processor has all instructions of the level, and the operating system saves its registers. */
#ifdef __x86_64__
#ifdef __APPLE__
/* From macOS: the compilers' libraries for it may lack the levels. Every Mac with BMI2 has LZCNT. */
static bool has_level(const char *level) {
    static const char *const features[] = {"avx2_0",  "bmi1",     "bmi2",     "f16c",     "fma",     "movbe",
                                           "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"};
    const size_t count = strcmp(level, "x86-64-v4") == 0 ? 11 : 6;
    for (size_t i = 0; i < count; i++) {
        char name[32] = "hw.optional.";
        int has = 0;
        size_t size = sizeof has;
        if (sysctlbyname(strcat(name, features[i]), &has, &size, NULL, 0) != 0 || !has) return false;
    }
    return true;
}
#else
#define has_level(level) (__builtin_cpu_init(), __builtin_cpu_supports(level))
#endif
#define IS_SUPPORTED(name, level) \
    static bool name##_is_supported(void) { return has_level(level); }
CP_WIDE_SETS(IS_SUPPORTED)
#else
#define neon_is_supported is_always_supported
#endif

#define ROW(name, level) {#name, name##_is_supported, cp_kernels_##name},
static const cp_instruction_set sets[] = {CP_WIDE_SETS(ROW){"baseline", is_always_supported, cp_kernels_baseline}};
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
