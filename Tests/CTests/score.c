/* score.c: bp_network_score, with outputs computed by hand: a network of one layer of identity units whose outputs equal its
 * inputs. */
#include "check.h"

static bp_network *identity_network(size_t width) {
    const size_t sizes[] = {width, width};
    float parameters[12] = {0};
    bp_network *network = check_network(sizes, 2, 1);
    for (size_t i = 0; i < width; i++) parameters[i * width + i] = 1;
    EXPECT_OK(bp_network_set_activation(network, 1, "identity"));
    EXPECT_OK(bp_network_set_parameters(network, parameters, count_of(network)));
    return network;
}

static double score(const bp_network *network, const char *measure, const float *x, const float *y, size_t rows) {
    double value = -99;
    EXPECT_OK(bp_network_score(network, measure, x, y, rows, &value));
    return value;
}

static void accuracy_is_the_fraction_of_rows_with_the_same_largest_column(void) {
    const float x[] = {1, 2, 3, 5, 4, 4, 0, 0, 0, -1, -2, -3, 2, 7, 7};
    const float y[] = {0, 0, 1, 1, 0, 0, 0, 1, 0, 0.2f, 0.5f, 0.3f, 0, 1, 0};
    bp_network *network = identity_network(
        3); /* right, right, wrong (the first of equal outputs), wrong, right (the first again) */
    EXPECT_NEAR(score(network, "accuracy", x, y, 5), 3 / 5.0, 0);
    EXPECT_NEAR(score(network, "accuracy", x, y, 1), 1, 0);
    EXPECT_NEAR(score(network, "accuracy", x + 6, y + 6, 2), 0, 0);
    bp_network_free(network);
}

static void accuracy_of_one_output_uses_the_middle_of_its_range(void) {
    const float x[] = {0.4f, 0.6f, 0.1f, -0.1f}, y[] = {0, 1, 1, 0}, signs[] = {1, 1, 1, -1};
    const float one[] = {1, 0};
    const size_t sizes[] = {1, 1};
    const char *const centred[] = {"tanh", "sign", "softsign", "sine"};
    bp_network *network = identity_network(1);
    EXPECT_NEAR(score(network, "accuracy", x, y, 4), 3 / 4.0, 0); /* 0.1 is below 0.5 */
    bp_network_free(network);
    for (int i = 0; i < 4; i++) {
        network = check_network(sizes, 2, 1);
        EXPECT_OK(bp_network_set_activation(network, 1, centred[i]));
        EXPECT_OK(bp_network_set_parameters(network, one, count_of(network)));
        EXPECT_NEAR(score(network, "accuracy", x, signs, 4), 1, 0);
        bp_network_free(network);
    }
    /* Targets of -1 and 1, scaled to 0 and 1 for a logistic output: 0.5 there is 0 here. */
    network = check_network(sizes, 2, 1);
    EXPECT_OK(bp_network_set_parameters(network, one, count_of(network)));
    EXPECT_OK(bp_network_fit_scaling(network, "none", "min_max", NULL, signs, 4));
    EXPECT_NEAR(score(network, "accuracy", x, signs, 4), 1, 0);
    bp_network_free(network);
}

static void r2_and_mean_absolute_error_match_their_formulas(void) {
    const float x[] = {1, 10, 2, 20, 4, 24}, y[] = {1, 12, 3, 18, 2, 24};
    bp_network *network = identity_network(2);
    /* Column 1: errors 0, 1, 2 around a mean of 2: 1 - 5 / 2. Column 2: errors 2, 2, 0, mean 18: 1 - 8 / 72. */
    EXPECT_NEAR(score(network, "r2", x, y, 3), (-1.5 + 8 / 9.0) / 2, 1e-15);
    EXPECT_NEAR(score(network, "r2", x, x, 3), 1, 0);
    EXPECT_NEAR(score(network, "mean_absolute_error", x, y, 3), 7 / 6.0, 1e-15);
    EXPECT_NEAR(score(network, "mean_absolute_error", x, x, 3), 0, 0);
    bp_network_free(network);
}

static void r2_of_a_constant_target_is_0_or_1(void) {
    const float x[] = {0.1f, 1, 0.1f, 2, 0.1f, 3}, y[] = {0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.1f};
    bp_network *network = identity_network(2);
    EXPECT_NEAR(score(network, "r2", x, y, 3), 0.5, 0);
    bp_network_free(network);
}

/* 1e5 rows: several blocks and threads. */
static void scores_include_all_rows_and_are_the_same_for_any_number_of_threads(void) {
    enum { ROWS = 100000 };
    static float x[ROWS * 3], y[ROWS * 3];
    const char *const measures[] = {"accuracy", "r2", "mean_absolute_error"};
    double error = 0;
    bp_network *network = identity_network(3);
    check_fill(x, ROWS * 3, 1);
    check_fill(y, ROWS * 3, 2);
    for (int i = 0; i < ROWS * 3; i++) error += fabs((double)x[i] - (double)y[i]);
    EXPECT_NEAR(score(network, "mean_absolute_error", x, y, ROWS), error / (ROWS * 3), 1e-12);
    EXPECT_NEAR(score(network, "accuracy", x, y, ROWS), 1 / 3.0, 0.01);
    for (int i = 0; i < 3; i++) {
        double alone;
        EXPECT_OK(bp_set_thread_count(1));
        alone = score(network, measures[i], x, y, ROWS);
        EXPECT_OK(bp_set_thread_count(8));
        EXPECT(score(network, measures[i], x, y, ROWS) == alone);
    }
    EXPECT_OK(bp_set_thread_count(0));
    bp_network_free(network);
}

static void bad_arguments_are_refused(void) {
    float x[] = {1, 2, 3, 4}, y[] = {1, NAN, 3, 4};
    const float huge[] = {3e38f, 3e38f, 3e38f, 3e38f, 0, 0};
    double value = 9;
    bp_network *network = identity_network(2);
    EXPECT_ERROR(bp_network_score(network, "f1", x, x, 2, &value), BP_ERROR_UNKNOWN_NAME);
    EXPECT(value == 0);
    EXPECT_ERROR(bp_network_score(network, "", x, x, 2, &value), BP_ERROR_UNKNOWN_NAME);
    EXPECT_ERROR(bp_network_score(network, "r2", x, x, 0, &value), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_network_score(network, "r2", x, x, SIZE_MAX / 2, &value), BP_ERROR_LIMIT);
    EXPECT_ERROR(bp_network_score(network, "r2", x, y, 2, &value), BP_ERROR_NOT_FINITE);
    EXPECT_MESSAGE("targets: row 0, column 1");
    EXPECT_ERROR(bp_network_score(network, "r2", y, x, 2, &value), BP_ERROR_NOT_FINITE);
    EXPECT_MESSAGE("inputs: row 0, column 1");
    EXPECT_OK(bp_network_set_parameters(network, huge, count_of(network)));
    EXPECT_ERROR(bp_network_score(network, "r2", x, x, 2, &value), BP_ERROR_NOT_FINITE);
    EXPECT_MESSAGE("outputs: row");
    EXPECT_ERROR(bp_network_score(network, NULL, x, x, 2, &value), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_network_score(network, "r2", NULL, x, 2, &value), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_network_score(network, "r2", x, NULL, 2, &value), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_network_score(network, "r2", x, x, 2, NULL), BP_ERROR_NULL_ARGUMENT);
    bp_network_free(network);
}

int main(void) {
    CLAIM(accuracy_is_the_fraction_of_rows_with_the_same_largest_column);
    CLAIM(accuracy_of_one_output_uses_the_middle_of_its_range);
    CLAIM(r2_and_mean_absolute_error_match_their_formulas);
    CLAIM(r2_of_a_constant_target_is_0_or_1);
    CLAIM(scores_include_all_rows_and_are_the_same_for_any_number_of_threads);
    CLAIM(bad_arguments_are_refused);
    return check_end();
}
