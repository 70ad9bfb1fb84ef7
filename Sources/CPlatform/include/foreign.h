/* Calls to C functions whose parameters and result are numbers, through libffi. */
#ifndef CPLATFORM_FOREIGN_H
#define CPLATFORM_FOREIGN_H

#include <stddef.h>

enum { CP_MOST_PARAMETERS = 16 };

typedef void (*cp_foreign_function)(void);

/* A prepared call: the types of all parameters, and the values of all but the first, which is z. Several threads may use
 * one call at the same time. */
typedef struct cp_foreign_call cp_foreign_call;

/* result and parameters: letters f (float), d (double), i (int32_t), l (int64_t), u (uint32_t); the first parameter is f or
 * d. constants: one number for each further parameter, representable in its type. Returns NULL when memory is exhausted or
 * libffi refuses the types. Free with cp_free. */
cp_foreign_call *cp_prepare_call(char result, const char *parameters, size_t count, const double *constants);

/* The result is in memory: i386 returns a double in a register of the x87, whose rounding mode is the host's. */
void cp_call_foreign(const cp_foreign_call *call, cp_foreign_function function, double z, double *result_out);

#endif
