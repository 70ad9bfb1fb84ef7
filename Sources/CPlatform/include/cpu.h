/* Which kernels this processor can run. */
#ifndef CPLATFORM_CPU_H
#define CPLATFORM_CPU_H

/* Each includes those before it. */
enum cp_instruction_set { CP_BASELINE, CP_AVX2, CP_AVX512 };

/* The best that is there and that BACKPROP_INSTRUCTION_SET does not forbid. Looks once a process. */
enum cp_instruction_set cp_instruction_set(void);

#endif
