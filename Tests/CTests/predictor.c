/* predictor.c: bp_predictor_run computes what bp_network_predict computes, at any time, on any thread. (predictor_realtime.c
 * shows that it takes no memory, no lock and no system call.) */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fenv.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* ---- Activations of the host */

static int32_t fails;
static int destroyed;
static void (*during)(void);

static int32_t forward(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    (void)user_data;
    if (during) during();
    for (size_t r = 0; r < rows; r++) /* couples the columns, so that padding would show */
        for (size_t i = 0; i < columns; i++) a[r * columns + i] = z[r * columns + i] - z[r * columns + columns - 1 - i] / 2;
    return fails;
}
static int32_t backward(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                        void *user_data) {
    (void)z, (void)a, (void)user_data;
    for (size_t i = 0; i < rows * columns; i++) dz[i] = da[i];
    return 0;
}
static float bump(float z, void *user_data) { return (void)user_data, 1 / (1 + z * z); }
static void destroy(void *user_data) { ++*(int *)user_data; }

static void register_both(void) {
    destroyed = 0;
    EXPECT_OK(bp_activation_register_vector("host.vector", forward, backward, &destroyed, destroy));
    EXPECT_OK(bp_activation_register_scalar("host.scalar", bump, NULL, NULL, NULL));
}
static void unregister_both(void) {
    EXPECT_OK(bp_activation_unregister("host.vector"));
    EXPECT_OK(bp_activation_unregister("host.scalar"));
}

/* ---- Bits */

static bp_predictor *predictor_of(const bp_network *network) {
    bp_predictor *predictor = NULL;
    EXPECT_OK(bp_predictor_create(network, &predictor));
    return predictor;
}

static uint32_t state = 1;
static size_t below(size_t bound) { return (size_t)((check_random(&state) + 1) / 2.01 * (double)bound); }

static const char *const activations[] = {"identity", "sign",     "logistic", "tanh", "relu",    "leaky_relu",  "elu",
                                          "softplus", "softsign", "silu",     "gelu", "softmax", "host.scalar", "host.vector"};

enum { MOST_ROWS = 300 };

/* A trained network of random shape and settings. */
static bp_network *random_network(size_t *inputs, size_t *outputs) {
    static const size_t widths[] = {1, 2, 7, 8, 9, 16, 24, 33, 100, 128, 129, 300};
    size_t sizes[6], count = 2 + below(5), rows = 20;
    for (size_t i = 0; i < count; i++) sizes[i] = widths[below(sizeof widths / sizeof widths[0])];
    bp_network *network = check_network(sizes, count, state);
    for (size_t layer = 1; layer < count; layer++) {
        EXPECT_OK(bp_network_set_activation(network, layer, activations[below(sizeof activations / sizeof activations[0])]));
        EXPECT_OK(bp_network_set_batchnorm(network, layer, below(3) == 0));
        if (layer + 1 < count && below(3) == 0) EXPECT_OK(bp_network_set_dropout(network, layer, 0.3));
    }
    float *x = malloc(rows * sizes[0] * sizeof *x), *y = malloc(rows * sizes[count - 1] * sizeof *y);
    check_fill(x, rows * sizes[0], state);
    check_fill_shares(y, rows * sizes[count - 1], state);
    if (below(2))
        EXPECT_OK(bp_network_fit_scaling(network, below(2) ? "standard" : "none", below(2) ? "min_max" : "none", x, y, rows));
    for (int t = 0; t < 3; t++) (void)bp_network_train_minibatch(network, x, y, rows, 1e-4f, NULL); /* moves the statistics */
    free(x);
    free(y);
    *inputs = sizes[0];
    *outputs = sizes[count - 1];
    return network;
}

static void outputs_have_the_bits_of_predictions_of_the_folded_network(void) {
    static const size_t rows[] = {1, 2, 3, 7, 64, 65, MOST_ROWS};
    register_both();
    for (int trial = 0; trial < 300; trial++) {
        size_t inputs, outputs, seen_inputs, seen_outputs;
        bp_network *network = random_network(&inputs, &outputs), *folded = NULL;
        bp_predictor *predictor = predictor_of(network);
        float *x = malloc(MOST_ROWS * inputs * sizeof *x), *expected = malloc(MOST_ROWS * outputs * sizeof *x),
              *found = malloc(MOST_ROWS * outputs * sizeof *x);
        check_fill(x, MOST_ROWS * inputs, state);
        EXPECT_OK(bp_network_clone(network, &folded));
        EXPECT_OK(bp_network_fold_batchnorm(folded));
        bp_network_free(network);
        EXPECT_OK(bp_predictor_sizes(predictor, &seen_inputs, &seen_outputs));
        EXPECT(seen_inputs == inputs && seen_outputs == outputs);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            memset(found, 0x5A, MOST_ROWS * outputs * sizeof *found);
            EXPECT_OK(bp_network_predict(folded, x, rows[i], expected));
            EXPECT_OK(bp_predictor_run(predictor, x, rows[i], found));
            EXPECT(memcmp(found, expected, rows[i] * outputs * sizeof *found) == 0);
            for (size_t k = rows[i] * outputs; k < MOST_ROWS * outputs; k++) EXPECT(((uint8_t *)found)[4 * k] == 0x5A);
        }
        bp_network_free(folded);
        bp_predictor_free(predictor);
        free(x), free(expected), free(found);
    }
    unregister_both();
    EXPECT(destroyed == 1);
}

static void layers_too_wide_for_the_stack_have_the_same_bits(void) {
    static const size_t shapes[][3] = {{3, 9000, 2}, {8192, 2, 3}, {9000, 2, 9000}};
    static float x[5 * 9000], expected[5 * 9000], found[5 * 9000];
    check_fill(x, 5 * 9000, 3);
    for (size_t i = 0; i < 3; i++) {
        bp_network *network = check_network(shapes[i], 3, 1);
        EXPECT_OK(bp_network_set_activation(network, 1, "gelu"));
        EXPECT_OK(bp_network_fit_scaling(network, "standard", "none", x, NULL, 5));
        bp_predictor *predictor = predictor_of(network);
        for (size_t rows = 1; rows <= 5; rows += 4) {
            EXPECT_OK(bp_network_predict(network, x, rows, expected));
            EXPECT_OK(bp_predictor_run(predictor, x, rows, found));
            EXPECT(memcmp(found, expected, rows * shapes[i][2] * sizeof *found) == 0);
        }
        bp_network_free(network);
        bp_predictor_free(predictor);
    }
}

static void floating_point_environment_of_the_caller_does_not_matter(void) {
    static const size_t sizes[] = {4, 16, 16, 1};
    static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO, FE_TONEAREST};
    bp_network *network = check_network(sizes, 4, 1);
    bp_predictor *predictor = predictor_of(network);
    float x[3 * 4], expected[3], found[3];
    check_fill(x, 12, 1);
    EXPECT_OK(bp_network_predict(network, x, 3, expected));
    for (size_t i = 0; i < 4; i++)
        for (size_t rows = 1; rows <= 3; rows += 2) {
            EXPECT(fesetround(modes[i]) == 0 && feclearexcept(FE_ALL_EXCEPT) == 0);
            int32_t status = bp_predictor_run(predictor, x, rows, found);
            EXPECT(fegetround() == modes[i] && !fetestexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW));
            EXPECT(fesetround(FE_TONEAREST) == 0);
            EXPECT_OK(status);
            EXPECT(memcmp(found, expected, rows * sizeof *found) == 0);
        }
    bp_network_free(network);
    bp_predictor_free(predictor);
}

/* ---- Updates */

static const size_t small[] = {2, 16, 8};

/* Sets all biases to the version and all weights to 1/16: each output is then twice the version, for any input of sum 0. */
static void set_version(bp_network *network, float version) {
    float parameters[2 * 16 + 16 + 16 * 8 + 8];
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) parameters[i] = 1.0f / 16;
    for (size_t i = 0; i < 16; i++) parameters[32 + i] = version;
    for (size_t i = 0; i < 8; i++) parameters[32 + 16 + 128 + i] = version;
    EXPECT_OK(bp_network_set_parameters(network, parameters, sizeof parameters / sizeof *parameters));
}

static bp_network *versioned(void) {
    bp_network *network = check_network(small, 3, 1);
    EXPECT_OK(bp_network_set_activation(network, 1, "identity"));
    EXPECT_OK(bp_network_set_activation(network, 2, "identity"));
    set_version(network, 0);
    return network;
}

/* The version of the outputs of rows; -1 if they do not agree. */
static float version_of(const bp_predictor *predictor, size_t rows) {
    static const float x[2 * 100] = {1, -1, 0.5f, -0.5f};
    float y[8 * 100];
    if (bp_predictor_run(predictor, x, rows, y) != BP_OK) return -2;
    for (size_t i = 1; i < 8 * rows; i++)
        if (y[i] != y[0]) return -1;
    return y[0] / 2;
}

static void update_replaces_parameters_and_settings(void) {
    bp_network *network = versioned(), *clone = NULL;
    bp_predictor *predictor = predictor_of(network);
    EXPECT(version_of(predictor, 3) == 0);
    set_version(network, 7);
    EXPECT(version_of(predictor, 3) == 0); /* a copy */
    EXPECT_OK(bp_predictor_update(predictor, network));
    EXPECT(version_of(predictor, 1) == 7 && version_of(predictor, 100) == 7);
    EXPECT_OK(bp_network_clone(network, &clone));
    bp_network_free(network);
    EXPECT_OK(bp_network_set_activation(clone, 2, "relu"));
    set_version(clone, 9);
    EXPECT_STATUS(bp_predictor_update(predictor, network), BP_ERROR_INVALID_HANDLE);
    EXPECT(version_of(predictor, 3) == 7); /* a failed update changes nothing */
    EXPECT_OK(bp_predictor_update(predictor, clone));
    EXPECT(version_of(predictor, 3) == 9);
    bp_network_free(clone);
    bp_predictor_free(predictor);
}

static void layers_of_other_sizes_are_refused(void) {
    static const size_t others[][4] = {{2, 16, 9}, {3, 16, 8}, {2, 15, 8}, {2, 16, 16, 8}};
    bp_network *network = versioned();
    bp_predictor *predictor = predictor_of(network);
    set_version(network, 1);
    for (size_t i = 0; i < 4; i++) {
        bp_network *other = check_network(others[i], i == 3 ? 4 : 3, 1);
        EXPECT_ERROR(bp_predictor_update(predictor, other), BP_ERROR_MISMATCH);
        EXPECT(version_of(predictor, 2) == 0);
        bp_network_free(other);
    }
    bp_network_free(network);
    bp_predictor_free(predictor);
}

static void weights_that_are_not_finite_after_folding_are_refused(void) {
    bp_network *network = versioned();
    bp_predictor *predictor = predictor_of(network), *none = (bp_predictor *)1;
    float huge[16], tiny[16];
    for (size_t i = 0; i < 16; i++) huge[i] = 3e38f, tiny[i] = 0;
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    EXPECT_OK(bp_network_set_tensor(network, "layers.1.norm.weight", huge, 16));
    EXPECT_OK(bp_network_set_tensor(network, "layers.1.norm.running_var", tiny, 16));
    EXPECT_ERROR(bp_predictor_update(predictor, network), BP_ERROR_NOT_FINITE);
    EXPECT(version_of(predictor, 2) == 0);
    EXPECT_ERROR(bp_predictor_create(network, &none), BP_ERROR_NOT_FINITE);
    EXPECT(none == NULL);
    bp_network_free(network);
    bp_predictor_free(predictor);
}

/* ---- Handles */

static void wrong_handles_and_missing_arrays_are_refused(void) {
    bp_network *network = versioned();
    bp_predictor *predictor = predictor_of(network), *freed = predictor_of(network), *next;
    float x[2] = {0, 0}, y[8];
    size_t inputs = 9, outputs = 9;
    bp_predictor_free(freed);
    next = predictor_of(network); /* reuses the place of the freed one */
    EXPECT_ERROR(bp_predictor_run(freed, x, 1, y), BP_ERROR_INVALID_HANDLE);
    EXPECT_ERROR(bp_predictor_run(freed, x, 0, y), BP_ERROR_INVALID_HANDLE);
    EXPECT_ERROR(bp_predictor_run((bp_predictor *)(void *)network, x, 1, y), BP_ERROR_INVALID_HANDLE);
    EXPECT_ERROR(bp_predictor_run((bp_predictor *)(void *)network, x, 2, y), BP_ERROR_INVALID_HANDLE);
    EXPECT_ERROR(bp_network_predict((bp_network *)(void *)predictor, x, 1, y), BP_ERROR_INVALID_HANDLE);
    EXPECT_ERROR(bp_predictor_update(freed, network), BP_ERROR_INVALID_HANDLE);
    EXPECT_ERROR(bp_predictor_sizes(freed, &inputs, &outputs), BP_ERROR_INVALID_HANDLE);
    EXPECT(inputs == 0 && outputs == 0);
    EXPECT_ERROR(bp_predictor_run(NULL, x, 1, y), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_predictor_run(predictor, NULL, 1, y), BP_ERROR_NULL_ARGUMENT);
    EXPECT_MESSAGE("inputs");
    EXPECT_ERROR(bp_predictor_run(predictor, x, 1, NULL), BP_ERROR_NULL_ARGUMENT);
    EXPECT_OK(bp_predictor_run(predictor, NULL, 0, NULL));
    EXPECT_ERROR(bp_predictor_run(predictor, x, SIZE_MAX, y), BP_ERROR_LIMIT);
    EXPECT_ERROR(bp_predictor_run(predictor, x, SIZE_MAX / 4 + 2, y), BP_ERROR_LIMIT);
    EXPECT_ERROR(bp_network_set_loss(network, "none"), BP_ERROR_UNKNOWN_NAME); /* a message in memory after a static one */
    EXPECT_MESSAGE("none");
    bp_predictor_free(freed);
    bp_predictor_free((bp_predictor *)(void *)network);
    EXPECT(version_of(next, 1) == 0 && version_of(predictor, 1) == 0 && count_of(network) > 0);
    bp_predictor_free(next);
    bp_predictor_free(predictor);
    bp_predictor_free(NULL);
    bp_network_free(network);
}

/* ---- Callbacks */

static bp_network *with_host_activation(size_t width) {
    const size_t sizes[] = {2, width, 1};
    register_both();
    bp_network *network = check_network(sizes, 3, 1);
    EXPECT_OK(bp_network_set_activation(network, 1, "host.vector"));
    unregister_both();
    return network;
}

static void failing_callback_fails_the_run(void) {
    bp_network *network = with_host_activation(5);
    bp_predictor *predictor = predictor_of(network);
    float x[4] = {1, 2, 3, 4}, y[2];
    fails = 42;
    EXPECT_ERROR(bp_predictor_run(predictor, x, 2, y), BP_ERROR_CALLBACK);
    EXPECT_MESSAGE("host.vector");
    EXPECT_MESSAGE("42");
    fails = 0;
    EXPECT_OK(bp_predictor_run(predictor, x, 2, y));
    bp_network_free(network);
    EXPECT(destroyed == 0);
    bp_predictor_free(predictor);
    EXPECT(destroyed == 1);
}

static bp_predictor *inner;
static bp_network *replacement;
static int depth, busy;

static void free_inner(void) {
    float x[2] = {0, 0}, y;
    during = NULL;
    bp_predictor_free(inner);
    EXPECT_STATUS(bp_predictor_run(inner, x, 1, &y), BP_ERROR_INVALID_HANDLE);
    EXPECT(destroyed == 0); /* the run still uses the activation */
}
static void update_inner(void) {
    during = NULL;
    for (int i = 0; i < 3; i++) EXPECT_OK(bp_predictor_update(inner, replacement));
    EXPECT(destroyed == 0);
}
static void run_inner(void) {
    float x[2] = {0, 0}, y;
    if (++depth > 20) return;
    int32_t status = bp_predictor_run(inner, x, 1, &y);
    if (status == BP_ERROR_BUSY) busy++;
    else EXPECT_OK(status);
}

static void callback_may_free_update_and_run_its_predictor(void) {
    static const size_t sizes[] = {2, 5, 1};
    float x[2] = {1, 2}, y;
    bp_network *network = with_host_activation(5), *other = check_network(sizes, 3, 1);
    bp_predictor *outside = predictor_of(other);
    inner = predictor_of(network);
    during = free_inner;
    bp_network_free(network);
    EXPECT_OK(bp_predictor_run(inner, x, 1, &y));
    EXPECT(destroyed == 0);
    EXPECT_OK(bp_predictor_update(outside, other)); /* the next update frees the copy */
    EXPECT(destroyed == 1);

    network = with_host_activation(5);
    inner = predictor_of(network);
    replacement = other;
    during = update_inner;
    bp_network_free(network);
    EXPECT_OK(bp_predictor_run(inner, x, 1, &y));
    EXPECT(destroyed == 0);
    bp_predictor_free(outside);
    EXPECT(destroyed == 1);
    bp_predictor_free(inner);

    network = with_host_activation(5);
    inner = predictor_of(network);
    depth = busy = 0;
    during = run_inner;
    EXPECT_OK(bp_predictor_run(inner, x, 1, &y));
    EXPECT(depth == 21 && busy == 0);
    during = NULL;
    bp_network_free(network);
    bp_network_free(other);
    bp_predictor_free(inner);
}

static void sixteen_runs_share_the_buffers_of_wide_layers(void) {
    float x[2] = {1, 2}, y;
    bp_network *network = with_host_activation(9000);
    inner = predictor_of(network);
    depth = busy = 0;
    during = run_inner;
    EXPECT_OK(bp_predictor_run(inner, x, 1, &y));
    EXPECT(depth == 16 && busy == 1);
    during = NULL;
    EXPECT_OK(bp_predictor_run(inner, x, 1, &y)); /* all were returned */
    bp_network_free(network);
    bp_predictor_free(inner);
}

/* ---- Threads */

enum { READERS = 4, UPDATES = 2000 };
static bp_predictor *shared;
static int latest, ended; /* the latest version whose update has returned */
static int mixtures, old_versions, runs;

static void *read_versions(void *rows) {
    float previous = 0;
    while (!__atomic_load_n(&ended, __ATOMIC_ACQUIRE)) {
        int least = __atomic_load_n(&latest, __ATOMIC_ACQUIRE);
        float version = version_of(shared, *(const size_t *)rows);
        if (version < 0) __atomic_add_fetch(&mixtures, 1, __ATOMIC_RELAXED);
        else if (version < (float)least || version < previous) __atomic_add_fetch(&old_versions, 1, __ATOMIC_RELAXED);
        previous = version;
        __atomic_add_fetch(&runs, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void run_sees_the_old_or_the_new_copy_and_never_a_mixture(void) {
    static const size_t rows[READERS] = {1, 1, 3, 100};
    pthread_t threads[READERS];
    bp_network *network = versioned();
    shared = predictor_of(network);
    for (int i = 0; i < READERS; i++) EXPECT(pthread_create(&threads[i], NULL, read_versions, (void *)&rows[i]) == 0);
    for (int version = 1; version <= UPDATES || __atomic_load_n(&runs, __ATOMIC_RELAXED) < 1000; version++) {
        set_version(network, (float)version);
        EXPECT_OK(bp_predictor_update(shared, network));
        __atomic_store_n(&latest, version, __ATOMIC_RELEASE);
    }
    __atomic_store_n(&ended, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < READERS; i++) pthread_join(threads[i], NULL);
    EXPECT(mixtures == 0 && old_versions == 0);
    bp_network_free(network);
    bp_predictor_free(shared);
}

static int32_t last_status;
static void *run_until_freed(void *unused) {
    float x[2] = {0, 0}, y[8];
    while ((last_status = bp_predictor_run(shared, x, 1, y)) == BP_OK) __atomic_add_fetch(&runs, 1, __ATOMIC_RELAXED);
    return unused;
}

static void freeing_while_others_run_gives_them_an_error(void) {
    for (int trial = 0; trial < 100; trial++) {
        pthread_t thread;
        bp_network *network = versioned();
        shared = predictor_of(network);
        runs = 0;
        EXPECT(pthread_create(&thread, NULL, run_until_freed, NULL) == 0);
        while (__atomic_load_n(&runs, __ATOMIC_RELAXED) < 10) {}
        bp_predictor_free(shared);
        bp_predictor *next = predictor_of(network); /* in the same place */
        pthread_join(thread, NULL);
        EXPECT(last_status == BP_ERROR_INVALID_HANDLE);
        bp_network_free(network);
        bp_predictor_free(next);
    }
}

static void *update_often(void *network) {
    for (int i = 0; i < 300; i++) (void)bp_predictor_update(shared, (const bp_network *)network);
    return NULL;
}

static void updates_of_several_threads_follow_each_other(void) {
    pthread_t threads[3];
    bp_network *networks[3];
    shared = NULL;
    for (int i = 0; i < 3; i++) {
        networks[i] = versioned();
        set_version(networks[i], (float)i + 1);
    }
    shared = predictor_of(networks[0]);
    for (int i = 0; i < 3; i++) EXPECT(pthread_create(&threads[i], NULL, update_often, networks[i]) == 0);
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    float version = version_of(shared, 3);
    EXPECT(version >= 1 && version <= 3);
    for (int i = 0; i < 3; i++) bp_network_free(networks[i]);
    bp_predictor_free(shared);
}

static void *run_once(void *unused) { return (void)unused, version_of(shared, 1) == 0 ? NULL : &latest; }

/* More threads than can be readers at a time. */
static void ended_threads_do_not_count(void) {
    bp_network *network = versioned();
    shared = predictor_of(network);
    for (int i = 0; i < 5000; i++) {
        pthread_t thread;
        void *failed = &latest;
        if (!EXPECT(pthread_create(&thread, NULL, run_once, NULL) == 0)) break;
        pthread_join(thread, &failed);
        if (!EXPECT(!failed)) break;
    }
    bp_network_free(network);
    bp_predictor_free(shared);
}

/* In glibc, thread-specific values beyond the 32nd key need memory, so that the library cannot observe the end of a thread. */
static void threads_whose_end_cannot_be_observed_can_run(void) {
    const char *path = getenv("LIBBACKPROP_LIBRARY");
    char command[1024];
    pthread_key_t keys[40];
    if (__has_feature(thread_sanitizer) || __has_feature(address_sanitizer) || !path) {
        printf("# not tried: a second copy of the library, which a sanitizer does not support\n");
        return;
    }
    for (int i = 0; i < 40; i++) EXPECT(pthread_key_create(&keys[i], NULL) == 0);
    snprintf(command, sizeof command, "cp '%s' copy.so", path);
    EXPECT(system(command) == 0);
    void *copy = dlopen("./copy.so", RTLD_NOW | RTLD_LOCAL);
    if (!EXPECT(copy)) return;
    int32_t (*create)(const size_t *, size_t, uint64_t, bp_network **), (*make)(const bp_network *, bp_predictor **),
        (*run)(const bp_predictor *, const float *, size_t, float *), (*update)(bp_predictor *, const bp_network *);
    *(void **)&create = dlsym(copy, "bp_network_create");
    *(void **)&make = dlsym(copy, "bp_predictor_create");
    *(void **)&run = dlsym(copy, "bp_predictor_run");
    *(void **)&update = dlsym(copy, "bp_predictor_update");
    bp_network *network = NULL;
    bp_predictor *predictor = NULL;
    float x[2] = {1, 2}, y[8], z[8];
    EXPECT_OK(create(small, 3, 1, &network));
    EXPECT_OK(make(network, &predictor));
    EXPECT_OK(run(predictor, x, 1, y));
    for (int i = 0; i < 5000; i++) EXPECT_OK(run(predictor, x, 1, z)); /* each returns its reader */
    EXPECT(memcmp(y, z, sizeof y) == 0);
    EXPECT_OK(update(predictor, network));
    for (int i = 0; i < 40; i++) pthread_key_delete(keys[i]);
}

/* ---- Fork */

static void child_of_a_fork_can_run_update_and_free(void) {
    pthread_t thread;
    int status = 0;
    bp_network *network = versioned();
    if (__has_feature(thread_sanitizer)) {
        printf("# not tried: fork beside a running thread, which ThreadSanitizer does not support\n");
        bp_network_free(network);
        return;
    }
    shared = predictor_of(network);
    runs = 0;
    EXPECT(pthread_create(&thread, NULL, run_until_freed, NULL) == 0);
    while (__atomic_load_n(&runs, __ATOMIC_RELAXED) < 10) {}
    for (int i = 0; i < 50; i++) { /* the thread is often in a run, which the child does not have */
        pid_t child = fork();
        if (child == 0) {
            set_version(network, 5);
            int bad = version_of(shared, 3) != 0 || bp_predictor_update(shared, network) != BP_OK || version_of(shared, 1) != 5;
            bp_predictor_free(shared);
            _exit(bad || version_of(shared, 1) != -2);
        }
        EXPECT(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    bp_predictor_free(shared);
    pthread_join(thread, NULL);
    bp_network_free(network);
}

static void fork_in_callback(void) {
    during = NULL;
    pid_t child = fork();
    if (child == 0) return; /* the run continues in the child */
    int status = 1;
    EXPECT(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

static void run_that_forks_continues_in_both_processes(void) {
    float x[2] = {1, 2}, expected, found;
    bp_network *network = with_host_activation(5);
    bp_predictor *predictor = predictor_of(network);
    pid_t parent = getpid();
    EXPECT_OK(bp_network_predict(network, x, 1, &expected));
    during = fork_in_callback;
    int32_t status = bp_predictor_run(predictor, x, 1, &found);
    if (getpid() != parent) _exit(status != BP_OK || found != expected || bp_predictor_update(predictor, network) != BP_OK);
    EXPECT_OK(status);
    EXPECT(found == expected);
    bp_network_free(network);
    bp_predictor_free(predictor);
}

static pthread_t forking;
static int holding, released;
static void hold_or_fork(void) {
    if (pthread_equal(pthread_self(), forking)) {
        pid_t parent = getpid();
        fork_in_callback();
        if (getpid() == parent) return;
        depth = busy = 0;
        during = run_inner;
        run_inner();
        during = NULL;
        if (depth != 16 || busy != 1) _exit(1); /* the run in progress has one buffer */
        return;
    }
    __atomic_add_fetch(&holding, 1, __ATOMIC_RELAXED);
    while (!__atomic_load_n(&released, __ATOMIC_ACQUIRE)) usleep(100);
}

static void *run_wide(void *unused) {
    float x[2] = {1, 2}, y;
    EXPECT_OK(bp_predictor_run(inner, x, 1, &y));
    return unused;
}

/* The child has the buffers of fifteen runs of threads that it does not have, and not the one of its own run. */
static void child_of_a_fork_has_the_buffers_of_runs_of_other_threads(void) {
    pthread_t threads[15];
    float x[2] = {1, 2}, y;
    pid_t parent = getpid();
    if (__has_feature(thread_sanitizer)) {
        printf("# not tried: fork beside a running thread, which ThreadSanitizer does not support\n");
        return;
    }
    bp_network *network = with_host_activation(9000);
    inner = predictor_of(network);
    forking = pthread_self();
    during = hold_or_fork;
    for (int i = 0; i < 15; i++) EXPECT(pthread_create(&threads[i], NULL, run_wide, NULL) == 0);
    while (__atomic_load_n(&holding, __ATOMIC_RELAXED) < 15) usleep(100);
    EXPECT_OK(bp_predictor_run(inner, x, 1, &y));
    if (getpid() != parent) {
        depth = busy = 0;
        during = run_inner;
        _exit(bp_predictor_run(inner, x, 1, &y) != BP_OK || depth != 16 || busy != 1);
    }
    __atomic_store_n(&released, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < 15; i++) pthread_join(threads[i], NULL);
    bp_network_free(network);
    bp_predictor_free(inner);
}

int main(void) {
    CLAIM(outputs_have_the_bits_of_predictions_of_the_folded_network);
    CLAIM(layers_too_wide_for_the_stack_have_the_same_bits);
    CLAIM(floating_point_environment_of_the_caller_does_not_matter);
    CLAIM(update_replaces_parameters_and_settings);
    CLAIM(layers_of_other_sizes_are_refused);
    CLAIM(weights_that_are_not_finite_after_folding_are_refused);
    CLAIM(wrong_handles_and_missing_arrays_are_refused);
    CLAIM(failing_callback_fails_the_run);
    CLAIM(callback_may_free_update_and_run_its_predictor);
    CLAIM(sixteen_runs_share_the_buffers_of_wide_layers);
    CLAIM(run_sees_the_old_or_the_new_copy_and_never_a_mixture);
    CLAIM(freeing_while_others_run_gives_them_an_error);
    CLAIM(updates_of_several_threads_follow_each_other);
    CLAIM(ended_threads_do_not_count);
    CLAIM(threads_whose_end_cannot_be_observed_can_run);
    CLAIM(child_of_a_fork_can_run_update_and_free);
    CLAIM(run_that_forks_continues_in_both_processes);
    CLAIM(child_of_a_fork_has_the_buffers_of_runs_of_other_threads);
    return check_end();
}
