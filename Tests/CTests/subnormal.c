/* subnormal.c: processors are slow with subnormal numbers, so training must not keep computing with them. A call leaves the flag
 * of underflow raised if a result was subnormal and rounded. */
#include <fenv.h>
#include <float.h>

#include "check.h"

/* Whether a number has become subnormal since the last call of this function. */
static int underflows(void) {
    int raised = fetestexcept(FE_UNDERFLOW) != 0;
    feclearexcept(FE_UNDERFLOW);
    return raised;
}

/* "baseline" has no fused operations, and computes products such as the square of e^z for a saturated logistic unit. */
static int is_fused(void) { return strcmp(bp_instruction_set(), "baseline") != 0; }

static double logistic(double z) { return 1 / (1 + exp(-z)); }
static double softplus(double z) { return log1p(exp(z)); }
static double silu(double z) { return z / (1 + exp(-z)); }
static double gelu(double z) { return z * erfc(-z / sqrt(2)) / 2; }
static double mish(double z) { return z * tanh(log1p(exp(z))); }
static double gaussian(double z) { return exp(-z * z); }

static const struct {
    const char *name;
    double (*value)(double z);
    double end; /* where the value is about the smallest normal number */
} tails[] = {{"logistic", logistic, -87.34}, {"softplus", softplus, -87.34}, {"silu", silu, -91.86},
             {"gelu", gelu, -13.15},         {"mish", mish, -91.86},         {"gaussian", gaussian, -9.35}};
enum { TAILS = sizeof tails / sizeof *tails };

/* A unit whose argument is the input. */
static bp_network *unit(const char *activation) {
    bp_network *network = check_network((size_t[]){1, 1}, 2, 1);
    EXPECT_OK(bp_network_set_activation(network, 1, activation));
    EXPECT_OK(bp_network_set_parameters(network, (float[]){1, 0}, 2));
    return network;
}

static void activations_are_zero_in_their_tails_instead_of_subnormal(void) {
    enum { ROWS = 40000 };
    static float z[ROWS], found[ROWS];
    for (int i = 0; i < TAILS; i++) {
        bp_network *network = unit(tails[i].name);
        for (int k = 0; k < ROWS; k++) z[k] = (float)(tails[i].end * (0.9 + 0.2 * k / ROWS));
        EXPECT_OK(bp_network_predict(network, z, ROWS, found));
        int zeros = 0;
        for (int k = 0; k < ROWS; k++) {
            double exact = tails[i].value(z[k]);
            if (fabs(exact) < FLT_MIN) exact = 0, zeros++;
            EXPECT_NEAR(found[k], exact, 4e-7 * fabs(exact)); /* the exact value itself has an error of about 1e-15 z */
        }
        EXPECT(zeros > ROWS / 4 && zeros < ROWS * 3 / 4);
        bp_network_free(network);
    }
}

static void softmax_is_zero_instead_of_subnormal(void) {
    bp_network *network = check_network((size_t[]){1, 3}, 2, 1);
    EXPECT_OK(bp_network_set_activation(network, 1, "softmax"));
    EXPECT_OK(bp_network_set_parameters(network, (float[]){0, -1, -2, 0, 0, 0}, 6));
    for (int k = 0; k < 1200; k++) {
        float x = (float)k / 10, a[3];
        double e[3] = {1, exp(-(double)x), exp(-2 * (double)x)};
        EXPECT_OK(bp_network_predict(network, &x, 1, a));
        for (int j = 0; j < 3; j++) {
            double exact = e[j] / (e[0] + e[1] + e[2]);
            EXPECT_NEAR(a[j], exact < FLT_MIN ? 0 : exact, 1e-6 * exact);
        }
    }
    bp_network_free(network);
}

/* Saturated units: their values and derivatives are tiny for all arguments below. */
static void steps_of_saturated_units_compute_no_subnormal_numbers(void) {
    const float wanted[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    for (int i = 0; i < TAILS && is_fused(); i++)
        for (int k = 0; k < 200; k++) {
            bp_network *network = unit(tails[i].name);
            float z[8], loss;
            for (int row = 0; row < 8; row++) z[row] = (float)(tails[i].end * (1 + (k + row / 8.0) / 50));
            underflows();
            EXPECT_OK(bp_network_train_minibatch(network, z, wanted, 8, 0.5f, &loss));
            EXPECT(!underflows());
            bp_network_free(network);
        }
}

/* Predictions so confident that most outputs are tiny: after that, steps of Adam must not be slow for ever. */
static void steps_of_a_network_that_has_learned_its_rows_compute_no_subnormal_numbers(void) {
    enum { INPUTS = 16, UNITS = 32, CLASSES = 4, ROWS = 64 };
    static const char *const outputs[][2] = {{"softmax", "cross_entropy"}, {"logistic", "binary_cross_entropy"}};
    static float x[ROWS * INPUTS], y[ROWS * CLASSES];
    check_fill_shares(x, ROWS * INPUTS, 1);
    for (int row = 0; row < ROWS; row++) y[row * CLASSES + row % CLASSES] = 1;
    for (int i = 0; i < 1 + is_fused(); i++) {
        float loss = 9;
        int slow = 0;
        bp_network *network = check_network((size_t[]){INPUTS, UNITS, CLASSES}, 3, 1);
        EXPECT_OK(bp_network_set_activation(network, 1, "relu"));
        EXPECT_OK(bp_network_set_activation(network, 2, outputs[i][0]));
        EXPECT_OK(bp_network_set_loss(network, outputs[i][1]));
        EXPECT_OK(bp_network_set_optimizer(network, "adam"));
        for (int step = 0; step < 20000; step++) {
            underflows();
            EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.003f, &loss));
            if (step >= 19000) slow += underflows();
        }
        EXPECT(loss < 1e-4);
        EXPECT(slow < 100);
        bp_network_free(network);
    }
}

/* A weight that gets no gradient decays: by 0.9 in each of these steps. Once it was subnormal, 0.9 w would round to w. */
static void decaying_weights_become_zero(void) {
    static const char *const optimizers[] = {"sgd", "momentum", "adamw"};
    for (int i = 0; i < 3; i++) {
        bp_network *network = check_network((size_t[]){4, 20, 2}, 3, 1);
        float x[6 * 4] = {0}, y[6 * 2] = {0}, w[4 * 20];
        EXPECT_OK(bp_network_set_optimizer(network, optimizers[i]));
        EXPECT_OK(bp_network_set_option(network, "weight_decay", 1));
        for (int step = 0; step < 4000; step++) EXPECT_OK(bp_network_train_minibatch(network, x, y, 6, 0.1f, NULL));
        EXPECT_OK(bp_network_get_tensor(network, "layers.1.weight", w, 4 * 20));
        for (int k = 0; k < 4 * 20; k++) EXPECT(w[k] == 0);
        underflows();
        EXPECT_OK(bp_network_train_minibatch(network, x, y, 6, 0.1f, NULL));
        EXPECT(!underflows());
        bp_network_free(network);
    }
}

/* The statistics of a unit that has died approach 0. */
static void running_statistics_of_zeros_become_zero(void) {
    for (size_t rows = 1; rows <= 8; rows += 7) {
        bp_network *network = check_network((size_t[]){2, 3, 1}, 3, 1);
        float x[16], y[8] = {0}, mean[3], variance[3];
        for (int k = 0; k < 16; k++) x[k] = (float)k;
        EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
        EXPECT_OK(bp_network_train_minibatch(network, x, y, 8, 0, NULL));
        memset(x, 0, sizeof x);
        for (int step = 0; step < 1000; step++) EXPECT_OK(bp_network_train_minibatch(network, x, y, rows, 0, NULL));
        EXPECT_OK(bp_network_get_tensor(network, "layers.1.norm.running_mean", mean, 3));
        EXPECT_OK(bp_network_get_tensor(network, "layers.1.norm.running_var", variance, 3));
        for (int k = 0; k < 3; k++) EXPECT(mean[k] == 0 && variance[k] == 0);
        underflows();
        EXPECT_OK(bp_network_train_minibatch(network, x, y, rows, 0, NULL));
        EXPECT(!underflows());
        bp_network_free(network);
    }
}

/* 0.9^7000 is less than any double. */
static void late_steps_of_adam_compute_no_subnormal_numbers(void) {
    float x = 1, y = 1;
    int slow = 0;
    bp_network *network = unit("tanh");
    EXPECT_OK(bp_network_set_optimizer(network, "adam"));
    for (int step = 0; step < 10000; step++) {
        underflows();
        y = step % 2 ? 1 : -1;
        EXPECT_OK(bp_network_train_step(network, &x, &y, 0.001f, NULL));
        slow += underflows();
    }
    EXPECT(slow == 0);
    bp_network_free(network);
}

int main(void) {
    CLAIM(activations_are_zero_in_their_tails_instead_of_subnormal);
    CLAIM(softmax_is_zero_instead_of_subnormal);
    CLAIM(steps_of_saturated_units_compute_no_subnormal_numbers);
    CLAIM(steps_of_a_network_that_has_learned_its_rows_compute_no_subnormal_numbers);
    CLAIM(decaying_weights_become_zero);
    CLAIM(running_statistics_of_zeros_become_zero);
    CLAIM(late_steps_of_adam_compute_no_subnormal_numbers);
    return check_end();
}
