/* Which kernels this processor can run. */
#ifndef CPLATFORM_CPU_H
#define CPLATFORM_CPU_H

#include <stdbool.h>

/* AVX2 and FMA are there, and BACKPROP_INSTRUCTION_SET does not ask for the baseline. Looks once a process. */
bool cp_uses_avx2(void);

#endif
