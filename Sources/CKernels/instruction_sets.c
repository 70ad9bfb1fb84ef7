#include "instruction_sets.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif

static bool is_always_supported(void) { return true; }

#ifdef __x86_64__
/* Whether the processor has all instructions of the level, 3 or 4, and the operating system saves its registers: as the x86-64 psABI
 * defines the levels. The compilers' libraries know them too, but not those of every system. */
static bool has_level(int level) {
    const unsigned basic = bit_SSE3 | bit_SSSE3 | bit_FMA | bit_CMPXCHG16B | bit_SSE4_1 | bit_SSE4_2 | bit_MOVBE | bit_POPCNT |
        bit_OSXSAVE | bit_AVX | bit_F16C;
    const unsigned wide = bit_AVX512F | bit_AVX512DQ | bit_AVX512CD | bit_AVX512BW | bit_AVX512VL;
    const unsigned extended = bit_BMI | bit_AVX2 | bit_BMI2 | (level < 4 ? 0 : wide);
    const unsigned above = bit_LAHF_LM | bit_LZCNT;
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & basic) != basic) return false;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (b & extended) != extended) return false;
    if (!__get_cpuid(0x80000001, &a, &b, &c, &d) || (c & above) != above) return false;
#ifdef __APPLE__
    level = 3; /* macOS enables the registers of level 4 at their first use */
#endif
    const unsigned needed = level < 4 ? 0x06 : 0xe6; /* of XCR0: xmm and ymm; mask registers and zmm */
    unsigned saved, high;
    __asm__("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
    return (saved & needed) == needed;
}
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
