/* fold.c: bp_network_fold_batchnorm. */
#include "check.h"

enum { ROWS = 64, INPUTS = 7, OUTPUTS = 3 };
static const size_t sizes[] = {INPUTS, 40, 33, OUTPUTS};
static float x[ROWS * INPUTS], y[ROWS * OUTPUTS];

/* Trained, so that gamma, beta and the running statistics all differ from their initial values. */
static bp_network *trained(int norms) {
    bp_network *network = check_network(sizes, 4, 3);
    for (size_t layer = 1; layer <= 3; layer++) EXPECT_OK(bp_network_set_batchnorm(network, layer, norms >> layer & 1));
    EXPECT_OK(bp_network_set_activation(network, 1, "relu"));
    EXPECT_OK(bp_network_set_activation(network, 2, "tanh"));
    EXPECT_OK(bp_network_set_activation(network, 3, "identity"));
    EXPECT_OK(bp_network_set_optimizer(network, "adam"));
    for (int t = 0; t < 60; t++) EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.01f, NULL));
    return network;
}

static void folding_keeps_predictions_up_to_rounding(void) {
    static float before[ROWS * OUTPUTS], after[ROWS * OUTPUTS];
    for (int norms = 0; norms < 16; norms += 2) {
        bp_network *network = trained(norms), *folded = NULL;
        snapshot original = snapshot_of(network);
        float scale = 0;
        size_t count;
        EXPECT_OK(bp_network_predict(network, x, ROWS, before));
        EXPECT_OK(bp_network_clone(network, &folded));
        EXPECT_OK(bp_network_fold_batchnorm(folded));
        EXPECT_OK(bp_network_predict(folded, x, ROWS, after));
        for (int i = 0; i < ROWS * OUTPUTS; i++) scale = fmaxf(scale, fabsf(before[i]));
        for (int i = 0; i < ROWS * OUTPUTS; i++) EXPECT_NEAR(after[i], (double)before[i], 5e-6 * (double)scale);
        EXPECT_OK(bp_network_parameter_count(folded, &count));
        EXPECT(count == 40 * (INPUTS + 1) + 33 * 41 + OUTPUTS * 34);
        EXPECT(snapshot_holds(original, network)); /* the original is unchanged */
        free(original.bytes);
        bp_network_free(network);
        bp_network_free(folded);
    }
}

static void folded_network_has_no_batch_normalization(void) {
    static float outputs[ROWS * OUTPUTS], others[ROWS * OUTPUTS], parameters[4096];
    bp_network *network = trained(14), *plain = trained(0), *loaded = NULL;
    EXPECT_OK(bp_network_fold_batchnorm(network));
    EXPECT_OK(bp_network_get_parameters(network, parameters, count_of(network)));
    EXPECT_OK(bp_network_set_parameters(plain, parameters, count_of(plain)));
    EXPECT_OK(bp_network_predict(network, x, ROWS, outputs));
    EXPECT_OK(bp_network_predict(plain, x, ROWS, others));
    EXPECT(memcmp(outputs, others, sizeof outputs) == 0);
    EXPECT_OK(bp_network_save(network, "folded.safetensors"));
    EXPECT_OK(bp_network_load("folded.safetensors", &loaded));
    EXPECT(snapshot_equal(network, loaded));
    EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.01f, NULL)); /* training still works */
    bp_network_free(network);
    bp_network_free(plain);
    bp_network_free(loaded);
}

static void network_without_batch_normalization_is_unchanged(void) {
    bp_network *network = trained(0);
    snapshot before = snapshot_of(network);
    EXPECT_OK(bp_network_fold_batchnorm(network));
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
    bp_network_free(network);
}

/* By hand: w = 2, b = 3, gamma = 5, beta = 7, and after a single row with z = 5 and momentum 1/2
 * mean = 2.5, variance = (1 - 1/2) (1 + 1/2 5^2) = 6.75. */
static void folded_weights_match_the_formula(void) {
    const size_t shape[] = {1, 1};
    const float start[] = {2, 3, 5, 7}, in = 1, out = 0;
    float folded[2];
    const double scale = 5 / sqrt(6.75 + 0.25);
    bp_network *network = check_network(shape, 2, 1);
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    EXPECT_OK(bp_network_set_option(network, "batchnorm_momentum", 0.5));
    EXPECT_OK(bp_network_set_option(network, "batchnorm_epsilon", 0.25));
    EXPECT_OK(bp_network_set_parameters(network, start, count_of(network)));
    EXPECT_OK(bp_network_train_minibatch(network, &in, &out, 1, 0, NULL));
    EXPECT_OK(bp_network_fold_batchnorm(network));
    EXPECT_OK(bp_network_get_parameters(network, folded, count_of(network)));
    EXPECT_NEAR(folded[0], scale * 2, 1e-6);
    EXPECT_NEAR(folded[1], scale * (3 - 2.5) + 7, 1e-6);
    bp_network_free(network);
}

static void folding_to_weights_that_are_not_finite_is_refused_and_changes_nothing(void) {
    const size_t shape[] = {1, 2, 1};
    const float start[] = {1, 3e38f, 0, 0, 1, 1000, 0, 0, 1, 1, 0};
    bp_network *network = check_network(shape, 3, 1);
    snapshot before;
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    EXPECT_OK(bp_network_set_parameters(network, start, count_of(network)));
    before = snapshot_of(network);
    EXPECT_ERROR(bp_network_fold_batchnorm(network), BP_ERROR_NOT_FINITE);
    EXPECT_MESSAGE("layer 1");
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
    bp_network_free(network);
}

int main(void) {
    check_fill(x, ROWS * INPUTS, 1);
    check_fill(y, ROWS * OUTPUTS, 2);
    CLAIM(folding_keeps_predictions_up_to_rounding);
    CLAIM(folded_network_has_no_batch_normalization);
    CLAIM(network_without_batch_normalization_is_unchanged);
    CLAIM(folded_weights_match_the_formula);
    CLAIM(folding_to_weights_that_are_not_finite_is_refused_and_changes_nothing);
    return check_end();
}
