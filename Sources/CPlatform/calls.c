#include "calls.h"

/* Calls of neighbours overlap in the processor; the loop's own instructions should not be in their way. */
#if defined(__clang__)
#define FEW_TURNS _Pragma("clang loop unroll_count(4)")
#else
#define FEW_TURNS
#endif

#define FOR_EACH FEW_TURNS for (ptrdiff_t i = 0; i < count; i++)

void cp_map_scalar(cp_scalar_function f, void *user_data, const float *z, float *a, ptrdiff_t count) {
    FOR_EACH a[i] = f(z[i], user_data);
}

void cp_map_float(cp_float_function f, const float *z, float *a, ptrdiff_t count) {
    FOR_EACH a[i] = f(z[i]);
}

void cp_map_double(cp_double_function f, const float *z, float *a, ptrdiff_t count) {
    FOR_EACH a[i] = (float)f(z[i]);
}

void cp_slope_scalar(cp_scalar_derivative slope, void *user_data, const float *z, const float *a, float *d, ptrdiff_t count) {
    FOR_EACH d[i] *= slope(z[i], a[i], user_data);
}

void cp_slope_float(cp_float_function slope, const float *z, float *d, ptrdiff_t count) {
    FOR_EACH d[i] *= slope(z[i]);
}

void cp_slope_double(cp_double_function slope, const float *z, float *d, ptrdiff_t count) {
    FOR_EACH d[i] *= (float)slope(z[i]);
}
