/* large_minibatches.c: minibatches of more than 1,024 rows, which pass through the network in parts. */
#include "mirror.h"

enum { ROWS = 2500, INPUTS = 5, HIDDEN = 18, OUTPUTS = 3, COUNT = INPUTS * HIDDEN + HIDDEN + HIDDEN * OUTPUTS + OUTPUTS };

static float x[ROWS * INPUTS], y[ROWS * OUTPUTS], row_weights[ROWS];

static bp_network *network_of(const char *loss, const char *activation) {
    const size_t sizes[] = {INPUTS, HIDDEN, OUTPUTS};
    bp_network *network = check_network(sizes, 3, 3);
    EXPECT_OK(bp_network_set_activation(network, 1, activation));
    EXPECT_OK(bp_network_set_activation(network, 2, "identity"));
    EXPECT_OK(bp_network_set_loss(network, loss));
    return network;
}

/* The gradient of a minibatch is the sum over its rows: the formulas compute it in blocks of REF_ROWS rows. */
static double gradient_of_formulas(reference *r, int with_weights, double *sum) {
    static reference g;
    double block[COUNT], loss = 0;
    memset(sum, 0, COUNT * sizeof *sum);
    for (int i = 0; i < ROWS; i += REF_ROWS) {
        r->row_weights = with_weights ? row_weights + i : NULL;
        loss += ref_gradient(r, x + i * INPUTS, y + i * OUTPUTS, ROWS - i < REF_ROWS ? ROWS - i : REF_ROWS, 0, &g);
        ref_get(&g, block);
        for (int k = 0; k < COUNT; k++) sum[k] += block[k];
    }
    return loss;
}

static void large_minibatches_match_plain_double_loops(void) {
    static const int sizes[] = {INPUTS, HIDDEN, OUTPUTS};
    static reference r;
    float gradient[COUNT], before[COUNT], after[COUNT], loss;
    double expected[COUNT];
    for (int kind = 0; kind < 2 * REF_LOSSES; kind++) {
        ref_init(&r, 3, sizes);
        r.loss = kind % REF_LOSSES;
        r.activation[2] = r.loss == REF_SQUARED_ERROR ? REF_TANH : r.loss == REF_CROSS_ENTROPY ? REF_SOFTMAX : REF_LOGISTIC;
        bp_network *network = mirror(&r, 1, 17);
        double total = gradient_of_formulas(&r, kind >= REF_LOSSES, expected);
        if (kind < REF_LOSSES) {
            EXPECT_OK(bp_network_gradient(network, x, y, ROWS, gradient, count_of(network), &loss));
            EXPECT_NEAR(loss, total, 1e-6 * total);
            EXPECT(mirror_near(gradient, expected, COUNT, 3e-6));
        }
        EXPECT_OK(bp_network_set_option(network, "gradient_reduction", 1));
        EXPECT_OK(bp_network_get_parameters(network, before, COUNT));
        bp_rows inputs = {sizeof inputs, BP_FLOAT, x, ROWS, INPUTS, 0, 0, 0, 0, NULL};
        bp_rows targets = {sizeof targets, BP_FLOAT, y, ROWS, OUTPUTS, 0, 0, 0, 0, kind < REF_LOSSES ? NULL : row_weights};
        EXPECT_OK(bp_network_train_rows(network, &inputs, &targets, 0.5f, &loss));
        EXPECT_OK(bp_network_get_parameters(network, after, COUNT));
        EXPECT_NEAR(loss, total / ROWS, 1e-6);
        for (int k = 0; k < COUNT; k++) expected[k] = (double)before[k] - 0.5 * expected[k] / ROWS;
        EXPECT(mirror_near(after, expected, COUNT, 1e-6));
        bp_network_free(network);
    }
}

/* Half the squared error, as a registered loss: its rows pass through the network together. */
static int32_t squares(const float *outputs, const float *targets, double *losses, float *gradients, size_t rows,
                       size_t output_count, size_t target_columns, void *user_data) {
    (void)target_columns, (void)user_data;
    for (size_t row = 0; row < rows; row++) {
        losses[row] = 0;
        for (size_t k = row * output_count; k < (row + 1) * output_count; k++) {
            float difference = outputs[k] - targets[k];
            losses[row] += 0.5 * (double)difference * (double)difference;
            if (gradients) gradients[k] = difference;
        }
    }
    return 0;
}

static void a_large_minibatch_of_a_large_network_gives_the_bits_of_a_single_pass(void) {
    enum { FIRST = 300, SECOND = 150, MANY = INPUTS * FIRST + FIRST + FIRST * SECOND + SECOND + SECOND * OUTPUTS + OUTPUTS };
    static const char *const optimizers[] = {"sgd", "irprop_minus"};
    static const size_t sizes[] = {INPUTS, FIRST, SECOND, OUTPUTS};
    static float one[MANY], other[MANY];
    EXPECT_OK(bp_loss_register("squares", 0, squares, NULL, NULL));
    for (size_t threads = 1; threads <= 3; threads++) {
        bp_network *parts = check_network(sizes, 4, 3), *single = check_network(sizes, 4, 3);
        EXPECT_OK(bp_set_thread_count(threads));
        EXPECT_OK(bp_network_set_loss(single, "squares"));
        for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers; i++) {
            EXPECT_OK(bp_network_set_optimizer(parts, optimizers[i]));
            EXPECT_OK(bp_network_set_optimizer(single, optimizers[i]));
            EXPECT_OK(bp_network_train_minibatch(parts, x, y, ROWS, 1e-4f, NULL));
            EXPECT_OK(bp_network_train_minibatch(single, x, y, ROWS, 1e-4f, NULL));
        }
        EXPECT_OK(bp_network_get_parameters(parts, one, MANY));
        EXPECT_OK(bp_network_get_parameters(single, other, MANY));
        EXPECT(memcmp(one, other, sizeof one) == 0);
        bp_network_free(parts);
        bp_network_free(single);
    }
    EXPECT_OK(bp_set_thread_count(0));
    EXPECT_OK(bp_loss_unregister("squares"));
}

/* Threads compute parts of it at the same time. Dropout depends on the row, also in a part. */
static void a_large_minibatch_gives_the_same_bits_for_any_number_of_threads(void) {
    static const char *const optimizers[] = {"sgd", "adam", "irprop_minus"};
    bp_network *one = NULL;
    for (size_t threads = 1; threads <= 5; threads++) {
        bp_network *network = network_of("squared_error", "tanh");
        EXPECT_OK(bp_set_thread_count(threads));
        EXPECT_OK(bp_network_set_dropout(network, 1, 0.25));
        for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers; i++) {
            EXPECT_OK(bp_network_set_optimizer(network, optimizers[i]));
            /* Fewer rows after more, and more after fewer. */
            for (size_t rows = ROWS; rows > 1024; rows -= 700)
                EXPECT_OK(bp_network_train_minibatch(network, x, y, rows, 1e-4f, NULL));
        }
        if (!one) one = network;
        else EXPECT(snapshot_equal(network, one)), bp_network_free(network);
    }
    bp_network_free(one);
    EXPECT_OK(bp_set_thread_count(0));
}

static int32_t identity(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    (void)user_data;
    memcpy(a, z, rows * columns * sizeof *a);
    return 0;
}

/* Fails at a large gradient: that of a row with a large weight. */
static int32_t fail_at_large(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                             void *user_data) {
    (void)z, (void)a, (void)user_data;
    for (size_t i = 0; i < rows * columns; i++)
        if (fabsf(da[i]) > 1e3f && fabsf(da[i]) < 1e8f) return 7;
    memcpy(dz, da, rows * columns * sizeof *dz);
    return 0;
}

/* Dropout shows that the state of the random numbers is unchanged, too. */
static void fail_in_the_last_part(size_t threads) {
    EXPECT_OK(bp_activation_register_vector("picky", identity, fail_at_large, NULL, NULL));
    EXPECT_OK(bp_activation_set_thread_safe("picky", 1));
    bp_network *network = network_of("squared_error", "picky"), *twin = network_of("squared_error", "picky");
    EXPECT_OK(bp_network_set_dropout(network, 1, 0.25));
    EXPECT_OK(bp_network_set_dropout(twin, 1, 0.25));
    bp_rows inputs = {sizeof inputs, BP_FLOAT, x, ROWS, INPUTS, 0, 0, 0, 0, NULL};
    bp_rows targets = {sizeof targets, BP_FLOAT, y, ROWS, OUTPUTS, 0, 0, 0, 0, row_weights};
    snapshot before = snapshot_of(network);
    EXPECT_OK(bp_set_thread_count(threads));

    float kept = x[2400 * INPUTS + 2];
    x[2400 * INPUTS + 2] = NAN;
    EXPECT_ERROR(bp_network_train_minibatch(network, x, y, ROWS, 0.01f, NULL), BP_ERROR_NOT_FINITE);
    EXPECT_MESSAGE("row 2400, column 2");
    x[2400 * INPUTS + 2] = kept;
    EXPECT(snapshot_holds(before, network));

    kept = y[2499 * OUTPUTS + 1];
    y[2499 * OUTPUTS + 1] = INFINITY;
    EXPECT_ERROR(bp_network_train_minibatch(network, x, y, ROWS, 0.01f, NULL), BP_ERROR_NOT_FINITE);
    EXPECT_MESSAGE("row 2499, column 1");
    y[2499 * OUTPUTS + 1] = 1e30f; /* the loss is no finite float */
    EXPECT_ERROR(bp_network_train_minibatch(network, x, y, ROWS, 0.01f, NULL), BP_ERROR_NOT_FINITE);
    y[2499 * OUTPUTS + 1] = 1e15f; /* nor is the step */
    EXPECT_ERROR(bp_network_train_minibatch(network, x, y, ROWS, 1e30f, NULL), BP_ERROR_NOT_FINITE);
    y[2499 * OUTPUTS + 1] = kept;
    EXPECT(snapshot_holds(before, network));

    kept = row_weights[2490];
    row_weights[2490] = 1e6f;
    EXPECT_ERROR(bp_network_train_rows(network, &inputs, &targets, 0.01f, NULL), BP_ERROR_CALLBACK);
    row_weights[2490] = kept;
    EXPECT(snapshot_holds(before, network));

    EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 1e-4f, NULL));
    EXPECT_OK(bp_network_train_minibatch(twin, x, y, ROWS, 1e-4f, NULL));
    EXPECT(snapshot_equal(network, twin));
    EXPECT_OK(bp_activation_unregister("picky"));
    free(before.bytes);
    bp_network_free(network);
    bp_network_free(twin);
    EXPECT_OK(bp_set_thread_count(0));
}

static void a_failure_in_the_last_part_changes_nothing(void) {
    for (size_t threads = 1; threads <= 4; threads++) fail_in_the_last_part(threads);
}

int main(void) {
    check_fill_shares(x, ROWS * INPUTS, 1);
    check_fill_shares(y, ROWS * OUTPUTS, 2);
    check_fill_shares(row_weights, ROWS, 3);
    for (int i = 0; i < ROWS; i++) { /* targets of classes, too: they sum to 1 */
        float sum = 0;
        for (int k = 0; k < OUTPUTS; k++) sum += y[i * OUTPUTS + k];
        for (int k = 0; k < OUTPUTS; k++) y[i * OUTPUTS + k] /= sum;
        row_weights[i] += 0.125f;
    }
    CLAIM(large_minibatches_match_plain_double_loops);
    CLAIM(a_large_minibatch_of_a_large_network_gives_the_bits_of_a_single_pass);
    CLAIM(a_large_minibatch_gives_the_same_bits_for_any_number_of_threads);
    CLAIM(a_failure_in_the_last_part_changes_nothing);
    return check_end();
}
