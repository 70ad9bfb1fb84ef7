/* all_reduce.c: several workers that train one network are like one process with the rows of all of them, and fail together. */
#include "activations.h"
#include "trainer.h"
#include "workers.h"

enum { INPUTS = 5, OUTPUTS = 3, ROWS = 24 };
static float x[ROWS * INPUTS], y[ROWS * OUTPUTS], weights[ROWS];
static const size_t sizes[] = {INPUTS, 8, 7, OUTPUTS};

static bp_network *plain_network(const char *optimizer, int normalized) {
    bp_network *network = check_network(sizes, 4, 3);
    EXPECT_OK(bp_network_set_activation(network, 1, "tanh"));
    EXPECT_OK(bp_network_set_activation(network, 2, "tanh"));
    EXPECT_OK(bp_network_set_activation(network, 3, "identity"));
    EXPECT_OK(bp_network_set_batchnorm(network, 1, normalized));
    EXPECT_OK(bp_network_set_batchnorm(network, 2, normalized));
    EXPECT_OK(bp_network_set_optimizer(network, optimizer));
    EXPECT_OK(bp_network_set_option(network, "gradient_reduction", BP_REDUCTION_MEAN));
    return network;
}

/* The first row of a worker's share: all have about the same number, or worker 1 has none and worker 0 has a single one. */
static size_t first_row(int index, int workers, int uneven) {
    if (index == 0) return 0;
    if (index >= workers) return ROWS;
    if (uneven) return index == 1 ? 1 : index == 2 ? 1 : (size_t)(ROWS * index / workers);
    return (size_t)(ROWS * index / workers);
}

typedef struct {
    int steps, uneven;
    float rate;
} plan;

static void train_share(worker *own) {
    const plan *p = (const plan *)own->context;
    const size_t first = first_row(own->index, own->team->workers, p->uneven);
    const size_t rows = first_row(own->index + 1, own->team->workers, p->uneven) - first;
    float loss = 0;
    for (int step = 0; step < p->steps && own->status == BP_OK; step++)
        own->status = bp_network_train_minibatch(own->network, rows ? x + first * INPUTS : NULL,
                                                 rows ? y + first * OUTPUTS : NULL, rows, p->rate, &loss);
    own->loss = loss;
}

/* After distance_after, the largest difference of predictions. It depends on the running statistics, too. */
static double distance_of_predictions;

/* Trains a copy of the network with all rows, and one with the workers; returns the distance of their parameters. */
static double distance_after(const bp_network *network, int workers, plan p) {
    bp_network *alone = NULL;
    float together[ROWS * OUTPUTS] = {0}, expected[ROWS * OUTPUTS] = {1};
    team t;
    worker members[MOST_WORKERS];
    float loss = 0;
    EXPECT_OK(bp_network_clone(network, &alone));
    for (int step = 0; step < p.steps; step++) EXPECT_OK(bp_network_train_minibatch(alone, x, y, ROWS, p.rate, &loss));
    team_run(&t, members, workers, network, train_share, &p, 0);
    for (int k = 0; k < workers; k++) {
        if (!EXPECT_OK(members[k].status)) printf("#   %s\n", members[k].message);
        EXPECT_NEAR(members[k].loss, loss, 1e-5 * fmax(1, fabs((double)loss)));
    }
    EXPECT(team_agrees(&t, members));
    const double found = distance(alone, members[0].network);
    EXPECT_OK(bp_network_predict(members[0].network, x, ROWS, together));
    EXPECT_OK(bp_network_predict(alone, x, ROWS, expected));
    distance_of_predictions = 0;
    for (int i = 0; i < ROWS * OUTPUTS; i++)
        distance_of_predictions = fmax(distance_of_predictions, fabs((double)together[i] - (double)expected[i]));
    team_free(&t, members);
    bp_network_free(alone);
    return found;
}

static void workers_make_the_steps_of_one_process_with_every_optimizer(void) {
    static const struct {
        const char *name;
        float rate;
    } all[] = {{"sgd", 0.05f},      {"momentum", 0.02f}, {"nesterov", 0.02f},
               {"rmsprop", 0.001f}, {"adam", 0.002f},    {"adamw", 0.002f}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        for (int normalized = 0; normalized < 2; normalized++) {
            bp_network *network = plain_network(all[i].name, normalized);
            for (int workers = 1; workers <= 4; workers++)
                for (int uneven = 0; uneven < 2; uneven++) {
                    const plan p = {200, uneven, all[i].rate};
                    const double found = distance_after(network, workers, p);
                    if (!EXPECT(found < 1e-5))
                        printf("#   %s, batchnorm %d, %d workers, uneven %d: %.3g\n", all[i].name, normalized, workers, uneven,
                               found);
                }
            bp_network_free(network);
        }
}

static void every_setting_is_that_of_the_whole_minibatch(void) {
    static const struct {
        const char *option;
        double value;
    } all[] = {{"gradient_reduction", BP_REDUCTION_SUM},
               {"clip_norm", 0.05},
               {"clip_value", 0.01},
               {"weight_decay", 0.01},
               {"l1", 0.001}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        bp_network *network = plain_network("sgd", 1);
        const plan p = {50, 1, i == 0 ? 0.005f : 0.05f};
        EXPECT_OK(bp_network_set_option(network, all[i].option, all[i].value));
        EXPECT_OK(bp_network_set_trainable(network, 1, i != 3));
        EXPECT(distance_after(network, 3, p) < 1e-5);
        bp_network_free(network);
    }
    bp_network *network = plain_network("adam", 1); /* the masks of dropout do not depend on the workers */
    const plan p = {50, 1, 0.002f};
    EXPECT_OK(bp_network_set_dropout(network, 1, 0.3));
    EXPECT_OK(bp_network_set_dropout(network, 2, 0.3));
    EXPECT(distance_after(network, 4, p) < 1e-5);
    bp_network_free(network);
}

static void second_order_steps_are_those_of_one_process(void) {
    static const char *const optimizers[] = {"lbfgs", "lbfgs", "levenberg_marquardt", "bayesian_regularization"};
    static const size_t few[] = {INPUTS, 2, OUTPUTS}; /* fewer parameters than residuals: the same equations in both cases */
    for (int i = 0; i < 4; i++) {
        bp_network *network = i < 2 ? plain_network(optimizers[i], i == 1) : check_network(few, 3, 1);
        if (i >= 2) {
            EXPECT_OK(bp_network_set_activation(network, 2, "identity"));
            EXPECT_OK(bp_network_set_optimizer(network, optimizers[i]));
        }
        for (int workers = 1; workers <= 4; workers++) {
            const plan p = {20, workers > 2, 1};
            const double found = distance_after(network, workers, p);
            if (!EXPECT(found < 1e-4)) printf("#   %s, %d workers: %.3g\n", optimizers[i], workers, found);
        }
        bp_network_free(network);
    }
}

/* Rounding errors grow along the path of lbfgs, also in double precision, until it reaches a minimum: see docs/scaling.md. It reaches
 * that of this problem in some tens of steps. Below batch normalization, the lengths of the units' weights have no effect, and keep
 * the errors of the path: it begins near the minimum, so that it is short. */
static void two_hundred_steps_of_lbfgs_end_at_the_minimum_that_one_process_finds(void) {
    static const size_t narrow[] = {INPUTS, 2, OUTPUTS};
    float noise[ROWS * OUTPUTS];
    memcpy(noise, y, sizeof y);
    for (int row = 0; row < ROWS; row++) {
        const float *in = x + row * INPUTS;
        const float one = tanhf(in[0] + 2 * in[1] - in[2]), other = tanhf(2 * in[3] - in[4] - in[0]);
        for (int k = 0; k < OUTPUTS; k++)
            y[row * OUTPUTS + k] = (k < 2 ? one : -one) + (k < 1 ? other : -other) + 0.1f * noise[row * OUTPUTS + k];
    }
    for (int normalized = 0; normalized < 2; normalized++) {
        bp_network *network = check_network(narrow, 3, 1);
        EXPECT_OK(bp_network_set_activation(network, 1, "tanh"));
        EXPECT_OK(bp_network_set_activation(network, 2, "identity"));
        EXPECT_OK(bp_network_set_batchnorm(network, 1, normalized));
        EXPECT_OK(bp_network_set_option(network, "gradient_reduction", BP_REDUCTION_MEAN));
        EXPECT_OK(bp_network_set_optimizer(network, "adam"));
        for (int step = 0; step < 1000 * normalized; step++)
            EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.01f, NULL));
        EXPECT_OK(bp_network_set_optimizer(network, "lbfgs"));
        for (int workers = 1; workers <= 4; workers++)
            for (int uneven = 0; uneven < 2; uneven++) {
                const plan p = {200, uneven, 1};
                const double found = distance_after(network, workers, p);
                if (!EXPECT(found < 1e-5 && distance_of_predictions < 1e-5))
                    printf("#   batchnorm %d, %d workers, uneven %d: %.3g, predictions %.3g\n", normalized, workers, uneven,
                           found, distance_of_predictions);
            }
        bp_network_free(network);
    }
    memcpy(y, noise, sizeof y);
}

static void train_one_row(worker *own) {
    const float input = own->index == 0 ? 1 : 1e20f,
                target = 1; /* at the first point of the line search, the loss of worker 1 overflows */
    own->status = bp_network_train_minibatch(own->network, &input, &target, 1, 1, NULL);
}

static void a_line_search_goes_on_where_the_loss_of_one_worker_is_not_finite(void) {
    static const size_t single[] = {1, 1};
    static const float zeros[2];
    bp_network *network = check_network(single, 2, 1);
    team t;
    worker members[MOST_WORKERS];
    EXPECT_OK(bp_network_set_activation(network, 1, "identity"));
    EXPECT_OK(bp_network_set_optimizer(network, "lbfgs"));
    EXPECT_OK(bp_network_set_parameters(network, zeros, 2));
    team_run(&t, members, 2, network, train_one_row, NULL, 0);
    for (int k = 0; k < 2; k++)
        if (!EXPECT_OK(members[k].status)) printf("#   %s\n", members[k].message);
    EXPECT(team_agrees(&t, members) && !snapshot_equal(members[0].network, network));
    team_free(&t, members);
    bp_network_free(network);
}

/* ---- Random networks and shares */

typedef struct {
    size_t rows[MOST_WORKERS], inputs, outputs;
    const float *x, *y, *weights;
    float rate;
    int steps;
} shares;

static void train_weighted_share(worker *own) {
    const shares *s = (const shares *)own->context;
    size_t first = 0;
    for (int k = 0; k < own->index; k++) first += s->rows[k];
    const bp_rows inputs = {sizeof inputs, BP_FLOAT, s->x + first * s->inputs, s->rows[own->index], s->inputs, 0, 0, 0, 0,
                            NULL};
    const bp_rows targets = {
        sizeof targets, BP_FLOAT, s->y + first * s->outputs, s->rows[own->index], s->outputs, 0, 0, 0, 0, s->weights + first};
    float loss = 0;
    for (int step = 0; step < s->steps && own->status == BP_OK; step++)
        own->status = bp_network_train_rows(own->network, &inputs, &targets, s->rate, &loss);
    own->loss = loss;
}

/* Trains a copy of the network with the rows of all shares, and one with the workers; returns the distance of their parameters. */
static double distance_of_shares(const bp_network *network, int workers, shares s, double tolerance) {
    bp_network *alone = NULL;
    shares whole = s;
    team t, single;
    worker members[MOST_WORKERS], one[1];
    for (int k = 1; k < workers; k++) whole.rows[0] += s.rows[k];
    EXPECT_OK(bp_network_clone(network, &alone));
    team_run(&single, one, 1, network, train_weighted_share, &whole, 0); /* one worker is like no all-reduce: below */
    team_run(&t, members, workers, network, train_weighted_share, &s, 0);
    worker self = {&single, 0, &whole, alone, 0, 0, "", NULL};
    train_weighted_share(&self);
    EXPECT_OK(self.status);
    EXPECT_OK(members[0].status);
    EXPECT_NEAR(members[0].loss, self.loss, tolerance * fmax(1, fabs(self.loss)));
    EXPECT(team_agrees(&t, members));
    const double found = fmax(distance(alone, members[0].network), distance(alone, one[0].network));
    team_free(&t, members);
    team_free(&single, one);
    bp_network_free(alone);
    return found;
}

static void random_networks_and_shares_train_like_one_process(void) {
    static const char *const optimizers[] = {"sgd", "momentum", "adam", "rmsprop"};
    static const char *const activations[] = {"tanh", "logistic", "gelu", "softsign"};
    uint32_t state = 7;
    for (int trial = 0; trial < 150; trial++) {
#define PICK(count) ((size_t)((check_random(&state) + 1) / 2.001 * (double)(count)))
        const size_t layers = 2 + PICK(3);
        size_t shape[5], rows = 0;
        static float in[64 * 20], out[64 * 20], w[64];
        for (size_t i = 0; i < layers; i++) shape[i] = 1 + PICK(20);
        bp_network *network = check_network(shape, layers, (uint64_t)trial);
        for (size_t i = 1; i < layers; i++) {
            EXPECT_OK(bp_network_set_activation(network, i, i + 1 < layers ? activations[PICK(4)] : "identity"));
            EXPECT_OK(bp_network_set_batchnorm(network, i, trial % 3 == 0));
            if (i + 1 < layers) EXPECT_OK(bp_network_set_dropout(network, i, PICK(4) == 0 ? 0.25 : 0));
        }
        EXPECT_OK(bp_network_set_optimizer(network, optimizers[PICK(trial % 3 == 0 ? 2 : 4)]));
        EXPECT_OK(bp_network_set_option(network, "gradient_reduction", BP_REDUCTION_MEAN));
        const int workers = 1 + (int)PICK(MOST_WORKERS);
        shares s = {{0}, shape[0], shape[layers - 1], in, out, w, 0.003f, 10};
        for (int k = 0; k < workers; k++) rows += s.rows[k] = PICK(3) == 0 ? PICK(2) : PICK(8);
        if (trial % 3 == 0 && trial > 30) rows += 9, s.rows[0] += 9; /* with few rows, batch normalization amplifies rounding */
        else if (trial % 3 == 0)
            memset(s.rows, 0, sizeof s.rows), rows = s.rows[PICK(workers)] = 1; /* and a single row is special */
        if (rows == 0) rows = s.rows[0] = 1;
        check_fill(in, rows * s.inputs, (uint32_t)trial);
        check_fill(out, rows * s.outputs, (uint32_t)trial + 1);
        for (size_t i = 0; i < rows; i++) w[i] = PICK(5) == 0 ? 0 : (float)(1 + PICK(3));
        const double found = distance_of_shares(network, workers, s, 1e-4);
        if (!EXPECT(found < (trial % 3 ? 1e-4 : 1e-3)))
            printf("#   trial %d, %d workers, %d rows: %.3g\n", trial, workers, (int)rows, found);
        bp_network_free(network);
    }
}

static void shares_of_more_than_1024_rows_pass_in_parts_like_those_of_one_process(void) {
    enum { MANY = 3100 };
    static float in[MANY * INPUTS], out[MANY * OUTPUTS], w[MANY];
    bp_network *network = plain_network("momentum", 0);
    shares s = {{1700, 0, 300, 1100}, INPUTS, OUTPUTS, in, out, w, 0.02f, 20};
    EXPECT_OK(bp_network_set_dropout(network, 1, 0.25));
    check_fill(in, MANY * INPUTS, 8);
    check_fill(out, MANY * OUTPUTS, 9);
    for (int i = 0; i < MANY; i++) w[i] = (float)(i % 3);
    EXPECT(distance_of_shares(network, 4, s, 1e-5) < 1e-5);
    for (int i = 0; i < 3; i++) { /* in the first and in the last part of a worker */
        float *wrong = in + (i == 0 ? 3 : i == 1 ? 1690 : 3090) * INPUTS;
        team t;
        worker members[MOST_WORKERS];
        *wrong = NAN;
        team_run(&t, members, 4, network, train_weighted_share, &s, 0);
        *wrong = 0;
        for (int k = 0; k < 4; k++) {
            EXPECT_STATUS(members[k].status, BP_ERROR_NOT_FINITE);
            EXPECT(snapshot_equal(members[k].network, network));
        }
        team_free(&t, members);
    }
    bp_network_free(network);
}

/* ---- Other calls */

static void find_gradient(worker *own) {
    const size_t first = first_row(own->index, own->team->workers, 1), count = count_of(own->network);
    const size_t rows = first_row(own->index + 1, own->team->workers, 1) - first;
    float *gradients = (float *)own->context + 2 * count * (size_t)own->index, loss = 0;
    own->status = bp_network_gradient(own->network, x + first * INPUTS, y + first * OUTPUTS, rows, gradients, count, &loss);
    own->loss = loss;
    if (own->status == BP_OK)
        own->status = bp_network_backpropagate(own->network, x + first * INPUTS, y + first * OUTPUTS, rows, gradients + count,
                                               count, NULL);
}

static void gradients_are_sums_over_the_workers(void) {
    bp_network *network = plain_network("sgd", 1);
    enum { WORKERS = 4 };
    const size_t count = count_of(network);
    float *found = (float *)calloc(2 * count * WORKERS, sizeof(float)), *expected = (float *)calloc(2 * count, sizeof(float));
    float loss = 0;
    team t;
    worker members[MOST_WORKERS];
    team_run(&t, members, WORKERS, network, find_gradient, found, 0);
    EXPECT_OK(bp_network_gradient(network, x, y, ROWS, expected, count, &loss));
    EXPECT_OK(bp_network_backpropagate(network, x, y, ROWS, expected + count, count, NULL));
    for (int k = 0; k < WORKERS; k++) {
        EXPECT_OK(members[k].status);
        EXPECT_NEAR(members[k].loss, loss, 1e-6);
        EXPECT(!memcmp(found, found + 2 * count * (size_t)k, 2 * count * sizeof(float)));
    }
    for (size_t i = 0; i < 2 * count; i++) EXPECT_NEAR(found[i], expected[i], 2e-5);
    EXPECT(team_agrees(&t, members));
    team_free(&t, members);
    free(found);
    free(expected);
    bp_network_free(network);
}

static void scale_by_share(worker *own) {
    const int in_pieces = *(int *)own->context;
    const size_t first = first_row(own->index, own->team->workers, 1);
    const size_t rows = first_row(own->index + 1, own->team->workers, 1) - first;
    if (!in_pieces) {
        own->status = bp_network_fit_scaling(own->network, "standard", "symmetric", rows ? x + first * INPUTS : NULL,
                                             rows ? y + first * OUTPUTS : NULL, rows);
        return;
    }
    const bp_rows inputs = {sizeof inputs, BP_FLOAT, x + first * INPUTS, rows, INPUTS, 0, 0, 0, 0, NULL};
    const bp_rows targets = {sizeof targets, BP_FLOAT, y + first * OUTPUTS, rows, OUTPUTS, 0, 0, 0, 0, NULL};
    if (rows) own->status = bp_network_add_scaling_rows(own->network, &inputs, &targets);
    if (own->status == BP_OK) own->status = bp_network_finish_scaling(own->network, "standard", "symmetric");
}

static void scaling_is_that_of_all_rows(void) {
    static const char *const names[] = {"scaling.inputs.offset", "scaling.inputs.scale", "scaling.targets.offset",
                                        "scaling.targets.scale"};
    bp_network *network = plain_network("sgd", 0);
    for (int in_pieces = 0; in_pieces < 2; in_pieces++) {
        team t;
        worker members[MOST_WORKERS];
        bp_network *alone = NULL;
        EXPECT_OK(bp_network_clone(network, &alone));
        EXPECT_OK(bp_network_fit_scaling(alone, "standard", "symmetric", x, y, ROWS));
        team_run(&t, members, 4, network, scale_by_share, &in_pieces, 0);
        for (int k = 0; k < 4; k++)
            if (!EXPECT_OK(members[k].status)) printf("#   %s\n", members[k].message);
        EXPECT(team_agrees(&t, members));
        for (int i = 0; i < 4; i++) {
            float found[INPUTS] = {0}, expected[INPUTS] = {1};
            const size_t count = i < 2 ? INPUTS : OUTPUTS;
            EXPECT_OK(bp_network_get_tensor(members[0].network, names[i], found, count));
            EXPECT_OK(bp_network_get_tensor(alone, names[i], expected, count));
            for (size_t j = 0; j < count; j++) EXPECT_NEAR(found[j], expected[j], 1e-7);
        }
        team_free(&t, members);
        bp_network_free(alone);
    }
    bp_network_free(network);
}

static void use_alone(worker *own) {
    float loss = 0;
    if (own->index != 0) return;
    bp_network *copy = NULL;
    own->status = bp_network_evaluate(own->network, x, y, ROWS, &loss); /* const calls are local, and so are copies */
    if (own->status == BP_OK) own->status = bp_network_clone(own->network, &copy);
    if (own->status == BP_OK) own->status = bp_network_train_minibatch(copy, x, y, ROWS, 0.1f, &loss);
    double worst = 1;
    if (own->status == BP_OK) own->status = bp_network_check_gradient(own->network, x, y, 4, &worst);
    if (worst > 1e-2) own->status = BP_ERROR_MISMATCH;
    if (own->status == BP_OK) own->status = bp_network_set_all_reduce(own->network, NULL, 0, 0, NULL);
    if (own->status == BP_OK) own->status = bp_network_train_minibatch(own->network, x, y, ROWS, 0.1f, &loss);
    bp_network_free(copy);
}

static void other_calls_copies_and_networks_without_the_function_are_local(void) {
    bp_network *network = plain_network("adam", 1);
    team t;
    worker members[MOST_WORKERS];
    team_run(&t, members, 2, network, use_alone, NULL, 0);
    if (!EXPECT_OK(members[0].status)) printf("#   %s\n", members[0].message);
    EXPECT(t.exchanges == 0);
    team_free(&t, members);
    EXPECT_ERROR(bp_network_set_all_reduce(network, team_all_reduce, 2, 2, NULL), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_network_set_all_reduce(network, team_all_reduce, 0, 0, NULL), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_network_set_all_reduce(network, team_all_reduce, 0, 65536, NULL), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_network_set_all_reduce(network, team_all_reduce, SIZE_MAX, 2, NULL), BP_ERROR_INVALID_VALUE);
    bp_network_free(network);
}

/* ---- Failures */

typedef struct {
    int kind, victim;
    int32_t code; /* of the victim */
} fault;

enum { NAN_INPUT, INFINITE_TARGET, NULL_INPUTS, NULL_TARGETS, WRONG_RATE, NO_ROWS, HUGE_INPUTS, FAULTS };

static void train_with_fault(worker *own) {
    fault *f = (fault *)own->context;
    float inputs[4 * INPUTS], targets[4 * OUTPUTS], loss = 0;
    const int is_victim = own->index == f->victim;
    memcpy(inputs, x + 4 * INPUTS * own->index, sizeof inputs);
    memcpy(targets, y + 4 * OUTPUTS * own->index, sizeof targets);
    own->status = bp_network_train_minibatch(own->network, inputs, targets, 4, 0.01f, &loss);
    if (own->status != BP_OK) return;
    snapshot before = snapshot_of(own->network);
    if (is_victim && f->kind == NAN_INPUT) inputs[7] = NAN;
    if (is_victim && f->kind == INFINITE_TARGET) targets[2] = INFINITY;
    if (is_victim && f->kind == HUGE_INPUTS)
        for (int i = 0; i < 4 * OUTPUTS; i++) targets[i] = 1e37f;
    own->status = bp_network_train_minibatch(own->network, is_victim && f->kind == NULL_INPUTS ? NULL : inputs,
                                             is_victim && f->kind == NULL_TARGETS ? NULL : targets, f->kind == NO_ROWS ? 0 : 4,
                                             is_victim && f->kind == WRONG_RATE ? -1 : 0.01f, &loss);
    const int32_t status = own->status;
    if (!snapshot_holds(before, own->network)) own->status = BP_OK; /* a failed call has changed something */
    free(before.bytes);
    if (status == BP_OK || own->status == BP_OK) return;
    if (own->status < 0) strncpy(own->message, bp_last_error_message(), sizeof own->message - 1);
    memcpy(targets, y + 4 * OUTPUTS * own->index, sizeof targets);
    memcpy(inputs, x + 4 * INPUTS * own->index, sizeof inputs);
    if (bp_network_train_minibatch(own->network, inputs, targets, 4, 0.01f, &loss) != BP_OK) own->status = BP_OK;
}

static void a_call_that_fails_on_one_worker_fails_on_all_and_changes_nothing(void) {
    static const int32_t codes[FAULTS] = {BP_ERROR_NOT_FINITE,    BP_ERROR_NOT_FINITE,    BP_ERROR_NULL_ARGUMENT,
                                          BP_ERROR_NULL_ARGUMENT, BP_ERROR_INVALID_VALUE, BP_ERROR_INVALID_VALUE,
                                          BP_ERROR_NOT_FINITE};
    static const char *const optimizers[] = {"sgd", "adam", "lbfgs", "levenberg_marquardt"};
    for (int o = 0; o < 4; o++)
        for (int kind = 0; kind < FAULTS; kind++)
            for (int victim = 0; victim < 3; victim++) {
                bp_network *network = plain_network(optimizers[o], o < 3);
                fault f = {kind, victim, codes[kind]};
                team t;
                worker members[MOST_WORKERS];
                if (o == 3 && kind == HUGE_INPUTS) { /* (a sum of doubles is finite) */
                    bp_network_free(network);
                    continue;
                }
                team_run(&t, members, 3, network, train_with_fault, &f, 0);
                for (int k = 0; k < 3; k++) {
                    const int32_t others = codes[kind] == BP_ERROR_NOT_FINITE ? BP_ERROR_NOT_FINITE
                        : kind == NO_ROWS                                     ? BP_ERROR_INVALID_VALUE
                                                                              : BP_ERROR_WORKER;
                    if (!EXPECT_STATUS(members[k].status, k == victim ? f.code : others))
                        printf("#   %s, fault %d, victim %d, worker %d: %s\n", optimizers[o], kind, victim, k,
                               members[k].message);
                }
                EXPECT(team_agrees(&t, members));
                team_free(&t, members);
                bp_network_free(network);
            }
}

static int32_t failing_loss(const float *outputs, const float *targets, double *losses, float *gradients, size_t rows,
                            size_t output_count, size_t target_columns, void *user_data) {
    (void)target_columns, (void)user_data;
    for (size_t row = 0; row < rows; row++) {
        losses[row] = 0;
        for (size_t k = row * output_count; k < (row + 1) * output_count; k++) {
            const float e = outputs[k] - targets[k];
            losses[row] += 0.5 * (double)e * (double)e;
            if (gradients) gradients[k] = e;
        }
    }
    return may_fail();
}

static void train_with_failing_callback(worker *own) {
    const int at = *(int *)own->context;
    float loss = 0;
    if (own->index == 1) failing.thread = pthread_self(), failing.calls = 0, failing.at = at;
    snapshot before = snapshot_of(own->network);
    own->status = bp_network_train_minibatch(own->network, x + 4 * INPUTS * own->index, y + 4 * OUTPUTS * own->index,
                                             own->index == 2 ? 0 : 4, 0.01f, &loss);
    if (own->status < 0 && !snapshot_holds(before, own->network)) own->status = BP_OK;
    free(before.bytes);
}

static void a_callback_that_fails_at_any_point_ends_the_step_on_all_workers(void) {
    EXPECT_OK(bp_activation_register_vector("failing", failing_pass, failing_pass_back, NULL, NULL));
    EXPECT_OK(bp_loss_register("failing", 0, failing_loss, NULL, NULL));
    for (int normalized = 0; normalized < 4; normalized++) {
        bp_network *network = plain_network("sgd", 0);
        EXPECT_OK(bp_network_set_loss(network, "failing"));
        for (size_t layer = 1; layer < 4; layer++) EXPECT_OK(bp_network_set_activation(network, layer, "failing"));
        EXPECT_OK(bp_network_set_batchnorm(network, 1, normalized & 1));
        EXPECT_OK(bp_network_set_batchnorm(network, 2, normalized >> 1));
        int points = 0;
        for (int at = 1;; at++) {
            team t;
            worker members[MOST_WORKERS];
            team_run(&t, members, 3, network, train_with_failing_callback, &at, 0);
            if (members[1].status == BP_OK) points = at - 1;
            for (int k = 0; k < 3; k++)
                EXPECT_STATUS(members[k].status, points ? BP_OK : k == 1 ? BP_ERROR_CALLBACK : BP_ERROR_WORKER);
            EXPECT(team_agrees(&t, members));
            team_free(&t, members);
            if (points) break;
        }
        EXPECT(points == 7); /* three layers forward, the loss, and three layers backward */
        bp_network_free(network);
    }
    EXPECT_OK(bp_activation_unregister("failing"));
    EXPECT_OK(bp_loss_unregister("failing"));
}

static void a_function_that_fails_at_any_exchange_undoes_the_step(void) {
    for (int o = 0; o < 3; o++) {
        bp_network *network = plain_network(o == 0 ? "adam" : o == 1 ? "lbfgs" : "levenberg_marquardt", o < 2);
        plan p = {1, 0, 0.01f};
        for (size_t at = 1;; at++) {
            team t;
            worker members[MOST_WORKERS];
            team_run(&t, members, 2, network, train_share, &p, at);
            const int is_complete = members[0].status == BP_OK;
            for (int k = 0; k < 2; k++) {
                EXPECT_STATUS(members[k].status, is_complete ? BP_OK : BP_ERROR_CALLBACK);
                EXPECT(is_complete || strstr(members[k].message, "the all-reduce function failed with code 7"));
                EXPECT(is_complete || snapshot_equal(members[k].network, network));
            }
            team_free(&t, members);
            if (is_complete) {
                EXPECT(o > 0 || at == 7); /* an agreement, two layers forward and backward, and the gradient */
                break;
            }
        }
        bp_network_free(network);
    }
}

static void make_different_calls(worker *own) {
    const int kind = *(int *)own->context, differs = own->index == 2;
    float loss = 0, gradient[400];
    if (kind == 0 && differs) bp_network_set_option(own->network, "momentum", 0.8);
    if (kind == 1 && differs) bp_network_set_trainable(own->network, 1, 0);
    if (kind == 2 && differs) bp_network_initialize(own->network, 77);
    if (kind == 3 && differs) bp_network_set_optimizer(own->network, "nesterov");
    if (kind == 8 && differs) bp_network_set_activation(own->network, 1, "softsign");
    if (kind == 4 && differs) {
        own->status = bp_network_gradient(own->network, x, y, 4, gradient, count_of(own->network), &loss);
        return;
    }
    if (kind == 7 && differs) /* the number of another one */
        EXPECT_OK(bp_network_set_all_reduce(own->network, team_all_reduce, 1, 4, own));
    if (kind == 5 && differs) {
        own->status = bp_network_fit_scaling(own->network, "auto", "auto", x, y, 4);
        return;
    }
    own->status = bp_network_train_minibatch(own->network, x, y, 4, kind == 6 && differs ? 0.02f : 0.01f, &loss);
}

static void workers_with_different_calls_settings_or_parameters_or_one_number_get_mismatch(void) {
    for (int kind = 0; kind < 9; kind++) {
        bp_network *network = plain_network("momentum", 1);
        team t;
        worker members[MOST_WORKERS];
        team_run(&t, members, 4, network, make_different_calls, &kind, 0);
        for (int k = 0; k < 4; k++)
            if (!EXPECT_STATUS(members[k].status, BP_ERROR_MISMATCH)) printf("#   kind %d, worker %d\n", kind, k);
        EXPECT(t.exchanges == 1);
        team_free(&t, members);
        bp_network_free(network);
    }
}

static int32_t no_sum(void *values, size_t count, int32_t type, int32_t operation, void *user_data) {
    (void)operation;
    if (*(int *)user_data)
        for (size_t i = 0; i < count; i++) {
            if (type == BP_DOUBLE) ((double *)values)[i] = *(int *)user_data == 1 ? NAN : 1e300;
            else ((float *)values)[i] = NAN;
        }
    return 0;
}

static void a_function_that_does_not_combine_is_noticed(void) {
    for (int kind = 0; kind < 3; kind++) {
        bp_network *network = plain_network("sgd", 0), *before = NULL;
        float loss = 0;
        EXPECT_OK(bp_network_clone(network, &before));
        EXPECT_OK(bp_network_set_all_reduce(network, no_sum, 0, 2, &kind));
        EXPECT(bp_network_train_minibatch(network, x, y, ROWS, 0.1f, &loss) < 0);
        EXPECT(loss == 0 && snapshot_equal(network, before));
        bp_network_free(network);
        bp_network_free(before);
    }
}

static int32_t calling_back(void *values, size_t count, int32_t type, int32_t operation, void *user_data) {
    bp_network *network = *(bp_network **)user_data;
    float loss;
    size_t size;
    (void)values, (void)count, (void)type, (void)operation;
    return bp_network_train_minibatch(network, x, y, ROWS, 0.1f, &loss) == BP_ERROR_BUSY &&
            bp_network_parameter_count(network, &size) == BP_ERROR_BUSY
        ? 5
        : 0;
}

static void calls_from_the_function_are_busy(void) {
    bp_network *network = plain_network("sgd", 0);
    EXPECT_OK(bp_network_set_all_reduce(network, calling_back, 0, 1, &network));
    EXPECT_ERROR(bp_network_train_minibatch(network, x, y, ROWS, 0.1f, NULL), BP_ERROR_CALLBACK);
    EXPECT_MESSAGE("code 5");
    bp_network_free(network);
}

int main(void) {
    check_fill(x, ROWS * INPUTS, 1);
    check_fill(y, ROWS * OUTPUTS, 2);
    for (int i = 0; i < ROWS; i++) weights[i] = 1;
    CLAIM(workers_make_the_steps_of_one_process_with_every_optimizer);
    CLAIM(every_setting_is_that_of_the_whole_minibatch);
    CLAIM(second_order_steps_are_those_of_one_process);
    CLAIM(two_hundred_steps_of_lbfgs_end_at_the_minimum_that_one_process_finds);
    CLAIM(a_line_search_goes_on_where_the_loss_of_one_worker_is_not_finite);
    CLAIM(random_networks_and_shares_train_like_one_process);
    CLAIM(shares_of_more_than_1024_rows_pass_in_parts_like_those_of_one_process);
    CLAIM(gradients_are_sums_over_the_workers);
    CLAIM(scaling_is_that_of_all_rows);
    CLAIM(other_calls_copies_and_networks_without_the_function_are_local);
    CLAIM(a_call_that_fails_on_one_worker_fails_on_all_and_changes_nothing);
    CLAIM(a_callback_that_fails_at_any_point_ends_the_step_on_all_workers);
    CLAIM(a_function_that_fails_at_any_exchange_undoes_the_step);
    CLAIM(workers_with_different_calls_settings_or_parameters_or_one_number_get_mismatch);
    CLAIM(a_function_that_does_not_combine_is_noticed);
    CLAIM(calls_from_the_function_are_busy);
    return check_end();
}
