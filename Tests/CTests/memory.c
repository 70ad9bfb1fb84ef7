/* memory.c: calls leak no memory, whether they succeed or fail. Each claim repeats calls often and compares the peak memory of
 * the process: 50 000 leaks of the smallest block, 32 bytes, are 1.6 MB. */
#define _XOPEN_SOURCE 700 /* getrusage */
#include <sys/resource.h>

#include "activations.h"
#include "check.h"

enum { OFTEN = 50000, ALLOWED = 700 }; /* kilobytes, for the rounding of the allocator */

static const size_t sizes[] = {2, 3, 1};
static const float x[] = {0.5f, -1}, y[] = {1};
static snapshot model;
static bp_network *network;

static float itself(float z, void *user_data) {
    (void)user_data;
    return z;
}
static int32_t fail(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    (void)z, (void)a, (void)rows, (void)columns, (void)user_data;
    return 1;
}

static long kilobytes(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : -1;
}

/* action(i) returns whether its calls had the expected results. */
static void expect_no_leak(int (*action)(int i), int times) {
    long before;
    int right = 1;
    for (int i = 0; i < 1000; i++) right = action(i) && right; /* allocates the permanent buffers */
    before = kilobytes();
    for (int i = 0; i < times; i++) right = action(i) && right;
    EXPECT(right);
    EXPECT_NEAR(kilobytes() - before, 0, ALLOWED);
}

static int create_and_free(int i) {
    bp_network *made = NULL, *clone = NULL;
    int right = bp_network_create(sizes, 3, (uint64_t)i, &made) == BP_OK && bp_network_clone(made, &clone) == BP_OK &&
        bp_network_set_batchnorm(made, 1, 1) == BP_OK && bp_network_train_step(made, x, y, 0.5f, NULL) == BP_OK;
    bp_network_free(made);
    bp_network_free(clone);
    return right;
}
static void created_and_freed_networks_leak_no_memory(void) { expect_no_leak(create_and_free, OFTEN / 2); }

static int fail_to_create(int i) {
    const size_t bad[][3] = {{2, 3, 0}, {0, 3, 2}, {SIZE_MAX, 2, 2}, {2, 3, SIZE_MAX}};
    bp_network *made = NULL;
    return bp_network_create(bad[i % 4], 3, 1, &made) < 0 && made == NULL;
}
static void failed_creations_leak_no_memory(void) { expect_no_leak(fail_to_create, OFTEN); }

static int load_and_free(int i) {
    bp_network *made = NULL;
    int right = bp_network_load_memory(model.bytes, model.count, &made) == BP_OK;
    (void)i;
    bp_network_free(made);
    return right;
}
static void loaded_and_freed_networks_leak_no_memory(void) { expect_no_leak(load_and_free, OFTEN / 4); }

static int fail_to_load(int i) {
    bp_network *made = NULL;
    size_t position = (size_t)i % model.count;
    int right;
    model.bytes[position] ^= 4; /* a change in the last part that is checked */
    right = bp_network_load_memory(model.bytes, model.count, &made) < 0;
    model.bytes[position] ^= 4;
    return bp_network_load_memory(model.bytes, position, &made) < 0 && right;
}
static void failed_loads_leak_no_memory(void) { expect_no_leak(fail_to_load, OFTEN / 4); }

static int fail_to_use_files(int i) {
    bp_network *made = NULL;
    (void)i;
    return bp_network_load("no such file", &made) == BP_ERROR_IO &&
        bp_network_save(network, "no such folder/file") == BP_ERROR_IO;
}
static void missing_files_leak_no_memory(void) { expect_no_leak(fail_to_use_files, OFTEN / 4); }

static int fail_to_train(int i) {
    const float nan_row[] = {NAN, 0};
    float out[2];
    (void)i;
    return bp_network_train_step(network, nan_row, y, 0.5f, NULL) == BP_ERROR_NOT_FINITE &&
        bp_network_train_step(network, x, y, 0.5f, NULL) == BP_ERROR_CALLBACK &&
        bp_network_predict(network, x, 1, out) == BP_ERROR_CALLBACK &&
        bp_network_set_activation(network, 1, "no.such.name") == BP_ERROR_UNKNOWN_NAME &&
        bp_network_set_option(network, "gradient_reduction", 7) == BP_ERROR_INVALID_VALUE;
}
static void failed_steps_leak_no_memory(void) {
    EXPECT_OK(bp_activation_register_vector("failing", fail, pass_back, NULL, NULL));
    EXPECT_OK(bp_network_set_activation(network, 2, "failing"));
    expect_no_leak(fail_to_train, OFTEN);
    EXPECT_OK(bp_network_set_activation(network, 2, "tanh"));
    EXPECT_OK(bp_activation_unregister("failing"));
}

static int register_and_unregister(int i) {
    char name[32];
    snprintf(name, sizeof name, "name.%d", i % 1000);
    return bp_activation_register_scalar(name, itself, NULL, NULL, NULL) == BP_OK &&
        bp_activation_register_scalar(name, itself, NULL, NULL, NULL) == BP_ERROR_INVALID_VALUE &&
        bp_network_set_activation(network, 1, name) == BP_OK && bp_activation_unregister(name) == BP_OK &&
        bp_activation_unregister(name) == BP_ERROR_UNKNOWN_NAME;
}
static void registered_and_unregistered_activations_leak_no_memory(void) { expect_no_leak(register_and_unregister, OFTEN); }

static int32_t library(const char *path, const char *symbol, const char *signature) {
    return bp_activation_register_library("library", path, symbol, NULL, signature, NULL, 0);
}
static int open_and_close(int i) {
    const double constant = i, bad = NAN;
    return bp_activation_register_foreign("foreign", (bp_foreign_fn)ldexp, NULL, "d(d,i)", &constant, 1) == BP_OK &&
        bp_activation_register_foreign("bad", (bp_foreign_fn)ldexp, NULL, "d(d,i)", &bad, 1) < 0 &&
        library("libm.so.6", "erf", "d(d)") == BP_OK && library("libm.so.6", "erf", "d(d)") < 0 &&
        bp_activation_unregister("foreign") == BP_OK && bp_activation_unregister("library") == BP_OK &&
        library("libm.so.6", "no.such.function", "d(d)") == BP_ERROR_LIBRARY &&
        library("./no.such.library", "erf", "d(d)") == BP_ERROR_LIBRARY && bp_plugin_load("libm.so.6") == BP_ERROR_LIBRARY &&
        library("libm.so.6", "erf", "d(d,)") < 0;
}
static void foreign_activations_and_their_libraries_leak_no_memory(void) { expect_no_leak(open_and_close, OFTEN / 8); }

static int check_derivatives(int i) {
    static const char *const checked[] = {"tanh", "softmax", "library"};
    double worst;
    return bp_activation_check(checked[i % 3], &worst, NULL) == BP_OK && worst < 1e-2;
}
static void checked_derivatives_leak_no_memory(void) {
    EXPECT_OK(library("libm.so.6", "erf", "d(d)"));
    expect_no_leak(check_derivatives, OFTEN / 100);
    EXPECT_OK(bp_activation_unregister("library"));
}

static int change_settings(int i) {
    return bp_network_set_batchnorm(network, 1, i % 2) == BP_OK && bp_network_initialize(network, (uint64_t)i) == BP_OK &&
        bp_network_train_minibatch(network, x, y, 1, 0.5f, NULL) == BP_OK;
}
static void changed_settings_leak_no_memory(void) {
    EXPECT_OK(bp_network_set_activation(network, 1, "tanh"));
    expect_no_leak(change_settings, OFTEN);
}

static int32_t continue_stop_or_abort(const bp_progress *progress, void *user_data) {
    return progress->epoch == 2 ? *(const int *)user_data % 3 - 1 : 0;
}
static int fit_in_every_way(int i) {
    static const float inputs[] = {0.5f, -1, 1, 1, -1, 0, 0, 1}, targets[] = {1, 0, 1, 0}, weights[] = {1, 2, 0, 1};
    static const char *const options[] = {"restarts", "validation_fraction", "patience", "on_divergence"};
    const int32_t expected[] = {BP_ERROR_CALLBACK, BP_OK, BP_STOPPED};
    bp_trainer *trainer = NULL;
    int right = bp_trainer_create(&trainer) == BP_OK && bp_trainer_set_option(trainer, "epochs", 3) == BP_OK &&
        bp_trainer_set_option(trainer, "batch_size", 3) == BP_OK &&
        bp_trainer_set_option(trainer, options[i % 4],
                              i % 4 == 1       ? 0.5
                                  : i % 4 == 2 ? 9
                                               : 1) == BP_OK &&
        bp_trainer_set_row_weights(trainer, weights, 4) == BP_OK &&
        bp_trainer_set_progress(trainer, continue_stop_or_abort, &i) == BP_OK &&
        bp_trainer_fit(trainer, network, inputs, targets, 4, NULL, NULL, 0, NULL) == expected[i % 3] &&
        bp_trainer_fit(trainer, network, inputs, targets, 3, NULL, NULL, 0, NULL) == BP_ERROR_INVALID_VALUE;
    bp_trainer_free(trainer);
    return right;
}
static void fits_leak_no_memory(void) { expect_no_leak(fit_in_every_way, OFTEN / 4); }

int main(void) {
    network = check_network(sizes, 3, 1);
    model = snapshot_of(network);
    CLAIM(created_and_freed_networks_leak_no_memory);
    CLAIM(failed_creations_leak_no_memory);
    CLAIM(loaded_and_freed_networks_leak_no_memory);
    CLAIM(failed_loads_leak_no_memory);
    CLAIM(missing_files_leak_no_memory);
    CLAIM(failed_steps_leak_no_memory);
    CLAIM(registered_and_unregistered_activations_leak_no_memory);
    CLAIM(foreign_activations_and_their_libraries_leak_no_memory);
    CLAIM(checked_derivatives_leak_no_memory);
    CLAIM(changed_settings_leak_no_memory);
    CLAIM(fits_leak_no_memory);
    bp_network_free(network);
    free(model.bytes);
    return check_end();
}
