/* second_order.c: the optimizers lbfgs, levenberg_marquardt and bayesian_regularization. Steps are compared with equations that
 * this program solves in double precision. The tests of the Python package compare results with SciPy's. */
#include "trainer.h"

static const char *const names[] = {"lbfgs", "levenberg_marquardt", "bayesian_regularization"};
enum { NAMES = 3, ROWS = 12, INPUTS = 3, OUTPUTS = 2, UNITS = 4, COUNT = OUTPUTS * (INPUTS + 1), MOST = 64 };
static const size_t linear[] = {INPUTS, OUTPUTS}, sizes[] = {INPUTS, UNITS, OUTPUTS};
static float x[ROWS * INPUTS], y[ROWS * OUTPUTS];

static bp_network *linear_network(const char *optimizer) {
    bp_network *network = check_network(linear, 2, 3);
    EXPECT_OK(bp_network_set_activation(network, 1, "identity"));
    EXPECT_OK(bp_network_set_optimizer(network, optimizer));
    return network;
}

static bp_network *tanh_network(const char *optimizer) {
    bp_network *network = check_network(sizes, 3, 5);
    EXPECT_OK(bp_network_set_activation(network, 1, "tanh"));
    EXPECT_OK(bp_network_set_activation(network, 2, "identity"));
    EXPECT_OK(bp_network_set_optimizer(network, optimizer));
    return network;
}

static int train(bp_network *network, int steps) {
    int right = 1;
    for (int i = 0; i < steps; i++) right = EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.05f, NULL)) && right;
    return right;
}

static void parameters_of(const bp_network *network, double *values) {
    float flat[MOST];
    EXPECT_OK(bp_network_get_parameters(network, flat, count_of(network)));
    for (size_t i = 0; i < count_of(network); i++) values[i] = (double)flat[i];
}

/* Solves a x = b by elimination, with the largest pivots; b becomes x. */
static void eliminate(double a[COUNT][COUNT], double *b) {
    for (int k = 0; k < COUNT; k++) {
        int pivot = k;
        for (int i = k + 1; i < COUNT; i++)
            if (fabs(a[i][k]) > fabs(a[pivot][k])) pivot = i;
        for (int j = 0; j < COUNT; j++) {
            double swapped = a[k][j];
            a[k][j] = a[pivot][j], a[pivot][j] = swapped;
        }
        double swapped = b[k];
        b[k] = b[pivot], b[pivot] = swapped;
        for (int i = 0; i < COUNT; i++) {
            double factor = a[i][k] / a[k][k];
            if (i == k) continue;
            for (int j = 0; j < COUNT; j++) a[i][j] -= factor * a[k][j];
            b[i] -= factor * b[k];
        }
    }
    for (int k = 0; k < COUNT; k++) b[k] /= a[k][k];
}

/* The derivative of output k with respect to parameter p of the linear network. */
static double slope(int row, int k, int p) {
    if (p >= OUTPUTS * INPUTS) return p - OUTPUTS * INPUTS == k;
    return p / INPUTS == k ? (double)x[row * INPUTS + p % INPUTS] : 0;
}

static double output(const double *w, int row, int k) {
    double z = 0;
    for (int p = 0; p < COUNT; p++) z += slope(row, k, p) * w[p];
    return z;
}

typedef enum { DIFFERENCES, LOGISTIC, SOFTMAX } form;

/* w - (J'HJ + D + lambda)^-1 (g + D w) for a single layer, where H is the Hessian of the loss with respect to z. lambda is
 * 1/1000 of the largest diagonal element of J'HJ; or of the products of the residuals' derivatives, if they are fewer. */
static void damped_step(double *w, form f, int rows, double decay, int decays_biases) {
    double a[COUNT][COUNT] = {{0}}, b[COUNT] = {0}, largest = 0;
    int by_rows = rows * OUTPUTS < COUNT && (decay == 0 || decays_biases);
    for (int row = 0; row < rows; row++) {
        double z[OUTPUTS], h[OUTPUTS][OUTPUTS], g[OUTPUTS], q[OUTPUTS], total = 0, share = 1;
        for (int k = 0; k < OUTPUTS; k++) z[k] = output(w, row, k), total += exp(z[k]);
        if (f == SOFTMAX) share = (double)y[row * OUTPUTS] + (double)y[row * OUTPUTS + 1];
        for (int k = 0; k < OUTPUTS; k++)
            q[k] = f == DIFFERENCES ? z[k] : f == LOGISTIC ? 1 / (1 + exp(-z[k])) : exp(z[k]) / total;
        for (int k = 0; k < OUTPUTS; k++) {
            g[k] = share * q[k] - (double)y[row * OUTPUTS + k];
            for (int j = 0; j < OUTPUTS; j++)
                h[k][j] = f == DIFFERENCES ? (k == j)
                    : f == LOGISTIC        ? (k == j) * q[k] * (1 - q[k])
                                           : share * ((k == j) * q[k] - q[k] * q[j]);
        }
        for (int p = 0; p < COUNT; p++)
            for (int k = 0; k < OUTPUTS; k++) {
                b[p] -= slope(row, k, p) * g[k];
                for (int q2 = 0; q2 < COUNT; q2++)
                    for (int j = 0; j < OUTPUTS; j++) a[p][q2] += slope(row, k, p) * h[k][j] * slope(row, j, q2);
            }
        if (by_rows) { /* of one output: 1 for the bias */
            double square = 1;
            for (int i = 0; i < INPUTS; i++) square += pow((double)x[row * INPUTS + i], 2);
            largest = fmax(largest, square);
        }
    }
    if (!by_rows)
        for (int p = 0; p < COUNT; p++) largest = fmax(largest, a[p][p]);
    for (int p = 0; p < COUNT; p++) {
        double d = p < OUTPUTS * INPUTS || decays_biases ? decay : 0;
        b[p] -= d * w[p];
        a[p][p] += d + 1e-3 * largest;
    }
    eliminate(a, b);
    for (int p = 0; p < COUNT; p++) w[p] += b[p];
}

static void first_step_of_levenberg_marquardt_solves_the_damped_equations(void) {
    static const struct {
        form f;
        int rows, decays_biases, mean;
        double decay;
    } cases[] = {{DIFFERENCES, ROWS, 0, 0, 0}, {DIFFERENCES, ROWS, 0, 0, 0.3}, {DIFFERENCES, ROWS, 1, 1, 0.02},
                 {DIFFERENCES, 3, 0, 0, 0},    {DIFFERENCES, 1, 0, 0, 0},      {DIFFERENCES, 3, 1, 0, 0.3},
                 {DIFFERENCES, 3, 0, 1, 0.3},  {LOGISTIC, ROWS, 0, 0, 0},      {LOGISTIC, ROWS, 0, 1, 0.01},
                 {SOFTMAX, ROWS, 0, 0, 0},     {SOFTMAX, ROWS, 1, 0, 0.1}};
    static const char *const activations[] = {"identity", "logistic", "softmax"};
    static const char *const losses[] = {"squared_error", "binary_cross_entropy", "cross_entropy"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bp_network *network = linear_network("levenberg_marquardt");
        double expected[COUNT], now[COUNT];
        EXPECT_OK(bp_network_set_activation(network, 1, activations[cases[i].f]));
        EXPECT_OK(bp_network_set_loss(network, losses[cases[i].f]));
        EXPECT_OK(bp_network_set_option(network, "weight_decay", cases[i].decay));
        EXPECT_OK(bp_network_set_option(network, "decay_biases", cases[i].decays_biases));
        EXPECT_OK(bp_network_set_option(network, "gradient_reduction", cases[i].mean));
        parameters_of(network, expected);
        damped_step(expected, cases[i].f, cases[i].rows, cases[i].decay * (cases[i].mean ? cases[i].rows : 1),
                    cases[i].decays_biases);
        EXPECT_OK(bp_network_train_minibatch(network, x, y, (size_t)cases[i].rows, 0, NULL));
        parameters_of(network, now);
        for (int p = 0; p < COUNT; p++)
            if (!EXPECT_NEAR(now[p], expected[p], 2e-5)) printf("#   case %zu, parameter %d\n", i, p);
        bp_network_free(network);
    }
}

/* 1-1-1, identity units, w = v = 1, b = c = 0; rows x = 1, y = 2 and x = -1, y = 1. With h = x:
 *     J = (v x, v, h, 1) = (1, 1, 1, 1) and (-1, 1, -1, 1);   r = -1 and -2
 * Two rows:  JJ' = 4 I.  lambda = 4 / 4.  p = -J' r / 5 = (-1, 3, -1, 3) / 5.  The loss falls from 2.5 to 0.196
 * Each row twice:  J'J has these two rows as eigenvectors of value 8, and the diagonal 4.  p = -2 J' r / 9 = 2 (-1, 3, -1, 3) / 9 */
static void a_step_of_levenberg_marquardt_matches_hand_computation(void) {
    static const size_t shape[] = {1, 1, 1};
    static const float inputs[] = {1, -1, 1, -1}, targets[] = {2, 1, 2, 1}, start[] = {1, 0, 1, 0};
    static const double direction[] = {-1, 3, -1, 3}, lengths[] = {1.0 / 5, 2.0 / 9};
    for (size_t copies = 1; copies <= 2; copies++) {
        bp_network *network = check_network(shape, 3, 1);
        double now[MOST];
        float loss = 0, later = 0;
        EXPECT_OK(bp_network_set_activation(network, 1, "identity"));
        EXPECT_OK(bp_network_set_activation(network, 2, "identity"));
        EXPECT_OK(bp_network_set_optimizer(network, "levenberg_marquardt"));
        EXPECT_OK(bp_network_set_option(network, "damping", 0.25));
        EXPECT_OK(bp_network_set_parameters(network, start, 4));
        EXPECT_OK(bp_network_train_minibatch(network, inputs, targets, 2 * copies, 0, &loss));
        parameters_of(network, now);
        for (int p = 0; p < 4; p++) EXPECT_NEAR(now[p], (double)start[p] + lengths[copies - 1] * direction[p], 1e-6);
        EXPECT_NEAR(loss, 2.5 * (double)copies, 1e-6);
        EXPECT_OK(bp_network_train_minibatch(network, inputs, targets, 2 * copies, 0, &later));
        if (copies == 1) EXPECT_NEAR(later, 0.196, 1e-5);
        bp_network_free(network);
    }
}

/* A step has the direction of the two-loop recursion, which is computed here from the steps and gradients before, and
 * satisfies the strong Wolfe conditions. */
static void steps_of_lbfgs_follow_the_two_loop_recursion(void) {
    enum { STEPS = 14, HISTORY = 3 };
    static double w[STEPS + 1][MOST], g[STEPS + 1][MOST], loss[STEPS + 1];
    bp_network *network = tanh_network("lbfgs");
    const size_t count = count_of(network);
    EXPECT_OK(bp_network_set_option(network, "lbfgs_history", HISTORY));
    for (int t = 0; t <= STEPS; t++) {
        float gradient[MOST], value;
        EXPECT_OK(bp_network_gradient(network, x, y, ROWS, gradient, count, &value));
        parameters_of(network, w[t]);
        for (size_t i = 0; i < count; i++) g[t][i] = (double)gradient[i];
        loss[t] = (double)value;
        train(network, 1);
    }
    for (int t = 0; t < STEPS; t++) {
        double d[MOST], share[STEPS], product[STEPS], step = 0, length = 0, along = 0, start = 0, end = 0;
        for (size_t i = 0; i < count; i++) d[i] = -g[t][i];
        for (int k = t - 1; k >= 0 && k >= t - HISTORY; k--) {
            share[k] = product[k] = 0;
            for (size_t i = 0; i < count; i++) {
                share[k] += (w[k + 1][i] - w[k][i]) * d[i];
                product[k] += (w[k + 1][i] - w[k][i]) * (g[k + 1][i] - g[k][i]);
            }
            share[k] /= product[k];
            for (size_t i = 0; i < count; i++) d[i] -= share[k] * (g[k + 1][i] - g[k][i]);
        }
        if (t > 0) {
            double squares = 0;
            for (size_t i = 0; i < count; i++) squares += pow(g[t][i] - g[t - 1][i], 2);
            for (size_t i = 0; i < count; i++) d[i] *= product[t - 1] / squares;
        }
        for (int k = t < HISTORY ? 0 : t - HISTORY; k < t; k++) {
            double other = 0;
            for (size_t i = 0; i < count; i++) other += (g[k + 1][i] - g[k][i]) * d[i];
            for (size_t i = 0; i < count; i++) d[i] += (share[k] - other / product[k]) * (w[k + 1][i] - w[k][i]);
        }
        for (size_t i = 0; i < count; i++) {
            const double move = w[t + 1][i] - w[t][i];
            along += move * d[i], step += move * move, length += d[i] * d[i];
            start += move * g[t][i], end += move * g[t + 1][i];
        }
        EXPECT(step > 0 && along / sqrt(step * length) > 0.9999);
        EXPECT(loss[t + 1] <= loss[t] + 1e-4 * start + 1e-6 && fabs(end) <= 0.9 * fabs(start) + 1e-6);
    }
    bp_network_free(network);
}

/* On a linear network, all reach the solution of the normal equations; bayesian_regularization that of ridge regression. */
static void linear_networks_reach_the_least_squares(void) {
    for (int i = 0; i < NAMES - 1; i++) {
        bp_network *network = linear_network(names[i]);
        double a[COUNT][COUNT] = {{0}}, b[COUNT] = {0}, now[COUNT];
        for (int row = 0; row < ROWS; row++)
            for (int k = 0; k < OUTPUTS; k++)
                for (int p = 0; p < COUNT; p++) {
                    b[p] += slope(row, k, p) * (double)y[row * OUTPUTS + k];
                    for (int q = 0; q < COUNT; q++) a[p][q] += slope(row, k, p) * slope(row, k, q);
                }
        eliminate(a, b);
        train(network, 40);
        parameters_of(network, now);
        for (int p = 0; p < COUNT; p++) EXPECT_NEAR(now[p], b[p], 1e-3);
        bp_network_free(network);
    }
}

/* A fit of the exact function of a network with the same shape. */
static void levenberg_marquardt_fits_to_the_precision_of_floats(void) {
    enum { MANY = 100 };
    static float inputs[MANY * INPUTS], targets[MANY * OUTPUTS];
    bp_network *teacher = tanh_network("sgd"), *network = tanh_network("levenberg_marquardt");
    float loss = 1;
    check_fill(inputs, MANY * INPUTS, 11);
    EXPECT_OK(bp_network_initialize(teacher, 77));
    EXPECT_OK(bp_network_predict(teacher, inputs, MANY, targets));
    for (int i = 0; i < 200; i++) EXPECT_OK(bp_network_train_minibatch(network, inputs, targets, MANY, 1, &loss));
    if (!EXPECT(loss < 1e-8f)) printf("#   loss %g\n", (double)loss);
    bp_network_free(teacher);
    bp_network_free(network);
}

static void the_loss_does_not_grow_and_a_converged_step_changes_no_parameter(void) {
    for (int i = 0; i < NAMES - 1; i++) {
        bp_network *network = tanh_network(names[i]);
        float before = INFINITY, loss;
        double one[MOST], other[MOST];
        for (int t = 0; t < 400; t++) {
            EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 1, &loss));
            EXPECT(loss <= before * (i == 0 ? 1.00001f : 1));
            before = loss;
        }
        for (int t = 0; t < 3000; t++) { /* until a step changes nothing */
            parameters_of(network, one);
            train(network, 1);
            parameters_of(network, other);
            if (memcmp(one, other, count_of(network) * sizeof *one) == 0) break;
        }
        if (i > 0) EXPECT(memcmp(one, other, count_of(network) * sizeof *one) == 0);
        bp_network_free(network);
    }
}

/* Columns that are the same, or 0 in all rows, make J'J singular. */
static void singular_equations_are_damped(void) {
    float inputs[ROWS * INPUTS], flat[MOST];
    for (int i = 0; i < NAMES; i++)
        for (int zero = 0; zero < 2; zero++) {
            bp_network *network = tanh_network(names[i]);
            float first, last = 0;
            for (int row = 0; row < ROWS; row++)
                for (int k = 0; k < INPUTS; k++) inputs[row * INPUTS + k] = zero ? 0 : x[row * INPUTS];
            EXPECT_OK(bp_network_train_minibatch(network, inputs, y, ROWS, 1, &first));
            for (int t = 0; t < 30; t++) EXPECT_OK(bp_network_train_minibatch(network, inputs, y, ROWS, 1, &last));
            EXPECT(last <= first);
            EXPECT_OK(bp_network_get_parameters(network, flat, count_of(network)));
            for (size_t p = 0; p < count_of(network); p++) EXPECT(isfinite(flat[p]));
            bp_network_free(network);
        }
}

static void huge_and_tiny_data_do_not_overflow(void) {
    for (int i = 0; i < NAMES; i++)
        for (int power = -30; power <= 30; power += 10) {
            bp_network *network = tanh_network(names[i]);
            float inputs[ROWS * INPUTS], targets[ROWS * OUTPUTS], flat[MOST];
            for (int k = 0; k < ROWS * INPUTS; k++) inputs[k] = x[k] * (float)pow(10, power);
            for (int k = 0; k < ROWS * OUTPUTS; k++) targets[k] = y[k] * (float)pow(10, power / 2);
            for (int t = 0; t < 5; t++) EXPECT_OK(bp_network_train_minibatch(network, inputs, targets, ROWS, 1, NULL));
            EXPECT_OK(bp_network_get_parameters(network, flat, count_of(network)));
            for (size_t p = 0; p < count_of(network); p++) EXPECT(isfinite(flat[p]));
            bp_network_free(network);
        }
}

static void copies_and_loaded_networks_continue_bit_for_bit(void) {
    for (int i = 0; i < NAMES; i++)
        for (int steps = 0; steps < 16; steps += 5) {
            bp_network *network = tanh_network(names[i]), *copy = NULL, *loaded = NULL;
            EXPECT_OK(bp_network_set_option(network, "lbfgs_history", 4));
            train(network, steps);
            EXPECT_OK(bp_network_clone(network, &copy));
            EXPECT_OK(bp_network_save(network, "second_order.safetensors"));
            EXPECT_OK(bp_network_load("second_order.safetensors", &loaded));
            EXPECT(snapshot_equal(network, loaded) && snapshot_equal(network, copy));
            train(network, 7);
            train(copy, 7);
            train(loaded, 7);
            EXPECT(snapshot_equal(network, copy) && snapshot_equal(network, loaded));
            bp_network_free(network);
            bp_network_free(copy);
            bp_network_free(loaded);
        }
}

/* In a fit, lbfgs keeps the gradient of its latest point; single steps compute it again. */
static void a_fit_has_the_bits_of_single_steps_and_of_a_resumed_fit(void) {
    for (int i = 0; i < NAMES; i++) {
        bp_network *single = tanh_network(names[i]), *whole = tanh_network(names[i]), *parts = tanh_network(names[i]);
        double loss;
        train(single, 12);
        EXPECT_OK(trainer_fit("epochs=12 batch_size=5", whole, x, y, ROWS, &loss));
        EXPECT(same_parameters(single, whole));
        for (int k = 1; k <= 12; k++) {
            char options[64];
            bp_network *loaded = NULL;
            snapshot file;
            (void)snprintf(options, sizeof options, "epochs=%d batch_size=5 resume=1", k);
            EXPECT_OK(trainer_fit(options, parts, x, y, ROWS, &loss));
            file = snapshot_of(parts);
            EXPECT_OK(bp_network_load_memory(file.bytes, file.count, &loaded));
            bp_network_free(parts);
            free(file.bytes);
            parts = loaded;
        }
        EXPECT(snapshot_equal(parts, whole));
        bp_network_free(single);
        bp_network_free(whole);
        bp_network_free(parts);
    }
}

/* With validation, patience, restarts and the best weights. */
static void fits_with_all_options_repeat_and_resume(void) {
    for (int i = 0; i < NAMES; i++) {
        bp_network *one = tanh_network(names[i]), *other = tanh_network(names[i]), *restarted = tanh_network(names[i]);
        double loss, again;
        EXPECT_OK(trainer_fit("epochs=30 validation_fraction=0.3 keep=2", one, x, y, ROWS, &loss));
        EXPECT_OK(trainer_fit("epochs=9 validation_fraction=0.3 keep=2", other, x, y, ROWS, &again));
        EXPECT_OK(trainer_fit("epochs=30 validation_fraction=0.3 keep=2 resume=1", other, x, y, ROWS, &again));
        EXPECT(loss == again && same_parameters(one, other));
        EXPECT_OK(trainer_fit("epochs=30 patience=3 restarts=4", restarted, x, y, ROWS, &loss));
        EXPECT(isfinite(loss));
        bp_network_free(one);
        bp_network_free(other);
        bp_network_free(restarted);
    }
}

static void steps_have_the_same_bits_for_any_number_of_threads(void) {
    enum { MANY = 300, WIDE = 20 };
    const size_t shape[] = {WIDE, 12, 3}, counts[] = {1, 2, 5};
    static float inputs[MANY * WIDE], targets[MANY * 3];
    check_fill(inputs, MANY * WIDE, 3);
    check_fill(targets, MANY * 3, 4);
    for (int i = 0; i < NAMES; i++)
        for (size_t rows = 60; rows <= MANY; rows += MANY - 60) { /* fewer residuals than parameters, and more */
            snapshot first = {NULL, 0};
            for (size_t k = 0; k < 3; k++) {
                bp_network *network = check_network(shape, 3, 1);
                EXPECT_OK(bp_network_set_activation(network, 2, "identity"));
                EXPECT_OK(bp_network_set_optimizer(network, names[i]));
                EXPECT_OK(bp_set_thread_count(counts[k]));
                for (int t = 0; t < 4; t++) EXPECT_OK(bp_network_train_minibatch(network, inputs, targets, rows, 1, NULL));
                if (k == 0) first = snapshot_of(network);
                else EXPECT(snapshot_holds(first, network));
                bp_network_free(network);
            }
            free(first.bytes);
        }
    EXPECT_OK(bp_set_thread_count(0));
}

static void frozen_layers_stay(void) {
    for (int i = 0; i < NAMES; i++)
        for (size_t layer = 1; layer <= 2; layer++) {
            bp_network *network = tanh_network(names[i]);
            const size_t first = layer == 1 ? 0 : UNITS * (INPUTS + 1),
                         end = layer == 1 ? UNITS * (INPUTS + 1) : count_of(network);
            double before[MOST], after[MOST];
            float loss, later;
            train(network, 3); /* a history from before the freezing */
            EXPECT_OK(bp_network_set_trainable(network, layer, 0));
            parameters_of(network, before);
            EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 1, &loss));
            train(network, 5);
            EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 1, &later));
            parameters_of(network, after);
            if (i < 2) EXPECT(later < loss);
            EXPECT(memcmp(before + first, after + first, (end - first) * sizeof *before) == 0);
            EXPECT(memcmp(before, after, sizeof(double) * count_of(network)) != 0);
            bp_network_free(network);
        }
}

/* A row without targets, and a row of weight 0, have no influence. */
static void missing_targets_and_row_weights_count(void) {
    const float weights[] = {1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 2, 2};
    float rows_x[(ROWS + 1) * INPUTS], rows_y[(ROWS + 1) * OUTPUTS];
    int n = 0;
    for (int row = 0; row < ROWS; row++)
        for (int copies = 0; copies < (int)weights[row]; copies++, n++) {
            memcpy(rows_x + n * INPUTS, x + row * INPUTS, INPUTS * sizeof *x);
            memcpy(rows_y + n * OUTPUTS, y + row * OUTPUTS, OUTPUTS * sizeof *y);
        }
    for (int i = 0; i < NAMES - 1; i++) {
        bp_network *weighted = linear_network(names[i]), *plain = linear_network(names[i]), *missing = linear_network(names[i]);
        bp_trainer *trainer = trainer_with("epochs=4");
        double a[MOST], b[MOST], c[MOST];
        float holes[ROWS * OUTPUTS];
        EXPECT_OK(bp_trainer_set_row_weights(trainer, weights, ROWS));
        EXPECT_OK(bp_trainer_fit(trainer, weighted, x, y, ROWS, NULL, NULL, 0, NULL));
        EXPECT_OK(trainer_fit("epochs=4", plain, rows_x, rows_y, (size_t)n, NULL));
        parameters_of(weighted, a);
        parameters_of(plain, b);
        for (size_t p = 0; p < count_of(plain); p++) EXPECT_NEAR(a[p], b[p], 1e-3);
        EXPECT_OK(bp_network_initialize(plain, 3));
        EXPECT_OK(trainer_fit("epochs=4", plain, x, y, ROWS - 1, NULL));
        memcpy(holes, y, sizeof holes);
        for (int k = 0; k < OUTPUTS; k++) holes[(ROWS - 1) * OUTPUTS + k] = NAN;
        EXPECT_OK(bp_network_set_option(missing, "missing_targets", 1));
        EXPECT_OK(trainer_fit("epochs=4", missing, x, holes, ROWS, NULL));
        parameters_of(missing, b);
        parameters_of(plain, c);
        for (size_t p = 0; p < count_of(plain); p++) EXPECT_NEAR(b[p], c[p], 1e-3);
        bp_trainer_free(trainer);
        bp_network_free(weighted);
        bp_network_free(plain);
        bp_network_free(missing);
    }
}

static int failing_calls, returns_nan;
static float bend(float z, void *user_data) {
    (void)user_data;
    return z / (1 + fabsf(z));
}
static int32_t fail_later(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    (void)user_data;
    for (size_t i = 0; i < rows * columns; i++) a[i] = bend(z[i], NULL);
    if (failing_calls-- != 0) return 0;
    if (returns_nan) a[0] = NAN;
    return returns_nan ? 0 : 7;
}

static int32_t bend_back(const float *z, const float *a, const float *gradient_a, float *gradient_z, size_t rows,
                         size_t columns, void *user_data) {
    (void)a, (void)user_data;
    for (size_t i = 0; i < rows * columns; i++) gradient_z[i] = gradient_a[i] / powf(1 + fabsf(z[i]), 2);
    if (failing_calls-- != 0) return 0;
    if (returns_nan) gradient_z[0] = NAN;
    return returns_nan ? 0 : 7;
}

/* The callback fails, or returns a NaN, at its n-th call: in the first evaluation, or in the evaluation of a trial point. A trial
 * point without a finite loss is rejected, as one with a higher loss. */
static void a_step_that_fails_at_any_evaluation_changes_nothing(void) {
    EXPECT_OK(bp_activation_register_vector("fail.later", fail_later, bend_back, NULL, NULL));
    for (int i = 0; i < NAMES; i++)
        for (returns_nan = 0; returns_nan < 2; returns_nan++)
            for (int steps = 0; steps < 4; steps += 3) {
                int failures = 0;
                for (int call = 0, reached = 1; call < 1000 && reached; call++) {
                    bp_network *network = tanh_network(names[i]);
                    float flat[MOST];
                    snapshot before;
                    int32_t status;
                    EXPECT_OK(bp_network_set_activation(network, 1, "fail.later"));
                    failing_calls = 1 << 30;
                    train(network, steps);
                    before = snapshot_of(network);
                    failing_calls = call;
                    status = bp_network_train_minibatch(network, x, y, ROWS, 1, NULL);
                    reached = failing_calls < 0;
                    if (status != BP_OK) {
                        EXPECT_STATUS(status, returns_nan ? BP_ERROR_NOT_FINITE : BP_ERROR_CALLBACK);
                        failures++;
                        EXPECT(snapshot_holds(before, network));
                    } else EXPECT(returns_nan || !reached);
                    EXPECT_OK(bp_network_get_parameters(network, flat, count_of(network)));
                    for (size_t p = 0; p < count_of(network); p++) EXPECT(isfinite(flat[p]));
                    free(before.bytes);
                    bp_network_free(network);
                }
                EXPECT(failures >= (steps > 0 && returns_nan ? 1 : 2));
            }
    returns_nan = 0;
    EXPECT_OK(bp_activation_unregister("fail.later"));
}

/* Identical units stay identical, and make J'J singular. */
static void identical_units_are_trained(void) {
    for (int i = 0; i < NAMES; i++) {
        bp_network *network = tanh_network(names[i]);
        float flat[MOST], first, last = 0;
        EXPECT_OK(bp_network_get_parameters(network, flat, count_of(network)));
        for (int k = 0; k < INPUTS; k++) flat[INPUTS + k] = flat[k];
        for (int k = 0; k < OUTPUTS; k++) flat[UNITS * (INPUTS + 1) + k * UNITS + 1] = flat[UNITS * (INPUTS + 1) + k * UNITS];
        EXPECT_OK(bp_network_set_parameters(network, flat, count_of(network)));
        EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 1, &first));
        train(network, 30);
        EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 1, &last));
        EXPECT_OK(bp_network_get_parameters(network, flat, count_of(network)));
        EXPECT(last < first);
        for (int k = 0; k < INPUTS; k++) EXPECT_NEAR(flat[INPUTS + k], flat[k], 1e-3);
        bp_network_free(network);
    }
}

/* Each optimizer starts with its own state, after any other; files and copies in between change nothing. */
static void optimizers_can_take_turns(void) {
    static const char *const turns[] = {"sgd",   "lbfgs",        "levenberg_marquardt", "adam", "bayesian_regularization",
                                        "lbfgs", "irprop_minus", "levenberg_marquardt", "sgd"};
    bp_network *network = tanh_network("sgd"), *other = tanh_network("sgd");
    float first, last = 0;
    EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.01f, &first));
    EXPECT_OK(bp_network_train_minibatch(other, x, y, ROWS, 0.01f, NULL));
    for (size_t i = 0; i < sizeof turns / sizeof turns[0]; i++) {
        bp_network *loaded = NULL, *copy = NULL;
        snapshot file;
        EXPECT_OK(bp_network_set_optimizer(network, turns[i]));
        EXPECT_OK(bp_network_set_optimizer(other, turns[i]));
        for (int step = 0; step < 4; step++) {
            EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.001f, &last));
            EXPECT_OK(bp_network_train_minibatch(other, x, y, ROWS, 0.001f, NULL));
            if (step != 1) continue;
            file = snapshot_of(other);
            EXPECT_OK(bp_network_load_memory(file.bytes, file.count, &loaded));
            EXPECT_OK(bp_network_clone(loaded, &copy));
            bp_network_free(loaded);
            bp_network_free(other);
            free(file.bytes);
            other = copy;
        }
        EXPECT(snapshot_equal(network, other));
    }
    EXPECT(last < first);
    bp_network_free(network);
    bp_network_free(other);
}

static void settings_without_a_smooth_loss_are_refused(void) {
    static const struct {
        int optimizer; /* the first that refuses it */
        const char *what, *part;
    } cases[] = {{0, "dropout", "dropout"},
                 {0, "sign", "sign"},
                 {0, "l1", "l1"},
                 {0, "clip_norm", "clip_norm"},
                 {0, "clip_value", "clip_value"},
                 {0, "batchnorm_update", "batchnorm_update"},
                 {1, "batchnorm", "batch normalization"},
                 {1, "huber", "squared_error"},
                 {2, "weight_decay", "weight_decay"},
                 {2, "cross_entropy", "squared_error"}};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++)
        for (int i = 0; i < NAMES; i++) {
            bp_network *network = tanh_network(names[i]);
            const char *what = cases[c].what;
            float targets[ROWS * OUTPUTS];
            snapshot before;
            check_fill_shares(targets, ROWS * OUTPUTS, 9);
            if (strcmp(what, "dropout") == 0) EXPECT_OK(bp_network_set_dropout(network, 1, 0.5));
            else if (strcmp(what, "sign") == 0) EXPECT_OK(bp_network_set_activation(network, 1, "sign"));
            else if (strcmp(what, "batchnorm") == 0) EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
            else if (strcmp(what, "huber") == 0) EXPECT_OK(bp_network_set_loss(network, "huber"));
            else if (strcmp(what, "cross_entropy") == 0) {
                EXPECT_OK(bp_network_set_loss(network, what));
                EXPECT_OK(bp_network_set_activation(network, 2, "softmax"));
            } else EXPECT_OK(bp_network_set_option(network, what, 1));
            before = snapshot_of(network);
            if (i < cases[c].optimizer) {
                EXPECT_OK(bp_network_check_settings(network, NULL, 0));
                EXPECT_OK(bp_network_train_minibatch(network, x, targets, ROWS, 1, NULL));
            } else {
                EXPECT_ERROR(bp_network_check_settings(network, NULL, 0), BP_ERROR_UNSUPPORTED);
                EXPECT_ERROR(bp_network_train_minibatch(network, x, targets, ROWS, 1, NULL), BP_ERROR_UNSUPPORTED);
                if (!EXPECT(strstr(bp_last_error_message(), cases[c].part))) printf("#   %s\n", bp_last_error_message());
                EXPECT_ERROR(trainer_fit("epochs=1", network, x, targets, ROWS, NULL), BP_ERROR_UNSUPPORTED);
                EXPECT(snapshot_holds(before, network));
            }
            free(before.bytes);
            bp_network_free(network);
        }
}

static int32_t next(bp_minibatch *minibatch, void *user_data) {
    (void)user_data;
    minibatch->rows = 0;
    return 1;
}

static void calls_without_all_rows_are_refused(void) {
    for (int i = 0; i < NAMES; i++) {
        bp_network *network = tanh_network(names[i]);
        bp_trainer *trainer = trainer_with("batch_size=4");
        float gradient[MOST] = {0};
        snapshot before = snapshot_of(network);
        EXPECT_ERROR(bp_network_apply_gradient(network, gradient, count_of(network), 1), BP_ERROR_UNSUPPORTED);
        EXPECT_MESSAGE("bp_network_train_minibatch");
        EXPECT_ERROR(trainer_fit("sampling=1", network, x, y, ROWS, NULL), BP_ERROR_UNSUPPORTED);
        EXPECT_ERROR(bp_trainer_fit_stream(trainer, network, next, NULL, NULL, NULL, 0, NULL), BP_ERROR_UNSUPPORTED);
        EXPECT_MESSAGE("bp_trainer_fit");
        EXPECT(snapshot_holds(before, network));
        free(before.bytes);
        bp_trainer_free(trainer);
        bp_network_free(network);
    }
}

/* The matrix would have 16 TB, or more. */
static void a_matrix_that_memory_cannot_hold_is_refused_before_anything_is_allocated(void) {
    enum { WIDE = 1200, MANY = 1300 };
    const size_t shape[] = {WIDE, WIDE, WIDE};
    static float inputs[MANY * WIDE], targets[MANY * WIDE];
    for (int i = 1; i < NAMES; i++) {
        bp_network *network = check_network(shape, 3, 1);
        EXPECT_OK(bp_network_set_optimizer(network, names[i]));
        EXPECT_ERROR(bp_network_train_minibatch(network, inputs, targets, MANY, 1, NULL), BP_ERROR_LIMIT);
        EXPECT_MESSAGE("GB");
        bp_network_free(network);
    }
}

static void batch_normalization_goes_with_lbfgs_and_with_frozen_layers(void) {
    for (int i = 0; i < NAMES; i++) {
        bp_network *network = tanh_network(i == 0 ? "lbfgs" : "sgd");
        float first, last = 0;
        EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
        EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.01f, &first));
        if (i > 0) EXPECT_OK(bp_network_set_trainable(network, 1, 0));
        EXPECT_OK(bp_network_set_optimizer(network, names[i]));
        for (int t = 0; t < 20; t++) EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 1, &last));
        EXPECT(last < first);
        bp_network_free(network);
    }
}

static void running_statistics_follow_the_rows_after_lbfgs_has_converged(void) {
    static const size_t narrow[] = {INPUTS, 1, OUTPUTS};
    bp_network *network = check_network(narrow, 3, 5);
    double w[MOST], z[ROWS], mean = 0, variance = 0;
    float running_mean, running_variance, targets[ROWS * OUTPUTS];
    for (int row = 0; row < ROWS; row++)
        for (int k = 0; k < OUTPUTS; k++)
            targets[row * OUTPUTS + k] = tanhf(x[row * INPUTS] + 2 * x[row * INPUTS + 1]) + 0.1f * y[row * OUTPUTS + k];
    EXPECT_OK(bp_network_set_activation(network, 1, "tanh"));
    EXPECT_OK(bp_network_set_activation(network, 2, "identity"));
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    EXPECT_OK(bp_network_set_optimizer(network, "lbfgs"));
    for (int step = 0; step < 300; step++) /* after some tens, no point is better */
        EXPECT_OK(bp_network_train_minibatch(network, x, targets, ROWS, 1, NULL));
    parameters_of(network, w);
    EXPECT_OK(bp_network_get_tensor(network, "layers.1.norm.running_mean", &running_mean, 1));
    EXPECT_OK(bp_network_get_tensor(network, "layers.1.norm.running_var", &running_variance, 1));
    for (int row = 0; row < ROWS; row++) {
        z[row] = w[INPUTS];
        for (int i = 0; i < INPUTS; i++) z[row] += w[i] * (double)x[row * INPUTS + i];
        mean += z[row] / ROWS;
    }
    for (int row = 0; row < ROWS; row++) variance += (z[row] - mean) * (z[row] - mean) / (ROWS - 1);
    EXPECT_NEAR(running_mean, mean, 1e-5 * sqrt(variance));
    EXPECT_NEAR(running_variance, variance, 1e-5 * variance);
    bp_network_free(network);
}

static void effective_parameters_are_those_of_bayesian_regularization(void) {
    bp_network *network = tanh_network("bayesian_regularization"), *other = tanh_network("levenberg_marquardt");
    double count = -1;
    EXPECT_OK(bp_network_effective_parameters(network, &count));
    EXPECT(count == 0);
    train(network, 30);
    EXPECT_OK(bp_network_effective_parameters(network, &count));
    EXPECT(count >= 0 && count <= (double)count_of(network));
    EXPECT_ERROR(bp_network_effective_parameters(other, &count), BP_ERROR_UNSUPPORTED);
    EXPECT(count == 0);
    EXPECT_ERROR(bp_network_effective_parameters(network, NULL), BP_ERROR_NULL_ARGUMENT);
    bp_network_free(network);
    bp_network_free(other);
}

static void a_new_history_size_resets_the_history(void) {
    bp_network *used = tanh_network("lbfgs"), *fresh = NULL;
    double flat[MOST];
    float start[MOST];
    train(used, 5);
    EXPECT_OK(bp_network_get_parameters(used, start, count_of(used)));
    EXPECT_OK(bp_network_set_option(used, "lbfgs_history", 7));
    fresh = tanh_network("lbfgs");
    EXPECT_OK(bp_network_set_option(fresh, "lbfgs_history", 7));
    EXPECT_OK(bp_network_set_parameters(fresh, start, count_of(fresh)));
    train(used, 2);
    train(fresh, 2);
    parameters_of(used, flat);
    EXPECT(same_parameters(used, fresh));
    bp_network_free(used);
    bp_network_free(fresh);
}

int main(void) {
    check_fill(x, ROWS * INPUTS, 1);
    check_fill_shares(y, ROWS * OUTPUTS, 2);
    CLAIM(first_step_of_levenberg_marquardt_solves_the_damped_equations);
    CLAIM(a_step_of_levenberg_marquardt_matches_hand_computation);
    CLAIM(steps_of_lbfgs_follow_the_two_loop_recursion);
    CLAIM(linear_networks_reach_the_least_squares);
    CLAIM(levenberg_marquardt_fits_to_the_precision_of_floats);
    CLAIM(the_loss_does_not_grow_and_a_converged_step_changes_no_parameter);
    CLAIM(singular_equations_are_damped);
    CLAIM(huge_and_tiny_data_do_not_overflow);
    CLAIM(copies_and_loaded_networks_continue_bit_for_bit);
    CLAIM(a_fit_has_the_bits_of_single_steps_and_of_a_resumed_fit);
    CLAIM(fits_with_all_options_repeat_and_resume);
    CLAIM(steps_have_the_same_bits_for_any_number_of_threads);
    CLAIM(frozen_layers_stay);
    CLAIM(missing_targets_and_row_weights_count);
    CLAIM(a_step_that_fails_at_any_evaluation_changes_nothing);
    CLAIM(identical_units_are_trained);
    CLAIM(optimizers_can_take_turns);
    CLAIM(settings_without_a_smooth_loss_are_refused);
    CLAIM(calls_without_all_rows_are_refused);
    CLAIM(a_matrix_that_memory_cannot_hold_is_refused_before_anything_is_allocated);
    CLAIM(batch_normalization_goes_with_lbfgs_and_with_frozen_layers);
    CLAIM(running_statistics_follow_the_rows_after_lbfgs_has_converged);
    CLAIM(effective_parameters_are_those_of_bayesian_regularization);
    CLAIM(a_new_history_size_resets_the_history);
    return check_end();
}
