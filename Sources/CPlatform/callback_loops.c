#include "callback_loops.h"

#include "environment.h"

/* Consecutive calls overlap in the processor. Unrolling leaves fewer loop instructions between them. */
#if defined(__clang__)
#define UNROLL_BY_4 _Pragma("clang loop unroll_count(4)")
#else
#define UNROLL_BY_4
#endif

/* Evaluates `call` for i = 0 ... count - 1 in the host's floating-point environment, and `use` in the library's. (On i386 a
 * double is returned in a register of the x87, which would round it to Float as the host does if it were not stored before.) */
#define FOR_EACH(type, call, use)                           \
    uint64_t host = cp_host_environment();                  \
    if (host == 0) {                                        \
        UNROLL_BY_4 for (ptrdiff_t i = 0; i < count; i++) { \
            type value = call;                              \
            use;                                            \
        }                                                   \
        return;                                             \
    }                                                       \
    for (ptrdiff_t i = 0; i < count; i++) {                 \
        cp_enter_host(host);                                \
        volatile type value = call;                         \
        cp_leave_host(host);                                \
        use;                                                \
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
