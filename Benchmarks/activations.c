/* The cost of a custom activation, compared with the built-in one of the same formula.
 *
 *   activations [ROUNDS]
 *
 * Training of 784-256-128-10 on minibatches of 128, whose hidden layers have the activation, and one function alone:
 * medians of rounds in which all take turns. Processor time for one thread; wall-clock time for two.
 *
 *   cc -std=gnu99 -O3 -I include Benchmarks/activations.c -o build/activations -L build -Wl,-rpath,build -lbackprop -lm */
#include "library.h"

enum { ROWS = 128, STEPS = 12, MOST_ROUNDS = 201 };

/* ---- relu and softsign in all forms; relu without branches, which random numbers would make unpredictable */

static float relu(float z, void *user_data) { return (void)user_data, 0.5f * (z + fabsf(z)); }
static float relu_slope(float z, float a, void *user_data) { return (void)z, (void)user_data, (float)(a > 0); }

static int32_t relus(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    (void)user_data;
    for (size_t i = 0; i < rows * columns; i++) a[i] = 0.5f * (z[i] + fabsf(z[i]));
    return 0;
}
static int32_t relus_back(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                          void *user_data) {
    (void)z, (void)user_data;
    for (size_t i = 0; i < rows * columns; i++) dz[i] = (float)(a[i] > 0) * da[i];
    return 0;
}

static float relu_f(float z) { return 0.5f * (z + fabsf(z)); }
static float relu_slope_f(float z) { return (float)(z > 0); }
static float softsign_f(float z) { return z / (1 + fabsf(z)); }
static float softsign_slope_f(float z) { return 1 / ((1 + fabsf(z)) * (1 + fabsf(z))); }
static double relu_ffi(double z, double unused) { return (void)unused, 0.5 * (z + fabs(z)); }
static double relu_slope_ffi(double z, double unused) { return (void)unused, (double)(z > 0); }
static double softsign_ffi(double z, double unused) { return (void)unused, z / (1 + fabs(z)); }
static double softsign_slope_ffi(double z, double unused) { return (void)unused, 1 / ((1 + fabs(z)) * (1 + fabs(z))); }

static const char *const formulas[] = {"relu", "softsign"};
static const char *const forms[] = {"scalar", "vector", "foreign", "ffi"};
enum { FORMS = 4 };

static void bring_all(int thread_safe) {
    const double unused = 0;
    char name[32];
    require(bp_activation_register_scalar("scalar.relu", relu, relu_slope, NULL, NULL));
    require(bp_activation_register_scalar("scalar.softsign", softsign, softsign_slope, NULL, NULL));
    require(bp_activation_register_vector("vector.relu", relus, relus_back, NULL, NULL));
    require(bp_activation_register_vector("vector.softsign", softsigns, softsigns_back, NULL, NULL));
    require(
        bp_activation_register_foreign("foreign.relu", (bp_foreign_fn)relu_f, (bp_foreign_fn)relu_slope_f, "f(f)", NULL, 0));
    require(bp_activation_register_foreign("foreign.softsign", (bp_foreign_fn)softsign_f, (bp_foreign_fn)softsign_slope_f,
                                           "f(f)", NULL, 0));
    require(bp_activation_register_foreign("ffi.relu", (bp_foreign_fn)relu_ffi, (bp_foreign_fn)relu_slope_ffi, "d(d,d)",
                                           &unused, 1));
    require(bp_activation_register_foreign("ffi.softsign", (bp_foreign_fn)softsign_ffi, (bp_foreign_fn)softsign_slope_ffi,
                                           "d(d,d)", &unused, 1));
    for (int form = 0; form < FORMS; form++)
        for (int formula = 0; formula < 2; formula++) {
            snprintf(name, sizeof name, "%s.%s", forms[form], formulas[formula]);
            require(bp_activation_set_thread_safe(name, thread_safe));
        }
}
static void drop_all(void) {
    char name[32];
    for (int form = 0; form < FORMS; form++)
        for (int formula = 0; formula < 2; formula++) {
            snprintf(name, sizeof name, "%s.%s", forms[form], formulas[formula]);
            require(bp_activation_unregister(name));
        }
}

/* ---- Measuring */

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, compare);
    return values[count / 2];
}

static float x[ROWS * 784], y[ROWS * 10];

static bp_network *make(const char *activation) {
    static const size_t sizes[] = {784, 256, 128, 10};
    bp_network *network;
    require(bp_network_create(sizes, 4, 1, &network));
    require(bp_network_set_activation(network, 1, activation));
    require(bp_network_set_activation(network, 2, activation));
    require(bp_network_set_option(network, "gradient_reduction", 1));
    return network;
}

static void training(int formula, int threads, int thread_safe, int rounds) {
    bp_network *networks[1 + FORMS];
    static double times[1 + FORMS][MOST_ROUNDS];
    char name[32];
    require(bp_set_thread_count((size_t)threads));
    bring_all(thread_safe);
    networks[0] = make(formulas[formula]);
    for (int form = 0; form < FORMS; form++) {
        snprintf(name, sizeof name, "%s.%s", forms[form], formulas[formula]);
        networks[1 + form] = make(name);
    }
    drop_all();
    for (int round = -2; round < rounds; round++) /* two to warm up */
        for (int i = 0; i <= FORMS; i++) {
            double start = seconds(threads);
            for (int step = 0; step < STEPS; step++) require(bp_network_train_minibatch(networks[i], x, y, ROWS, 0.01f, NULL));
            if (round >= 0) times[i][round] = (seconds(threads) - start) / STEPS;
        }
    double own = median(times[0], rounds);
    printf("%-8s %d thread%s%s   built in %6.1f us a step", formulas[formula], threads, threads > 1 ? "s" : " ",
           threads == 1      ? "             "
               : thread_safe ? ", thread-safe"
                             : "             ",
           1e6 * own);
    for (int form = 0; form < FORMS; form++)
        printf("   %s %+.1f %%", forms[form], 100 * (median(times[1 + form], rounds) / own - 1));
    printf("\n");
    for (int i = 0; i <= FORMS; i++) bp_network_free(networks[i]);
}

/* A layer of 4096 units on one input: nearly all of the time is the function. */
static void alone(int rounds) {
    static const size_t sizes[] = {1, 4096};
    enum { COUNT = 256 };
    static float input[COUNT], output[COUNT * 4096];
    bp_network *networks[1 + FORMS];
    static double times[1 + FORMS][MOST_ROUNDS];
    require(bp_set_thread_count(1));
    bring_all(0);
    for (int i = 0; i <= FORMS; i++) {
        char name[32] = "identity";
        if (i > 0) snprintf(name, sizeof name, "%s.relu", forms[i - 1]);
        require(bp_network_create(sizes, 2, 1, &networks[i]));
        require(bp_network_set_activation(networks[i], 1, name));
    }
    drop_all();
    for (int i = 0; i < COUNT; i++) input[i] = (float)i / COUNT - 0.5f;
    for (int round = -2; round < rounds; round++)
        for (int i = 0; i <= FORMS; i++) {
            double start = seconds(1);
            require(bp_network_predict(networks[i], input, COUNT, output));
            if (round >= 0) times[i][round] = (seconds(1) - start) / (COUNT * 4096);
        }
    double nothing = median(times[0], rounds);
    printf("one value of relu, without what the identity takes:");
    for (int form = 0; form < FORMS; form++)
        printf("   %s %.1f ns", forms[form], 1e9 * (median(times[1 + form], rounds) - nothing));
    printf("\n");
    for (int i = 0; i <= FORMS; i++) bp_network_free(networks[i]);
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 41;
    if (rounds < 1 || rounds > MOST_ROUNDS) return fprintf(stderr, "usage: activations [ROUNDS, at most 201]\n"), 2;
    for (int i = 0; i < ROWS * 784; i++) x[i] = (float)((unsigned)i * 2654435761u >> 8 & 255) / 128 - 1;
    for (int i = 0; i < ROWS * 10; i++) y[i] = (float)((unsigned)i * 2246822519u >> 8 & 255) / 256;
    printf("libbackprop %s (%s)\n", bp_version_string(), bp_instruction_set());
    for (int formula = 0; formula < 2; formula++) {
        training(formula, 1, 0, rounds);
        training(formula, 1, 1, rounds);
        if (bp_set_thread_count(0) == BP_OK && bp_thread_count() > 1)
            for (int thread_safe = 0; thread_safe < 2; thread_safe++) training(formula, 2, thread_safe, rounds);
    }
    alone(rounds);
    return 0;
}
