/* A plug-in in C: a shared library that registers three activations in any program that uses libbackprop.
 *
 *     cc -std=c99 -O2 -shared -fPIC -I ../../include activations.c -o activations.so -lm
 *
 * A C program loads it with bp_plugin_load("./activations.so"), Python with bp.load_plugin("./activations.so"), and then uses
 * "celu", "serf" and "rms" like built-in activations. The plug-in is not linked with libbackprop. */
#include <backprop.h>
#include <math.h>

#if defined(__GNUC__)
#define EXPORTED __attribute__((visibility("default")))
#else
#define EXPORTED
#endif

/* z for z > 0, otherwise alpha (e^(z / alpha) - 1): Barron 2017. */
static const float celu_alpha = 2;

static float celu(float z, void *user_data) {
    (void)user_data;
    return z > 0 ? z : celu_alpha * expm1f(z / celu_alpha);
}

static float celu_derivative(float z, float a, void *user_data) {
    (void)user_data;
    return z > 0 ? 1 : a / celu_alpha + 1;
}

/* z erf(log(1 + e^z)): Nag et al. 2023. Its derivative is approximated by central differences: 9 correct digits, because it is in
 * double. */
static double serf(double z) { return z * erf(z > 30 ? z : log1p(exp(z))); }

/* z / r for each row, with r^2 = mean of z^2 + 1e-5. It couples the columns of a row. */
static float root_mean_square(const float *z, size_t columns) {
    double sum = 0;
    for (size_t i = 0; i < columns; i++) sum += (double)z[i] * z[i];
    return (float)sqrt(sum / (double)columns + 1e-5);
}

static int32_t rms(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    (void)user_data;
    for (; rows > 0; rows--, z += columns, a += columns) {
        float r = root_mean_square(z, columns);
        for (size_t i = 0; i < columns; i++) a[i] = z[i] / r;
    }
    return 0;
}

/* dz_i = (da_i - a_i * mean of a da) / r */
static int32_t rms_backward(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                            void *user_data) {
    (void)user_data;
    for (; rows > 0; rows--, z += columns, a += columns, da += columns, dz += columns) {
        float r = root_mean_square(z, columns);
        double along = 0;
        for (size_t i = 0; i < columns; i++) along += (double)a[i] * da[i];
        for (size_t i = 0; i < columns; i++) dz[i] = (da[i] - a[i] * (float)(along / (double)columns)) / r;
    }
    return 0;
}

EXPORTED int32_t bp_plugin_register(const bp_plugin_host *host) {
    int32_t status = host->register_scalar("celu", celu, celu_derivative, NULL, NULL);
    if (status == BP_OK) status = host->register_foreign("serf", (bp_foreign_fn)serf, NULL, "d(d)", NULL, 0);
    if (status == BP_OK) status = host->register_vector("rms", rms, rms_backward, NULL, NULL);
    /* They are pure functions: several threads may call them at the same time. */
    if (status == BP_OK) status = host->set_thread_safe("celu", 1);
    if (status == BP_OK) status = host->set_thread_safe("serf", 1);
    if (status == BP_OK) status = host->set_thread_safe("rms", 1);
    return status; /* if it is not 0, none of them is registered */
}
