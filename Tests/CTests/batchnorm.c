/* batchnorm.c: batch normalization as in the notes, section 5, and in backprop.h at bp_network_set_batchnorm and at option
 * batchnorm_update. Running statistics are observed through bp_network_predict, which normalizes with them. */
#include "mirror.h"

/* One input and one identity unit with batch normalization, w = 1, bias 0, gamma 1, beta 0. Parameters in order: w,
 * bias, gamma, beta. Epsilon 0.5625 makes the square roots below exact. */
static bp_network *single_unit(int gamma_first) {
    const size_t sizes[] = {1, 1};
    const float parameters[] = {1, 0, 1, 0};
    bp_network *network = check_network(sizes, 2, 1);
    EXPECT_OK(bp_network_set_activation(network, 1, "identity"));
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    EXPECT_OK(bp_network_set_option(network, "batchnorm_epsilon", 0.5625));
    EXPECT_OK(bp_network_set_option(network, "batchnorm_update", gamma_first));
    EXPECT_OK(bp_network_set_parameters(network, parameters, count_of(network)));
    return network;
}

static double predicted(const bp_network *network, float x) {
    float a = 0;
    EXPECT_OK(bp_network_predict(network, &x, 1, &a));
    return (double)a;
}

/* z = (1, 3): mu = 2, variance 1, deviation sqrt(1 + 0.5625) = 1.25, so the outputs are -0.8 and 0.8.
 * Targets 0: loss (0.64 + 0.64) / 2 = 0.64. Its gradient with respect to the outputs is (-0.8, 0.8), so
 *     gamma: 0.8^2 + 0.8^2 = 1.28      beta: -0.8 + 0.8 = 0
 *     z:     gamma / 1.25 (d - mean(d) - z~ mean(d z~)) = 0.8 (-+0.8 +- 0.8 * 0.64) = -+0.2304
 *     w:     -0.2304 * 1 + 0.2304 * 3 = 0.4608      bias: 0
 * Running mean 0.1 * 2 = 0.2; the unbiased variance is 2, so the running one is 0.9 * 1 + 0.1 * 2 = 1.1. */
static void minibatch_step_matches_hand_computation(void) {
    const float x[] = {1, 3}, y[] = {0, 0};
    float parameters[4], gradient[4], loss = 0;
    bp_network *network = single_unit(0), *twin = NULL;
    EXPECT_OK(bp_network_clone(network, &twin));
    EXPECT_NEAR(predicted(network, 2), 2 / 1.25, 2e-7); /* mean 0 and variance 1, unchanged */
    EXPECT_OK(bp_network_gradient(twin, x, y, 2, gradient, count_of(twin), &loss));
    EXPECT_NEAR(loss, 0.64, 2e-7);
    EXPECT_NEAR(gradient[0], 0.4608, 3e-7);
    EXPECT_NEAR(gradient[1], 0, 2e-7);
    EXPECT_NEAR(gradient[2], 1.28, 3e-7);
    EXPECT_NEAR(gradient[3], 0, 2e-7);
    EXPECT_NEAR(predicted(twin, 2), (2 - 0.2) / sqrt(1.1 + 0.5625), 3e-7); /* statistics changed, parameters did not */
    EXPECT_OK(bp_network_train_minibatch(network, x, y, 2, 0.5f, &loss));
    EXPECT_OK(bp_network_get_parameters(network, parameters, count_of(network)));
    EXPECT_NEAR(loss, 0.64, 2e-7);
    EXPECT_NEAR(parameters[0], 1 - 0.5 * 0.4608, 2e-7);
    EXPECT_NEAR(parameters[1], 0, 2e-7);
    EXPECT_NEAR(parameters[2], 1 - 0.5 * 1.28, 2e-7);
    EXPECT_NEAR(parameters[3], 0, 2e-7);
    EXPECT_NEAR(predicted(network, 2), 0.36 * (2 * 0.7696 - 0.2) / sqrt(1.1 + 0.5625), 3e-7);
    bp_network_free(network);
    bp_network_free(twin);
}

/* The same with gamma first: gamma becomes 1 - 0.5 * 1.28 = 0.36, and w steps along 0.36 * 0.4608. */
static void gamma_first_step_matches_hand_computation(void) {
    const float x[] = {1, 3}, y[] = {0, 0};
    float parameters[4];
    bp_network *network = single_unit(1);
    EXPECT_OK(bp_network_train_minibatch(network, x, y, 2, 0.5f, NULL));
    EXPECT_OK(bp_network_get_parameters(network, parameters, count_of(network)));
    EXPECT_NEAR(parameters[0], 1 - 0.5 * 0.36 * 0.4608, 2e-7);
    EXPECT_NEAR(parameters[1], 0, 2e-7);
    EXPECT_NEAR(parameters[2], 0.36, 2e-7);
    EXPECT_NEAR(parameters[3], 0, 2e-7);
    bp_network_free(network);
}

/* A single row x = 2 is normalized with the running statistics, mean 0 and variance 1: output 2 / 1.25 = 1.6, and
 * against target 0 a loss of 1.28. Gradients: gamma 1.6 * 1.6 = 2.56, beta 1.6; z 1.6 / 1.25 = 1.28, so w 2.56 and
 * bias 1.28. Afterwards, with d = 2: mean 0.1 * 2 = 0.2, variance 0.9 (1 + 0.1 * 4) = 1.26. */
static void single_row_step_matches_hand_computation(void) {
    const float x[] = {2}, y[] = {0}, restored[] = {1, 0, 1, 0};
    for (int call = 0; call < 2; call++) {
        float parameters[4], loss = 0;
        bp_network *network = single_unit(0);
        if (call == 0) EXPECT_OK(bp_network_train_step(network, x, y, 0.25f, &loss));
        else EXPECT_OK(bp_network_train_minibatch(network, x, y, 1, 0.25f, &loss));
        EXPECT_OK(bp_network_get_parameters(network, parameters, count_of(network)));
        EXPECT_NEAR(loss, 1.28, 3e-7);
        EXPECT_NEAR(parameters[0], 1 - 0.64, 2e-7);
        EXPECT_NEAR(parameters[1], -0.32, 2e-7);
        EXPECT_NEAR(parameters[2], 1 - 0.64, 2e-7);
        EXPECT_NEAR(parameters[3], -0.4, 2e-7);
        EXPECT_OK(bp_network_set_parameters(network, restored, count_of(network))); /* which keeps the running statistics */
        EXPECT_NEAR(predicted(network, 3), (3 - 0.2) / sqrt(1.26 + 0.5625), 4e-7);
        bp_network_free(network);
    }
}

/* The order of the single-row formulas, one step further: from mean 0.2 and variance 1.26, x = -1 has d = -1.2, so mean
 * 0.2 - 0.12 = 0.08 and variance 0.9 (1.26 + 0.1 * 1.44) = 1.2636. Rate 0 keeps the parameters. */
static void running_statistics_follow_a_sequence_of_rows(void) {
    const float x[] = {2, -1}, y[] = {0};
    bp_network *network = single_unit(0);
    EXPECT_OK(bp_network_train_step(network, &x[0], y, 0, NULL));
    EXPECT_NEAR(predicted(network, 3), (3 - 0.2) / sqrt(1.26 + 0.5625), 4e-7);
    EXPECT_OK(bp_network_train_step(network, &x[1], y, 0, NULL));
    EXPECT_NEAR(predicted(network, 3), (3 - 0.08) / sqrt(1.2636 + 0.5625), 4e-7);
    bp_network_free(network);
}

static void momentum_sets_how_far_the_statistics_move(void) {
    const float x[] = {1, 3}, y[] = {0, 0};
    bp_network *network = single_unit(0);
    EXPECT_OK(bp_network_set_option(network, "batchnorm_momentum", 0));
    EXPECT_OK(bp_network_train_minibatch(network, x, y, 2, 0, NULL));
    EXPECT_NEAR(predicted(network, 2), 2 / 1.25, 2e-7); /* the statistics do not move */
    EXPECT_OK(bp_network_set_option(network, "batchnorm_momentum", 1));
    EXPECT_OK(bp_network_train_minibatch(network, x, y, 2, 0, NULL));
    EXPECT_NEAR(predicted(network, 3), (3 - 2) / sqrt(2 + 0.5625), 2e-7); /* the statistics become those of the minibatch */
    bp_network_free(network);
}

static void constant_minibatch_has_finite_outputs(void) {
    const float x[] = {3, 3, 3}, y[] = {1, 1, 1};
    float loss = 0;
    bp_network *network = single_unit(0);
    EXPECT_OK(bp_network_set_option(network, "batchnorm_epsilon", 1e-12));
    EXPECT_OK(bp_network_train_minibatch(network, x, y, 3, 0.5f, &loss)); /* variance 0: all outputs are beta, 0 */
    EXPECT_NEAR(loss, 1.5, 1e-6);
    bp_network_free(network);
}

/* A large mean and a small variance: a sum of squares would lose all digits. 1000 + {-1, 1} / 64 is exact in float. */
static void small_variance_around_a_large_mean_is_not_lost(void) {
    const float x[] = {1000 - 1.0f / 64, 1000 + 1.0f / 64}, y[] = {0, 0};
    double normal = (1.0 / 64) / sqrt(1.0 / 4096 + 1e-5);
    float loss = 0;
    bp_network *network = single_unit(0);
    EXPECT_OK(bp_network_set_option(network, "batchnorm_epsilon", 1e-5));
    EXPECT_OK(bp_network_train_minibatch(network, x, y, 2, 0, &loss));
    EXPECT_NEAR(loss, normal * normal, 1e-5);
    bp_network_free(network);
}

/* Rows so large that a running statistic would be infinite: the loss is finite, but every later prediction would be NaN.
 * For z = 3e38, d^2 exceeds the range of float. */
static void statistics_that_would_overflow_are_refused(void) {
    const float x[] = {3e38f, -3e38f}, y[] = {0, 0};
    for (size_t rows = 1; rows <= 2; rows++) {
        bp_network *network = single_unit(0);
        snapshot before;
        float loss = 9;
        EXPECT_OK(bp_network_set_activation(network, 1, "logistic"));
        before = snapshot_of(network);
        EXPECT_ERROR(bp_network_train_minibatch(network, x, y, rows, 0.1f, &loss), BP_ERROR_NOT_FINITE);
        EXPECT(loss == 0 && snapshot_holds(before, network));
        EXPECT(isfinite(predicted(network, 1)));
        free(before.bytes);
        bp_network_free(network);
    }
}

/* ---- Whole networks against plain double loops */

/* Normalizing rows with nearly equal z magnifies rounding errors, up to 1 / sqrt(epsilon) for each layer. Epsilon is
 * therefore large here. It does not hide an error in the formulas. The claims computed by hand use usual values. */
static void networks_with_batch_normalization_match_plain_double_loops(void) {
    static const int size[] = {4, 17, 6, 16, 3}, rows[] = {1, 2, 6, 7, 40};
    static reference r;
    float x[REF_ROWS * 4], y[REF_ROWS * 3];
    check_fill(x, REF_ROWS * 4, 1);
    check_fill(y, REF_ROWS * 3, 2);
    for (int layers = 1; layers < 16; layers++) /* bit mask of the normalized layers */
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            for (int gamma_first = 0; gamma_first < 2; gamma_first++) {
                bp_network *network;
                ref_init(&r, 5, size);
                r.activation[1] = REF_TANH, r.activation[2] = REF_LOGISTIC;
                r.activation[3] = REF_SILU, r.activation[4] = REF_IDENTITY;
                r.gamma_first = gamma_first, r.mean_reduction = layers % 2;
                r.epsilon = 0.125, r.momentum = 0.25;
                for (int l = 1; l < 5; l++) r.norm[l] = layers >> (l - 1) & 1;
                network = mirror(&r, 0.5, (uint32_t)layers);
                if (!mirror_training_agrees(network, &r, x, y, rows[i], 3, 0.03125f, 1e-5))
                    printf("#   layers %x, %d rows, update %d\n", (unsigned)layers, rows[i], gamma_first);
                bp_network_free(network);
            }
}

static void evaluate_uses_running_statistics(void) {
    static const int size[] = {4, 8, 3};
    static reference r;
    float x[7 * 4], y[7 * 3], loss = 0, training_loss = 0;
    bp_network *network;
    check_fill(x, sizeof x / sizeof x[0], 1);
    check_fill(y, sizeof y / sizeof y[0], 2);
    ref_init(&r, 3, size);
    r.norm[1] = r.norm[2] = 1;
    network = mirror(&r, 1, 3);
    for (int step = 0; step < 5; step++) {
        ref_step(&r, x, y, 7, 0.5);
        EXPECT_OK(bp_network_train_minibatch(network, x, y, 7, 0.5f, &training_loss));
    }
    EXPECT_OK(bp_network_evaluate(network, x, y, 7, &loss));
    EXPECT_NEAR(loss, ref_evaluate(&r, x, y, 7), 5e-5);        /* of 5.9, after five steps */
    EXPECT(fabs((double)loss - (double)training_loss) > 1e-3); /* differs from the minibatch's loss */
    bp_network_free(network);
}

/* ---- The order of updates */

enum { BELOW = 3 * 5 + 5 }; /* the parameters of the layer below the normalized one */

static bp_network *two_orders(reference *r, int gamma_first) {
    static const int size[] = {3, 5, 4, 2};
    ref_init(r, 4, size);
    r->norm[2] = 1;
    r->gamma_first = gamma_first;
    return mirror(r, 1, 21);
}

static void gamma_first_changes_only_the_layers_own_weights(void) {
    static reference r;
    float x[6 * 3], y[6 * 2], one[64], other[64];
    const int own = 5 * 4, own_bias = 4, rest = 4 + 4 + 4 * 2 + 2;
    double difference = 0;
    bp_network *network = two_orders(&r, 0), *first = two_orders(&r, 1);
    check_fill(x, 18, 1);
    check_fill(y, 12, 2);
    EXPECT_OK(bp_network_train_minibatch(network, x, y, 6, 2, NULL));
    EXPECT_OK(bp_network_train_minibatch(first, x, y, 6, 2, NULL));
    EXPECT_OK(bp_network_get_parameters(network, one, count_of(network)));
    EXPECT_OK(bp_network_get_parameters(first, other, count_of(first)));
    for (int i = 0; i < BELOW; i++) EXPECT_NEAR(other[i], one[i], 1e-6); /* the layers below use the old gamma in both */
    for (int i = BELOW; i < BELOW + own; i++) difference = fmax(difference, fabs((double)other[i] - (double)one[i]));
    EXPECT(difference > 1e-3); /* the layer's own weights do not */
    for (int i = BELOW + own + own_bias; i < BELOW + own + own_bias + rest; i++) EXPECT_NEAR(other[i], one[i], 1e-6);
    bp_network_free(network);
    bp_network_free(first);
}

static void gradient_does_not_depend_on_the_order_of_updates(void) {
    static reference r;
    float x[6 * 3], y[6 * 2], one[64], other[64];
    size_t count = 0;
    bp_network *network = two_orders(&r, 0), *first = two_orders(&r, 1);
    check_fill(x, 18, 1);
    check_fill(y, 12, 2);
    EXPECT_OK(bp_network_parameter_count(network, &count));
    EXPECT_OK(bp_network_gradient(network, x, y, 6, one, count_of(network), NULL));
    EXPECT_OK(bp_network_gradient(first, x, y, 6, other, count_of(first), NULL));
    EXPECT(memcmp(one, other, count * sizeof(float)) == 0);
    bp_network_free(network);
    bp_network_free(first);
}

static void gradient_updates_the_running_statistics_like_training(void) {
    static reference r;
    float x[6 * 3], y[6 * 2], gradient[64], parameters[64], one[12], other[12];
    bp_network *network = two_orders(&r, 0), *twin = NULL;
    check_fill(x, 18, 1);
    check_fill(y, 12, 2);
    EXPECT_OK(bp_network_clone(network, &twin));
    EXPECT_OK(bp_network_get_parameters(network, parameters, count_of(network)));
    EXPECT_OK(bp_network_train_minibatch(network, x, y, 6, 2, NULL));
    EXPECT_OK(bp_network_set_parameters(network, parameters, count_of(network))); /* so that only the statistics differ */
    EXPECT_OK(bp_network_gradient(twin, x, y, 6, gradient, count_of(twin), NULL));
    EXPECT_OK(bp_network_predict(network, x, 6, one));
    EXPECT_OK(bp_network_predict(twin, x, 6, other));
    EXPECT(memcmp(one, other, sizeof one) == 0);
    bp_network_free(network);
    bp_network_free(twin);
}

/* ---- Toggling */

static void first_enabling_sets_gamma_to_one_and_beta_to_zero(void) {
    const size_t sizes[] = {2, 3, 1};
    float parameters[32];
    bp_network *network = check_network(sizes, 3, 1);
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    EXPECT_OK(bp_network_get_parameters(network, parameters, count_of(network)));
    for (int k = 0; k < 3; k++) EXPECT(parameters[9 + k] == 1 && parameters[12 + k] == 0);
    bp_network_free(network);
}

static void disabling_keeps_the_tensors_for_the_next_enabling(void) {
    static reference r;
    float x[6 * 3], y[6 * 2], before[12], off[12], again[12], parameters[64], restored[64];
    size_t with = 0, without = 0;
    snapshot state;
    bp_network *network = two_orders(&r, 0);
    check_fill(x, 18, 1);
    check_fill(y, 12, 2);
    for (int step = 0; step < 3; step++) EXPECT_OK(bp_network_train_minibatch(network, x, y, 6, 0.5f, NULL));
    EXPECT_OK(bp_network_parameter_count(network, &with));
    EXPECT_OK(bp_network_get_parameters(network, parameters, count_of(network)));
    EXPECT_OK(bp_network_predict(network, x, 6, before));
    state = snapshot_of(network);
    EXPECT_OK(bp_network_set_batchnorm(network, 2, 0));
    EXPECT_OK(bp_network_parameter_count(network, &without));
    EXPECT(with == without + 8);
    EXPECT_OK(bp_network_predict(network, x, 6, off));
    EXPECT(memcmp(before, off, sizeof before) != 0);
    EXPECT_OK(bp_network_set_batchnorm(network, 2, 1));
    EXPECT_OK(bp_network_get_parameters(network, restored, count_of(network)));
    EXPECT(memcmp(parameters, restored, with * sizeof(float)) == 0);
    EXPECT_OK(bp_network_predict(network, x, 6, again));
    EXPECT(memcmp(before, again, sizeof before) == 0); /* the running statistics too */
    EXPECT(snapshot_holds(state, network));
    EXPECT_OK(bp_network_set_batchnorm(network, 2, 1)); /* enabling it again changes nothing */
    EXPECT(snapshot_holds(state, network));
    free(state.bytes);
    bp_network_free(network);
}

static void initialize_resets_batch_normalization(void) {
    static reference r;
    float x[6 * 3], y[6 * 2];
    bp_network *network = two_orders(&r, 0), *twin = NULL;
    check_fill(x, 18, 1);
    check_fill(y, 12, 2);
    EXPECT_OK(bp_network_clone(network, &twin));
    for (int step = 0; step < 3; step++) EXPECT_OK(bp_network_train_minibatch(network, x, y, 6, 0.5f, NULL));
    EXPECT_OK(bp_network_initialize(network, 9));
    EXPECT_OK(bp_network_initialize(twin, 9));
    EXPECT(snapshot_equal(network, twin));
    bp_network_free(network);
    bp_network_free(twin);
}

int main(void) {
    CLAIM(minibatch_step_matches_hand_computation);
    CLAIM(gamma_first_step_matches_hand_computation);
    CLAIM(single_row_step_matches_hand_computation);
    CLAIM(running_statistics_follow_a_sequence_of_rows);
    CLAIM(momentum_sets_how_far_the_statistics_move);
    CLAIM(constant_minibatch_has_finite_outputs);
    CLAIM(small_variance_around_a_large_mean_is_not_lost);
    CLAIM(statistics_that_would_overflow_are_refused);
    CLAIM(networks_with_batch_normalization_match_plain_double_loops);
    CLAIM(evaluate_uses_running_statistics);
    CLAIM(gamma_first_changes_only_the_layers_own_weights);
    CLAIM(gradient_does_not_depend_on_the_order_of_updates);
    CLAIM(gradient_updates_the_running_statistics_like_training);
    CLAIM(first_enabling_sets_gamma_to_one_and_beta_to_zero);
    CLAIM(disabling_keeps_the_tensors_for_the_next_enabling);
    CLAIM(initialize_resets_batch_normalization);
    return check_end();
}
