/* Loops that call a host's function of one number for each element of an array. Most of the cost of a scalar activation is
 * in these loops. */
#ifndef CPLATFORM_CALLBACK_LOOPS_H
#define CPLATFORM_CALLBACK_LOOPS_H

#include <stddef.h>

typedef float (*cp_scalar_function)(float z, void *user_data);
typedef float (*cp_scalar_derivative)(float z, float a, void *user_data);
typedef float (*cp_float_function)(float z);
typedef double (*cp_double_function)(double z);

/* a = f(z) */
void cp_map_scalar(cp_scalar_function f, void *user_data, const float *z, float *a, ptrdiff_t count);
void cp_map_float(cp_float_function f, const float *z, float *a, ptrdiff_t count);
void cp_map_double(cp_double_function f, const float *z, float *a, ptrdiff_t count);

/* d = d f'(z) */
void cp_slope_scalar(cp_scalar_derivative slope, void *user_data, const float *z, const float *a, float *d, ptrdiff_t count);
void cp_slope_float(cp_float_function slope, const float *z, float *d, ptrdiff_t count);
void cp_slope_double(cp_double_function slope, const float *z, float *d, ptrdiff_t count);

#endif
