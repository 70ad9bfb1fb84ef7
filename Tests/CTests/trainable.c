/* trainable.c: bp_network_check_settings, and the settings and targets that training refuses because they cannot be learned. */
#include "activations.h"
#include "check.h"

enum { ROWS = 40, INPUTS = 2, MOST_OUTPUTS = 3 };
static float x[ROWS * INPUTS], y[ROWS * MOST_OUTPUTS];
static const char *const activations[] = {
    "identity", "sign", "logistic", "tanh",         "relu",       "leaky_relu", "elu",  "softplus", "softsign", "silu",
    "gelu",     "selu", "mish",     "hard_sigmoid", "hard_swish", "relu6",      "sine", "gaussian", "softmax"};
static const char *const losses[] = {"squared_error", "binary_cross_entropy", "cross_entropy"};

static bp_network *network_of(const char *activation, const char *loss, size_t outputs) {
    const size_t sizes[] = {INPUTS, 4, outputs};
    bp_network *network = check_network(sizes, 3, 3);
    EXPECT_OK(bp_network_set_loss(network, loss));
    EXPECT_OK(bp_network_set_activation(network, 2, activation));
    return network;
}

/* The classes of the rows, one column for each class: 0 and 1. With several columns every row has a 1. */
static void make_classes(float *targets, size_t outputs) {
    for (size_t i = 0; i < ROWS * outputs; i++)
        targets[i] = outputs == 1 ? (float)(i % 3 == 0) : (float)(i % outputs == i / outputs % outputs);
}

static int32_t fit(bp_network *network, const float *targets, size_t rows, const float *weights, const float *validation) {
    bp_trainer *trainer = NULL;
    double loss = 7;
    int32_t status;
    EXPECT_OK(bp_trainer_create(&trainer));
    EXPECT_OK(bp_trainer_set_option(trainer, "epochs", 2));
    EXPECT_OK(bp_trainer_set_row_weights(trainer, weights, weights ? rows : 0));
    status = bp_trainer_fit(trainer, network, x, targets, rows, validation ? x : NULL, validation, validation ? rows : 0,
                            &loss);
    EXPECT(status == BP_OK || loss == 0);
    bp_trainer_free(trainer);
    return status;
}

/* Expects that all calls that compute the loss return `expected`, with the same message, and that the network is unchanged
 * unless the status is BP_OK. The trainer and the check return `of_fit`, which may be stricter. */
static void expect_from_all_calls(bp_network *network, const float *targets, size_t rows, int32_t expected, int32_t of_fit,
                                  const char *part) {
    float loss, gradient[64];
    size_t count = count_of(network);
    snapshot before = snapshot_of(network);
    for (int call = 0; call < 6; call++) {
        int32_t status = call == 0   ? bp_network_train_minibatch(network, x, targets, rows, 0.125f, &loss)
            : call == 1              ? bp_network_gradient(network, x, targets, rows, gradient, count, &loss)
            : call == 2              ? bp_network_evaluate(network, x, targets, rows, &loss)
            : call == 3 && rows == 1 ? bp_network_train_step(network, x, targets, 0.125f, &loss)
            : call == 3              ? expected
            : call == 4              ? bp_network_check_settings(network, targets, rows)
                                     : fit(network, targets, rows, NULL, NULL);
        int32_t wanted = call < 4 ? expected : of_fit;
        if (call == 3 && rows > 1) continue;
        if (!check_status(status, wanted, "call", __FILE__, __LINE__)) printf("#   call %d of \"%s\"\n", call, part);
        if (wanted != BP_OK &&
            !check_expect(strstr(bp_last_error_message(), part) != NULL, bp_last_error_message(), part, call))
            break;
        if (expected != BP_OK && wanted != BP_OK) EXPECT(call == 4 || call == 5 || loss == 0);
        if (wanted != BP_OK) EXPECT(expected == BP_OK || snapshot_holds(before, network));
    }
    free(before.bytes);
}

/* ---- Loss and last activation */

static int go_together(const char *activation, const char *loss, size_t outputs) {
    if (strcmp(activation, "softmax") == 0) return outputs > 1 && strcmp(loss, "binary_cross_entropy") != 0;
    return strcmp(loss, "squared_error") == 0 ||
        (strcmp(loss, "binary_cross_entropy") == 0 && strcmp(activation, "logistic") == 0);
}

static void loss_that_does_not_go_with_the_last_activation_is_refused(void) {
    for (size_t a = 0; a < sizeof activations / sizeof activations[0]; a++)
        for (size_t l = 0; l < 3; l++)
            for (size_t outputs = 1; outputs <= 3; outputs++)
                for (size_t rows = 1; rows <= ROWS; rows += ROWS - 1) {
                    bp_network *network = network_of(activations[a], losses[l], outputs);
                    make_classes(y, outputs);
                    if (go_together(activations[a], losses[l], outputs)) {
                        expect_from_all_calls(network, y, rows, BP_OK, BP_OK, activations[a]);
                        EXPECT_OK(bp_network_check_settings(network, NULL, 0));
                    } else {
                        expect_from_all_calls(network, y, rows, BP_ERROR_INVALID_VALUE, BP_ERROR_INVALID_VALUE,
                                              ": set activation \"");
                        EXPECT_ERROR(bp_network_check_settings(network, NULL, 0), BP_ERROR_INVALID_VALUE);
                    }
                    bp_network_free(network);
                }
}

static void class_numbers_in_one_column_get_advice_for_classes(void) {
    static const struct {
        const char *activation, *loss;
        float targets[4];
        int has_advice;
    } cases[] = {
        {"logistic", "binary_cross_entropy", {0, 1, 2, 1}, 1},
        {"logistic", "squared_error", {0, 1, 2, 1}, 1},
        {"tanh", "squared_error", {3, 1, 2, 0}, 1},
        {"logistic", "squared_error", {0, 1, 2.5f, 1}, 0},
        {"logistic", "squared_error", {0, -1, 2, 1}, 0},
        {"logistic", "squared_error", {0, 1, 20000, 1}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bp_network *network = network_of(cases[i].activation, cases[i].loss, 1);
        EXPECT_ERROR(bp_network_check_settings(network, cases[i].targets, 4), BP_ERROR_INVALID_VALUE);
        if (!EXPECT(!strstr(bp_last_error_message(), "one output for each class") == !cases[i].has_advice))
            printf("#   %s\n", bp_last_error_message());
        bp_network_free(network);
    }
}

static void message_names_settings_that_go_together(void) {
    static const struct {
        const char *activation, *loss;
        size_t outputs;
        const char *message;
    } cases[] = {
        {"identity", "binary_cross_entropy", 2,
         "loss \"binary_cross_entropy\" does not go with \"identity\" in layer 2: set activation \"logistic\" there, or loss "
         "\"squared_error\""},
        {"softmax", "binary_cross_entropy", 2,
         "loss \"binary_cross_entropy\" does not go with \"softmax\" in layer 2: set activation \"logistic\" there, or loss "
         "\"cross_entropy\""},
        {"logistic", "cross_entropy", 2,
         "loss \"cross_entropy\" does not go with \"logistic\" in layer 2: set activation \"softmax\" there, or loss "
         "\"binary_cross_entropy\""},
        {"relu", "cross_entropy", 3,
         "loss \"cross_entropy\" does not go with \"relu\" in layer 2: set activation \"softmax\" there, or loss "
         "\"squared_error\""},
        {"logistic", "cross_entropy", 1,
         "loss \"cross_entropy\" does not go with one output: set activation \"logistic\" and loss "
         "\"binary_cross_entropy\" for two classes; more classes need one output for each class, and targets of 1 in the "
         "column "
         "of the row's class and 0 elsewhere"},
        {"softmax", "cross_entropy", 1,
         "layer 2 has one unit, for which \"softmax\" is always 1: set activation \"logistic\" and loss "
         "\"binary_cross_entropy\" for two classes; more classes need one output for each class, and targets of 1 in the "
         "column "
         "of the row's class and 0 elsewhere"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bp_network *network = network_of(cases[i].activation, cases[i].loss, cases[i].outputs);
        EXPECT_ERROR(bp_network_check_settings(network, NULL, 0), BP_ERROR_INVALID_VALUE);
        if (!EXPECT(strcmp(bp_last_error_message(), cases[i].message) == 0)) printf("#   %s\n", bp_last_error_message());
        bp_network_free(network);
    }
}

static void hidden_layer_of_one_softmax_unit_is_refused(void) {
    const size_t sizes[] = {INPUTS, 1, 2};
    bp_network *network = check_network(sizes, 3, 1);
    make_classes(y, 2);
    EXPECT_OK(bp_network_set_activation(network, 1, "softmax"));
    expect_from_all_calls(network, y, ROWS, BP_ERROR_INVALID_VALUE, BP_ERROR_INVALID_VALUE,
                          "layer 1 has one unit, for which \"softmax\" is always 1: set another activation");
    bp_network_free(network);
}

/* A setter does not check the combination, which the next setter can still correct. Each setter takes effect at once, also
 * after earlier calls. */
static void settings_are_checked_when_they_are_used(void) {
    for (size_t rows = 1; rows <= ROWS; rows += ROWS - 1) {
        bp_network *network = network_of("softmax", "cross_entropy", 2);
        float gradient[64] = {0};
        make_classes(y, 2);
        EXPECT_OK(bp_network_train_minibatch(network, x, y, rows, 0.125f, NULL));
        EXPECT_OK(bp_network_set_loss(network, "binary_cross_entropy"));
        EXPECT_ERROR(bp_network_train_minibatch(network, x, y, rows, 0.125f, NULL), BP_ERROR_INVALID_VALUE);
        EXPECT_OK(bp_network_apply_gradient(network, gradient, count_of(network),
                                            0.125f)); /* computes no loss, and allocates buffers */
        EXPECT_ERROR(bp_network_train_minibatch(network, x, y, rows, 0.125f, NULL), BP_ERROR_INVALID_VALUE);
        EXPECT_OK(bp_network_set_activation(network, 2, "logistic"));
        EXPECT_OK(bp_network_train_minibatch(network, x, y, rows, 0.125f, NULL));
        EXPECT_OK(bp_network_set_activation(network, 2, "identity"));
        EXPECT_ERROR(bp_network_train_minibatch(network, x, y, rows, 0.125f, NULL), BP_ERROR_INVALID_VALUE);
        EXPECT_OK(bp_network_set_loss(network, "squared_error"));
        EXPECT_OK(bp_network_train_minibatch(network, x, y, rows, 0.125f, NULL));
        bp_network_free(network);
    }
    { /* the plan for few rows exists before a loss was computed */
        const size_t sizes[] = {INPUTS, 1};
        bp_network *network = check_network(sizes, 2, 1);
        float gradient[3] = {0};
        EXPECT_OK(bp_network_set_activation(network, 1, "softmax"));
        EXPECT_OK(bp_network_set_loss(network, "cross_entropy"));
        EXPECT_OK(bp_network_apply_gradient(network, gradient, count_of(network), 0.125f));
        EXPECT_ERROR(bp_network_train_step(network, x, y, 0.125f, NULL), BP_ERROR_INVALID_VALUE);
        bp_network_free(network);
    }
}

static void model_with_refused_settings_loads_and_predicts(void) {
    bp_network *network = network_of("identity", "cross_entropy", 2), *copy = NULL;
    snapshot bytes = snapshot_of(network);
    float outputs[2];
    EXPECT_OK(bp_network_load_memory(bytes.bytes, bytes.count, &copy));
    EXPECT_OK(bp_network_predict(copy, x, 1, outputs));
    make_classes(y, 2);
    EXPECT_ERROR(bp_network_train_step(copy, x, y, 0.125f, NULL), BP_ERROR_INVALID_VALUE);
    EXPECT(snapshot_holds(bytes, copy));
    free(bytes.bytes);
    bp_network_free(network);
    bp_network_free(copy);
}

/* Its range is 0 to 1, but the library has no range for it. */
static float half_bend(float z, void *user_data) { return 0.5f + bend(z, user_data) / 2; }

static void registered_activations_go_with_every_loss(void) {
    EXPECT_OK(bp_activation_register_scalar("trainable.half", half_bend, NULL, NULL, NULL));
    for (size_t l = 0; l < 3; l++)
        for (size_t outputs = 1; outputs <= 3; outputs++) {
            bp_network *network = network_of("trainable.half", losses[l], outputs);
            make_classes(y, outputs);
            EXPECT_OK(bp_network_check_settings(network, y, ROWS));
            expect_from_all_calls(network, y, ROWS, BP_OK, BP_OK, losses[l]);
            y[0] = l == 0 ? 1000 : 1;
            EXPECT_OK(bp_network_check_settings(network, y, ROWS));
            bp_network_free(network);
        }
    EXPECT_OK(bp_activation_unregister("trainable.half"));
}

/* The gradient can be checked for all combinations, also those that training refuses. */
static void check_gradient_accepts_every_loss_activation_and_target(void) {
    static const char *const bounded[] = {"logistic", "softmax"};
    for (size_t a = 0; a < 2; a++)
        for (size_t l = 0; l < 3; l++) {
            bp_network *network = network_of(bounded[a], losses[l], 2);
            double worst = 1;
            make_classes(y, 2);
            y[0] = -0.5f, y[1] = 1.75f;
            EXPECT_OK(bp_network_check_gradient(network, x, y, ROWS, &worst));
            EXPECT_NEAR(worst, 0, 1e-2);
            bp_network_free(network);
        }
}

/* ---- Targets that a loss is not defined for */

static bp_network *classifier(int binary, int way) {
    bp_network *network = network_of(binary ? "logistic" : "softmax", losses[binary ? 1 : 2], 3);
    if (way == 1) EXPECT_OK(bp_network_set_optimizer(network, "adam"));
    if (way == 2) EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    if (way == 3) EXPECT_OK(bp_network_fit_scaling(network, "standard", "none", x, NULL, ROWS));
    return network;
}

static void targets_outside_a_cross_entropys_domain_are_refused_with_row_and_column(void) {
    const float bad[2][4] = {{-1, -1e-5f, -0.5f, -1e30f}, {2, -1e-5f, 1.00001f, -1}};
    const char *const words[2][4] = {{" is -1,", " is -1e-05,", " is -0.5,", " is -1e+30,"},
                                     {" is 2,", " is -1e-05,", " is 1.00001,", " is -1,"}};
    for (int binary = 0; binary < 2; binary++)
        for (int way = 0; way < 4; way++) /* with the kernel for few rows and with the general code */
            for (size_t rows = 1; rows <= ROWS; rows = rows < 4 ? rows + 1 : rows == 4 ? ROWS : ROWS + 1)
                for (int i = 0; i < 4; i++) {
                    bp_network *network = classifier(binary, way);
                    char message[128];
                    make_classes(y, 3);
                    y[3 * rows - 2] = bad[binary][i];
                    sprintf(message, "targets: row %d, column 1%s and loss \"%s\" accepts targets of 0", (int)rows - 1,
                            words[binary][i], losses[binary ? 1 : 2]);
                    expect_from_all_calls(network, y, rows, BP_ERROR_INVALID_VALUE, BP_ERROR_INVALID_VALUE, message);
                    y[3 * rows - 2] = NAN; /* has a different status */
                    expect_from_all_calls(network, y, rows, BP_ERROR_NOT_FINITE, BP_ERROR_NOT_FINITE, "");
                    y[3 * rows - 2] = 0;
                    expect_from_all_calls(network, y, rows, BP_OK, BP_OK, "");
                    bp_network_free(network);
                }
}

static void targets_in_a_cross_entropys_domain_are_accepted(void) {
    for (int binary = 0; binary < 2; binary++)
        for (int way = 0; way < 4; way++)
            for (size_t rows = 1; rows <= ROWS; rows += ROWS - 1) {
                const float good[] = {0, 1, 0.5f, 0.25f, 1.0000001f, -1e-7f, -0.0f, 1e-30f};
                bp_network *network = classifier(binary, way);
                for (int i = 0; i < 3 * ROWS; i++) y[i] = good[(i + i / 8) % 8]; /* rows with any sum */
                expect_from_all_calls(network, y, rows, BP_OK, BP_OK, "");
                for (int i = 0; i < 3 * ROWS; i++) y[i] = binary ? 0.95f : i % 7; /* smoothed labels; weights above 1 */
                expect_from_all_calls(network, y, rows, BP_OK, BP_OK, "");
                memset(y, 0, sizeof y); /* rows of zeros */
                expect_from_all_calls(network, y, rows, BP_OK, BP_OK, "");
                bp_network_free(network);
            }
}

static void validation_targets_outside_the_losss_domain_are_refused(void) {
    for (int binary = 0; binary < 2; binary++) {
        float other[ROWS * 3];
        bp_network *network = classifier(binary, 0);
        snapshot before = snapshot_of(network);
        make_classes(y, 3);
        make_classes(other, 3);
        other[17] = -2;
        EXPECT_ERROR(fit(network, y, ROWS, NULL, other), BP_ERROR_INVALID_VALUE);
        EXPECT_MESSAGE("validation_targets: row 5, column 2 is -2");
        EXPECT(snapshot_holds(before, network));
        other[17] = 0;
        EXPECT_OK(fit(network, y, ROWS, NULL, other));
        free(before.bytes);
        bp_network_free(network);
    }
}

static void rows_of_weight_0_can_have_any_target(void) {
    static const float none[ROWS];
    float weights[ROWS];
    for (int i = 0; i < ROWS; i++) weights[i] = i % 2 ? 1.5f : 0;
    for (int kind = 0; kind < 3; kind++) {
        bp_network *network = kind < 2 ? classifier(kind, 0) : network_of("logistic", "squared_error", 3);
        make_classes(y, 3);
        for (int i = 0; i < ROWS; i += 2) y[3 * i + 1] = -999;
        EXPECT_OK(fit(network, y, ROWS, weights, NULL));
        y[3 * 7] = -999;
        EXPECT_ERROR(fit(network, y, ROWS, weights, NULL), BP_ERROR_INVALID_VALUE);
        EXPECT_MESSAGE("targets: row 7, column 0 is -999");
        EXPECT_OK(fit(network, y, ROWS, none, NULL));
        bp_network_free(network);
    }
}

/* ---- Targets outside the range of the last activation */

static void fit_refuses_targets_outside_the_range_of_the_last_activation(void) {
    static const struct {
        const char *activation;
        float low, high;  /* the range of the targets */
        const char *part; /* part of the message; NULL if the targets are accepted */
    } cases[] = {
        {"logistic", 3, 6,
         " is 6, and \"logistic\" in layer 2 outputs 0 to 1: set activation \"identity\" there, or fit target scaling "
         "\"auto\""},
        {"logistic", -1, 1, " is -1, and \"logistic\" in layer 2 outputs 0 to 1"},
        {"logistic", 0, 1, NULL},
        {"logistic", 2, 2, " is 2,"},
        {"logistic", 1.000001f, 1.000001f, NULL},
        {"softmax", 0, 2, " is 2, and \"softmax\" in layer 2 outputs 0 to 1"},
        {"softmax", 0, 1, NULL},
        {"sign", -1, 1, NULL},
        {"sign", 0, 1, NULL},
        {"sign", 0, 2, " outputs -1 to 1"},
        {"tanh", -1, 1, NULL},
        {"tanh", -3, 1, " is -3, and \"tanh\" in layer 2 outputs -1 to 1"},
        {"softsign", -1, 3, " is 3,"},
        {"relu", 0, 1e6f, NULL},
        {"relu", -1, 1, " is -1, and \"relu\" in layer 2 outputs 0 or more"},
        {"softplus", 0, 1e6f, NULL},
        {"softplus", -1, 1, " outputs 0 or more"},
        {"elu", -1, 5, NULL},
        {"elu", -3, 5, " is -3, and \"elu\" in layer 2 outputs -1 or more"},
        {"silu", -0.278f, 1, NULL},
        {"silu", -1, 1, " outputs -0.27846"},
        {"gelu", -0.169f, 1, NULL},
        {"gelu", -1, 1, " outputs -0.16997"},
        {"selu", -1.75f, 1, NULL},
        {"selu", -3, 1, " outputs -1.75809"},
        {"mish", -1, 1, " outputs -0.30884"},
        {"hard_sigmoid", -1, 1, " outputs 0 to 1"},
        {"hard_swish", -0.37f, 1, NULL},
        {"hard_swish", -1, 1, " outputs -0.375 or more"},
        {"relu6", 0, 6, NULL},
        {"relu6", 0, 9, " outputs 0 to 6"},
        {"sine", -1, 1, NULL},
        {"sine", -1, 3, " outputs -1 to 1"},
        {"gaussian", -1, 1, " outputs 0 to 1"},
        {"identity", -1e6f, 1e6f, NULL},
        {"leaky_relu", -1e6f, 1e6f, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bp_network *network = network_of(cases[i].activation, "squared_error", 2);
        float scale = fmaxf(1, fabsf(cases[i].high));
        EXPECT_OK(bp_network_set_option(network, "clip_norm", (double)(1 / scale)));
        for (int k = 0; k < 2 * ROWS; k++) y[k] = k % 3 == 0 ? cases[i].low : cases[i].high;
        /* A single step accepts all targets. */
        expect_from_all_calls(network, y, ROWS, BP_OK, cases[i].part ? BP_ERROR_INVALID_VALUE : BP_OK,
                              cases[i].part ? cases[i].part : "");
        bp_network_free(network);
    }
}

/* By up to a tenth of maximum - minimum, for each column. */
static void targets_can_exceed_the_range_of_the_last_activation_by_a_tenth(void) {
    float other[2 * ROWS];
    bp_network *network = network_of("logistic", "squared_error", 2);
    make_classes(y, 2);
    y[5] = 1.05f, y[9] = -0.05f;
    EXPECT_OK(fit(network, y, ROWS, NULL, NULL));
    y[9] = -0.12f; /* the tolerance is a tenth of 1.17 */
    EXPECT_ERROR(fit(network, y, ROWS, NULL, NULL), BP_ERROR_INVALID_VALUE);
    EXPECT_MESSAGE("targets: row 4, column 1 is -0.12, and \"logistic\"");
    y[9] = 0;
    memcpy(other, y, sizeof other);
    other[7] = 30; /* validation rows are not checked */
    EXPECT_OK(fit(network, y, ROWS, NULL, other));
    y[8] = 30; /* row 4: the message names the largest deviation */
    EXPECT_ERROR(fit(network, y, ROWS, NULL, NULL), BP_ERROR_INVALID_VALUE);
    EXPECT_MESSAGE("targets: row 4, column 0 is 30");
    bp_network_free(network);
}

/* ---- Scaling */

static void scaled_targets_are_checked(void) {
    bp_network *network = network_of("logistic", "squared_error", 1);
    for (int i = 0; i < ROWS; i++) y[i] = 500 + 100 * x[2 * i];
    EXPECT_ERROR(bp_network_check_settings(network, y, ROWS), BP_ERROR_INVALID_VALUE);
    EXPECT_OK(bp_network_fit_scaling(network, "none", "min_max", NULL, y, ROWS));
    EXPECT_OK(bp_network_check_settings(network, y, ROWS));
    EXPECT_OK(fit(network, y, ROWS, NULL, NULL));
    y[3] = 5000;
    EXPECT_ERROR(fit(network, y, ROWS, NULL, NULL), BP_ERROR_INVALID_VALUE);
    EXPECT_MESSAGE("targets: row 3, column 0 is 5000, scaled 23.3");
    EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.01f, NULL));

    /* Classes 1 and 2 become 0 and 1. */
    EXPECT_OK(bp_network_set_loss(network, "binary_cross_entropy"));
    for (int i = 0; i < ROWS; i++) y[i] = 1 + (float)(i % 2);
    expect_from_all_calls(network, y, ROWS, BP_ERROR_INVALID_VALUE, BP_ERROR_INVALID_VALUE, ", scaled -");
    EXPECT_OK(bp_network_fit_scaling(network, "none", "min_max", NULL, y, ROWS));
    expect_from_all_calls(network, y, ROWS, BP_OK, BP_OK, "");
    for (size_t rows = 1; rows <= ROWS; rows += ROWS - 1) {
        y[rows - 1] = 3;
        expect_from_all_calls(network, y, rows, BP_ERROR_INVALID_VALUE, BP_ERROR_INVALID_VALUE,
                              "column 0 is 3, scaled 2, and loss");
        y[rows - 1] = 1;
    }
    bp_network_free(network);
}

static void target_scaling_around_0_needs_an_activation_with_values_below_0(void) {
    static const char *const around[] = {"standard", "symmetric"};
    static const char *const positives[] = {"logistic", "relu", "softplus", "hard_sigmoid", "relu6", "gaussian", "softmax"};
    for (size_t a = 0; a < sizeof activations / sizeof activations[0]; a++)
        for (size_t l = 0; l < 3; l++)
            for (int s = 0; s < 2; s++) {
                const char *name = activations[a];
                bp_network *network = network_of(name, losses[l], 2);
                int positive = 0;
                for (size_t p = 0; p < sizeof positives / sizeof positives[0]; p++) positive |= strcmp(name, positives[p]) == 0;
                make_classes(y, 2);
                EXPECT_OK(bp_network_fit_scaling(network, "none", around[s], NULL, y, ROWS));
                if (!go_together(name, losses[l], 2) || l > 0 || positive)
                    EXPECT_ERROR(bp_network_check_settings(network, NULL, 0), BP_ERROR_INVALID_VALUE);
                else EXPECT_OK(bp_network_check_settings(network, NULL, 0));
                if (go_together(name, losses[l], 2) && (l > 0 || positive)) {
                    EXPECT_MESSAGE("gives targets below 0");
                    EXPECT_MESSAGE("fit target scaling \"auto\"");
                    EXPECT_ERROR(fit(network, y, ROWS, NULL, NULL), BP_ERROR_INVALID_VALUE);
                    EXPECT_OK(bp_network_fit_scaling(network, "none", "auto", NULL, y, ROWS));
                    EXPECT_OK(fit(network, y, ROWS, NULL, NULL));
                }
                bp_network_free(network);
            }
}

/* "auto" selects the scaling of the header's table. */
static void automatic_scaling_follows_the_last_activation_and_the_loss(void) {
    static const char *const expected[] = {"standard", "symmetric", "min_max",   "symmetric", "min_max", "standard", "min_max",
                                           "min_max",  "symmetric", "min_max",   "min_max",   "min_max", "min_max",  "min_max",
                                           "min_max",  "min_max",   "symmetric", "min_max",   "min_max"};
    EXPECT_OK(bp_activation_register_scalar("trainable.bend", bend, bend_slope, NULL, NULL));
    for (int i = 0; i < 2 * ROWS; i++) y[i] = 50 + 20 * x[i % (INPUTS * ROWS)];
    for (size_t a = 0; a <= sizeof activations / sizeof activations[0]; a++)
        for (size_t l = 0; l < 3; l++) {
            int last = a == sizeof activations / sizeof activations[0];
            const char *name = last ? "trainable.bend" : activations[a];
            bp_network *network = network_of(name, losses[l], 2), *other = network_of(name, losses[l], 2);
            EXPECT_OK(bp_network_fit_scaling(network, "auto", "auto", x, y, ROWS));
            EXPECT_OK(bp_network_fit_scaling(other, "standard", l > 0 ? "none" : last ? "min_max" : expected[a], x, y, ROWS));
            EXPECT(snapshot_equal(network, other));
            if (l == 0 && strcmp(name, "softmax") != 0) EXPECT_OK(fit(network, y, ROWS, NULL, NULL));
            bp_network_free(network);
            bp_network_free(other);
        }
    EXPECT_OK(bp_activation_unregister("trainable.bend"));
}

/* ---- The rest of the check */

static void gamma_before_weights_is_refused_without_sgd(void) {
    bp_network *network = network_of("logistic", "squared_error", 2);
    snapshot before;
    make_classes(y, 2);
    EXPECT_OK(bp_network_set_option(network, "batchnorm_update", 1));
    EXPECT_OK(bp_network_check_settings(network, y, ROWS));
    EXPECT_OK(bp_network_set_optimizer(network, "adam"));
    before = snapshot_of(network);
    EXPECT_ERROR(bp_network_check_settings(network, y, ROWS), BP_ERROR_UNSUPPORTED);
    EXPECT_MESSAGE("batchnorm_update");
    EXPECT_ERROR(fit(network, y, ROWS, NULL, NULL), BP_ERROR_UNSUPPORTED);
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
    bp_network_free(network);
}

static void bad_arguments_of_the_check_are_refused(void) {
    bp_network *network = network_of("logistic", "squared_error", 2);
    make_classes(y, 2);
    EXPECT_ERROR(bp_network_check_settings(NULL, NULL, 0), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_network_check_settings(network, NULL, 1), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_network_check_settings(network, y, SIZE_MAX / 2), BP_ERROR_LIMIT);
    EXPECT_ERROR(bp_network_check_settings(network, y, SIZE_MAX), BP_ERROR_LIMIT);
    EXPECT_OK(bp_network_check_settings(network, y, 0));
    y[7] = NAN;
    EXPECT_ERROR(bp_network_check_settings(network, y, ROWS), BP_ERROR_NOT_FINITE);
    EXPECT_MESSAGE("targets: row 3, column 1 is NaN");
    bp_network_free(network);
    EXPECT_ERROR(bp_network_check_settings(network, y, 1), BP_ERROR_INVALID_HANDLE);
}

int main(void) {
    check_fill(x, ROWS * INPUTS, 1);
    CLAIM(loss_that_does_not_go_with_the_last_activation_is_refused);
    CLAIM(message_names_settings_that_go_together);
    CLAIM(class_numbers_in_one_column_get_advice_for_classes);
    CLAIM(hidden_layer_of_one_softmax_unit_is_refused);
    CLAIM(settings_are_checked_when_they_are_used);
    CLAIM(model_with_refused_settings_loads_and_predicts);
    CLAIM(registered_activations_go_with_every_loss);
    CLAIM(check_gradient_accepts_every_loss_activation_and_target);
    CLAIM(targets_outside_a_cross_entropys_domain_are_refused_with_row_and_column);
    CLAIM(targets_in_a_cross_entropys_domain_are_accepted);
    CLAIM(validation_targets_outside_the_losss_domain_are_refused);
    CLAIM(rows_of_weight_0_can_have_any_target);
    CLAIM(fit_refuses_targets_outside_the_range_of_the_last_activation);
    CLAIM(targets_can_exceed_the_range_of_the_last_activation_by_a_tenth);
    CLAIM(scaled_targets_are_checked);
    CLAIM(target_scaling_around_0_needs_an_activation_with_values_below_0);
    CLAIM(automatic_scaling_follows_the_last_activation_and_the_loss);
    CLAIM(gamma_before_weights_is_refused_without_sgd);
    CLAIM(bad_arguments_of_the_check_are_refused);
    return check_end();
}
