/* Calls to any C function of numbers, through libffi. */
#ifndef CPLATFORM_FOREIGN_H
#define CPLATFORM_FOREIGN_H

#include <stddef.h>

enum { CP_MOST_PARAMETERS = 16 };

typedef void (*cp_foreign_function)(void);

/* A call made ready once: how each number is passed, and all of them but the first, which is z. Several threads may use
 * one at the same time. */
typedef struct cp_foreign_call cp_foreign_call;

/* result and parameters: letters of f (float), d (double), i (int32_t), l (int64_t), u (uint32_t), the first parameter
 * f or d; constants: a number for each further parameter, which its type can hold. NULL when there is no memory, or
 * libffi does not know the types. End with cp_free. */
cp_foreign_call *cp_prepare_call(char result, const char *parameters, size_t count, const double *constants);

double cp_call_foreign(const cp_foreign_call *call, cp_foreign_function function, double z);

#endif
