/* mirror.h: the same network in the library and in reference.h, and comparisons between the two. */
#ifndef MIRROR_H
#define MIRROR_H

#include "check.h"
#include "reference.h"

enum { MIRROR_PARAMETERS = REF_LAYERS * REF_WIDTH * (REF_WIDTH + 3) };

/* The library's network with the settings in r. Both get the same random parameters: weights and biases in [-scale, scale],
 * gamma in [0.5, 1.5]. scale is a power of two, so that nothing is rounded. */
static inline bp_network *mirror(reference *r, double scale, uint32_t seed) {
    static float flat[MIRROR_PARAMETERS];
    size_t sizes[REF_LAYERS], count;
    bp_network *network;
    for (int l = 0; l < r->layers; l++) sizes[l] = (size_t)r->size[l];
    network = check_network(sizes, (size_t)r->layers, 1);
    for (size_t l = 1; l < (size_t)r->layers; l++) {
        EXPECT_OK(bp_network_set_activation(network, l, ref_activation_names[r->activation[l]]));
        EXPECT_OK(bp_network_set_batchnorm(network, l, r->norm[l]));
        for (int k = 0; k < r->size[l]; k++) r->gamma[l][k] = 1 + check_random(&seed) / 2;
    }
    EXPECT_OK(bp_network_set_loss(network, ref_loss_names[r->loss]));
    EXPECT_OK(bp_network_set_option(network, "gradient_reduction", r->mean_reduction));
    EXPECT_OK(bp_network_set_option(network, "batchnorm_update", r->gamma_first));
    EXPECT_OK(bp_network_set_option(network, "batchnorm_epsilon", r->epsilon));
    EXPECT_OK(bp_network_set_option(network, "batchnorm_momentum", r->momentum));
    for (int l = 1; l < r->layers; l++)
        for (int k = 0; k < r->size[l]; k++) {
            for (int j = 0; j < r->size[l - 1]; j++) r->weight[l][k][j] = scale * check_random(&seed);
            r->bias[l][k] = scale * check_random(&seed);
            r->beta[l][k] = scale * check_random(&seed);
        }
    {
        static double values[MIRROR_PARAMETERS];
        size_t expected = ref_get(r, values);
        EXPECT_OK(bp_network_parameter_count(network, &count));
        EXPECT(count == expected);
        for (size_t i = 0; i < expected; i++) flat[i] = (float)values[i];
        EXPECT_OK(bp_network_set_parameters(network, flat, count_of(network)));
    }
    return network;
}

/* Whether the floats equal the doubles up to rounding: within tolerance times the largest magnitude (at least 1). */
static inline int mirror_near(const float *values, const double *expected, size_t count, double tolerance) {
    double scale = 1;
    for (size_t i = 0; i < count; i++) scale = fmax(scale, fabs(expected[i]));
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)values[i] - expected[i]) <= tolerance * scale)) {
            printf("#   value %d of %d is %.9g, expected %.9g\n", (int)i, (int)count, (double)values[i], expected[i]);
            return 0;
        }
    return 1;
}

static inline int mirror_parameters_agree(const bp_network *network, reference *r, double tolerance) {
    static float values[MIRROR_PARAMETERS];
    static double expected[MIRROR_PARAMETERS];
    return EXPECT_OK(bp_network_get_parameters(network, values, count_of(network))) &&
        EXPECT(mirror_near(values, expected, ref_get(r, expected), tolerance));
}

static inline int mirror_predictions_agree(const bp_network *network, reference *r, const float *x, int rows,
                                           double tolerance) {
    static float values[REF_ROWS * REF_WIDTH];
    static double expected[REF_ROWS * REF_WIDTH];
    ref_predict(r, x, rows, expected);
    return EXPECT_OK(bp_network_predict(network, x, (size_t)rows, values)) &&
        EXPECT(mirror_near(values, expected, (size_t)(rows * r->size[r->layers - 1]), tolerance));
}

/* Trains both networks, and compares loss, parameters and predictions after each step. */
static inline int mirror_training_agrees(bp_network *network, reference *r, const float *x, const float *y, int rows, int steps,
                                         float rate, double tolerance) {
    int agrees = 1;
    for (int step = 0; step < steps && agrees; step++) {
        float loss = 0;
        double expected = ref_step(r, x, y, rows, (double)rate);
        agrees = EXPECT_OK(bp_network_train_minibatch(network, x, y, (size_t)rows, rate, &loss)) &&
            EXPECT_NEAR(loss, expected, tolerance * fmax(1, fabs(expected))) &&
            mirror_parameters_agree(network, r, tolerance) && mirror_predictions_agree(network, r, x, rows, tolerance);
    }
    return agrees;
}

#endif
