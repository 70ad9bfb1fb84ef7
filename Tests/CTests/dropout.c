/* dropout.c: bp_network_set_dropout. The tests of the Python package compare the gradient with a NumPy network that drops the
 * same units. */
#include "check.h"

enum { UNITS = 4000, ROWS = 6 };

/* One input, UNITS identity units that all output 1, one identity output unit with weights 0. For the target -1 the gradient
 * of an output weight is the output of its unit after dropout. */
static bp_network *counting(double rate) {
    const size_t sizes[] = {1, UNITS, 1};
    static float parameters[3 * UNITS + 1];
    bp_network *network = check_network(sizes, 3, 7);
    for (size_t i = 0; i < UNITS; i++) parameters[UNITS + i] = 1;
    EXPECT_OK(bp_network_set_activation(network, 1, "identity"));
    EXPECT_OK(bp_network_set_activation(network, 2, "identity"));
    EXPECT_OK(bp_network_set_parameters(network, parameters, count_of(network)));
    EXPECT_OK(bp_network_set_dropout(network, 1, rate));
    return network;
}

static const float *counts(bp_network *network) {
    static float gradient[3 * UNITS + 1];
    const float x = 0.5f, y = -1;
    EXPECT_OK(bp_network_gradient(network, &x, &y, 1, gradient, count_of(network), NULL));
    return gradient + 2 * UNITS;
}

static void units_are_dropped_with_the_given_probability_and_the_others_scaled_up(void) {
    const double rates[] = {0, 0.1, 0.5, 0.9, 0.999};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        bp_network *network = counting(rates[i]);
        double left_out = 0, deviation = sqrt(rates[i] * (1 - rates[i]) / UNITS);
        const float *count = counts(network);
        for (size_t k = 0; k < UNITS; k++) {
            if (count[k] == 0) left_out++;
            else EXPECT_NEAR(count[k], 1 / (1 - rates[i]), 1e-4 / (1 - rates[i]));
        }
        EXPECT_NEAR(left_out / UNITS, rates[i], 4 * deviation);
        bp_network_free(network);
    }
}

static void every_step_draws_new_units_and_the_same_from_the_same_seed(void) {
    static float first[UNITS];
    bp_network *network = counting(0.5), *twin = counting(0.5);
    const float *second;
    size_t both = 0;
    memcpy(first, counts(network), sizeof first);
    EXPECT(memcmp(first, counts(twin), sizeof first) == 0);
    second = counts(network);
    for (size_t k = 0; k < UNITS; k++) both += first[k] == 0 && second[k] == 0;
    EXPECT_NEAR((double)both / UNITS, 0.25, 0.03); /* the two draws are independent */
    bp_network_free(network);
    bp_network_free(twin);
}

/* A network with several kinds of layers, each with dropout. */
static bp_network *mixed(uint64_t seed) {
    const size_t sizes[] = {20, 160, 130, 70, 5};
    bp_network *network = check_network(sizes, 5, seed);
    EXPECT_OK(bp_network_set_activation(network, 1, "relu"));
    EXPECT_OK(bp_network_set_activation(network, 2, "tanh"));
    EXPECT_OK(bp_network_set_batchnorm(network, 2, 1));
    EXPECT_OK(bp_network_set_activation(network, 4, "softmax"));
    EXPECT_OK(bp_network_set_loss(network, "cross_entropy"));
    EXPECT_OK(bp_network_set_dropout(network, 1, 0.25));
    EXPECT_OK(bp_network_set_dropout(network, 2, 0.25));
    EXPECT_OK(bp_network_set_dropout(network, 3, 0.5));
    return network;
}

enum { MANY = 300 };
static float inputs[MANY * 20], targets[MANY * 5];

static void results_have_the_same_bits_for_any_number_of_threads(void) {
    const size_t threads[] = {1, 2, 3, 8};
    bp_network *networks[4];
    for (int i = 0; i < 4; i++) {
        networks[i] = mixed(3);
        EXPECT_OK(bp_set_thread_count(threads[i]));
        for (int t = 0; t < 3; t++) EXPECT_OK(bp_network_train_minibatch(networks[i], inputs, targets, MANY, 0.001f, NULL));
        EXPECT(i == 0 || snapshot_equal(networks[0], networks[i]));
    }
    for (int i = 0; i < 4; i++) bp_network_free(networks[i]);
    EXPECT_OK(bp_set_thread_count(0));
}

static void copies_and_loaded_networks_continue_the_draws_bit_for_bit(void) {
    bp_network *network = mixed(4), *copy = NULL, *loaded = NULL;
    EXPECT_OK(bp_network_train_minibatch(network, inputs, targets, ROWS, 0.01f, NULL));
    EXPECT_OK(bp_network_clone(network, &copy));
    EXPECT_OK(bp_network_save(network, "dropout.safetensors"));
    EXPECT_OK(bp_network_load("dropout.safetensors", &loaded));
    for (int t = 0; t < 4; t++) {
        size_t rows = t == 2 ? 1 : ROWS;
        EXPECT_OK(bp_network_train_minibatch(network, inputs, targets, rows, 0.01f, NULL));
        EXPECT_OK(bp_network_train_minibatch(copy, inputs, targets, rows, 0.01f, NULL));
        EXPECT_OK(bp_network_train_minibatch(loaded, inputs, targets, rows, 0.01f, NULL));
    }
    EXPECT(snapshot_equal(network, copy));
    EXPECT(snapshot_equal(network, loaded));
    bp_network_free(network);
    bp_network_free(copy);
    bp_network_free(loaded);
}

static void failed_step_draws_nothing(void) {
    static float bad[ROWS * 20], gradient[60000];
    bp_network *network = mixed(5), *twin = NULL;
    snapshot before = snapshot_of(network);
    EXPECT_OK(bp_network_clone(network, &twin));
    memcpy(bad, inputs, sizeof bad);
    bad[ROWS * 20 - 1] = INFINITY;
    EXPECT_ERROR(bp_network_train_minibatch(network, bad, targets, ROWS, 0.01f, NULL), BP_ERROR_NOT_FINITE);
    bad[ROWS * 20 - 1] = 3e38f; /* finite, but the sums overflow */
    for (int i = 0; i < 20; i++) bad[i] = 3e38f;
    EXPECT_ERROR(bp_network_train_minibatch(network, bad, targets, ROWS, 0.01f, NULL), BP_ERROR_NOT_FINITE);
    EXPECT_ERROR(bp_network_gradient(network, bad, targets, ROWS, gradient, count_of(network), NULL), BP_ERROR_NOT_FINITE);
    EXPECT(snapshot_holds(before, network));
    EXPECT_OK(bp_network_train_minibatch(network, inputs, targets, ROWS, 0.01f, NULL));
    EXPECT_OK(bp_network_train_minibatch(twin, inputs, targets, ROWS, 0.01f, NULL));
    EXPECT(snapshot_equal(network, twin));
    free(before.bytes);
    bp_network_free(network);
    bp_network_free(twin);
}

static void prediction_and_gradient_check_drop_no_units_and_draw_nothing(void) {
    const size_t sizes[] = {2, 6, 2};
    static float with[ROWS * 2], without[ROWS * 2];
    float loss, other;
    double worst = 1;
    bp_network *network = check_network(sizes, 3, 1);
    snapshot before;
    EXPECT_OK(bp_network_predict(network, inputs, ROWS, without));
    EXPECT_OK(bp_network_evaluate(network, inputs, targets, ROWS, &other));
    EXPECT_OK(bp_network_set_dropout(network, 1, 0.7));
    before = snapshot_of(network);
    EXPECT_OK(bp_network_predict(network, inputs, ROWS, with));
    EXPECT(memcmp(with, without, sizeof with) == 0);
    EXPECT_OK(bp_network_evaluate(network, inputs, targets, ROWS, &loss));
    EXPECT(loss == other);
    EXPECT_OK(bp_network_check_gradient(network, inputs, targets, ROWS, &worst));
    EXPECT_NEAR(worst, 0, 1e-3);
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
    bp_network_free(network);
}

/* Small networks have separate kernels for single rows. These do not implement dropout. */
static void single_row_steps_of_small_networks_use_dropout(void) {
    const size_t sizes[] = {2, 8, 1};
    static float before[33], after[33];
    int still = 0, moved = 0;
    bp_network *network = check_network(sizes, 3, 1);
    EXPECT_OK(bp_network_train_step(network, inputs, targets, 0.5f, NULL)); /* the buffers are already allocated */
    EXPECT_OK(bp_network_set_dropout(network, 1, 0.5));
    EXPECT_OK(bp_network_get_parameters(network, before, count_of(network)));
    EXPECT_OK(bp_network_train_step(network, inputs, targets, 0.5f, NULL));
    EXPECT_OK(bp_network_get_parameters(network, after, count_of(network)));
    for (int i = 24; i < 32; i++) after[i] == before[i] ? still++ : moved++;
    EXPECT(still > 0 && moved > 0 && still + moved == 8);
    bp_network_free(network);
}

static void rates_and_layers_out_of_range_are_invalid(void) {
    const size_t sizes[] = {2, 3, 4, 1}, layers[] = {0, 3, 4, SIZE_MAX / 2, SIZE_MAX};
    const double rates[] = {-0.1, 1, 0.9991, NAN, INFINITY, -INFINITY};
    bp_network *network = check_network(sizes, 4, 1);
    double rate = 9;
    snapshot before;
    EXPECT_OK(bp_network_get_dropout(network, 2, &rate));
    EXPECT(rate == 0);
    EXPECT_ERROR(bp_network_set_option(network, "dropout", 0.5), BP_ERROR_UNKNOWN_NAME); /* each layer has its own rate */
    EXPECT_OK(bp_network_set_dropout(network, 1, 0.5));
    EXPECT_OK(bp_network_set_dropout(network, 2, 0.3));
    before = snapshot_of(network);
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        rate = 9;
        EXPECT_ERROR(bp_network_set_dropout(network, layers[i], 0.5), BP_ERROR_INVALID_VALUE);
        EXPECT_ERROR(bp_network_get_dropout(network, layers[i], &rate), BP_ERROR_INVALID_VALUE);
        EXPECT(rate == 0);
    }
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        EXPECT_ERROR(bp_network_set_dropout(network, 1, rates[i]), BP_ERROR_INVALID_VALUE);
        EXPECT_MESSAGE("from 0 to 0.999");
    }
    EXPECT(snapshot_holds(before, network));
    EXPECT_OK(bp_network_get_dropout(network, 1, &rate));
    EXPECT(rate == 0.5);
    EXPECT_OK(bp_network_get_dropout(network, 2, &rate));
    EXPECT(rate == 0.3);
    free(before.bytes);
    bp_network_free(network);
}

int main(void) {
    check_fill(inputs, MANY * 20, 1);
    for (int row = 0; row < MANY; row++) targets[row * 5 + row % 5] = 1;
    CLAIM(units_are_dropped_with_the_given_probability_and_the_others_scaled_up);
    CLAIM(every_step_draws_new_units_and_the_same_from_the_same_seed);
    CLAIM(results_have_the_same_bits_for_any_number_of_threads);
    CLAIM(copies_and_loaded_networks_continue_the_draws_bit_for_bit);
    CLAIM(failed_step_draws_nothing);
    CLAIM(prediction_and_gradient_check_drop_no_units_and_draw_nothing);
    CLAIM(single_row_steps_of_small_networks_use_dropout);
    CLAIM(rates_and_layers_out_of_range_are_invalid);
    return check_end();
}
