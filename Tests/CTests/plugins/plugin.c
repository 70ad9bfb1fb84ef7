/* plugin.c: valid and invalid plug-ins, selected by VARIANT. They count events in environment variables, which the whole
 * process shares. */
#define _POSIX_C_SOURCE 200809L
#include <backprop.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define GOOD 0
#define FAILING 1
#define BADLY_NAMED 2
#define BUILT_IN 3
#define TWICE 4
#define EMPTY 5
#define OVERTAKEN 6
#define NO_ENTRY 7
#define NO_FUNCTION 8
#define KEEPING 9
#define LOSS 10
#define LOSS_TWICE 11

static void count(const char *variable) {
    const char *before = getenv(variable);
    char now[16];
    snprintf(now, sizeof now, "%d", before ? atoi(before) + 1 : 1);
    setenv(variable, now, 1);
}

__attribute__((destructor)) static void unload(void) { count("PLUGIN_UNLOADED"); }

#if VARIANT == NO_FUNCTION
int bp_plugin_register = 0;
#elif VARIANT == NO_ENTRY
int bp_plugin_registr(void) { return 0; }
#else

static int number = 3;

static float times(float z, void *user_data) { return z * (float)*(int *)user_data; }
static float times_derivative(float z, float a, void *user_data) { return (void)z, (void)a, (float)*(int *)user_data; }
static void destroy(void *user_data) {
    (void)user_data;
    count("PLUGIN_DESTROYED");
}

static int32_t same(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    (void)user_data;
    for (size_t i = 0; i < rows * columns; i++) a[i] = z[i];
    return 0;
}
static int32_t same_back(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                         void *user_data) {
    (void)z, (void)a;
    return same(da, dz, rows, columns, user_data);
}

static int32_t two(const bp_plugin_host *host) {
    int32_t status = host->register_scalar("plugin.times", times, times_derivative, &number, destroy);
    return status ? status : host->register_vector("plugin.same", same, same_back, NULL, destroy);
}

/* Half the squared error, like the built-in loss. */
static int32_t half(const float *outputs, const float *targets, double *losses, float *gradients, size_t rows,
                    size_t output_count, size_t target_columns, void *user_data) {
    if (output_count != target_columns || user_data != &number) return -1;
    for (size_t row = 0; row < rows; row++) {
        losses[row] = 0;
        for (size_t k = row * output_count; k < (row + 1) * output_count; k++) {
            const double error = (double)outputs[k] - (double)targets[k];
            losses[row] += 0.5 * error * error;
            if (gradients) gradients[k] = (float)error;
        }
    }
    return 0;
}

static int32_t two_and_a_loss(const bp_plugin_host *host) {
    int32_t status = two(host);
    return status ? status : host->register_loss("plugin.half", 0, half, &number, destroy);
}

static const bp_plugin_host *kept;

/* Registration on another thread takes effect at once, not with the rest of the plug-in. */
static void *overtake(void *user_data) {
    (void)user_data;
    kept->register_scalar("plugin.times", times, NULL, &number, destroy);
    return NULL;
}

int32_t bp_plugin_register(const bp_plugin_host *host) {
    if (host->struct_size != sizeof *host || host->abi_version != BP_ABI_VERSION) return -1000;
    __atomic_store_n(&kept, host, __ATOMIC_RELEASE); /* threads may load the file at the same time */
    switch (VARIANT) {
    case FAILING: return two(host) ? -1001 : 42;
    case BADLY_NAMED: return two(host) ? -1001 : host->register_scalar("Bad Name", times, NULL, &number, destroy);
    case BUILT_IN: return two(host) ? -1001 : host->register_scalar("tanh", times, NULL, &number, destroy);
    case TWICE: return two(host) ? -1001 : host->register_scalar("plugin.same", times, NULL, &number, destroy);
    case LOSS: return two_and_a_loss(host);
    case LOSS_TWICE: return two_and_a_loss(host) ? -1001 : host->register_loss("plugin.half", 0, half, &number, destroy);
    case EMPTY: return 0;
    case OVERTAKEN: {
        pthread_t thread;
        if (two(host) || pthread_create(&thread, NULL, overtake, NULL)) return -1001;
        return pthread_join(thread, NULL);
    }
    case KEEPING: /* makes all calls, also ones that are refused, and succeeds */
        if (two(host) || host->set_thread_safe("plugin.same", 1) || host->set_thread_safe("plugin.times", 0)) return -1001;
        if (host->set_thread_safe("plugin.none", 1) != BP_ERROR_UNKNOWN_NAME) return -1002;
        if (!host->last_error_message()[0]) return -1003;
        if (host->register_foreign("plugin.bad", (bp_foreign_fn)abs, NULL, "i(i)", NULL, 0) != BP_ERROR_INVALID_VALUE)
            return -1004;
        return host->register_library("plugin.erf", "libm.so.6", "erf", NULL, "d(d)", NULL, 0);
    default: return two(host);
    }
}

/* Called after the load: the table stays valid. */
int32_t plugin_late(void) { return kept->register_scalar("plugin.late", times, NULL, &number, destroy); }
#endif
