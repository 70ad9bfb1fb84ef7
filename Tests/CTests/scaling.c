/* scaling.c: bp_network_fit_scaling, compared with a network without scaling that gets numbers scaled by this program. */
#include "check.h"

enum { ROWS = 200, INPUTS = 4, OUTPUTS = 3 };
static const size_t sizes[] = {INPUTS, 9, OUTPUTS};
static float x[ROWS * INPUTS], y[ROWS * OUTPUTS];
static const char *const methods[] = {"none", "standard", "min_max"};

/* Columns of very different magnitudes. The last column of inputs and targets is constant. */
static void make_data(void) {
    const float width[] = {1000, 0.001f, 3}, offset[] = {5e5f, 0.25f, -7};
    check_fill(x, ROWS * INPUTS, 1);
    check_fill(y, ROWS * OUTPUTS, 2);
    for (int row = 0; row < ROWS; row++) {
        for (int k = 0; k < 3; k++) x[row * INPUTS + k] = x[row * INPUTS + k] * width[k] + offset[k];
        x[row * INPUTS + 3] = 0.1f;
        for (int k = 0; k < 2; k++) y[row * OUTPUTS + k] = y[row * OUTPUTS + k] * width[k] + offset[k];
        y[row * OUTPUTS + 2] = -3e7f;
    }
}

typedef struct {
    float offset[INPUTS], scale[INPUTS];
} plain_scaling;

static plain_scaling fit(const char *method, const float *values, int columns) {
    plain_scaling s;
    for (int k = 0; k < columns; k++) {
        double sum = 0, squares = 0, low = INFINITY, high = -INFINITY;
        for (int row = 0; row < ROWS; row++) {
            double value = (double)values[row * columns + k];
            sum += value;
            low = fmin(low, value);
            high = fmax(high, value);
        }
        for (int row = 0; row < ROWS; row++) squares += pow((double)values[row * columns + k] - sum / ROWS, 2);
        s.offset[k] = 0, s.scale[k] = 1;
        if (strcmp(method, "standard") == 0) s.offset[k] = (float)(sum / ROWS), s.scale[k] = (float)sqrt(squares / ROWS);
        if (strcmp(method, "min_max") == 0) s.offset[k] = (float)low, s.scale[k] = (float)(high - low);
        if (low == high && strcmp(method, "none") != 0) s.offset[k] = (float)low, s.scale[k] = 1;
    }
    return s;
}

static void scale(plain_scaling s, const float *from, int rows, int columns, float *to) {
    for (int i = 0; i < rows * columns; i++) to[i] = (from[i] - s.offset[i % columns]) / s.scale[i % columns];
}

static bp_network *prepared(void) {
    bp_network *network = check_network(sizes, 3, 4);
    EXPECT_OK(bp_network_set_activation(network, 1, "tanh"));
    EXPECT_OK(bp_network_set_activation(network, 2, "identity"));
    EXPECT_OK(bp_network_set_option(network, "gradient_reduction", 1));
    return network;
}

static void every_call_equals_that_of_a_network_with_scaled_numbers(void) {
    static float sx[ROWS * INPUTS], sy[ROWS * OUTPUTS], one[ROWS * OUTPUTS], other[ROWS * OUTPUTS];
    static float gradient[500], plain_gradient[500];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            plain_scaling in = fit(methods[i], x, INPUTS), out = fit(methods[j], y, OUTPUTS);
            bp_network *network = prepared(), *plain = prepared();
            float loss, plain_loss;
            double worst;
            size_t count;
            EXPECT_OK(bp_network_fit_scaling(network, methods[i], methods[j], i ? x : NULL, j ? y : NULL, ROWS));
            scale(in, x, ROWS, INPUTS, sx);
            scale(out, y, ROWS, OUTPUTS, sy);
            for (int t = 0; t < 6; t++) { /* minibatches and single rows */
                size_t rows = t % 2 ? 1 : 50, first = (size_t)t * 20;
                const float rate = i && j ? 0.1f : 1e-13f;
                EXPECT_OK(bp_network_train_minibatch(network, x + first * INPUTS, y + first * OUTPUTS, rows, rate, &loss));
                EXPECT_OK(
                    bp_network_train_minibatch(plain, sx + first * INPUTS, sy + first * OUTPUTS, rows, rate, &plain_loss));
                EXPECT(loss == plain_loss);
            }
            EXPECT_OK(bp_network_train_step(network, x, y, 1e-13f, NULL));
            EXPECT_OK(bp_network_train_step(plain, sx, sy, 1e-13f, NULL));
            EXPECT_OK(bp_network_gradient(network, x, y, ROWS, gradient, count_of(network), &loss));
            EXPECT_OK(bp_network_gradient(plain, sx, sy, ROWS, plain_gradient, count_of(plain), &plain_loss));
            EXPECT_OK(bp_network_parameter_count(network, &count));
            EXPECT(loss == plain_loss && memcmp(gradient, plain_gradient, count * sizeof(float)) == 0);
            EXPECT_OK(bp_network_evaluate(network, x, y, ROWS, &loss));
            EXPECT_OK(bp_network_evaluate(plain, sx, sy, ROWS, &plain_loss));
            EXPECT(loss == plain_loss);
            if (i && j) {
                EXPECT_OK(bp_network_check_gradient(network, x, y, 10, &worst));
                EXPECT_NEAR(worst, 0, 1e-2);
            }
            EXPECT_OK(bp_network_predict(network, x, ROWS, one));
            EXPECT_OK(bp_network_predict(plain, sx, ROWS, other));
            for (int k = 0; k < ROWS * OUTPUTS; k++) {
                float expected = other[k] * out.scale[k % OUTPUTS];
                EXPECT(one[k] == expected + out.offset[k % OUTPUTS]);
            }
            EXPECT_OK(bp_network_predict(network, x + 7 * INPUTS, 1, other));
            EXPECT(memcmp(other, one + 7 * OUTPUTS, OUTPUTS * sizeof(float)) == 0);
            EXPECT_OK(bp_network_fit_scaling(network, "none", "none", NULL, NULL, 0));
            EXPECT(snapshot_equal(network, plain));
            bp_network_free(network);
            bp_network_free(plain);
        }
}

static void unscaled_numbers_are_learned(void) {
    float loss = 0;
    bp_network *network = prepared();
    for (int row = 0; row < ROWS; row++) y[row * OUTPUTS] = 2 * x[row * INPUTS] - 1e6f * x[row * INPUTS + 1];
    EXPECT_OK(bp_network_fit_scaling(network, "standard", "standard", x, y, ROWS));
    for (int row = 0; row < ROWS; row++) y[row * OUTPUTS + 1] = y[row * OUTPUTS] / 1e6f;
    EXPECT_OK(bp_network_fit_scaling(network, "standard", "standard", x, y, ROWS));
    EXPECT_OK(bp_network_set_optimizer(network, "adam"));
    for (int t = 0; t < 1500; t++) EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.01f, &loss));
    EXPECT(loss < 0.01f); /* constant predictions of the means would have a loss of 1 */
    bp_network_free(network);
    make_data();
}

/* More inputs than the units of any layer. Predictions scale them in the layers' buffers. */
static void inputs_can_outnumber_all_units(void) {
    const size_t shape[] = {300, 2, 1};
    static float wide[150 * 300], scaled[150 * 300], one[150], other[150];
    bp_network *network = check_network(shape, 3, 1), *plain = NULL;
    EXPECT_OK(bp_network_clone(network, &plain));
    check_fill(wide, 150 * 300, 9);
    for (int i = 0; i < 150 * 300; i++) wide[i] = i / 300 == 0 ? -4.0f : i / 300 == 1 ? 4.0f : wide[i];
    for (int i = 0; i < 150 * 300; i++) scaled[i] = (wide[i] + 4) / 8;
    EXPECT_OK(bp_network_predict(network, wide, 150, one)); /* the buffers are already allocated */
    EXPECT_OK(bp_network_fit_scaling(network, "min_max", "none", wide, NULL, 150));
    EXPECT_OK(bp_network_predict(network, wide, 150, one));
    EXPECT_OK(bp_network_predict(plain, scaled, 150, other));
    EXPECT(memcmp(one, other, sizeof one) == 0);
    bp_network_free(network);
    bp_network_free(plain);
}

static void copies_and_files_keep_the_scaling(void) {
    bp_network *network = prepared(), *copy = NULL, *loaded = NULL;
    EXPECT_OK(bp_network_fit_scaling(network, "min_max", "standard", x, y, ROWS));
    EXPECT_OK(bp_network_clone(network, &copy));
    EXPECT_OK(bp_network_save(network, "scaling.safetensors"));
    EXPECT_OK(bp_network_load("scaling.safetensors", &loaded));
    for (int t = 0; t < 3; t++) {
        EXPECT_OK(bp_network_train_minibatch(network, x, y, 20, 0.1f, NULL));
        EXPECT_OK(bp_network_train_minibatch(copy, x, y, 20, 0.1f, NULL));
        EXPECT_OK(bp_network_train_minibatch(loaded, x, y, 20, 0.1f, NULL));
    }
    EXPECT_OK(bp_network_initialize(copy, 4)); /* keeps the scaling */
    EXPECT_OK(bp_network_initialize(network, 4));
    EXPECT(snapshot_equal(network, copy));
    EXPECT_OK(bp_network_initialize(loaded, 4));
    EXPECT(snapshot_equal(network, loaded));
    bp_network_free(network);
    bp_network_free(copy);
    bp_network_free(loaded);
}

static void data_that_cannot_be_fitted_is_refused_and_changes_nothing(void) {
    static float bad[ROWS * INPUTS];
    bp_network *network = prepared();
    snapshot before;
    EXPECT_OK(bp_network_fit_scaling(network, "min_max", "standard", x, y, ROWS));
    before = snapshot_of(network);
    memcpy(bad, x, sizeof bad);
    bad[17 * INPUTS + 2] = NAN;
    bad[90 * INPUTS] = INFINITY;
    EXPECT_ERROR(bp_network_fit_scaling(network, "standard", "standard", bad, y, ROWS), BP_ERROR_NOT_FINITE);
    EXPECT_MESSAGE("inputs: row 17, column 2");
    EXPECT_ERROR(bp_network_fit_scaling(network, "none", "min_max", NULL, bad, 150), BP_ERROR_NOT_FINITE);
    EXPECT_MESSAGE("targets: row");
    EXPECT_ERROR(bp_network_fit_scaling(network, "Standard", "none", x, y, ROWS), BP_ERROR_UNKNOWN_NAME);
    EXPECT_ERROR(bp_network_fit_scaling(network, "none", "", x, y, ROWS), BP_ERROR_UNKNOWN_NAME);
    EXPECT_ERROR(bp_network_fit_scaling(network, NULL, "none", x, y, ROWS), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_network_fit_scaling(network, "none", NULL, x, y, ROWS), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_network_fit_scaling(network, "standard", "none", NULL, y, ROWS), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_network_fit_scaling(network, "none", "standard", x, NULL, ROWS), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_network_fit_scaling(network, "standard", "none", x, y, 0), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_network_fit_scaling(network, "standard", "none", x, y, SIZE_MAX / 2), BP_ERROR_LIMIT);
    EXPECT_ERROR(bp_network_fit_scaling(network, "standard", "none", x, y, SIZE_MAX), BP_ERROR_LIMIT);
    EXPECT(snapshot_holds(before, network));
    /* Later data can contain a NaN too: training reports its row. */
    EXPECT_ERROR(bp_network_train_minibatch(network, bad, y, ROWS, 0.1f, NULL), BP_ERROR_NOT_FINITE);
    EXPECT_MESSAGE("inputs: row 17, column 2");
    EXPECT_ERROR(bp_network_train_minibatch(network, x, y, 0, 0.1f, NULL), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_network_train_minibatch(network, x, y, SIZE_MAX / 4, 0.1f, NULL), BP_ERROR_LIMIT);
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
    bp_network_free(network);
}

/* Numbers close to 0, and ranges that exceed float: every number of a column that is accepted is scaled to a finite one. */
static void extreme_columns_are_scaled_to_finite_numbers_or_refused(void) {
    const size_t shape[] = {2, 1};
    const float columns[][6] = {
        {3e38f, 1e-45f, -3e38f, 0, 0, 1e-45f}, {1.7e38f, 0, -1.7e38f, 1e-45f, 0, 0}, {3e38f, 0, 3e38f, 0, -3e38f, 1}};
    int accepted = 0;
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) {
            static const char *const each[] = {"standard", "min_max", "symmetric"};
            bp_network *network = check_network(shape, 2, 1);
            int32_t status = bp_network_fit_scaling(network, each[i], "none", columns[k], NULL, 3);
            if (status == BP_OK) {
                float offset[2], scale[2];
                accepted++;
                EXPECT_OK(bp_network_get_tensor(network, "scaling.inputs.offset", offset, 2));
                EXPECT_OK(bp_network_get_tensor(network, "scaling.inputs.scale", scale, 2));
                for (int at = 0; at < 6; at++) EXPECT(isfinite((columns[k][at] - offset[at % 2]) / scale[at % 2]));
            } else {
                EXPECT_STATUS(status, BP_ERROR_INVALID_VALUE);
                EXPECT(strstr(bp_last_error_message(), "inputs: column 0 has numbers from -3e+38 to 3e+38, too far apart"));
            }
            bp_network_free(network);
        }
    EXPECT(accepted == 6); /* not min_max of the first and the last, and not standard of the last, whose mean is 1e38 */
}

/* 16777217 is no float: the middle is rounded, and the scaled targets must stay in the range of tanh. */
static void symmetric_targets_stay_within_1_when_their_middle_is_rounded(void) {
    const size_t shape[] = {1, 1};
    const float targets[][2] = {{16777216, 16777218}, {1.7e9f, 1.7e9f + 128}, {1, 1.0000001f}, {-3e38f, 3e38f}};
    for (int i = 0; i < 4; i++) {
        bp_network *network = check_network(shape, 2, 1);
        float offset, scale;
        EXPECT_OK(bp_network_set_activation(network, 1, "tanh"));
        EXPECT_OK(bp_network_fit_scaling(network, "none", "auto", NULL, targets[i], 2));
        EXPECT_OK(bp_network_get_tensor(network, "scaling.targets.offset", &offset, 1));
        EXPECT_OK(bp_network_get_tensor(network, "scaling.targets.scale", &scale, 1));
        for (int row = 0; row < 2; row++) EXPECT(fabsf((targets[i][row] - offset) / scale) <= 1);
        EXPECT_OK(bp_network_check_settings(network, targets[i], 2));
        bp_network_free(network);
    }
}

int main(void) {
    make_data();
    CLAIM(every_call_equals_that_of_a_network_with_scaled_numbers);
    CLAIM(unscaled_numbers_are_learned);
    CLAIM(inputs_can_outnumber_all_units);
    CLAIM(copies_and_files_keep_the_scaling);
    CLAIM(data_that_cannot_be_fitted_is_refused_and_changes_nothing);
    CLAIM(extreme_columns_are_scaled_to_finite_numbers_or_refused);
    CLAIM(symmetric_targets_stay_within_1_when_their_middle_is_rounded);
    return check_end();
}
