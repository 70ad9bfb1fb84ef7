/* Five ways to register an activation: a callback for one number, a callback for a matrix, any C function of numbers, a function
 * of a shared library, and a plug-in. The program checks the derivative of each activation, and trains a network with it.
 *
 *     cc -std=c99 activations.c $(pkg-config --cflags --libs backprop) -lm -o activations
 *     ./activations [plugin.so activation]...        such as: ./activations ../plugin-c/activations.so serf */
#include <backprop.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int32_t check(int32_t status) {
    if (status >= 0) return status;
    fprintf(stderr, "%s: %s\n", bp_status_name(status), bp_last_error_message());
    exit(1);
}

/* A callback for one number, and its derivative from z and a = f(z). user_data points to the width of the bell. */
static float bell(float z, void *user_data) {
    float width = *(const float *)user_data;
    return expf(-z * z / (width * width));
}

static float bell_derivative(float z, float a, void *user_data) {
    float width = *(const float *)user_data;
    return -2 * z * a / (width * width);
}

static void forget(void *user_data) { free(user_data); }

/* A callback for a matrix: one call per layer. It can couple the columns of a row: here a = tanh(z - mean of the row). */
static int32_t centred(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    (void)user_data;
    for (; rows > 0; rows--, z += columns, a += columns) {
        float mean = 0;
        for (size_t i = 0; i < columns; i++) mean += z[i] / (float)columns;
        for (size_t i = 0; i < columns; i++) a[i] = tanhf(z[i] - mean);
    }
    return 0; /* any other number makes the call fail and leaves the network as it was */
}

static int32_t centred_backward(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                                void *user_data) {
    (void)z, (void)user_data;
    for (; rows > 0; rows--, a += columns, da += columns, dz += columns) {
        float mean = 0;
        for (size_t i = 0; i < columns; i++) mean += da[i] * (1 - a[i] * a[i]) / (float)columns;
        for (size_t i = 0; i < columns; i++) dz[i] = da[i] * (1 - a[i] * a[i]) - mean;
    }
    return 0;
}

/* Trains a network 1-16-1 to compute y = sin 3x on [-1, 1]. Prints the error of the derivative and the final loss. */
static void learn(const char *name) {
    enum { ROWS = 64 };
    const size_t layers[] = {1, 16, 1};
    float x[ROWS], y[ROWS], loss;
    double worst;
    bp_network *network;
    for (int i = 0; i < ROWS; i++) {
        x[i] = (float)(2 * i + 1) / ROWS - 1;
        y[i] = sinf(3 * x[i]);
    }
    check(bp_activation_check(name, &worst, NULL));
    check(bp_network_create(layers, 3, 1, &network));
    check(bp_network_set_activation(network, 1, name));
    check(bp_network_set_activation(network, 2, "identity"));
    check(bp_network_set_option(network, "gradient_reduction", 1));
    for (int step = 0; step < 4000; step++) check(bp_network_train_minibatch(network, x, y, ROWS, 0.05f, NULL));
    check(bp_network_evaluate(network, x, y, ROWS, &loss));
    printf("%-12s error of the derivative %7.1e   loss %.5f\n", name, worst, loss);
    bp_network_free(network);
}

int main(int argc, char **argv) {
    const double one = 1;
    float *width = (float *)malloc(sizeof *width);
    if (!width) return 1;
    *width = 1.5f;

    check(bp_activation_register_scalar("bell", bell, bell_derivative, width, forget));
    check(bp_activation_register_vector("centred", centred, centred_backward, NULL, NULL));
    /* C functions of one number, and with constants after z. An omitted derivative is approximated by central differences.
     * (The inner cast is needed in C++, which overloads these names.) */
    check(bp_activation_register_foreign("erf", (bp_foreign_fn)(double (*)(double))erf, NULL, "d(d)", NULL, 0));
    check(bp_activation_register_foreign("hypot", (bp_foreign_fn)(double (*)(double, double))hypot, NULL, "d(d,d)", &one, 1));
    /* A function of a shared library, and its derivative, by name. */
    check(bp_activation_register_library("sin", "libm.so.6", "sin", "cos", "d(d)", NULL, 0));
    /* They are pure functions: several threads may call them at the same time. */
    check(bp_activation_set_thread_safe("erf", 1));
    check(bp_activation_set_thread_safe("hypot", 1));
    check(bp_activation_set_thread_safe("sin", 1));

    learn("bell");
    learn("centred");
    learn("erf");
    learn("hypot");
    learn("sin");
    for (int i = 1; i + 1 < argc; i += 2) {
        check(bp_plugin_load(argv[i]));
        learn(argv[i + 1]);
    }

    check(bp_activation_unregister("bell")); /* no network uses it, so that forget runs now */
    return 0;
}
