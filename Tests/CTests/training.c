/* training.c: steps of gradient descent, compared with numbers computed by hand, with the formulas of the notes in plain loops,
 * and with reference.h. Tolerances are a few roundings of float (6e-8 each) on values near 1. */
#include "mirror.h"

/* ---- Notes, section 1: the delta rule, w := w - rate (y^ - y) y^ (1 - y^) x */

static void delta_rule_step_matches_hand_computation(void) {
    const size_t sizes[] = {2, 1};
    bp_network *network = check_network(sizes, 2, 1);
    float w[3], loss = 0;

    /* w = (0.5, -0.25), bias 0, x = (1, 2): z = 0.5 - 0.5 = 0, y^ = logistic(0) = 0.5. With y = 1 the loss is
     * 0.5^2 / 2 = 0.125 and delta = (0.5 - 1) 0.5 0.5 = -0.125. At rate 1, w becomes
     * (0.5 + 0.125 * 1, -0.25 + 0.125 * 2) = (0.625, 0) and the bias 0.125. */
    const float first[] = {0.5f, -0.25f, 0}, x1[] = {1, 2}, one[] = {1};
    EXPECT_OK(bp_network_set_parameters(network, first, count_of(network)));
    EXPECT_OK(bp_network_train_step(network, x1, one, 1, &loss));
    EXPECT_OK(bp_network_get_parameters(network, w, count_of(network)));
    EXPECT_NEAR(loss, 0.125, 1e-7);
    EXPECT_NEAR(w[0], 0.625, 1e-7);
    EXPECT_NEAR(w[1], 0, 1e-7);
    EXPECT_NEAR(w[2], 0.125, 1e-7);

    /* w = (ln 3, 0), bias 0, x = (1, 4): y^ = 1 / (1 + 1/3) = 0.75. With y = 0 the loss is 0.75^2 / 2 = 0.28125 and
     * delta = 0.75 * 0.75 * 0.25 = 0.140625. At rate 2, w becomes (ln 3 - 0.28125, -1.125) and the bias -0.28125. */
    const float second[] = {1.0986123f, 0, 0}, x2[] = {1, 4}, zero[] = {0};
    EXPECT_OK(bp_network_set_parameters(network, second, count_of(network)));
    EXPECT_OK(bp_network_train_step(network, x2, zero, 2, &loss));
    EXPECT_OK(bp_network_get_parameters(network, w, count_of(network)));
    EXPECT_NEAR(loss, 0.28125, 2e-7);
    EXPECT_NEAR(w[0], 1.0986123 - 0.28125, 3e-7);
    EXPECT_NEAR(w[1], -1.125, 6e-7);
    EXPECT_NEAR(w[2], -0.28125, 2e-7);
    bp_network_free(network);
}

/* With sign and targets -1 and 1, a step at rate 1/2 is the perceptron rule: a sample on the wrong side is added to w
 * (times y), a sample on the right side changes nothing, and a sample on the line is added with half its weight. All numbers
 * here are multiples of 1/8, so that float does not round and the comparison is exact. */
static void sign_gives_the_perceptron_algorithm(void) {
    enum { SAMPLES = 24 };
    const size_t sizes[] = {2, 1};
    const float zeros[3] = {0, 0, 0};
    float x[SAMPLES][2], y[SAMPLES], w[3];
    double p[3] = {0, 0, 0};
    int mistakes = 1, samples = 0, updates = 0;
    uint32_t seed = 3;
    bp_network *network = check_network(sizes, 2, 1);
    EXPECT_OK(bp_network_set_activation(network, 1, "sign"));
    EXPECT_OK(bp_network_set_parameters(network, zeros, count_of(network)));
    while (samples < SAMPLES) { /* separable, with a margin: 2 x0 - x1 is beyond 0.5 on either side of 0.25 */
        double x0 = floor(check_random(&seed) * 4) / 4, x1 = floor(check_random(&seed) * 4) / 4;
        if (fabs(2 * x0 - x1 - 0.25) < 0.5) continue;
        x[samples][0] = (float)x0, x[samples][1] = (float)x1;
        y[samples++] = 2 * x0 - x1 - 0.25 > 0 ? 1 : -1;
    }
    for (int epoch = 0; epoch < 100 && mistakes > 0; epoch++) {
        mistakes = 0;
        for (int i = 0; i < SAMPLES; i++) {
            double x0 = (double)x[i][0], x1 = (double)x[i][1], z = p[0] * x0 + p[1] * x1 + p[2];
            int side = (z > 0) - (z < 0);
            if (side != (int)y[i]) {
                double step = side == 0 ? 0.5 * (double)y[i] : (double)y[i];
                p[0] += step * x0, p[1] += step * x1, p[2] += step;
                mistakes++, updates++;
            }
            EXPECT_OK(bp_network_train_step(network, x[i], &y[i], 0.5f, NULL));
            EXPECT_OK(bp_network_get_parameters(network, w, count_of(network)));
            EXPECT((double)w[0] == p[0] && (double)w[1] == p[1] && (double)w[2] == p[2]);
        }
    }
    EXPECT(mistakes == 0); /* a separable set converges */
    EXPECT(updates > 3);   /* the initial weights were wrong */
    for (int i = 0; i < SAMPLES; i++) {
        float output = 0;
        EXPECT_OK(bp_network_predict(network, x[i], 1, &output));
        EXPECT(output == y[i]);
    }
    bp_network_free(network);
}

/* ---- Notes, section 2: V := V - rate h delta^T and W := W - rate x gamma^T, gamma from the old V; q = 2 */

static void three_layer_step_matches_the_formulas_from_the_old_weights(void) {
    enum { P = 2, M = 3, Q = 2 };
    const size_t sizes[] = {P, M, Q};
    const double rate = 1.5, x[P] = {0.75, -0.5}, y[Q] = {1, 0};
    const float fx[P] = {0.75f, -0.5f}, fy[Q] = {1, 0};
    /* w[m][0] and v[k][0] are the notes' weights of the constant input 1, the biases here. */
    const double w[M][P + 1] = {{0.25, 0.5, -1}, {-0.5, 1, 0.75}, {0, -0.25, 1.25}};
    const double v[Q][M + 1] = {{0.5, 1, -0.75, 0.25}, {-0.25, -1.5, 0.5, 2}};
    double h[M + 1] = {1}, out[Q], delta[Q], gamma[M], new_v[Q][M + 1], loss = 0, difference = 0;
    float flat[17], result[17], loss_out = 0;
    size_t n = 0;
    bp_network *network = check_network(sizes, 3, 1);

    for (int m = 0; m < M; m++) h[m + 1] = 1 / (1 + exp(-(w[m][0] + w[m][1] * x[0] + w[m][2] * x[1])));
    for (int k = 0; k < Q; k++) {
        double z = 0;
        for (int m = 0; m <= M; m++) z += v[k][m] * h[m];
        out[k] = 1 / (1 + exp(-z));
        delta[k] = (out[k] - y[k]) * out[k] * (1 - out[k]);
        loss += (out[k] - y[k]) * (out[k] - y[k]) / 2;
        for (int m = 0; m <= M; m++) new_v[k][m] = v[k][m] - rate * delta[k] * h[m];
    }
    for (int m = 0; m < M; m++) {
        double through_new_v = 0;
        gamma[m] = 0;
        for (int k = 0; k < Q; k++) {
            gamma[m] += delta[k] * v[k][m + 1] * h[m + 1] * (1 - h[m + 1]);
            through_new_v += delta[k] * new_v[k][m + 1] * h[m + 1] * (1 - h[m + 1]);
        }
        difference = fmax(difference, fabs(rate * (through_new_v - gamma[m])));
    }
    EXPECT(difference > 1e-3); /* so that the comparison distinguishes the old from the new weights */

    for (int m = 0; m < M; m++) flat[n++] = (float)w[m][1], flat[n++] = (float)w[m][2];
    for (int m = 0; m < M; m++) flat[n++] = (float)w[m][0];
    for (int k = 0; k < Q; k++)
        for (int m = 1; m <= M; m++) flat[n++] = (float)v[k][m];
    for (int k = 0; k < Q; k++) flat[n++] = (float)v[k][0];
    EXPECT_OK(bp_network_set_parameters(network, flat, count_of(network)));
    EXPECT_OK(bp_network_train_step(network, fx, fy, (float)rate, &loss_out));
    EXPECT_OK(bp_network_get_parameters(network, result, count_of(network)));

    EXPECT_NEAR(loss_out, loss, 3e-7);
    n = 0;
    for (int m = 0; m < M; m++)
        for (int j = 1; j <= P; j++) EXPECT_NEAR(result[n++], w[m][j] - rate * gamma[m] * x[j - 1], 5e-7);
    for (int m = 0; m < M; m++) EXPECT_NEAR(result[n++], w[m][0] - rate * gamma[m], 5e-7);
    for (int k = 0; k < Q; k++)
        for (int m = 1; m <= M; m++) EXPECT_NEAR(result[n++], new_v[k][m], 5e-7);
    for (int k = 0; k < Q; k++) EXPECT_NEAR(result[n++], new_v[k][0], 5e-7);
    bp_network_free(network);
}

/* ---- Section 3: deeper networks. Sizes around 16 and rows around 6, the block sizes of the vector code. */

static void deeper_networks_match_plain_double_loops(void) {
    static const struct {
        int layers, size[REF_LAYERS];
    } shapes[] = {{2, {5, 3}}, {3, {1, 1, 1}}, {4, {3, 16, 17, 2}}, {5, {33, 15, 8, 32, 31}}, {6, {7, 2, 40, 1, 9, 4}}};
    static const int rows[] = {1, 2, 5, 6, 7, 13, 40};
    static reference r;
    float x[REF_ROWS * REF_WIDTH], y[REF_ROWS * REF_WIDTH];
    check_fill(x, REF_ROWS * REF_WIDTH, 1);
    check_fill(y, REF_ROWS * REF_WIDTH, 2);
    for (size_t shape = 0; shape < sizeof shapes / sizeof shapes[0]; shape++)
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            bp_network *network;
            ref_init(&r, shapes[shape].layers, shapes[shape].size);
            for (int l = 1; l < r.layers; l++) r.activation[l] = l % 2 ? REF_TANH : REF_LOGISTIC;
            network = mirror(&r, 0.5, (uint32_t)(shape + i));
            if (!mirror_training_agrees(network, &r, x, y, rows[i], 3, 0.05f, 1e-5))
                printf("#   shape %d, %d rows\n", (int)shape, rows[i]);
            bp_network_free(network);
        }
}

static void every_activation_matches_its_formula_in_training(void) {
    static const int size[] = {6, 9, 7, 4};
    static reference r;
    float x[7 * 6], y[7 * 4];
    check_fill(x, sizeof x / sizeof x[0], 3);
    check_fill(y, sizeof y / sizeof y[0], 4);
    for (int activation = 0; activation < REF_ACTIVATIONS; activation++)
        for (int rows = 1; rows <= 7; rows += 6) {
            bp_network *network;
            ref_init(&r, 4, size);
            for (int l = 1; l < 4; l++) r.activation[l] = activation;
            network = mirror(&r, 0.5, 5);
            if (!mirror_training_agrees(network, &r, x, y, rows, 3, 0.0625f, 1e-5))
                printf("#   %s, %d rows\n", ref_activation_names[activation], rows);
            bp_network_free(network);
        }
}

/* Over the range of z in which e^z is significant, and far outside. Tolerance: 4 roundings of the value, 1e-7 near 0. */
static void every_activation_matches_its_formula_over_a_wide_range(void) {
    const size_t sizes[] = {1, 1};
    const float through[] = {1, 0};
    for (int activation = 0; activation < REF_SOFTMAX; activation++) {
        bp_network *network = check_network(sizes, 2, 1);
        EXPECT_OK(bp_network_set_activation(network, 1, ref_activation_names[activation]));
        EXPECT_OK(bp_network_set_parameters(network, through, count_of(network))); /* z = x */
        for (int i = -400; i <= 400; i++) {
            float z = (float)i / 16, a = 0;
            double expected = ref_value(activation, (double)z);
            EXPECT_OK(bp_network_predict(network, &z, 1, &a));
            if (!EXPECT_NEAR(a, expected, 1e-7 + 2.4e-7 * fabs(expected)))
                printf("#   %s at %g\n", ref_activation_names[activation], (double)z);
        }
        for (int i = 0; i < 4; i++) { /* for large |z| nothing overflows: the values or their limits */
            static const float far[] = {-1e30f, -200, 200, 1e30f};
            static const float limits[][4] = {{-1e30f, -200, 200, 1e30f},
                                              {-1, -1, 1, 1},
                                              {0, 0, 1, 1},
                                              {-1, -1, 1, 1},
                                              {0, 0, 200, 1e30f},
                                              {-1e28f, -2, 200, 1e30f},
                                              {-1, -1, 200, 1e30f},
                                              {0, 0, 200, 1e30f},
                                              {-1, -200 / 201.0f, 200 / 201.0f, 1},
                                              {0, 0, 200, 1e30f},
                                              {0, 0, 200, 1e30f},
                                              {-1.7580993f, -1.7580993f, 210.1402f, 1.05070099e30f},
                                              {0, 0, 200, 1e30f},
                                              {0, 0, 1, 1},
                                              {0, 0, 200, 1e30f},
                                              {0, 0, 6, 6},
                                              {0.79116344f, 0.87329730f, -0.87329730f, -0.79116344f},
                                              {0, 0, 0, 0}};
            float a = 99;
            EXPECT_OK(bp_network_predict(network, &far[i], 1, &a));
            if (!EXPECT_NEAR(a, limits[activation][i], 2.4e-7 * fmax(1, fabs((double)limits[activation][i]))))
                printf("#   %s at %g\n", ref_activation_names[activation], (double)far[i]);
        }
        bp_network_free(network);
    }
}

static void softmax_of_large_sums_does_not_overflow(void) {
    const size_t sizes[] = {1, 3};
    const float parameters[] = {1, 2, 3, 0, 0, 0}, x[] = {1000, -1000, 3e37f};
    float a[9];
    bp_network *network = check_network(sizes, 2, 1);
    EXPECT_OK(bp_network_set_activation(network, 1, "softmax"));
    EXPECT_OK(bp_network_set_parameters(network, parameters, count_of(network)));
    EXPECT_OK(bp_network_predict(network, x, 3, a));
    EXPECT(a[0] == 0 && a[1] == 0 && a[2] == 1);
    EXPECT(a[3] == 1 && a[4] == 0 && a[5] == 0);
    EXPECT(a[6] == 0 && a[7] == 0 && a[8] == 1);
    bp_network_free(network);
}

/* Section 3: the objective is not convex, so training runs from many starts and keeps the best. */
static void best_of_several_starts_learns_xor(void) {
    const size_t sizes[] = {2, 2, 1};
    const float x[] = {0, 0, 0, 1, 1, 0, 1, 1}, y[] = {0, 1, 1, 0};
    float best = 1e9f, worst = 0;
    for (uint64_t seed = 1; seed <= 16; seed++) {
        float loss = 1e9f;
        bp_network *network = check_network(sizes, 3, seed);
        for (int step = 0; step < 4000; step++)
            if (bp_network_train_minibatch(network, x, y, 4, 2, NULL) != BP_OK) break;
        EXPECT_OK(bp_network_evaluate(network, x, y, 4, &loss));
        if (loss < best) best = loss;
        if (loss > worst) worst = loss;
        bp_network_free(network);
    }
    EXPECT(best < 0.01f);
    EXPECT(worst > 0.1f); /* at least one start fails, with an output near 1/2 for two rows or more */
}

/* Universal approximation: one hidden layer approximates sin(pi x) on [-1, 1], also between the training points. The learning
 * rate falls to 0: large steps in flat regions, and no oscillation at the end. */
static void one_hidden_layer_approximates_a_sine(void) {
    enum { POINTS = 33, STEPS = 40000 };
    const size_t sizes[] = {1, 16, 1};
    float x[POINTS], y[POINTS];
    bp_network *network = check_network(sizes, 3, 1);
    EXPECT_OK(bp_network_set_activation(network, 1, "tanh"));
    EXPECT_OK(bp_network_set_activation(network, 2, "identity"));
    EXPECT_OK(bp_network_set_option(network, "gradient_reduction", 1));
    for (int i = 0; i < POINTS; i++) {
        x[i] = (float)(i - 16) / 16;
        y[i] = (float)sin(3.14159265358979 * (double)x[i]);
    }
    for (int step = 0; step < STEPS; step++) {
        float rate = 0.2f * (float)(STEPS - step) / STEPS;
        if (bp_network_train_minibatch(network, x, y, POINTS, rate, NULL) != BP_OK) break;
    }
    for (int i = -100; i <= 100; i++) {
        float point = (float)i / 100, a = 99;
        EXPECT_OK(bp_network_predict(network, &point, 1, &a));
        EXPECT_NEAR(a, sin(3.14159265358979 * (double)point), 0.05);
    }
    bp_network_free(network);
}

/* ---- Section 4: minibatches */

enum { ROWS = 9, INPUTS = 5, OUTPUTS = 3, COUNT = 5 * 18 + 18 + 18 * 3 + 3 };
static const int minibatch_size[] = {INPUTS, 18, OUTPUTS};

static bp_network *minibatch_network(reference *r, float *x, float *y) {
    ref_init(r, 3, minibatch_size);
    check_fill(x, ROWS * INPUTS, 11);
    check_fill(y, ROWS * OUTPUTS, 12);
    return mirror(r, 1, 13);
}

static void minibatch_gradient_is_the_sum_or_mean_of_single_gradients(void) {
    static reference r;
    float x[ROWS * INPUTS], y[ROWS * OUTPUTS], gradient[COUNT], loss = 0;
    double sum[COUNT] = {0}, loss_sum = 0;
    bp_network *network = minibatch_network(&r, x, y);
    for (int i = 0; i < ROWS; i++) {
        EXPECT_OK(bp_network_gradient(network, x + i * INPUTS, y + i * OUTPUTS, 1, gradient, count_of(network), &loss));
        loss_sum += (double)loss;
        for (int k = 0; k < COUNT; k++) sum[k] += (double)gradient[k];
    }
    EXPECT_OK(bp_network_gradient(network, x, y, ROWS, gradient, count_of(network), &loss));
    EXPECT_NEAR(loss, loss_sum, 3e-6);
    EXPECT(mirror_near(gradient, sum, COUNT, 2e-6));
    EXPECT_OK(bp_network_set_option(network, "gradient_reduction", 1));
    EXPECT_OK(bp_network_gradient(network, x, y, ROWS, gradient, count_of(network), &loss));
    for (int k = 0; k < COUNT; k++) sum[k] /= ROWS;
    EXPECT_NEAR(loss, loss_sum / ROWS, 1e-6);
    EXPECT(mirror_near(gradient, sum, COUNT, 1e-6));
    EXPECT_OK(bp_network_evaluate(network, x, y, ROWS, &loss));
    EXPECT_NEAR(loss, loss_sum / ROWS, 1e-6);
    EXPECT_OK(bp_network_set_option(network, "gradient_reduction", 0));
    EXPECT_OK(bp_network_evaluate(network, x, y, ROWS, &loss));
    EXPECT_NEAR(loss, loss_sum, 3e-6);
    bp_network_free(network);
}

static void gradient_matches_plain_double_loops_and_changes_no_parameter(void) {
    static reference r, g;
    float x[ROWS * INPUTS], y[ROWS * OUTPUTS], gradient[COUNT];
    double expected[COUNT];
    bp_network *network = minibatch_network(&r, x, y);
    snapshot before = snapshot_of(network);
    EXPECT_OK(bp_network_gradient(network, x, y, ROWS, gradient, count_of(network), NULL));
    ref_gradient(&r, x, y, ROWS, 0, &g);
    ref_get(&g, expected);
    EXPECT(mirror_near(gradient, expected, COUNT, 2e-6));
    EXPECT(snapshot_holds(before, network)); /* no batch normalization, so no statistics either */
    free(before.bytes);
    bp_network_free(network);
}

/* Small networks have separate kernels for a few rows. Each step matches the formulas, for every number of rows up to the limit
 * of these kernels, and above it. */
static void few_rows_of_small_networks_match_plain_double_loops(void) {
    enum { MOST = 19 };
    static const int shapes[][REF_LAYERS] = {{2, 4, 1}, {1, 1, 1},      {3, 8, 8}, {9, 7, 3},
                                             {4, 9, 2}, {6, 20, 17, 3}, {5, 2},    {3, 33, 1}};
    static const int layers[] = {3, 3, 3, 3, 3, 4, 2, 3};
    for (size_t s = 0; s < sizeof layers / sizeof *layers; s++)
        for (int rows = 1; rows <= MOST; rows++)
            for (int variant = 0; variant < 5; variant++) {
                static reference r;
                const int last = layers[s] - 1;
                float x[MOST * 9], y[MOST * 8], loss;
                bp_network *network;
                if (variant == 3 && shapes[s][last] == 1) continue; /* softmax needs at least two units */
                ref_init(&r, layers[s], shapes[s]);
                r.mean_reduction = variant == 1;
                for (int l = 1; l < layers[s]; l++)
                    r.activation[l] = variant == 0 ? REF_LOGISTIC : variant == 2 ? l % 2 ? REF_SILU : REF_SOFTSIGN : REF_TANH;
                if (variant == 3) r.loss = REF_CROSS_ENTROPY, r.activation[last] = REF_SOFTMAX;
                if (variant == 4) r.loss = REF_BINARY_CROSS_ENTROPY, r.activation[last] = REF_LOGISTIC, r.mean_reduction = 1;
                network = mirror(&r, 1, (uint64_t)rows);
                for (int step = 0; step < 3; step++) {
                    check_fill(x, (size_t)(rows * shapes[s][0]), (uint64_t)(100 * step + rows));
                    (variant < 3 ? check_fill : check_fill_shares)(y, (size_t)(rows * shapes[s][last]),
                                                                   (uint32_t)(200 * step + rows));
                    EXPECT_OK(bp_network_train_minibatch(network, x, y, (size_t)rows, 0.125f, &loss));
                    double expected = ref_step(&r, x, y, rows, 0.125);
                    EXPECT_NEAR(loss, expected, 1e-5 * fmax(1, fabs(expected))); /* a sum of terms that cancel */
                    if (!EXPECT(mirror_parameters_agree(network, &r, 5e-6)))
                        printf("#   shape %zu, %d rows, variant %d, step %d\n", s, rows, variant, step);
                }
                bp_network_free(network);
            }
}

/* The capacity of the buffers, which depends on earlier calls, changes no bit. */
static void step_of_few_rows_does_not_depend_on_earlier_steps(void) {
    const size_t sizes[] = {2, 4, 1}, wide[] = {3, 20, 2};
    float x[40 * 3], y[40 * 2];
    check_fill(x, 40 * 3, 5);
    check_fill(y, 40 * 2, 6);
    for (int shape = 0; shape < 2; shape++)
        for (size_t rows = 1; rows <= 20; rows++) {
            bp_network *network = check_network(shape ? wide : sizes, 3, rows), *twin = NULL;
            EXPECT_OK(bp_network_train_minibatch(network, x, y, 40, 0, NULL)); /* buffers for 40 rows */
            EXPECT_OK(bp_network_clone(network, &twin));                       /* no buffers */
            EXPECT_OK(bp_network_train_minibatch(network, x, y, rows, 0.5f, NULL));
            EXPECT_OK(bp_network_train_minibatch(twin, x, y, rows, 0.5f, NULL));
            EXPECT(snapshot_equal(network, twin));
            bp_network_free(network);
            bp_network_free(twin);
        }
}

static void few_rows_without_a_finite_step_change_nothing(void) {
    static const float bad[] = {INFINITY, -INFINITY, NAN, 3e38f};
    const size_t sizes[] = {2, 4, 1}, wide[] = {2, 20, 1};
    for (int shape = 0; shape < 2; shape++)
        for (size_t rows = 1; rows <= 5; rows++)
            for (size_t b = 0; b < 4; b++) {
                bp_network *network = check_network(shape ? wide : sizes, 3, 7);
                float x[10], y[5], loss = 5;
                snapshot before;
                check_fill(x, 10, 1);
                check_fill(y, 5, 2);
                EXPECT_OK(bp_network_set_activation(network, 1, "identity"));
                EXPECT_OK(bp_network_set_activation(network, 2, "identity"));
                EXPECT_OK(bp_network_train_minibatch(network, x, y, 3, 0.1f, NULL));
                before = snapshot_of(network);
                x[2 * rows - 1] = bad[b];
                EXPECT_ERROR(bp_network_train_minibatch(network, x, y, rows, 0.1f, &loss), BP_ERROR_NOT_FINITE);
                x[2 * rows - 1] = 0;
                y[rows - 1] = bad[b];
                EXPECT_ERROR(bp_network_train_minibatch(network, x, y, rows, 0.1f, &loss), BP_ERROR_NOT_FINITE);
                y[rows - 1] = 0;
                EXPECT_ERROR(bp_network_train_minibatch(network, x, y, rows, -0.1f, &loss), BP_ERROR_INVALID_VALUE);
                if (b < 3) EXPECT_ERROR(bp_network_train_minibatch(network, x, y, rows, bad[b], &loss), BP_ERROR_INVALID_VALUE);
                EXPECT(loss == 0);
                EXPECT(snapshot_holds(before, network));
                EXPECT_OK(bp_network_train_minibatch(network, x, y, rows, 0.1f, &loss));
                free(before.bytes);
                bp_network_free(network);
            }
}

static void few_rows_that_are_not_finite_change_nothing_with_cross_entropy(void) {
    static const float bad[] = {INFINITY, -INFINITY, NAN};
    const size_t sizes[] = {2, 4, 3};
    for (int fused = 0; fused < 2; fused++)
        for (size_t rows = 1; rows <= 5; rows++)
            for (size_t b = 0; b < 3; b++) {
                bp_network *network = check_network(sizes, 3, 7);
                float x[10], y[15], loss = 5;
                snapshot before;
                check_fill(x, 10, 1);
                for (int i = 0; i < 15; i++) y[i] = i % 3 == 1;
                EXPECT_OK(bp_network_set_activation(network, 2, fused ? "softmax" : "logistic"));
                EXPECT_OK(bp_network_set_loss(network, fused ? "cross_entropy" : "binary_cross_entropy"));
                EXPECT_OK(bp_network_train_minibatch(network, x, y, 3, 0.1f, NULL));
                before = snapshot_of(network);
                x[2 * rows - 1] = bad[b];
                EXPECT_ERROR(bp_network_train_minibatch(network, x, y, rows, 0.1f, &loss), BP_ERROR_NOT_FINITE);
                x[2 * rows - 1] = 0;
                y[3 * rows - 1] = bad[b];
                EXPECT_ERROR(bp_network_train_minibatch(network, x, y, rows, 0.1f, &loss), BP_ERROR_NOT_FINITE);
                EXPECT(loss == 0);
                EXPECT(snapshot_holds(before, network));
                y[3 * rows - 1] = 0;
                EXPECT_OK(bp_network_train_minibatch(network, x, y, rows, 0.1f, &loss));
                EXPECT(loss > 0);
                free(before.bytes);
                bp_network_free(network);
            }
}

/* bp_network_gradient followed by bp_network_apply_gradient equals a training step: bit for bit with many rows or batch
 * normalization, up to rounding with a few rows. */
static void gradient_then_apply_equals_a_training_step(void) {
    for (int norm = 0; norm < 2; norm++)
        for (int mean = 0; mean < 2; mean++)
            for (int rows = 1; rows <= ROWS; rows++) {
                static reference r;
                float x[ROWS * INPUTS], y[ROWS * OUTPUTS], gradient[COUNT + 36], losses[2] = {0, 1};
                bp_network *network = minibatch_network(&r, x, y), *twin = NULL;
                EXPECT_OK(bp_network_set_batchnorm(network, 1, norm));
                EXPECT_OK(bp_network_set_option(network, "gradient_reduction", mean));
                EXPECT_OK(bp_network_clone(network, &twin));
                EXPECT_OK(bp_network_train_minibatch(network, x, y, (size_t)rows, 0.37f, &losses[0]));
                EXPECT_OK(bp_network_gradient(twin, x, y, (size_t)rows, gradient, count_of(twin), &losses[1]));
                EXPECT_OK(bp_network_apply_gradient(twin, gradient, count_of(twin), 0.37f));
                if (rows <= 6 && !(norm && rows > 1)) {
                    float one[COUNT + 36], other[COUNT + 36];
                    EXPECT_OK(bp_network_get_parameters(network, one, count_of(network)));
                    EXPECT_OK(bp_network_get_parameters(twin, other, count_of(twin)));
                    for (int k = 0; k < COUNT; k++) EXPECT_NEAR(one[k], other[k], 1e-6);
                    EXPECT_NEAR(losses[0], losses[1], 1e-6);
                } else {
                    EXPECT(losses[0] == losses[1]);
                    if (!EXPECT(snapshot_equal(network, twin))) printf("#   norm %d, mean %d, %d rows\n", norm, mean, rows);
                }
                bp_network_free(network);
                bp_network_free(twin);
            }
}

static void apply_gradient_rounds_once(void) {
    static reference r;
    float x[ROWS * INPUTS], y[ROWS * OUTPUTS], gradient[COUNT], before[COUNT], after[COUNT];
    bp_network *network = minibatch_network(&r, x, y);
    check_fill(gradient, COUNT, 14);
    EXPECT_OK(bp_network_get_parameters(network, before, count_of(network)));
    EXPECT_OK(bp_network_apply_gradient(network, gradient, count_of(network), 0.25f)); /* exact in float: multiples of 1/4096 */
    EXPECT_OK(bp_network_get_parameters(network, after, count_of(network)));
    for (int k = 0; k < COUNT; k++) EXPECT(after[k] == before[k] - 0.25f * gradient[k]);
    bp_network_free(network);
}

static void train_step_equals_a_minibatch_of_one_row(void) {
    static reference r;
    float x[ROWS * INPUTS], y[ROWS * OUTPUTS], losses[2] = {0, 1};
    bp_network *network = minibatch_network(&r, x, y), *twin = NULL;
    EXPECT_OK(bp_network_clone(network, &twin));
    for (int i = 0; i < ROWS; i++) {
        EXPECT_OK(bp_network_train_step(network, x + i * INPUTS, y + i * OUTPUTS, 0.5f, &losses[0]));
        EXPECT_OK(bp_network_train_minibatch(twin, x + i * INPUTS, y + i * OUTPUTS, 1, 0.5f, &losses[1]));
        EXPECT(losses[0] == losses[1]);
    }
    EXPECT(snapshot_equal(network, twin));
    bp_network_free(network);
    bp_network_free(twin);
}

static void training_loss_is_the_loss_before_the_step(void) {
    static reference r;
    float x[ROWS * INPUTS], y[ROWS * OUTPUTS], before = 0, loss = 1, after = 0;
    bp_network *network = minibatch_network(&r, x, y);
    EXPECT_OK(bp_network_evaluate(network, x, y, ROWS, &before));
    EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.125f, &loss));
    EXPECT_OK(bp_network_evaluate(network, x, y, ROWS, &after));
    EXPECT_NEAR(loss, before, 2e-6);
    EXPECT(after < before - 1e-3f);
    bp_network_free(network);
}

static void outputs_of_a_row_do_not_depend_on_other_rows(void) {
    enum { MANY = 37 };
    static const int size[] = {INPUTS, 33, 17, OUTPUTS};
    float x[MANY * INPUTS], together[MANY * OUTPUTS], alone[OUTPUTS];
    check_fill(x, MANY * INPUTS, 15);
    for (int norm = 0; norm < 2; norm++) { /* without it, a single row has separate code */
        static reference r;
        bp_network *network;
        ref_init(&r, 4, size);
        r.activation[1] = REF_TANH, r.activation[2] = REF_GELU, r.activation[3] = REF_SOFTMAX, r.norm[2] = norm;
        network = mirror(&r, 1, 17);
        for (size_t rows = 1; rows <= MANY; rows++) {
            EXPECT_OK(bp_network_predict(network, x, rows, together));
            for (size_t i = 0; i < rows; i++) {
                EXPECT_OK(bp_network_predict(network, x + i * INPUTS, 1, alone));
                EXPECT(memcmp(alone, together + i * OUTPUTS, sizeof alone) == 0);
            }
        }
        bp_network_free(network);
    }
}

/* The second of two predictions uses the settings that were changed between them. */
static void single_row_uses_changed_settings(void) {
    const size_t sizes[] = {3, 5, 2};
    const float x[6] = {0.5f, -0.25f, 1, 4, 5, 6}, y[4] = {1, 2, 3, 4};
    bp_network *network = check_network(sizes, 3, 4);
    float before[2], after[2], both[4];
    for (int change = 0; change < 5; change++) {
        EXPECT_OK(bp_network_predict(network, x, 1, before));
        if (change == 0) EXPECT_OK(bp_network_set_activation(network, 1, "relu"));
        if (change == 1) EXPECT_OK(bp_network_train_minibatch(network, x, y, 2, 0.5f, NULL));
        if (change == 2) EXPECT_OK(bp_network_initialize(network, 99));
        if (change == 3) EXPECT_OK(bp_network_fit_scaling(network, "standard", "min_max", x, y, 2));
        if (change == 4) EXPECT_OK(bp_network_set_activation(network, 2, "softmax"));
        EXPECT_OK(bp_network_predict(network, x, 1, after));
        EXPECT_OK(bp_network_predict(network, x, 2, both));
        EXPECT(memcmp(before, after, sizeof after) != 0);
        EXPECT(memcmp(after, both, sizeof after) == 0);
    }
    bp_network_free(network);
}

int main(void) {
    CLAIM(delta_rule_step_matches_hand_computation);
    CLAIM(sign_gives_the_perceptron_algorithm);
    CLAIM(three_layer_step_matches_the_formulas_from_the_old_weights);
    CLAIM(deeper_networks_match_plain_double_loops);
    CLAIM(every_activation_matches_its_formula_in_training);
    CLAIM(every_activation_matches_its_formula_over_a_wide_range);
    CLAIM(softmax_of_large_sums_does_not_overflow);
    CLAIM(best_of_several_starts_learns_xor);
    CLAIM(one_hidden_layer_approximates_a_sine);
    CLAIM(minibatch_gradient_is_the_sum_or_mean_of_single_gradients);
    CLAIM(gradient_matches_plain_double_loops_and_changes_no_parameter);
    CLAIM(few_rows_of_small_networks_match_plain_double_loops);
    CLAIM(step_of_few_rows_does_not_depend_on_earlier_steps);
    CLAIM(few_rows_without_a_finite_step_change_nothing);
    CLAIM(few_rows_that_are_not_finite_change_nothing_with_cross_entropy);
    CLAIM(gradient_then_apply_equals_a_training_step);
    CLAIM(apply_gradient_rounds_once);
    CLAIM(train_step_equals_a_minibatch_of_one_row);
    CLAIM(training_loss_is_the_loss_before_the_step);
    CLAIM(outputs_of_a_row_do_not_depend_on_other_rows);
    CLAIM(single_row_uses_changed_settings);
    return check_end();
}
