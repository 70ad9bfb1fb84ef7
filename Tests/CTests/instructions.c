/* instructions.c: the library uses the widest instructions that the processor has. Not for valgrind, which emulates another
 * processor than the one that Linux describes. */
#include "check.h"

/* Whether Linux lists all of these features. It lists the features that it supports too. */
static int processor_has(const char *const *flags, size_t count) {
    static char line[1 << 16];
    int has = 0;
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && !has && fgets(line, sizeof line, file)) {
        if (strncmp(line, "flags", 5)) continue;
        line[strcspn(line, "\n")] = ' ';
        has = 1;
        for (size_t i = 0; i < count; i++) has = has && strstr(line, flags[i]) != NULL;
        break;
    }
    if (file) fclose(file);
    return has;
}

static void the_widest_instructions_of_the_processor_are_used(void) {
    static const char *const v3[] = {" avx ", " avx2 ", " bmi1 ", " bmi2 ", " f16c ", " fma ", " abm ", " movbe ", " xsave "};
    static const char *const v4[] = {" avx512f ", " avx512bw ", " avx512cd ", " avx512dq ", " avx512vl "};
    const char *limit = getenv("BACKPROP_INSTRUCTION_SET"), *expected = "baseline";
    if (processor_has(v3, sizeof v3 / sizeof *v3)) expected = processor_has(v4, sizeof v4 / sizeof *v4) ? "avx512" : "avx2";
    if (limit && strcmp(limit, "avx2") == 0 && strcmp(expected, "avx512") == 0) expected = "avx2";
#if defined(__aarch64__)
    expected = "neon"; /* of every processor */
#elif !defined(__x86_64__)
    expected = "baseline";
#endif
    if (limit && strcmp(limit, "baseline") == 0) expected = "baseline";
    EXPECT(strcmp(bp_instruction_set(), expected) == 0);
    if (!limit && (strcmp(expected, "baseline") == 0 || strcmp(expected, "avx2") == 0))
        printf("# not tried: kernels beyond %s, the widest instructions of this processor\n", expected);
}

int main(void) {
    CLAIM(the_widest_instructions_of_the_processor_are_used);
    return check_end();
}
