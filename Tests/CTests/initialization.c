/* initialization.c: new weights, seeds and clones. */
#include "check.h"

static const size_t sizes[] = {50, 40, 30};
enum { FIRST = 50 * 40, SECOND = 40 * 30, COUNT = FIRST + 40 + SECOND + 30 };

/* Expects weights that are uniform in [-r, r]: none beyond r (rounded to float), some close to -r and to r, a mean near 0 and a
 * variance near r^2 / 3, with tolerances of 5 standard errors for 1200 values or more. Biases are 0. */
static void weights_are_uniform(const bp_network *network, size_t layer, double squared_r) {
    static float parameters[COUNT];
    const float *weights = layer == 1 ? parameters : parameters + FIRST + 40;
    size_t count = layer == 1 ? FIRST : SECOND, biases = layer == 1 ? 40 : 30;
    double r = sqrt(squared_r), sum = 0, squares = 0, largest = -1e9, smallest = 1e9;
    EXPECT_OK(bp_network_get_parameters(network, parameters, count_of(network)));
    for (size_t i = 0; i < count; i++) {
        double w = (double)weights[i];
        sum += w, squares += w * w, largest = fmax(largest, w), smallest = fmin(smallest, w);
    }
    EXPECT(largest <= r * (1 + 1e-7) && smallest >= -r * (1 + 1e-7));
    EXPECT(largest > 0.97 * r && smallest < -0.97 * r);
    EXPECT_NEAR(sum / (double)count / r, 0, 5 * sqrt(1.0 / 3 / (double)count));
    EXPECT_NEAR(squares / (double)count / squared_r, 1.0 / 3, 5 * sqrt(4.0 / 45 / (double)count));
    for (size_t i = 0; i < biases; i++) EXPECT(weights[count + i] == 0);
}

static const double glorot_first = 6.0 / 90, glorot_second = 6.0 / 70, he_first = 6.0 / 50, he_second = 6.0 / 40;

static void new_network_has_glorot_weights_and_zero_biases(void) {
    bp_network *network = check_network(sizes, 3, 1);
    weights_are_uniform(network, 1, glorot_first);
    weights_are_uniform(network, 2, glorot_second);
    bp_network_free(network);
}

static void new_weights_follow_the_activation(void) {
    static const char *const he[] = {"relu", "leaky_relu", "elu",        "softplus", "silu",
                                     "gelu", "mish",       "hard_swish", "relu6",    "sine"};
    static const char *const glorot[] = {"identity", "sign",         "logistic", "tanh", "softsign",
                                         "softmax",  "hard_sigmoid", "gaussian", "tanh", "tanh"};
    for (size_t i = 0; i < 10; i++) {
        bp_network *network = check_network(sizes, 3, 1);
        EXPECT_OK(bp_network_set_activation(network, 1, he[i]));
        weights_are_uniform(network, 1, he_first);
        weights_are_uniform(network, 2, glorot_second); /* the other layer keeps its own rule */
        EXPECT_OK(bp_network_set_activation(network, 1, glorot[i]));
        weights_are_uniform(network, 1, glorot_first);
        EXPECT_OK(bp_network_set_activation(network, 1, "selu"));
        weights_are_uniform(network, 1, 3.0 / 50); /* LeCun */
        bp_network_free(network);
    }
}

static void initialization_option_chooses_the_rule(void) {
    bp_network *network = check_network(sizes, 3, 1);
    EXPECT_OK(bp_network_set_option(network, "initialization", 2));
    weights_are_uniform(network, 1, he_first);
    weights_are_uniform(network, 2, he_second);
    EXPECT_OK(bp_network_set_option(network, "initialization", 3));
    weights_are_uniform(network, 1, 3.0 / 50);
    weights_are_uniform(network, 2, 3.0 / 40);
    EXPECT_OK(bp_network_set_activation(network, 1, "relu")); /* the option has priority over the activation */
    weights_are_uniform(network, 1, 3.0 / 50);
    EXPECT_OK(bp_network_set_option(network, "initialization", 1));
    weights_are_uniform(network, 1, glorot_first);
    EXPECT_OK(bp_network_set_option(network, "initialization", 0));
    weights_are_uniform(network, 1, he_first);
    weights_are_uniform(network, 2, glorot_second);
    bp_network_free(network);
}

static void trained_or_set_weights_are_kept(void) {
    static float parameters[COUNT], after[COUNT], x[50], y[30];
    for (int trained = 0; trained < 2; trained++) {
        bp_network *network = check_network(sizes, 3, 1);
        if (trained) EXPECT_OK(bp_network_train_step(network, x, y, 0.1f, NULL));
        EXPECT_OK(bp_network_get_parameters(network, parameters, count_of(network)));
        if (!trained) EXPECT_OK(bp_network_set_parameters(network, parameters, count_of(network)));
        EXPECT_OK(bp_network_set_activation(network, 1, "relu"));
        EXPECT_OK(bp_network_set_option(network, "initialization", 2));
        EXPECT_OK(bp_network_get_parameters(network, after, count_of(network)));
        EXPECT(memcmp(parameters, after, sizeof after) == 0);
        EXPECT_OK(bp_network_initialize(network, 1)); /* until new ones are drawn */
        weights_are_uniform(network, 1, he_first);
        bp_network_free(network);
    }
}

static void same_seed_gives_the_same_bits_and_another_seed_does_not(void) {
    static float one[COUNT], other[COUNT];
    const uint64_t seeds[] = {0, 1, 2, 3, 255, (uint64_t)1 << 32, (uint64_t)1 << 63, UINT64_MAX};
    enum { SEEDS = sizeof seeds / sizeof seeds[0] };
    for (size_t i = 0; i < SEEDS; i++)
        for (size_t k = 0; k <= i; k++) {
            bp_network *first = check_network(sizes, 3, seeds[i]), *second = check_network(sizes, 3, seeds[k]);
            EXPECT_OK(bp_network_get_parameters(first, one, count_of(first)));
            EXPECT_OK(bp_network_get_parameters(second, other, count_of(second)));
            EXPECT((memcmp(one, other, sizeof one) == 0) == (i == k));
            bp_network_free(first);
            bp_network_free(second);
        }
}

static void configure(bp_network *network) {
    EXPECT_OK(bp_network_set_activation(network, 1, "silu"));
    EXPECT_OK(bp_network_set_activation(network, 2, "softmax"));
    EXPECT_OK(bp_network_set_loss(network, "cross_entropy"));
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    EXPECT_OK(bp_network_set_option(network, "gradient_reduction", 1));
}

static void train(bp_network *network, int steps, uint32_t seed) {
    float x[8 * 50], y[8 * 30];
    for (int step = 0; step < steps; step++) {
        check_fill(x, sizeof x / sizeof x[0], seed + (uint32_t)step);
        memset(y, 0, sizeof y);
        for (int i = 0; i < 8; i++) y[i * 30 + (i * 7 + step) % 30] = 1;
        EXPECT_OK(bp_network_train_minibatch(network, x, y, 8, 0.25f, NULL));
    }
}

static void same_seed_calls_and_data_give_the_same_bits(void) {
    bp_network *one = check_network(sizes, 3, 5), *other = check_network(sizes, 3, 5);
    configure(one);
    configure(other);
    EXPECT(snapshot_equal(one, other));
    train(one, 20, 1);
    EXPECT(!snapshot_equal(one, other));
    train(other, 20, 1);
    EXPECT(snapshot_equal(one, other));
    bp_network_free(one);
    bp_network_free(other);
}

/* Draws the same weights as bp_network_create with that seed, and keeps layers, activations, loss and options. */
static void initialize_draws_the_weights_of_creation_and_keeps_the_settings(void) {
    bp_network *used = check_network(sizes, 3, 5), *fresh = check_network(sizes, 3, 6);
    configure(used);
    configure(fresh);
    train(used, 5, 1);
    EXPECT_OK(bp_network_initialize(used, 6));
    EXPECT(snapshot_equal(used, fresh));
    train(used, 5, 2);
    train(fresh, 5, 2);
    EXPECT(snapshot_equal(used, fresh));
    bp_network_free(used);
    bp_network_free(fresh);
}

static void clone_is_equal_and_independent(void) {
    bp_network *network = check_network(sizes, 3, 5), *clone = NULL, *twin = NULL;
    snapshot before;
    configure(network);
    train(network, 5, 1);
    EXPECT_OK(bp_network_clone(network, &clone));
    EXPECT_OK(bp_network_clone(network, &twin));
    EXPECT(snapshot_equal(network, clone));
    before = snapshot_of(clone);
    train(network, 5, 2);
    EXPECT_OK(bp_network_set_activation(network, 1, "tanh"));
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 0));
    EXPECT_OK(bp_network_set_option(network, "gradient_reduction", 0));
    EXPECT(snapshot_holds(before, clone)); /* training the original does not change the clone */
    bp_network_free(network);
    EXPECT(snapshot_holds(before, clone));
    train(clone, 5, 3);
    EXPECT(snapshot_holds(before, twin)); /* and neither does training another clone */
    train(twin, 5, 3);
    EXPECT(snapshot_equal(clone, twin)); /* both continue with the same results */
    bp_network_free(clone);
    bp_network_free(twin);
    free(before.bytes);
}

int main(void) {
    CLAIM(new_network_has_glorot_weights_and_zero_biases);
    CLAIM(new_weights_follow_the_activation);
    CLAIM(initialization_option_chooses_the_rule);
    CLAIM(trained_or_set_weights_are_kept);
    CLAIM(same_seed_gives_the_same_bits_and_another_seed_does_not);
    CLAIM(same_seed_calls_and_data_give_the_same_bits);
    CLAIM(initialize_draws_the_weights_of_creation_and_keeps_the_settings);
    CLAIM(clone_is_equal_and_independent);
    return check_end();
}
