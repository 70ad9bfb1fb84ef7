/* losses.c: the three losses, also where logarithms overflow, and bp_network_check_gradient. */
#include "activations.h"
#include "mirror.h"

/* ---- Values and gradients, with every output layer that goes with the loss */

/* softmax and logistic as registered activations: the library computes their losses from a, not from z, and accepts them with
 * both cross-entropies. */
static int32_t host_softmax(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    (void)user_data;
    for (size_t row = 0; row < rows; row++, z += columns, a += columns) {
        float sum = 0;
        for (size_t k = 0; k < columns; k++) sum += expf(z[k]);
        for (size_t k = 0; k < columns; k++) a[k] = expf(z[k]) / sum;
    }
    return 0;
}
static int32_t host_softmax_back(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                                 void *user_data) {
    (void)z, (void)user_data;
    for (size_t row = 0; row < rows; row++, a += columns, da += columns, dz += columns) {
        float common = 0;
        for (size_t k = 0; k < columns; k++) common += da[k] * a[k];
        for (size_t k = 0; k < columns; k++) dz[k] = a[k] * (da[k] - common);
    }
    return 0;
}
static float host_logistic(float z, void *user_data) { return (void)user_data, 1 / (1 + expf(-z)); }
static float host_logistic_slope(float z, float a, void *user_data) { return (void)z, (void)user_data, a * (1 - a); }

static void losses_and_their_gradients_match_plain_double_loops(void) {
    static const int size[] = {5, 8, 6};
    static const struct {
        int loss, activation;
        const char *registered; /* the registered activation to use instead, or NULL */
    } kinds[] = {{REF_SQUARED_ERROR, REF_SOFTMAX, NULL},
                 {REF_SQUARED_ERROR, REF_IDENTITY, NULL},
                 {REF_BINARY_CROSS_ENTROPY, REF_LOGISTIC, NULL},
                 {REF_BINARY_CROSS_ENTROPY, REF_LOGISTIC, "host.logistic"},
                 {REF_BINARY_CROSS_ENTROPY, REF_SOFTMAX, "host.softmax"},
                 {REF_CROSS_ENTROPY, REF_SOFTMAX, NULL},
                 {REF_CROSS_ENTROPY, REF_SOFTMAX, "host.softmax"},
                 {REF_CROSS_ENTROPY, REF_LOGISTIC, "host.logistic"}};
    static reference r;
    float x[9 * 5], y[9 * 6];
    check_fill(x, 45, 1);
    check_fill(y, 54, 2);
    for (int i = 0; i < 54; i++) y[i] *= y[i]; /* any values in [0, 1], not one-hot */
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++)
        for (int mean = 0; mean < 2; mean++)
            for (int rows = 1; rows <= 9; rows += 8) {
                bp_network *network;
                float loss = 0;
                ref_init(&r, 3, size);
                r.activation[1] = REF_TANH, r.activation[2] = kinds[kind].activation;
                r.loss = kinds[kind].loss, r.mean_reduction = mean;
                network = mirror(&r, 1, 3);
                if (kinds[kind].registered) EXPECT_OK(bp_network_set_activation(network, 2, kinds[kind].registered));
                EXPECT_OK(bp_network_evaluate(network, x, y, (size_t)rows, &loss));
                EXPECT_NEAR(loss, ref_evaluate(&r, x, y, rows), 2e-5);
                if (!mirror_training_agrees(network, &r, x, y, rows, 3, 0.0625f, 1e-5))
                    printf("#   %s of %s, mean %d, %d rows\n", ref_loss_names[kinds[kind].loss],
                           ref_activation_names[kinds[kind].activation], mean, rows);
                bp_network_free(network);
            }
}

static bp_network *unit(const char *activation, const char *loss) {
    const size_t sizes[] = {1, 1};
    const float through[] = {1, 0}; /* z = x */
    bp_network *network = check_network(sizes, 2, 1);
    EXPECT_OK(bp_network_set_activation(network, 1, activation));
    EXPECT_OK(bp_network_set_loss(network, loss));
    EXPECT_OK(bp_network_set_parameters(network, through, count_of(network)));
    return network;
}

static double loss_at(const bp_network *network, float x, float y) {
    float loss = -1;
    EXPECT_OK(bp_network_evaluate(network, &x, &y, 1, &loss));
    return (double)loss;
}

/* The library clamps logarithms to at least -100. */
static void logarithms_of_zero_are_minus_100(void) {
    bp_network *network = unit("host.pass", "binary_cross_entropy");
    EXPECT_NEAR(loss_at(network, 0, 1), 100, 1e-5);
    EXPECT_NEAR(loss_at(network, 1, 0), 100, 1e-5);
    EXPECT_NEAR(loss_at(network, 0, 0.5f), 50, 1e-5);
    EXPECT_NEAR(loss_at(network, 0, 0), 0, 1e-6);
    EXPECT_NEAR(loss_at(network, 0.5f, 1), log(2.0), 1e-6);
    bp_network_free(network);
    network = unit("host.pass", "cross_entropy");
    EXPECT_NEAR(loss_at(network, 0, 1), 100, 1e-5);
    EXPECT_NEAR(loss_at(network, 0.25f, 2), 2 * log(4.0), 1e-6);
    bp_network_free(network);
}

/* With logistic or softmax outputs the cross-entropies are computed from z and have no such bound:
 * -log logistic(-500) = log(1 + e^500) = 500. */
static void cross_entropies_of_logistic_and_softmax_have_no_bound(void) {
    const size_t sizes[] = {1, 2};
    const float parameters[] = {1, -1, 0, 0}, x = 300, y[] = {0, 1};
    float loss = 0, after[4];
    bp_network *network = unit("logistic", "binary_cross_entropy");
    EXPECT_NEAR(loss_at(network, -500, 1), 500, 1e-4);
    EXPECT_NEAR(loss_at(network, 500, 0), 500, 1e-4);
    EXPECT_NEAR(loss_at(network, 500, 1), 0, 1e-6);
    EXPECT_NEAR(loss_at(network, 0, 1), log(2.0), 1e-6);
    bp_network_free(network);
    network = check_network(sizes, 2, 1); /* z = (300, -300): -log softmax_1 = 600 */
    EXPECT_OK(bp_network_set_activation(network, 1, "softmax"));
    EXPECT_OK(bp_network_set_loss(network, "cross_entropy"));
    EXPECT_OK(bp_network_set_parameters(network, parameters, count_of(network)));
    EXPECT_OK(bp_network_evaluate(network, &x, y, 1, &loss));
    EXPECT_NEAR(loss, 600, 1e-4);
    /* The gradient with respect to z is a - y = (1, -1) for any z, without 0 times infinity. */
    EXPECT_OK(bp_network_train_step(network, &x, y, 0.001f, &loss));
    EXPECT_OK(bp_network_get_parameters(network, after, count_of(network)));
    EXPECT_NEAR(loss, 600, 1e-4);
    EXPECT_NEAR(after[0], 1 - 0.3, 1e-5);
    EXPECT_NEAR(after[1], -1 + 0.3, 1e-5);
    EXPECT_NEAR(after[2], -0.001, 1e-7);
    EXPECT_NEAR(after[3], 0.001, 1e-7);
    bp_network_free(network);
}

static void saturated_logistic_still_learns_from_binary_cross_entropy(void) {
    const float x = -200, y = 1;
    float after[2], loss = 0;
    bp_network *network = unit("logistic", "binary_cross_entropy");
    EXPECT_OK(bp_network_train_step(network, &x, &y, 0.001f, &loss)); /* gradient with respect to z: a - y = -1 */
    EXPECT_OK(bp_network_get_parameters(network, after, count_of(network)));
    EXPECT_NEAR(loss, 200, 1e-4);
    EXPECT_NEAR(after[0], 1 - 0.2, 1e-6);
    EXPECT_NEAR(after[1], 0.001, 1e-8);
    bp_network_free(network);
}

/* ---- bp_network_check_gradient */

/* 1.7159 tanh(2z/3), and its derivative with and without the factor of the inner function. */
static float scaled_tanh(float z, void *user_data) {
    (void)user_data;
    return 1.7159f * tanhf(z * 2 / 3);
}
static float right_derivative(float z, float a, void *user_data) {
    (void)z, (void)user_data;
    return 1.7159f * 2 / 3 * (1 - a / 1.7159f * (a / 1.7159f));
}
static float wrong_derivative(float z, float a, void *user_data) { return right_derivative(z, a, user_data) * 3 / 2; }

static bp_network *to_be_checked(const char *activation, int norm) {
    static const int size[] = {4, 7, 5, 3};
    static reference r;
    bp_network *network;
    ref_init(&r, 4, size);
    for (int l = 1; l < 3; l++) r.norm[l] = norm;
    network = mirror(&r, 1, 4);
    for (size_t l = 1; l < 3; l++) EXPECT_OK(bp_network_set_activation(network, l, activation));
    return network;
}

static void right_derivatives_are_accepted(int norm) {
    float x[6 * 4], y[6 * 3];
    check_fill(x, 24, 1);
    check_fill(y, 18, 2);
    EXPECT_OK(bp_activation_register_scalar("right", scaled_tanh, right_derivative, NULL, NULL));
    EXPECT_OK(bp_activation_register_scalar("right.differences", scaled_tanh, NULL, NULL, NULL));
    for (int activation = 0; activation < REF_ACTIVATIONS + 2; activation++)
        for (size_t rows = 1; rows <= 6; rows += 5) {
            const char *name = activation < REF_ACTIVATIONS ? ref_activation_names[activation]
                : activation == REF_ACTIVATIONS             ? "right"
                                                            : "right.differences";
            double worst = 1;
            bp_network *network;
            snapshot before;
            if (activation == REF_SIGN || activation == REF_RELU || activation == REF_LEAKY_RELU) continue; /* kinks */
            network = to_be_checked(name, norm);
            before = snapshot_of(network);
            EXPECT_OK(bp_network_check_gradient(network, x, y, rows, &worst));
            if (!EXPECT_NEAR(worst, 0, 1e-2)) printf("#   %s, %d rows\n", name, (int)rows);
            EXPECT(snapshot_holds(before, network)); /* the check changes nothing */
            free(before.bytes);
            bp_network_free(network);
        }
    EXPECT_OK(bp_activation_unregister("right"));
    EXPECT_OK(bp_activation_unregister("right.differences"));
}

static void gradient_check_accepts_right_derivatives(void) { right_derivatives_are_accepted(0); }

/* The gradient of a bias before normalization is 0. The check must not treat the rounding errors around 0 as an error. */
static void gradient_check_accepts_right_derivatives_with_batch_normalization(void) { right_derivatives_are_accepted(1); }

static void gradient_check_detects_a_wrong_derivative(void) {
    float x[6 * 4], y[6 * 3];
    double worst = 0;
    bp_network *network;
    check_fill(x, 24, 1);
    check_fill(y, 18, 2);
    EXPECT_OK(bp_activation_register_scalar("wrong", scaled_tanh, wrong_derivative, NULL, NULL));
    network = to_be_checked("wrong", 0);
    EXPECT_OK(bp_network_check_gradient(network, x, y, 6, &worst));
    EXPECT(worst > 0.1); /* the derivative is 1.5 times too large */
    bp_network_free(network);
    EXPECT_OK(bp_activation_unregister("wrong"));
}

static void gradient_check_accepts_every_loss_and_reduction(void) {
    static const int size[] = {4, 6, 3};
    static reference r;
    float x[6 * 4], y[6 * 3];
    check_fill(x, 24, 1);
    check_fill(y, 18, 2);
    for (int i = 0; i < 18; i++) y[i] *= y[i];
    for (int loss = 0; loss < REF_LOSSES; loss++)
        for (int mean = 0; mean < 2; mean++) {
            double worst = 1;
            bp_network *network;
            ref_init(&r, 3, size);
            r.activation[1] = REF_TANH;
            r.activation[2] = loss == REF_CROSS_ENTROPY ? REF_SOFTMAX : REF_LOGISTIC;
            r.loss = loss, r.mean_reduction = mean;
            network = mirror(&r, 1, 8);
            EXPECT_OK(bp_network_check_gradient(network, x, y, 6, &worst));
            EXPECT_NEAR(worst, 0, 1e-2);
            bp_network_free(network);
        }
}

static void gradient_check_of_sign_is_unsupported(void) {
    float x[6 * 4], y[6 * 3];
    double worst = 9;
    bp_network *network = to_be_checked("sign", 0);
    check_fill(x, 24, 1);
    check_fill(y, 18, 2);
    EXPECT_ERROR(bp_network_check_gradient(network, x, y, 6, &worst), BP_ERROR_UNSUPPORTED);
    EXPECT(worst == 0);
    bp_network_free(network);
}

/* Outputs of e^-60 are gradients of these losses that do not matter. Products with them could be subnormal, with which processors
 * are slow. */
static void gradients_of_confident_predictions_are_zero(void) {
    static const struct {
        const char *activation, *loss;
        float biases[2], targets[2];
    } cases[] = {{"softmax", "cross_entropy", {30, -30}, {1, 0}}, {"logistic", "binary_cross_entropy", {-60, -60}, {0, 0}}};
    const size_t shape[] = {1, 2};
    const float x[] = {1, 1, 1, 1, 1, 1, 1, 1};
    for (int i = 0; i < 2; i++)
        for (size_t rows = 1; rows <= 8; rows += 7) {
            bp_network *network = check_network(shape, 2, 1);
            float parameters[4] = {0, 0, cases[i].biases[0], cases[i].biases[1]}, outputs[2], gradient[4], targets[16];
            for (int k = 0; k < 16; k++) targets[k] = cases[i].targets[k % 2];
            EXPECT_OK(bp_network_set_activation(network, 1, cases[i].activation));
            EXPECT_OK(bp_network_set_loss(network, cases[i].loss));
            EXPECT_OK(bp_network_set_parameters(network, parameters, 4));
            EXPECT_OK(bp_network_predict(network, x, 1, outputs));
            EXPECT_NEAR(outputs[1], exp(-60), 1e-32);
            EXPECT_OK(bp_network_gradient(network, x, targets, rows, gradient, 4, NULL));
            EXPECT_OK(bp_network_train_minibatch(network, x, targets, rows, 1, NULL));
            EXPECT_OK(bp_network_get_parameters(network, parameters, 4));
            for (int k = 0; k < 4; k++) EXPECT(gradient[k] == 0);
            for (int k = 0; k < 2; k++) EXPECT(parameters[k] == 0);
            bp_network_free(network);
        }
}

int main(void) {
    EXPECT_OK(bp_activation_register_vector("host.softmax", host_softmax, host_softmax_back, NULL, NULL));
    EXPECT_OK(bp_activation_register_vector("host.pass", pass, pass_back, NULL, NULL));
    EXPECT_OK(bp_activation_register_scalar("host.logistic", host_logistic, host_logistic_slope, NULL, NULL));
    CLAIM(losses_and_their_gradients_match_plain_double_loops);
    CLAIM(logarithms_of_zero_are_minus_100);
    CLAIM(cross_entropies_of_logistic_and_softmax_have_no_bound);
    CLAIM(saturated_logistic_still_learns_from_binary_cross_entropy);
    CLAIM(gradient_check_accepts_right_derivatives);
    CLAIM(gradient_check_accepts_right_derivatives_with_batch_normalization);
    CLAIM(gradient_check_detects_a_wrong_derivative);
    CLAIM(gradient_check_accepts_every_loss_and_reduction);
    CLAIM(gradient_check_of_sign_is_unsupported);
    CLAIM(gradients_of_confident_predictions_are_zero);
    return check_end();
}
