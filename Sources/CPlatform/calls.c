#include "calls.h"

#include "environment.h"

/* Calls of neighbours overlap in the processor; the loop's own instructions should not be in their way. */
#if defined(__clang__)
#define FEW_TURNS _Pragma("clang loop unroll_count(4)")
#else
#define FEW_TURNS
#endif

/* Calls for i = 0 ... count - 1, in the host's environment; what is done with each value is the library's arithmetic. */
#define FOR_EACH(type, call, use)                         \
    uint64_t host = cp_host_environment();                \
    if (host == 0) {                                      \
        FEW_TURNS for (ptrdiff_t i = 0; i < count; i++) { \
            type value = call;                            \
            use;                                          \
        }                                                 \
        return;                                           \
    }                                                     \
    for (ptrdiff_t i = 0; i < count; i++) {               \
        cp_enter_host(host);                              \
        type value = call;                                \
        cp_leave_host(host);                              \
        use;                                              \
    }

void cp_map_scalar(cp_scalar_function f, void *user_data, const float *z, float *a, ptrdiff_t count) {
    FOR_EACH(float, f(z[i], user_data), a[i] = value)
}

void cp_map_float(cp_float_function f, const float *z, float *a, ptrdiff_t count) { FOR_EACH(float, f(z[i]), a[i] = value) }

void cp_map_double(cp_double_function f, const float *z, float *a, ptrdiff_t count) {
    FOR_EACH(double, f(z[i]), a[i] = (float)value)
}

void cp_slope_scalar(cp_scalar_derivative slope, void *user_data, const float *z, const float *a, float *d, ptrdiff_t count) {
    FOR_EACH(float, slope(z[i], a[i], user_data), d[i] *= value)
}

void cp_slope_float(cp_float_function slope, const float *z, float *d, ptrdiff_t count) {
    FOR_EACH(float, slope(z[i]), d[i] *= value)
}

void cp_slope_double(cp_double_function slope, const float *z, float *d, ptrdiff_t count) {
    FOR_EACH(double, slope(z[i]), d[i] *= (float)value)
}
