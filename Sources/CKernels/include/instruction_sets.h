/* The instruction sets that the kernels are compiled for, and the choice among them. */
#ifndef CKERNELS_INSTRUCTION_SETS_H
#define CKERNELS_INSTRUCTION_SETS_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels.h"

/* Each build of the kernels fills a table with its own. */
void cp_kernels_baseline(cp_kernels *table);
void cp_kernels_avx2(cp_kernels *table);
void cp_kernels_avx512(cp_kernels *table);

typedef struct cp_instruction_set {
    const char *name;           /* as bp_instruction_set and the environment variable BACKPROP_INSTRUCTION_SET give it */
    bool (*is_supported)(void); /* by this processor and its operating system */
    void (*fill)(cp_kernels *table);
} cp_instruction_set;

/* From the widest to the one that every processor has; NULL past the end. */
const cp_instruction_set *cp_instruction_set_at(size_t index);

/* The widest that is supported and that BACKPROP_INSTRUCTION_SET, where it names a set, does not exclude. Chosen by the
 * process's first call. */
const cp_instruction_set *cp_best_instruction_set(void);

#endif
