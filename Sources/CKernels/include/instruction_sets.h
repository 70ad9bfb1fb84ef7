/* The instruction sets that the kernels are compiled for, and the selection of one. */
#ifndef CKERNELS_INSTRUCTION_SETS_H
#define CKERNELS_INSTRUCTION_SETS_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels.h"

/* The sets beyond the baseline: name, and level of x86-64, as in Package.swift. From the widest. They have fused multiply-add, and
 * give the same bits. */
#if defined(CP_BASELINE_ONLY)
#define CP_WIDE_SETS(SET)
#elif defined(__x86_64__)
#define CP_WIDE_SETS(SET) SET(avx512, 4) SET(avx2, 3)
#elif defined(__aarch64__)
#define CP_WIDE_SETS(SET) SET(neon, )
#else
#define CP_WIDE_SETS(SET)
#endif

/* Each build of the kernels fills a table with its functions. The baseline gives the same bits on all architectures. */
void cp_kernels_baseline(cp_kernels *table);
#define CP_DECLARE(name, level) void cp_kernels_##name(cp_kernels *table);
CP_WIDE_SETS(CP_DECLARE)

/* The function of this name in the table of avx2. */
void cp_activate_avx2(int32_t kind, const float *z, float *a, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t stride);

typedef struct cp_instruction_set {
    const char *name;           /* as in bp_instruction_set and in the environment variable BACKPROP_INSTRUCTION_SET */
    bool (*is_supported)(void); /* by this processor and its operating system */
    void (*fill)(cp_kernels *table);
} cp_instruction_set;

/* Index 0 is the widest instruction set, the last is the one of every processor; NULL past the end. */
const cp_instruction_set *cp_instruction_set_at(size_t index);

/* The widest supported instruction set. If BACKPROP_INSTRUCTION_SET names a set, wider ones are excluded. Selected at the
 * process's first call. */
const cp_instruction_set *cp_best_instruction_set(void);

#endif
