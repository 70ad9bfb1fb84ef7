/* universal.c: every built-in activation, registered in each way, trains like the built-in one: with the same bits if its
 * formula has only one result in floats, otherwise within rounding. */
#include "check.h"
#include "plugins/formulas.c"

typedef float (*formula)(float z);
typedef struct {
    const char *name;
    int exact;
    formula value, slope;
} activation;

#define ROW(name, exact, value, slope) {#name, exact, value_##name, slope_##name},
static const activation all[] = {FORMULAS(ROW)};
enum { COUNT = sizeof all / sizeof all[0] };

/* ---- The ways to register; user_data is the activation */

static float scalar(float z, void *user_data) { return ((const activation *)user_data)->value(z); }
static float scalar_slope(float z, float a, void *user_data) {
    (void)a;
    return ((const activation *)user_data)->slope(z);
}
static int32_t vector(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    for (size_t i = 0; i < rows * columns; i++) a[i] = scalar(z[i], user_data);
    return 0;
}
static int32_t vector_back(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                           void *user_data) {
    for (size_t i = 0; i < rows * columns; i++) dz[i] = da[i] * scalar_slope(z[i], a[i], user_data);
    return 0;
}

/* Additional parameters make the library call it through libffi. */
static const activation *current;
static double through_ffi(float z, int32_t seven, double half) { return seven == 7 && half == 0.5 ? current->value(z) : NAN; }
static double through_ffi_slope(float z, int32_t seven, double half) {
    return seven == 7 && half == 0.5 ? current->slope(z) : NAN;
}

static char library_path[4096];
static const char *const ways[] = {"scalar", "vector", "foreign", "libffi", "library"};
enum { WAYS = sizeof ways / sizeof ways[0] };

static int32_t register_as(int way, const activation *of) {
    const double constants[] = {7, 0.5};
    char value[64], slope[64];
    void *user_data = (void *)(uintptr_t)of;
    snprintf(value, sizeof value, "value_%s", of->name);
    snprintf(slope, sizeof slope, "slope_%s", of->name);
    current = of;
    switch (way) {
    case 0: return bp_activation_register_scalar("own", scalar, scalar_slope, user_data, NULL);
    case 1: return bp_activation_register_vector("own", vector, vector_back, user_data, NULL);
    case 2: return bp_activation_register_foreign("own", (bp_foreign_fn)of->value, (bp_foreign_fn)of->slope, "f(f)", NULL, 0);
    case 3:
        return bp_activation_register_foreign("own", (bp_foreign_fn)through_ffi, (bp_foreign_fn)through_ffi_slope, "d(f,i,d)",
                                              constants, 2);
    default: return bp_activation_register_library("own", library_path, value, slope, "f(f)", NULL, 0);
    }
}

/* ---- The same training twice */

enum { INPUTS = 6, OUTPUTS = 3, ROWS = 24, MOST = 1000 };
static const size_t sizes[] = {INPUTS, 19, 7, OUTPUTS};
static float x[ROWS * INPUTS], y[ROWS * OUTPUTS];

static bp_network *network_with(const char *name, int norm) {
    bp_network *network = check_network(sizes, 4, 3);
    float parameters[MOST];
    /* The same weights for all: the built-in activation may have another initialization. */
    EXPECT_OK(bp_network_get_parameters(network, parameters, count_of(network)));
    EXPECT_OK(bp_network_set_parameters(network, parameters, count_of(network)));
    for (size_t layer = 1; layer < 4; layer++) EXPECT_OK(bp_network_set_activation(network, layer, name));
    for (size_t layer = 1; layer < 3; layer++) EXPECT_OK(bp_network_set_batchnorm(network, layer, norm));
    EXPECT_OK(bp_network_set_option(network, "gradient_reduction", 1));
    return network;
}

static double largest_difference(const bp_network *one, const bp_network *other) {
    float a[MOST], b[MOST], p[ROWS * OUTPUTS], q[ROWS * OUTPUTS];
    double largest = 0;
    size_t count = 0;
    EXPECT_OK(bp_network_parameter_count(one, &count));
    EXPECT_OK(bp_network_get_parameters(one, a, count_of(one)));
    EXPECT_OK(bp_network_get_parameters(other, b, count_of(other)));
    EXPECT_OK(bp_network_predict(one, x, ROWS, p));
    EXPECT_OK(bp_network_predict(other, x, ROWS, q));
    for (size_t i = 0; i < count; i++) largest = fmax(largest, fabs((double)a[i] - b[i]));
    for (size_t i = 0; i < ROWS * OUTPUTS; i++) largest = fmax(largest, fabs((double)p[i] - q[i]));
    return largest;
}

/* Compares 60 steps of minibatches of 8 rows, then steps of single rows, for which built-in activations have separate code that
 * rounds differently. */
static void expect_same_training(const char *name, const char *own, int exact, int norm, const char *way) {
    bp_network *built_in = network_with(name, norm), *registered = network_with(own, norm);
    float loss = 0, own_loss = 0;
    double difference;
    for (size_t step = 0; step < 60; step++) {
        size_t row = step % 3 * 8;
        EXPECT_OK(bp_network_train_minibatch(built_in, x + row * INPUTS, y + row * OUTPUTS, 8, 0.05f, &loss));
        EXPECT_OK(bp_network_train_minibatch(registered, x + row * INPUTS, y + row * OUTPUTS, 8, 0.05f, &own_loss));
        EXPECT_NEAR(own_loss, loss, exact ? 0 : 1e-5 * fmax(1, loss));
    }
    difference = largest_difference(built_in, registered);
    if (!EXPECT(difference <= (exact ? 0 : 2e-5))) printf("#   %s as %s: %g\n", name, way, difference);
    for (size_t row = 0; row < ROWS; row++) {
        EXPECT_OK(bp_network_train_step(built_in, x + row * INPUTS, y + row * OUTPUTS, 0.05f, &loss));
        EXPECT_OK(bp_network_train_step(registered, x + row * INPUTS, y + row * OUTPUTS, 0.05f, &own_loss));
        EXPECT_NEAR(own_loss, loss, 2e-4 * fmax(1, loss));
    }
    bp_network_free(built_in);
    bp_network_free(registered);
}

static void train_all_registered_as(int way) {
    for (int i = 0; i < COUNT; i++)
        for (int thread_safe = 0; thread_safe < 2; thread_safe++) {
            if (!EXPECT_OK(register_as(way, &all[i]))) continue;
            EXPECT_OK(bp_activation_set_thread_safe("own", thread_safe));
            for (int norm = 0; norm < 2; norm++) expect_same_training(all[i].name, "own", all[i].exact, norm, ways[way]);
            EXPECT_OK(bp_activation_unregister("own"));
        }
}

static void every_activation_registered_as_scalar_trains_like_the_built_in_one(void) { train_all_registered_as(0); }
static void every_activation_registered_as_vector_trains_like_the_built_in_one(void) { train_all_registered_as(1); }
static void every_activation_registered_as_foreign_trains_like_the_built_in_one(void) { train_all_registered_as(2); }
static void every_activation_registered_through_libffi_trains_like_the_built_in_one(void) { train_all_registered_as(3); }
static void every_activation_registered_from_a_library_trains_like_the_built_in_one(void) { train_all_registered_as(4); }

/* ---- Functions on matrices with the same formula in floats as the built-in activation */

static int32_t softsign(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    (void)user_data;
    for (size_t i = 0; i < rows * columns; i++) a[i] = z[i] / (1 + fabsf(z[i]));
    return 0;
}
static int32_t softsign_back(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                             void *user_data) {
    (void)a, (void)user_data;
    for (size_t i = 0; i < rows * columns; i++) {
        float m = 1 + fabsf(z[i]);
        dz[i] = da[i] / (m * m);
    }
    return 0;
}
static void vector_of_the_same_formula_gives_the_same_bits(void) {
    EXPECT_OK(bp_activation_register_vector("own", softsign, softsign_back, NULL, NULL));
    for (int norm = 0; norm < 2; norm++) expect_same_training("softsign", "own", 1, norm, "vector of the same formula");
    EXPECT_OK(bp_activation_unregister("own"));
}

static int32_t softmax(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    (void)user_data;
    for (; rows > 0; rows--, z += columns, a += columns) {
        float largest = z[0], sum = 0;
        for (size_t i = 1; i < columns; i++) largest = fmaxf(largest, z[i]);
        for (size_t i = 0; i < columns; i++) sum += a[i] = expf(z[i] - largest);
        for (size_t i = 0; i < columns; i++) a[i] /= sum;
    }
    return 0;
}
static int32_t softmax_back(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                            void *user_data) {
    (void)z, (void)user_data;
    for (; rows > 0; rows--, a += columns, da += columns, dz += columns) {
        float mean = 0;
        for (size_t i = 0; i < columns; i++) mean += a[i] * da[i];
        for (size_t i = 0; i < columns; i++) dz[i] = a[i] * (da[i] - mean);
    }
    return 0;
}
static void softmax_registered_as_vector_trains_like_the_built_in_one(void) {
    EXPECT_OK(bp_activation_register_vector("own", softmax, softmax_back, NULL, NULL));
    for (int norm = 0; norm < 2; norm++) expect_same_training("softmax", "own", 0, norm, "vector");
    EXPECT_OK(bp_activation_unregister("own"));
}

int main(void) {
    if (!getenv("PLUGINS")) return puts("PLUGINS is not set"), 2;
    snprintf(library_path, sizeof library_path, "%s/formulas.so", getenv("PLUGINS"));
    check_fill(x, ROWS * INPUTS, 1);
    check_fill(y, ROWS * OUTPUTS, 2);
    CLAIM(every_activation_registered_as_scalar_trains_like_the_built_in_one);
    CLAIM(every_activation_registered_as_vector_trains_like_the_built_in_one);
    CLAIM(every_activation_registered_as_foreign_trains_like_the_built_in_one);
    CLAIM(every_activation_registered_through_libffi_trains_like_the_built_in_one);
    CLAIM(every_activation_registered_from_a_library_trains_like_the_built_in_one);
    CLAIM(vector_of_the_same_formula_gives_the_same_bits);
    CLAIM(softmax_registered_as_vector_trains_like_the_built_in_one);
    return check_end();
}
