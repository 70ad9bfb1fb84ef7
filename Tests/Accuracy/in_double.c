/* Compiled with -ffast-math, so that the C library's vector functions compute the doubles. Their errors of a few units in the
 * last place of a double are below 1e-8 units of a float. */
#include <math.h>

#include "exact.h"

#define REAL double
#define M(name) name
#include "formulas.h"

#define LOOPS(function, name, value, slope)                                                 \
    void function##_values(const float *restrict z, double *restrict exact, size_t count) { \
        for (size_t i = 0; i < count; i++) exact[i] = function((double)z[i]);               \
    }                                                                                       \
    void function##_slopes(const float *restrict z, double *restrict exact, size_t count) { \
        for (size_t i = 0; i < count; i++) exact[i] = function##_slope((double)z[i]);       \
    }
ACTIVATIONS(LOOPS)
