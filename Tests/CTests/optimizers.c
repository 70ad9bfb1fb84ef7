/* optimizers.c: bp_network_set_optimizer and its options. The tests of the Python package compare steps with PyTorch's. This
 * program tests iRprop- against its paper, and for all optimizers transactions, saving, threads and settings. */
#include "check.h"

static const char *const names[] = {"sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "irprop_minus"};
enum { NAMES = sizeof names / sizeof names[0], ROWS = 6, INPUTS = 3, UNITS = 5, OUTPUTS = 2, MOST = 4096 };
static const size_t sizes[] = {INPUTS, UNITS, OUTPUTS};
static float x[ROWS * INPUTS], y[ROWS * OUTPUTS];

/* A network with batch normalization in its first layer, weight decay and clipping. */
static bp_network *prepared(const char *optimizer) {
    bp_network *network = check_network(sizes, 3, 5);
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    EXPECT_OK(bp_network_set_optimizer(network, optimizer));
    EXPECT_OK(bp_network_set_option(network, "weight_decay", 0.01));
    EXPECT_OK(bp_network_set_option(network, "l1", 0.001));
    EXPECT_OK(bp_network_set_option(network, "clip_norm", 0.5));
    EXPECT_OK(bp_network_set_option(network, "clip_value", 0.25));
    return network;
}

static int train(bp_network *network, int steps) {
    int right = 1;
    for (int i = 0; i < steps; i++) right = EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.05f, NULL)) && right;
    return right;
}

/* Igel and Huesken 2000, figure 2, in double precision: for each weight
 *     if g_before g > 0: step = min(1.2 step, 50)
 *     if g_before g < 0: step = max(0.5 step, 1e-6), g = 0
 *     w -= sign(g) step, g_before = g */
static void irprop_minus_matches_its_paper(void) {
    const size_t shape[] = {INPUTS, OUTPUTS};
    enum { COUNT = OUTPUTS * (INPUTS + 1) };
    bp_network *network = check_network(shape, 2, 3);
    double w[COUNT], before[COUNT] = {0}, step[COUNT];
    float start[COUNT], now[COUNT];
    int turned = 0, grown = 0;
    EXPECT_OK(bp_network_set_optimizer(network, "irprop_minus"));
    EXPECT_OK(bp_network_get_parameters(network, start, count_of(network)));
    for (int i = 0; i < COUNT; i++) w[i] = (double)start[i], step[i] = (double)0.7f;
    for (int t = 0; t < 12; t++) {
        double gradient[COUNT] = {0};
        for (int row = 0; row < ROWS; row++)
            for (int k = 0; k < OUTPUTS; k++) {
                double z = w[OUTPUTS * INPUTS + k], a, delta;
                for (int j = 0; j < INPUTS; j++) z += w[k * INPUTS + j] * (double)x[row * INPUTS + j];
                a = 1 / (1 + exp(-z));
                delta = (a - (double)y[row * OUTPUTS + k]) * a * (1 - a);
                for (int j = 0; j < INPUTS; j++) gradient[k * INPUTS + j] += delta * (double)x[row * INPUTS + j];
                gradient[OUTPUTS * INPUTS + k] += delta;
            }
        for (int i = 0; i < COUNT; i++) {
            double g = gradient[i];
            if (before[i] * g > 0) step[i] = fmin(step[i] * 1.2, 50), grown++;
            if (before[i] * g < 0) step[i] = fmax(step[i] * 0.5, 1e-6), g = 0, turned++;
            w[i] -= (g > 0 ? 1 : g < 0 ? -1 : 0) * step[i];
            before[i] = g;
        }
        /* The learning rate is the size of the first step, and has no effect later. */
        EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, t == 0 ? 0.7f : 123, NULL));
        EXPECT_OK(bp_network_get_parameters(network, now, count_of(network)));
        for (int i = 0; i < COUNT; i++) EXPECT_NEAR(now[i], w[i], 1e-5);
    }
    EXPECT(turned >= 5 && grown >= 20);
    bp_network_free(network);
}

static void unknown_optimizers_are_refused_and_change_nothing(void) {
    const char *const bad[] = {"", "Adam", "adam ", "sgd\n", "rprop", "adamax"};
    bp_network *network = prepared("adam");
    snapshot before;
    train(network, 2);
    before = snapshot_of(network);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT_ERROR(bp_network_set_optimizer(network, bad[i]), BP_ERROR_UNKNOWN_NAME);
        EXPECT(snapshot_holds(before, network));
    }
    EXPECT_ERROR(bp_network_set_optimizer(network, NULL), BP_ERROR_NULL_ARGUMENT);
    free(before.bytes);
    bp_network_free(network);
}

/* sgd with a clip_value that no gradient reaches uses the general code of all optimizers. Its result is the fused step up to
 * rounding. */
static void general_sgd_step_equals_the_fused_step(void) {
    static float one[MOST], other[MOST];
    size_t count;
    bp_network *fused = check_network(sizes, 3, 9), *apart = check_network(sizes, 3, 9);
    EXPECT_OK(bp_network_set_option(apart, "clip_value", 1e30));
    for (int t = 0; t < 20; t++) {
        size_t rows = t % 3 == 0 ? 1 : ROWS;
        EXPECT_OK(bp_network_train_minibatch(fused, x, y, rows, 0.3f, NULL));
        EXPECT_OK(bp_network_train_minibatch(apart, x, y, rows, 0.3f, NULL));
    }
    EXPECT_OK(bp_network_parameter_count(fused, &count));
    EXPECT_OK(bp_network_get_parameters(fused, one, count_of(fused)));
    EXPECT_OK(bp_network_get_parameters(apart, other, count_of(apart)));
    for (size_t i = 0; i < count; i++) EXPECT_NEAR(one[i], (double)other[i], 2e-6);
    bp_network_free(fused);
    bp_network_free(apart);
}

/* Optimizer, options and state are part of the network: a copy and a loaded network continue with the same results. */
static void copies_and_loaded_networks_continue_bit_for_bit(void) {
    for (int i = 0; i < NAMES; i++) {
        bp_network *network = prepared(names[i]), *copy = NULL, *loaded = NULL;
        train(network, 5);
        EXPECT_OK(bp_network_clone(network, &copy));
        EXPECT_OK(bp_network_save(network, "optimizer.safetensors"));
        EXPECT_OK(bp_network_load("optimizer.safetensors", &loaded));
        EXPECT(snapshot_equal(network, loaded) && snapshot_equal(network, copy));
        train(network, 7);
        EXPECT(!snapshot_equal(network, copy));
        train(copy, 7);
        train(loaded, 7);
        EXPECT(snapshot_equal(network, copy));
        EXPECT(snapshot_equal(network, loaded));
        bp_network_free(network);
        bp_network_free(copy);
        bp_network_free(loaded);
    }
}

static void gradient_then_apply_equals_the_step_of_every_optimizer(void) {
    static float gradient[MOST];
    for (int i = 0; i < NAMES; i++) {
        bp_network *network = prepared(names[i]), *copy = NULL;
        EXPECT_OK(bp_network_clone(network, &copy));
        train(network, 6);
        for (int t = 0; t < 6; t++) {
            EXPECT_OK(bp_network_gradient(copy, x, y, ROWS, gradient, count_of(copy), NULL));
            EXPECT_OK(bp_network_apply_gradient(copy, gradient, count_of(copy), 0.05f));
        }
        EXPECT(snapshot_equal(network, copy));
        bp_network_free(network);
        bp_network_free(copy);
    }
}

/* A step that stores no gradient, on one layer after another, and a step along a gradient that was stored before. There are
 * more rows than the kernel for a few rows takes. */
static void step_without_a_stored_gradient_equals_gradient_then_apply(void) {
    enum { WIDTH = 21, MANY = 150 };
    const size_t shape[] = {WIDTH, 37, 19, OUTPUTS}, counts[] = {7, 33, MANY};
    static float inputs[MANY * WIDTH], targets[MANY * OUTPUTS], gradient[MOST];
    check_fill(inputs, MANY * WIDTH, 3);
    check_fill(targets, MANY * OUTPUTS, 4);
    for (int i = 0; i < NAMES; i++)
        for (int decays = 0; decays < 2; decays++) {
            bp_network *network = check_network(shape, 4, 5), *copy = NULL;
            EXPECT_OK(bp_network_set_activation(network, 1, "relu"));
            EXPECT_OK(bp_network_set_batchnorm(network, 2, decays));
            EXPECT_OK(bp_network_set_optimizer(network, names[i]));
            EXPECT_OK(bp_network_set_option(network, "gradient_reduction", 1));
            EXPECT_OK(bp_network_set_option(network, "weight_decay", 0.01 * decays));
            EXPECT_OK(bp_network_set_option(network, "clip_value", 0.001 * decays));
            EXPECT_OK(bp_network_set_option(network, "decay_biases", i % 2));
            EXPECT_OK(bp_network_clone(network, &copy));
            for (int t = 0; t < 9; t++) {
                size_t rows = counts[t % 3];
                EXPECT_OK(bp_network_train_minibatch(network, inputs, targets, rows, 0.01f, NULL));
                EXPECT_OK(bp_network_gradient(copy, inputs, targets, rows, gradient, count_of(copy), NULL));
                EXPECT_OK(bp_network_apply_gradient(copy, gradient, count_of(copy), 0.01f));
            }
            EXPECT(snapshot_equal(network, copy));
            bp_network_free(network);
            bp_network_free(copy);
        }
}

/* The kernel for a few rows sums in another order, so that results are equal up to rounding. */
static void steps_on_a_few_rows_equal_gradient_then_apply(void) {
    const char *const losses[] = {"squared_error", "cross_entropy"}, *const lasts[] = {"identity", "softmax"};
    const size_t shape[] = {INPUTS, 19, 33, OUTPUTS};
    static float gradient[MOST], one[MOST], other[MOST], targets[ROWS * OUTPUTS];
    for (int row = 0; row < ROWS; row++) targets[row * OUTPUTS + row % OUTPUTS] = 1;
    for (int i = 0; i < NAMES; i++)
        for (int way = 0; way < 8; way++) {
            bp_network *network = check_network(shape, 4, 5), *copy = NULL;
            float loss, expected;
            EXPECT_OK(bp_network_set_activation(network, 1, "tanh"));
            EXPECT_OK(bp_network_set_activation(network, 3, lasts[way % 2]));
            EXPECT_OK(bp_network_set_loss(network, losses[way % 2]));
            EXPECT_OK(bp_network_set_optimizer(network, names[i]));
            EXPECT_OK(bp_network_set_option(network, "gradient_reduction", way / 2 % 2));
            EXPECT_OK(bp_network_set_option(network, "weight_decay", 0.01));
            EXPECT_OK(bp_network_set_option(network, "epsilon", 1e-3)); /* small gradients cause small steps */
            EXPECT_OK(bp_network_set_option(network, "clip_norm", way / 4 * 0.05));
            EXPECT_OK(bp_network_clone(network, &copy));
            for (size_t rows = 1; rows <= ROWS; rows++) {
                EXPECT_OK(bp_network_train_minibatch(network, x, targets, rows, 0.01f, &loss));
                EXPECT_OK(bp_network_gradient(copy, x, targets, rows, gradient, count_of(copy), &expected));
                EXPECT_OK(bp_network_apply_gradient(copy, gradient, count_of(copy), 0.01f));
                EXPECT_NEAR(loss, (double)expected, 1e-5);
            }
            EXPECT_OK(bp_network_get_parameters(network, one, count_of(network)));
            EXPECT_OK(bp_network_get_parameters(copy, other, count_of(copy)));
            for (size_t k = 0; k < count_of(network); k++) EXPECT_NEAR(one[k], (double)other[k], 2e-5);
            bp_network_free(network);
            bp_network_free(copy);
        }
}

/* After a refused step on one row, the network continues as if the step had not been tried. */
static void refused_steps_on_one_row_change_nothing(void) {
    const float huge[] = {1e25f, -1e25f}, bad[] = {0.5f, NAN, 1};
    for (int i = 0; i < NAMES; i++)
        for (int steps = 0; steps < 4; steps += 3) {
            bp_network *network = check_network(sizes, 3, 5), *copy = NULL;
            int overflows = strcmp(names[i], "irprop_minus") != 0; /* it uses only the signs */
            snapshot before;
            EXPECT_OK(bp_network_set_activation(network, 2, "identity"));
            EXPECT_OK(bp_network_set_optimizer(network, names[i]));
            for (int t = 0; t < steps; t++) EXPECT_OK(bp_network_train_step(network, x, y, 0.05f, NULL));
            EXPECT_OK(bp_network_clone(network, &copy));
            before = snapshot_of(network);
            EXPECT_ERROR(bp_network_train_step(network, bad, y, 0.05f, NULL), BP_ERROR_NOT_FINITE);
            EXPECT(snapshot_holds(before, network));
            if (overflows) {
                EXPECT_ERROR(bp_network_train_step(network, x, huge, 1e15f, NULL), BP_ERROR_NOT_FINITE);
                EXPECT(snapshot_holds(before, network));
            }
            for (int t = 0; t < 3; t++) {
                EXPECT_OK(bp_network_train_step(network, x, y, 0.05f, NULL));
                EXPECT_OK(bp_network_train_step(copy, x, y, 0.05f, NULL));
            }
            EXPECT(snapshot_equal(network, copy));
            free(before.bytes);
            bp_network_free(network);
            bp_network_free(copy);
        }
}

/* An input that becomes 0 gets no gradient any more. Its averages decrease until they are subnormal, and then become 0. */
static void averages_of_zeros_become_zero(void) {
    const char *const averaging[] = {"momentum", "nesterov", "adam", "adamw"};
    const char *const tensors[] = {"optimizer.momentum.layers.1.weight", "optimizer.momentum.layers.1.weight",
                                   "optimizer.first_moment.layers.1.weight", "optimizer.first_moment.layers.1.weight"};
    for (int i = 0; i < 8; i++) {
        bp_network *network = check_network(sizes, 3, 5);
        float rows[ROWS * INPUTS], state[UNITS * INPUTS];
        size_t count = i < 4 ? 1 : ROWS;
        memcpy(rows, x, sizeof rows);
        EXPECT_OK(bp_network_set_optimizer(network, averaging[i % 4]));
        for (int t = 0; t < 3; t++) EXPECT_OK(bp_network_train_minibatch(network, rows, y, count, 0.01f, NULL));
        for (int row = 0; row < ROWS; row++) rows[row * INPUTS] = 0;
        for (int t = 0; t < 900; t++) {
            EXPECT_OK(bp_network_train_minibatch(network, rows, y, count, 0.001f, NULL));
            EXPECT_OK(bp_network_get_tensor(network, tensors[i % 4], state, UNITS * INPUTS));
            for (int k = 0; k < UNITS * INPUTS; k++) EXPECT(state[k] == 0 || isnormal(state[k]));
        }
        for (int unit = 0; unit < UNITS; unit++) EXPECT(state[unit * INPUTS] == 0);
        EXPECT(state[1] != 0);
        bp_network_free(network);
    }
}

/* Each of these settings resets the state: the next steps equal those of a network without earlier steps. */
static void settings_that_change_the_parameters_reset_the_state(void) {
    static float start[MOST], weights[MOST];
    for (int way = 0; way < 4; way++) {
        bp_network *used = prepared("adam"), *fresh = prepared("adam");
        if (way == 1) EXPECT_OK(bp_network_set_batchnorm(fresh, 2, 1));
        if (way == 2) EXPECT_OK(bp_network_set_optimizer(fresh, "momentum"));
        EXPECT_OK(bp_network_get_parameters(fresh, start, count_of(fresh)));
        train(used, 3);
        if (way == 0) EXPECT_OK(bp_network_initialize(used, 5));
        if (way == 1) EXPECT_OK(bp_network_set_batchnorm(used, 2, 1));
        if (way == 2) EXPECT_OK(bp_network_set_optimizer(used, "momentum"));
        if (way == 3) EXPECT_OK(bp_network_set_optimizer(used, "adam"));
        EXPECT_OK(bp_network_set_parameters(used, start, count_of(used)));
        train(used, 1);
        train(fresh, 1);
        EXPECT_OK(bp_network_get_parameters(used, weights, count_of(used)));
        EXPECT_OK(bp_network_get_parameters(fresh, start, count_of(fresh)));
        EXPECT(memcmp(weights, start, (INPUTS * UNITS + UNITS) * sizeof(float)) == 0);
        bp_network_free(used);
        bp_network_free(fresh);
    }
}

/* bp_network_set_batchnorm with the current setting changes nothing. */
static void setting_batch_normalization_to_its_current_value_keeps_the_state(void) {
    bp_network *network = prepared("adam");
    snapshot before;
    train(network, 3);
    before = snapshot_of(network);
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 5));
    EXPECT_OK(bp_network_set_batchnorm(network, 2, 0));
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
    bp_network_free(network);
}

/* Steps are refused after some successful steps, and on a network without steps: state, step count and parameters are
 * unchanged. */
static void refused_steps_change_nothing(void) {
    static float gradient[MOST], bad[ROWS * INPUTS];
    for (int i = 0; i < NAMES; i++)
        for (int steps = 0; steps < 4; steps += 3) {
            bp_network *network = prepared(names[i]);
            snapshot before;
            EXPECT_OK(bp_network_set_option(network, "clip_norm", 0));
            EXPECT_OK(bp_network_set_option(network, "clip_value", 0));
            EXPECT_OK(bp_network_set_option(network, "weight_decay", 0));
            train(network, steps);
            before = snapshot_of(network);

            memcpy(bad, x, sizeof bad);
            bad[4 * INPUTS + 1] = NAN;
            EXPECT_ERROR(bp_network_train_minibatch(network, bad, y, ROWS, 0.05f, NULL), BP_ERROR_NOT_FINITE);
            EXPECT_MESSAGE("row 4");
            EXPECT(snapshot_holds(before, network));

            EXPECT_ERROR(bp_network_train_minibatch(network, x, y, ROWS, -1, NULL), BP_ERROR_INVALID_VALUE);
            EXPECT_ERROR(bp_network_train_minibatch(network, x, y, ROWS, INFINITY, NULL), BP_ERROR_INVALID_VALUE);
            EXPECT(snapshot_holds(before, network));

            memset(gradient, 0, sizeof gradient);
            gradient[7] = INFINITY;
            EXPECT_ERROR(bp_network_apply_gradient(network, gradient, count_of(network), 0.05f), BP_ERROR_NOT_FINITE);
            EXPECT_MESSAGE("layer 1");
            EXPECT(snapshot_holds(before, network));

            /* Finite, but the step overflows. iRprop- uses only the signs. */
            if (strcmp(names[i], "irprop_minus") != 0) {
                int squares = strcmp(names[i], "rmsprop") == 0 || strncmp(names[i], "adam", 4) == 0;
                gradient[7] = 3e38f;
                EXPECT_ERROR(bp_network_apply_gradient(network, gradient, count_of(network), squares ? 0.05f : 1e3f),
                             BP_ERROR_NOT_FINITE);
                EXPECT(snapshot_holds(before, network));
            }
            free(before.bytes);
            bp_network_free(network);
        }
}

/* In layer 2 the step overflows, or the square of a gradient overflows, and the step divided by its root would be 0. */
static void refused_step_names_the_layer(void) {
    static const struct {
        const char *optimizer;
        float rate;
    } cases[] = {{"momentum", 1e3f}, {"nesterov", 1e3f}, {"rmsprop", 0.05f}, {"adam", 0.05f}, {"adamw", 0.05f}};
    static float gradient[MOST];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bp_network *network = check_network(sizes, 3, 5);
        size_t count;
        EXPECT_OK(bp_network_set_optimizer(network, cases[i].optimizer));
        EXPECT_OK(bp_network_parameter_count(network, &count));
        memset(gradient, 0, sizeof gradient);
        gradient[count - 1] = 3e38f;
        EXPECT_ERROR(bp_network_apply_gradient(network, gradient, count_of(network), cases[i].rate), BP_ERROR_NOT_FINITE);
        EXPECT_MESSAGE("the step of layer 2, or the optimizer's state after it, is not finite");
        bp_network_free(network);
    }
}

/* Gradients that exceed the bounds that prove a step finite, with steps that are finite nevertheless. */
static void huge_gradients_are_accepted_if_the_step_is_finite(void) {
    static float gradient[MOST], before[MOST], after[MOST];
    for (int i = 0; i < NAMES; i++) {
        bp_network *network = check_network(sizes, 3, 5);
        size_t count;
        EXPECT_OK(bp_network_parameter_count(network, &count));
        EXPECT_OK(bp_network_set_optimizer(network, names[i]));
        EXPECT_OK(bp_network_set_option(network, "l1", 1e-3));
        EXPECT_OK(bp_network_get_parameters(network, before, count_of(network)));
        for (size_t k = 0; k < count; k++) gradient[k] = k % 2 ? 1e18f : -1e18f;
        EXPECT_OK(bp_network_apply_gradient(network, gradient, count_of(network), 1e-18f));
        EXPECT_OK(bp_network_get_parameters(network, after, count_of(network)));
        for (size_t k = 0; k < count; k++) EXPECT(isfinite(after[k]) && fabsf(after[k] - before[k]) < 2);
        EXPECT_OK(bp_network_apply_gradient(network, gradient, count_of(network), 1e-18f));
        bp_network_free(network);
    }
}

static void clipping_keeps_a_step_along_a_huge_gradient_small(void) {
    static float gradient[MOST], before[MOST], after[MOST];
    bp_network *network = check_network(sizes, 3, 5);
    size_t count;
    double squares = 0;
    EXPECT_OK(bp_network_parameter_count(network, &count));
    EXPECT_OK(bp_network_set_option(network, "clip_norm", 2));
    EXPECT_OK(bp_network_get_parameters(network, before, count_of(network)));
    for (size_t k = 0; k < count; k++) gradient[k] = k % 2 ? 3e38f : -1e38f;
    EXPECT_OK(bp_network_apply_gradient(network, gradient, count_of(network), 1));
    EXPECT_OK(bp_network_get_parameters(network, after, count_of(network)));
    for (size_t k = 0; k < count; k++) squares += pow((double)after[k] - (double)before[k], 2);
    EXPECT_NEAR(sqrt(squares), 2, 1e-5);
    bp_network_free(network);
}

static void gamma_first_is_supported_by_sgd_only(void) {
    for (int i = 0; i < NAMES; i++) {
        bp_network *network = prepared(names[i]);
        snapshot before;
        EXPECT_OK(bp_network_set_option(network, "batchnorm_update", 1));
        before = snapshot_of(network);
        EXPECT_ERROR(bp_network_train_minibatch(network, x, y, ROWS, 0.05f, NULL), BP_ERROR_UNSUPPORTED);
        EXPECT_ERROR(bp_network_train_step(network, x, y, 0.05f, NULL), BP_ERROR_UNSUPPORTED);
        EXPECT(snapshot_holds(before, network));
        free(before.bytes);
        bp_network_free(network);
    }
}

/* Large enough for several threads. */
static void steps_have_the_same_bits_for_any_number_of_threads(void) {
    enum { WIDE = 160, MANY = 96 };
    const size_t wide[] = {WIDE, 200, 130, 10};
    const size_t counts[] = {2, 3, 8};
    static float inputs[MANY * WIDE], targets[MANY * 10];
    check_fill(inputs, MANY * WIDE, 3);
    check_fill(targets, MANY * 10, 4);
    for (int i = 0; i < 2 * NAMES; i++) {
        bp_network *alone = check_network(wide, 4, 1), *shared = NULL;
        EXPECT_OK(bp_network_set_batchnorm(alone, 2, 1));
        EXPECT_OK(bp_network_set_optimizer(alone, names[i % NAMES]));
        EXPECT_OK(bp_network_set_option(alone, "clip_norm", i < NAMES ? 1 : 0)); /* it needs all gradients before a step */
        EXPECT_OK(bp_network_set_option(alone, "weight_decay", 0.01));
        for (size_t k = 0; k < sizeof counts / sizeof counts[0]; k++) {
            bp_network *one = NULL;
            EXPECT_OK(bp_network_clone(alone, &one));
            EXPECT_OK(bp_network_clone(alone, &shared));
            for (int t = 0; t < 3; t++) {
                EXPECT_OK(bp_set_thread_count(1));
                EXPECT_OK(bp_network_train_minibatch(one, inputs, targets, MANY, 0.01f, NULL));
                EXPECT_OK(bp_set_thread_count(counts[k]));
                EXPECT_OK(bp_network_train_minibatch(shared, inputs, targets, MANY, 0.01f, NULL));
            }
            EXPECT(snapshot_equal(one, shared));
            bp_network_free(one);
            bp_network_free(shared);
        }
        bp_network_free(alone);
    }
    EXPECT_OK(bp_set_thread_count(0));
}

/* Each optimizer reduces the loss of a small regression to a hundredth. */
static void each_optimizer_learns(void) {
    const float rates[NAMES] = {0.5f, 0.05f, 0.05f, 0.01f, 0.02f, 0.02f, 0.01f};
    static float inputs[64 * INPUTS], targets[64 * OUTPUTS];
    check_fill(inputs, 64 * INPUTS, 11);
    for (int row = 0; row < 64; row++) {
        targets[row * 2] = inputs[row * 3] * inputs[row * 3 + 1];
        targets[row * 2 + 1] = inputs[row * 3 + 2] - 0.5f * inputs[row * 3];
    }
    for (int i = 0; i < NAMES; i++) {
        const size_t shape[] = {INPUTS, 16, OUTPUTS};
        bp_network *network = check_network(shape, 3, 2);
        float first, last;
        EXPECT_OK(bp_network_set_activation(network, 1, "tanh"));
        EXPECT_OK(bp_network_set_activation(network, 2, "identity"));
        EXPECT_OK(bp_network_set_option(network, "gradient_reduction", 1));
        EXPECT_OK(bp_network_set_optimizer(network, names[i]));
        EXPECT_OK(bp_network_evaluate(network, inputs, targets, 64, &first));
        for (int t = 0; t < 2000; t++) EXPECT_OK(bp_network_train_minibatch(network, inputs, targets, 64, rates[i], NULL));
        EXPECT_OK(bp_network_evaluate(network, inputs, targets, 64, &last));
        if (!EXPECT(last < first / 100)) printf("#   %s: from %g to %g\n", names[i], (double)first, (double)last);
        bp_network_free(network);
    }
}

int main(void) {
    check_fill(x, ROWS * INPUTS, 1);
    check_fill(y, ROWS * OUTPUTS, 2);
    CLAIM(irprop_minus_matches_its_paper);
    CLAIM(unknown_optimizers_are_refused_and_change_nothing);
    CLAIM(general_sgd_step_equals_the_fused_step);
    CLAIM(copies_and_loaded_networks_continue_bit_for_bit);
    CLAIM(gradient_then_apply_equals_the_step_of_every_optimizer);
    CLAIM(step_without_a_stored_gradient_equals_gradient_then_apply);
    CLAIM(steps_on_a_few_rows_equal_gradient_then_apply);
    CLAIM(refused_steps_on_one_row_change_nothing);
    CLAIM(averages_of_zeros_become_zero);
    CLAIM(settings_that_change_the_parameters_reset_the_state);
    CLAIM(setting_batch_normalization_to_its_current_value_keeps_the_state);
    CLAIM(refused_steps_change_nothing);
    CLAIM(refused_step_names_the_layer);
    CLAIM(huge_gradients_are_accepted_if_the_step_is_finite);
    CLAIM(clipping_keeps_a_step_along_a_huge_gradient_small);
    CLAIM(gamma_first_is_supported_by_sgd_only);
    CLAIM(steps_have_the_same_bits_for_any_number_of_threads);
    CLAIM(each_optimizer_learns);
    return check_end();
}
