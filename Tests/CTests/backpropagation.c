/* backpropagation.c: bp_network_backpropagate and bp_network_input_jacobian against the plain network of reference.h and
 * central differences of it; bp_network_predict_layer; bp_network_row_losses. */
#include "activations.h"
#include "mirror.h"

enum { INPUTS = 4, HIDDEN = 7, OUTPUTS = 3, ROWS = 6 };
static const int size[] = {INPUTS, HIDDEN, 5, OUTPUTS};
static reference r;
static float x[ROWS * INPUTS], y[ROWS * OUTPUTS], d[ROWS * OUTPUTS]; /* inputs, targets, output gradients */

static bp_network *mixed(int activation, int norm, uint32_t seed) {
    ref_init(&r, 4, size);
    for (int l = 1; l < 4; l++) r.activation[l] = activation, r.norm[l] = norm;
    check_fill(x, ROWS * INPUTS, seed);
    check_fill(y, ROWS * OUTPUTS, seed + 1);
    check_fill(d, ROWS * OUTPUTS, seed + 2);
    return mirror(&r, 1, seed + 3);
}

/* L = sum of d a, whose derivatives at the outputs are d. */
static double weighted_sum(reference *network, const double *inputs, int rows, int training) {
    static ref_layer_state states[REF_LAYERS];
    double sum = 0;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < INPUTS; j++) states[0].a[i][j] = inputs[i * INPUTS + j];
    ref_forward_from(network, rows, training, states);
    for (int i = 0; i < rows; i++)
        for (int k = 0; k < OUTPUTS; k++) sum += (double)d[i * OUTPUTS + k] * states[3].a[i][k];
    return sum;
}

/* dL/dx of the plain network by central differences, [rows][inputs]. Each call works on a copy: training moves statistics. */
static void input_differences(int rows, int training, double *differences) {
    static reference copy;
    double inputs[ROWS * INPUTS];
    for (int i = 0; i < rows * INPUTS; i++) inputs[i] = (double)x[i];
    for (int i = 0; i < rows * INPUTS; i++) {
        const double h = 1e-5, value = inputs[i];
        double ends[2];
        for (int k = 0; k < 2; k++) {
            inputs[i] = value + (k ? -h : h);
            copy = r;
            ends[k] = weighted_sum(&copy, inputs, rows, training);
        }
        inputs[i] = value;
        differences[i] = (ends[0] - ends[1]) / (2 * h);
    }
}

typedef struct {
    double flat[MIRROR_PARAMETERS];
} parameters;

static void parameter_differences(int rows, double *differences) {
    static reference copy;
    static parameters moved;
    double inputs[ROWS * INPUTS];
    size_t count = ref_get(&r, moved.flat);
    for (int i = 0; i < rows * INPUTS; i++) inputs[i] = (double)x[i];
    for (size_t i = 0; i < count; i++) {
        const double h = 1e-5, value = moved.flat[i];
        double ends[2];
        for (int k = 0; k < 2; k++) {
            copy = r;
            moved.flat[i] = value + (k ? -h : h);
            ref_each(&copy, ref_visit_set_double, moved.flat);
            ends[k] = weighted_sum(&copy, inputs, rows, 1);
        }
        moved.flat[i] = value;
        differences[i] = (ends[0] - ends[1]) / (2 * h);
    }
}

static void gradients_equal_central_differences_for_every_activation(void) {
    static float gradient[MIRROR_PARAMETERS], for_inputs[ROWS * INPUTS];
    static double expected[MIRROR_PARAMETERS], expected_inputs[ROWS * INPUTS];
    for (int activation = 0; activation < REF_ACTIVATIONS; activation++)
        for (int norm = 0; norm < 2; norm++)
            for (int rows = 1; rows <= ROWS; rows += ROWS - 1) {
                bp_network *network;
                int good = 1;
                if (activation == REF_SIGN) continue; /* has derivative 1 here */
                network = mixed(activation, norm, (uint32_t)(10 * activation + norm));
                EXPECT_OK(bp_network_set_loss(network, ref_loss_names[activation % 3])); /* which is not used */
                EXPECT_OK(bp_network_set_option(network, "gradient_reduction", 1));
                input_differences(rows, 0, expected_inputs);
                EXPECT_OK(bp_network_backpropagate(network, x, d, (size_t)rows, NULL, 0, for_inputs));
                good &= EXPECT(mirror_near(for_inputs, expected_inputs, (size_t)(rows * INPUTS), 1e-4));
                parameter_differences(rows, expected);
                input_differences(rows, 1, expected_inputs);
                EXPECT_OK(bp_network_backpropagate(network, x, d, (size_t)rows, gradient, count_of(network), for_inputs));
                good &= EXPECT(mirror_near(gradient, expected, count_of(network), 1e-4));
                good &= EXPECT(mirror_near(for_inputs, expected_inputs, (size_t)(rows * INPUTS), 1e-4));
                if (!good) printf("#   %s, norm %d, %d rows\n", ref_activation_names[activation], norm, rows);
                bp_network_free(network);
            }
}

/* The derivatives of squared_error at the outputs are a - y: the gradient must then be bp_network_gradient's. A single
 * row of batch normalization uses running statistics, so that bp_network_predict gives the outputs of training. */
static void gradient_of_squared_error_is_bp_network_gradients(void) {
    static float one[MIRROR_PARAMETERS], other[MIRROR_PARAMETERS], outputs[ROWS * OUTPUTS];
    for (int activation = 0; activation < REF_ACTIVATIONS; activation++)
        for (int norm = 0; norm < 2; norm++) {
            size_t rows = norm ? 1 : ROWS;
            bp_network *network = mixed(activation, norm, 5), *twin = NULL;
            size_t count = count_of(network);
            EXPECT_OK(bp_network_clone(network, &twin));
            EXPECT_OK(bp_network_predict(network, x, rows, outputs));
            for (size_t i = 0; i < rows * OUTPUTS; i++) outputs[i] -= y[i];
            EXPECT_OK(bp_network_backpropagate(network, x, outputs, rows, one, count, NULL));
            EXPECT_OK(bp_network_gradient(twin, x, y, rows, other, count, NULL));
            for (size_t i = 0; i < count; i++) EXPECT_NEAR(one[i], other[i], 1e-5 * (1 + fabs((double)other[i])));
            EXPECT(snapshot_equal(network, twin)); /* running statistics have moved alike */
            bp_network_free(network);
            bp_network_free(twin);
        }
}

static void sign_has_derivative_1(void) {
    const size_t sizes[] = {2, 2};
    const float weights[6] = {1, 2, 3, 4, 0.5f, -0.5f}, inputs[2] = {1, -1}, gradients[2] = {1, 10};
    float for_inputs[2], jacobian[4];
    bp_network *network = check_network(sizes, 2, 1);
    EXPECT_OK(bp_network_set_activation(network, 1, "sign"));
    EXPECT_OK(bp_network_set_parameters(network, weights, 6));
    EXPECT_OK(bp_network_backpropagate(network, inputs, gradients, 1, NULL, 0, for_inputs));
    EXPECT(for_inputs[0] == 31 && for_inputs[1] == 42);
    EXPECT_OK(bp_network_input_jacobian(network, inputs, 1, jacobian));
    EXPECT(memcmp(jacobian, weights, sizeof jacobian) == 0);
    bp_network_free(network);
}

static void backpropagate_and_apply_is_a_training_step(void) {
    static float gradient[MIRROR_PARAMETERS], outputs[ROWS * OUTPUTS];
    bp_network *network = mixed(REF_TANH, 0, 3), *twin = NULL;
    size_t count = count_of(network);
    EXPECT_OK(bp_network_set_optimizer(network, "adam"));
    EXPECT_OK(bp_network_clone(network, &twin));
    for (int step = 0; step < 10; step++) {
        static float one[MIRROR_PARAMETERS], other[MIRROR_PARAMETERS];
        EXPECT_OK(bp_network_predict(network, x, ROWS, outputs));
        for (int i = 0; i < ROWS * OUTPUTS; i++) outputs[i] -= y[i];
        EXPECT_OK(bp_network_backpropagate(network, x, outputs, ROWS, gradient, count, NULL));
        EXPECT_OK(bp_network_apply_gradient(network, gradient, count, 0.01f));
        EXPECT_OK(bp_network_train_minibatch(twin, x, y, ROWS, 0.01f, NULL));
        EXPECT_OK(bp_network_get_parameters(network, one, count));
        EXPECT_OK(bp_network_get_parameters(twin, other, count));
        for (size_t i = 0; i < count; i++) EXPECT_NEAR(one[i], other[i], 1e-4);
    }
    bp_network_free(network);
    bp_network_free(twin);
}

/* Two networks in a row are one: the input gradients of the second are the output gradients of the first. */
static void networks_chain(void) {
    const size_t whole_sizes[] = {3, 5, 4, 2}, first_sizes[] = {3, 5}, second_sizes[] = {5, 4, 2};
    float whole_gradient[54], gradient[54], hidden[20], through[20], one[12], other[12], parameters[54];
    bp_network *whole = check_network(whole_sizes, 4, 1), *first = check_network(first_sizes, 2, 1),
               *second = check_network(second_sizes, 3, 1);
    mixed(REF_TANH, 0, 8);
    EXPECT(count_of(whole) == 54 && count_of(first) == 20);
    EXPECT_OK(bp_network_get_parameters(whole, parameters, 54));
    EXPECT_OK(bp_network_set_parameters(first, parameters, 20));
    EXPECT_OK(bp_network_set_parameters(second, parameters + 20, 34));
    EXPECT_OK(bp_network_backpropagate(whole, x, d, 4, whole_gradient, 54, one));
    EXPECT_OK(bp_network_predict(first, x, 4, hidden));
    EXPECT_OK(bp_network_backpropagate(second, hidden, d, 4, gradient + 20, 34, through));
    EXPECT_OK(bp_network_backpropagate(first, x, through, 4, gradient, 20, other));
    for (int i = 0; i < 54; i++) EXPECT_NEAR(gradient[i], whole_gradient[i], 1e-6);
    for (int i = 0; i < 12; i++) EXPECT_NEAR(one[i], other[i], 1e-6);
    bp_network_free(whole);
    bp_network_free(first);
    bp_network_free(second);
}

/* ---- Scaling */

/* Against central differences of predictions in the caller's units, of a network whose scales are powers of ten apart. */
static void gradients_are_in_the_callers_units(void) {
    static float data[ROWS * INPUTS], targets[ROWS * OUTPUTS], gradient[MIRROR_PARAMETERS], plain[MIRROR_PARAMETERS];
    static float jacobian[ROWS * OUTPUTS * INPUTS], for_inputs[ROWS * INPUTS], scaled[ROWS * INPUTS], inner[ROWS * OUTPUTS];
    static float plain_inputs[ROWS * INPUTS], in_offset[INPUTS], in_scale[INPUTS], out_scale[OUTPUTS];
    bp_network *network = mixed(REF_TANH, 0, 4), *unscaled = NULL;
    size_t count = count_of(network);
    for (int i = 0; i < ROWS * INPUTS; i++) data[i] = x[i] * (i % INPUTS == 0 ? 1000 : 0.01f) + (float)(i % INPUTS);
    for (int i = 0; i < ROWS * OUTPUTS; i++) targets[i] = y[i] * (i % OUTPUTS == 0 ? 500 : 0.125f) + 3;
    EXPECT_OK(bp_network_clone(network, &unscaled));
    EXPECT_OK(bp_network_fit_scaling(network, "standard", "symmetric", data, targets, ROWS));
    EXPECT_OK(bp_network_get_tensor(network, "scaling.inputs.offset", in_offset, INPUTS));
    EXPECT_OK(bp_network_get_tensor(network, "scaling.inputs.scale", in_scale, INPUTS));
    EXPECT_OK(bp_network_get_tensor(network, "scaling.targets.scale", out_scale, OUTPUTS));
    for (int i = 0; i < ROWS * INPUTS; i++) scaled[i] = (data[i] - in_offset[i % INPUTS]) / in_scale[i % INPUTS];
    for (int i = 0; i < ROWS * OUTPUTS; i++) inner[i] = d[i] * out_scale[i % OUTPUTS];
    EXPECT_OK(bp_network_backpropagate(network, data, d, ROWS, gradient, count, for_inputs));
    EXPECT_OK(bp_network_backpropagate(unscaled, scaled, inner, ROWS, plain, count, plain_inputs));
    EXPECT(memcmp(gradient, plain, count * sizeof(float)) == 0);
    for (int i = 0; i < ROWS * INPUTS; i++) {
        double expected = (double)plain_inputs[i] / (double)in_scale[i % INPUTS];
        EXPECT_NEAR(for_inputs[i], expected, 1e-5 * (1e-6 + fabs(expected)));
    }
    EXPECT_OK(bp_network_input_jacobian(network, data, ROWS, jacobian));
    for (int row = 0; row < ROWS; row++)
        for (int j = 0; j < INPUTS; j++) {
            float moved[INPUTS], above[OUTPUTS], below[OUTPUTS];
            const float h = 0.01f * in_scale[j];
            double width;
            memcpy(moved, data + row * INPUTS, sizeof moved);
            moved[j] = data[row * INPUTS + j] + h, width = (double)moved[j];
            EXPECT_OK(bp_network_predict(network, moved, 1, above));
            moved[j] = data[row * INPUTS + j] - h, width -= (double)moved[j];
            EXPECT_OK(bp_network_predict(network, moved, 1, below));
            for (int k = 0; k < OUTPUTS; k++)
                EXPECT_NEAR((double)jacobian[(row * OUTPUTS + k) * INPUTS + j] * (double)in_scale[j] / (double)out_scale[k],
                            ((double)above[k] - (double)below[k]) / width * (double)in_scale[j] / (double)out_scale[k], 1e-3);
        }
    bp_network_free(network);
    bp_network_free(unscaled);
}

/* ---- The Jacobian */

static void jacobian_rows_are_input_gradients_and_depend_on_no_other_row(void) {
    enum { MANY = 300, WIDE = 19, OUT = 17 };
    const size_t sizes[] = {WIDE, 33, OUT};
    static float inputs[MANY * WIDE], unit[MANY * OUT], gradients[MANY * WIDE], jacobian[MANY * OUT * WIDE];
    static float few[2 * OUT * WIDE];
    bp_network *network = check_network(sizes, 3, 2);
    snapshot before;
    check_fill(inputs, MANY * WIDE, 1);
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    EXPECT_OK(bp_network_set_dropout(network, 1, 0.5));
    EXPECT_OK(bp_network_set_activation(network, 2, "softmax"));
    check_fill(unit, MANY * OUT, 9);
    EXPECT_OK(bp_network_set_loss(network, "cross_entropy"));
    for (int i = 0; i < MANY * OUT; i++) unit[i] *= unit[i];
    EXPECT_OK(bp_network_train_minibatch(network, inputs, unit, MANY, 1e-3f, NULL)); /* moves the running statistics */
    before = snapshot_of(network);
    EXPECT_OK(bp_network_input_jacobian(network, inputs, MANY, jacobian));
    for (int k = 0; k < OUT; k++) {
        memset(unit, 0, sizeof unit);
        for (int row = 0; row < MANY; row++) unit[row * OUT + k] = 1;
        EXPECT_OK(bp_network_backpropagate(network, inputs, unit, MANY, NULL, 0, gradients));
        for (int row = 0; row < MANY; row++)
            EXPECT(memcmp(gradients + row * WIDE, jacobian + (row * OUT + k) * WIDE, WIDE * sizeof(float)) == 0);
    }
    EXPECT_OK(bp_network_input_jacobian(network, inputs + 200 * WIDE, 2, few));
    for (int i = 0; i < 2 * OUT * WIDE; i++) EXPECT_NEAR(few[i], jacobian[200 * OUT * WIDE + i], 1e-6);
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
    bp_network_free(network);
}

/* ---- What a pass changes */

static void input_gradients_alone_change_nothing_and_parameter_gradients_what_a_gradient_changes(void) {
    static float gradient[MIRROR_PARAMETERS], other[MIRROR_PARAMETERS], for_inputs[ROWS * INPUTS], again[ROWS * INPUTS];
    bp_network *network = mixed(REF_TANH, 1, 6), *twin = NULL;
    snapshot before;
    EXPECT_OK(bp_network_set_dropout(network, 1, 0.5));
    EXPECT_OK(bp_network_clone(network, &twin));
    before = snapshot_of(network);
    EXPECT_OK(bp_network_backpropagate(network, x, d, ROWS, NULL, 0, for_inputs));
    EXPECT_OK(bp_network_backpropagate(network, x, d, ROWS, NULL, 0, again));
    EXPECT(memcmp(for_inputs, again, sizeof again) == 0); /* no dropout */
    EXPECT(snapshot_holds(before, network));
    EXPECT_OK(bp_network_backpropagate(network, x, d, ROWS, gradient, count_of(network), NULL));
    EXPECT(!snapshot_holds(before, network));
    EXPECT_OK(bp_network_gradient(twin, x, y, ROWS, other, count_of(twin), NULL));
    EXPECT(snapshot_equal(network, twin)); /* statistics and the random state have moved alike */
    EXPECT_OK(bp_network_backpropagate(network, x, d, ROWS, other, count_of(network), again));
    EXPECT(memcmp(gradient, other, count_of(network) * sizeof(float)) != 0); /* dropout draws anew */
    free(before.bytes);
    bp_network_free(network);
    bp_network_free(twin);
}

/* ---- Layers and rows */

static void layers_are_those_of_the_plain_network(void) {
    static float hidden[ROWS * HIDDEN], outputs[ROWS * OUTPUTS];
    for (int rows = 1; rows <= ROWS; rows += ROWS - 1) {
        bp_network *network = mixed(REF_TANH, 1, 7);
        ref_layer_state *states = ref_states();
        EXPECT_OK(bp_network_set_dropout(network, 1, 0.5));
        ref_forward(&r, x, rows, 0, states);
        for (size_t l = 1; l < 4; l++) {
            EXPECT_OK(bp_network_predict_layer(network, l, x, (size_t)rows, hidden));
            for (int i = 0; i < rows; i++)
                for (int k = 0; k < size[l]; k++) EXPECT_NEAR(hidden[i * size[l] + k], states[l].a[i][k], 1e-5);
        }
        EXPECT_OK(bp_network_predict(network, x, (size_t)rows, outputs));
        EXPECT(memcmp(outputs, hidden, (size_t)rows * OUTPUTS * sizeof(float)) == 0);
        bp_network_free(network);
    }
}

static void the_last_layer_is_predict_bit_for_bit_also_scaled(void) {
    enum { MANY = 333 };
    const size_t sizes[] = {5, 40, 3};
    static float inputs[MANY * 5], targets[MANY * 3], one[MANY * 3], other[MANY * 3];
    bp_network *network = check_network(sizes, 3, 2);
    check_fill(inputs, MANY * 5, 1);
    check_fill(targets, MANY * 3, 2);
    EXPECT_OK(bp_network_fit_scaling(network, "standard", "min_max", inputs, targets, MANY));
    for (size_t rows = 1; rows <= MANY; rows += 83) {
        EXPECT_OK(bp_network_predict(network, inputs, rows, one));
        EXPECT_OK(bp_network_predict_layer(network, 2, inputs, rows, other));
        EXPECT(memcmp(one, other, rows * 3 * sizeof(float)) == 0);
    }
    EXPECT_OK(bp_network_predict_layer(network, 2, NULL, 0, NULL));
    EXPECT_OK(bp_network_predict_layer(network, 1, NULL, 0, NULL));
    EXPECT_ERROR(bp_network_predict_layer(network, 0, inputs, 1, other), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_network_predict_layer(network, 3, inputs, 1, other), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_network_predict_layer(network, SIZE_MAX, NULL, 0, NULL), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_network_predict_layer(network, 1, inputs, SIZE_MAX, other), BP_ERROR_LIMIT);
    bp_network_free(network);
}

static void row_losses_add_up_to_evaluate(void) {
    enum { MANY = 333 };
    const size_t sizes[] = {5, 20, 3};
    static const char *const outputs[] = {"identity", "logistic", "softmax"};
    static float inputs[MANY * 5], targets[MANY * 3], losses[MANY];
    check_fill(inputs, MANY * 5, 1);
    check_fill_shares(targets, MANY * 3, 2);
    for (int loss = 0; loss < 3; loss++)
        for (int mean = 0; mean < 2; mean++) {
            bp_network *network = check_network(sizes, 3, 2);
            double sum = 0;
            float evaluated, alone;
            EXPECT_OK(bp_network_set_activation(network, 2, outputs[loss]));
            EXPECT_OK(bp_network_set_loss(network, ref_loss_names[loss]));
            EXPECT_OK(bp_network_set_option(network, "gradient_reduction", mean));
            EXPECT_OK(bp_network_row_losses(network, inputs, targets, MANY, losses));
            EXPECT_OK(bp_network_evaluate(network, inputs, targets, MANY, &evaluated));
            for (int row = 0; row < MANY; row++) sum += (double)losses[row];
            EXPECT_NEAR(mean ? sum / MANY : sum, evaluated, 1e-6 * (double)evaluated);
            for (size_t row = 0; row < MANY; row += 47) {
                EXPECT_OK(bp_network_evaluate(network, inputs + row * 5, targets + row * 3, 1, &alone));
                EXPECT_NEAR(losses[row], alone, 1e-5);
            }
            bp_network_free(network);
        }
}

/* ---- Threads */

static void results_do_not_depend_on_the_thread_count(void) {
    enum { IN = 301, MANY = 333, OUT = 7, COUNT = 301 * 250 + 250 + 250 * 131 + 131 + 131 * OUT + OUT + 2 * 250 };
    const size_t sizes[] = {IN, 250, 131, OUT};
    static float inputs[MANY * IN], gradients[MANY * OUT], results[2][COUNT + MANY * IN + 40 * OUT * IN + MANY * 250 + MANY];
    check_fill(inputs, MANY * IN, 1);
    check_fill(gradients, MANY * OUT, 2);
    for (size_t threads = 1; threads <= 8; threads++) {
        float *result = results[threads > 1], *for_inputs = result + COUNT, *jacobian = for_inputs + MANY * IN;
        float *hidden = jacobian + 40 * OUT * IN, *losses = hidden + MANY * 250;
        bp_network *network = check_network(sizes, 4, 5);
        EXPECT_OK(bp_set_thread_count(threads));
        EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
        EXPECT_OK(bp_network_set_dropout(network, 2, 0.25));
        EXPECT(count_of(network) == COUNT);
        EXPECT_OK(bp_network_backpropagate(network, inputs, gradients, MANY, result, COUNT, for_inputs));
        EXPECT_OK(bp_network_input_jacobian(network, inputs, 40, jacobian));
        EXPECT_OK(bp_network_predict_layer(network, 1, inputs, MANY, hidden));
        EXPECT_OK(bp_network_row_losses(network, inputs, gradients, MANY, losses));
        EXPECT(threads == 1 || memcmp(results[0], results[1], sizeof results[0]) == 0);
        bp_network_free(network);
    }
    EXPECT_OK(bp_set_thread_count(0));
}

/* ---- Bad input */

static void bad_input_is_refused_and_changes_nothing(void) {
    static float gradient[MIRROR_PARAMETERS], for_inputs[ROWS * INPUTS], jacobian[ROWS * OUTPUTS * INPUTS], losses[ROWS];
    bp_network *network = mixed(REF_TANH, 1, 6);
    size_t count = count_of(network);
    snapshot before = snapshot_of(network);
    const float bad[] = {NAN, INFINITY, -INFINITY};
    EXPECT_ERROR(bp_network_backpropagate(network, x, d, ROWS, gradient, count - 1, NULL), BP_ERROR_MISMATCH);
    EXPECT_ERROR(bp_network_backpropagate(network, x, d, ROWS, gradient, 0, for_inputs), BP_ERROR_MISMATCH);
    EXPECT_ERROR(bp_network_backpropagate(network, x, d, ROWS, gradient, SIZE_MAX, for_inputs), BP_ERROR_MISMATCH);
    EXPECT_ERROR(bp_network_backpropagate(network, x, d, ROWS, NULL, count, for_inputs), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_network_backpropagate(network, x, d, ROWS, NULL, 0, NULL), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_network_backpropagate(network, x, NULL, ROWS, gradient, count, NULL), BP_ERROR_NULL_ARGUMENT);
    EXPECT_MESSAGE("output_gradients");
    EXPECT_ERROR(bp_network_backpropagate(network, x, d, 0, gradient, count, for_inputs), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_network_backpropagate(network, x, d, SIZE_MAX, gradient, count, for_inputs), BP_ERROR_LIMIT);
    EXPECT_ERROR(bp_network_input_jacobian(network, x, 0, jacobian), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_network_input_jacobian(network, x, SIZE_MAX / 2, jacobian), BP_ERROR_LIMIT);
    EXPECT_ERROR(bp_network_row_losses(network, x, y, 0, losses), BP_ERROR_INVALID_VALUE);
    for (int i = 0; i < 3; i++) {
        const float x_kept = x[5], d_kept = d[4];
        x[5] = bad[i];
        EXPECT_ERROR(bp_network_backpropagate(network, x, d, ROWS, gradient, count, for_inputs), BP_ERROR_NOT_FINITE);
        EXPECT_ERROR(bp_network_backpropagate(network, x, d, ROWS, NULL, 0, for_inputs), BP_ERROR_NOT_FINITE);
        EXPECT_MESSAGE("inputs: row 1, column 1");
        EXPECT_ERROR(bp_network_input_jacobian(network, x, ROWS, jacobian), BP_ERROR_NOT_FINITE);
        EXPECT_ERROR(bp_network_row_losses(network, x, y, ROWS, losses), BP_ERROR_NOT_FINITE);
        x[5] = x_kept, d[4] = bad[i];
        EXPECT_ERROR(bp_network_backpropagate(network, x, d, ROWS, gradient, count, for_inputs), BP_ERROR_NOT_FINITE);
        EXPECT_MESSAGE("output_gradients: row 1, column 1");
        EXPECT_ERROR(bp_network_backpropagate(network, x, d, ROWS, NULL, 0, for_inputs), BP_ERROR_NOT_FINITE);
        d[4] = d_kept;
    }
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
    bp_network_free(network);
}

/* Finite numbers whose products are not: outputs, gradients, and gradients behind a small input scale. A refused call leaves
 * the next one the results of a network that never saw it. */
static void overflow_is_refused_and_leaves_later_calls_alone(void) {
    const size_t sizes[] = {2, 20, 3};
    const float inputs[4] = {1, 2, 3, 4}, ones[6] = {1, 1, 1, 1, 1, 1}, huge[6] = {3e38f, 3e38f, 3e38f, 3e38f, 3e38f, 3e38f};
    const float far[4] = {3e38f, -3e38f, 3e38f, 3e38f}, close[4] = {0, 0, 1e-30f, 1e-30f};
    static float gradient[200], other[200], for_inputs[4], jacobian[12];
    bp_network *network = check_network(sizes, 3, 3), *twin = NULL;
    size_t count = count_of(network);
    snapshot before;
    for (size_t l = 1; l < 3; l++) EXPECT_OK(bp_network_set_activation(network, l, "identity"));
    EXPECT_OK(bp_network_get_parameters(network, gradient, count));
    for (size_t i = 0; i < count; i++) gradient[i] *= 100;
    EXPECT_OK(bp_network_set_parameters(network, gradient, count));
    EXPECT_OK(bp_network_clone(network, &twin));
    before = snapshot_of(network);
    EXPECT_ERROR(bp_network_backpropagate(network, inputs, huge, 2, gradient, count, NULL), BP_ERROR_NOT_FINITE);
    EXPECT_ERROR(bp_network_backpropagate(network, inputs, huge, 2, gradient, count, for_inputs), BP_ERROR_NOT_FINITE);
    EXPECT_ERROR(bp_network_backpropagate(network, inputs, huge, 2, NULL, 0, for_inputs), BP_ERROR_NOT_FINITE);
    EXPECT_ERROR(bp_network_backpropagate(network, far, ones, 2, NULL, 0, for_inputs), BP_ERROR_NOT_FINITE);
    EXPECT_MESSAGE("layer 1");
    EXPECT_ERROR(bp_network_input_jacobian(network, far, 2, jacobian), BP_ERROR_NOT_FINITE);
    EXPECT(snapshot_holds(before, network));
    EXPECT_OK(bp_network_backpropagate(network, inputs, ones, 2, gradient, count, for_inputs));
    EXPECT_OK(bp_network_backpropagate(twin, inputs, ones, 2, other, count, NULL));
    EXPECT(memcmp(gradient, other, count * sizeof(float)) == 0);
    EXPECT_OK(bp_network_fit_scaling(network, "standard", "none", close, NULL, 2));
    for (size_t i = 0; i < 6; i++) gradient[i] = 1e10f;
    EXPECT_ERROR(bp_network_backpropagate(network, close, gradient, 2, NULL, 0, for_inputs), BP_ERROR_NOT_FINITE);
    free(before.bytes);
    bp_network_free(network);
    bp_network_free(twin);
}

/* ---- Registered activations */

static void registered_activations_give_the_built_in_gradients(void) {
    static float one[MIRROR_PARAMETERS], other[MIRROR_PARAMETERS], in_one[ROWS * INPUTS], in_other[ROWS * INPUTS];
    static const char *const names[][2] = {{"bend", "softsign"}, {"pass", "identity"}};
    EXPECT_OK(bp_activation_register_scalar("bend", bend, bend_slope, NULL, NULL));
    EXPECT_OK(bp_activation_register_vector("pass", pass, pass_back, NULL, NULL));
    for (int kind = 0; kind < 2; kind++)
        for (int safe = 0; safe < 2; safe++)
            for (int norm = 0; norm < 2; norm++) {
                bp_network *network = mixed(REF_TANH, norm, 9), *twin = NULL;
                size_t count = count_of(network);
                static float jacobian[2][ROWS * OUTPUTS * INPUTS];
                EXPECT_OK(bp_activation_set_thread_safe(names[kind][0], safe));
                EXPECT_OK(bp_network_clone(network, &twin));
                for (size_t l = 1; l < 4; l++) {
                    EXPECT_OK(bp_network_set_activation(network, l, names[kind][0]));
                    EXPECT_OK(bp_network_set_activation(twin, l, names[kind][1]));
                }
                for (int training = 0; training < 2; training++) {
                    size_t given = training ? count : 0;
                    EXPECT_OK(bp_network_backpropagate(network, x, d, ROWS, training ? one : NULL, given, in_one));
                    EXPECT_OK(bp_network_backpropagate(twin, x, d, ROWS, training ? other : NULL, given, in_other));
                    for (size_t i = 0; i < given; i++) EXPECT_NEAR(one[i], other[i], 1e-5 * (1 + fabs((double)other[i])));
                    for (int i = 0; i < ROWS * INPUTS; i++) EXPECT_NEAR(in_one[i], in_other[i], 1e-5);
                }
                EXPECT_OK(bp_network_input_jacobian(network, x, ROWS, jacobian[0]));
                EXPECT_OK(bp_network_input_jacobian(twin, x, ROWS, jacobian[1]));
                for (int i = 0; i < ROWS * OUTPUTS * INPUTS; i++) EXPECT_NEAR(jacobian[0][i], jacobian[1][i], 1e-5);
                bp_network_free(network);
                bp_network_free(twin);
            }
    EXPECT_OK(bp_activation_unregister("bend"));
    EXPECT_OK(bp_activation_unregister("pass"));
}

int main(void) {
    CLAIM(gradients_equal_central_differences_for_every_activation);
    CLAIM(gradient_of_squared_error_is_bp_network_gradients);
    CLAIM(sign_has_derivative_1);
    CLAIM(backpropagate_and_apply_is_a_training_step);
    CLAIM(networks_chain);
    CLAIM(gradients_are_in_the_callers_units);
    CLAIM(jacobian_rows_are_input_gradients_and_depend_on_no_other_row);
    CLAIM(input_gradients_alone_change_nothing_and_parameter_gradients_what_a_gradient_changes);
    CLAIM(layers_are_those_of_the_plain_network);
    CLAIM(the_last_layer_is_predict_bit_for_bit_also_scaled);
    CLAIM(row_losses_add_up_to_evaluate);
    CLAIM(results_do_not_depend_on_the_thread_count);
    CLAIM(bad_input_is_refused_and_changes_nothing);
    CLAIM(overflow_is_refused_and_leaves_later_calls_alone);
    CLAIM(registered_activations_give_the_built_in_gradients);
    return check_end();
}
