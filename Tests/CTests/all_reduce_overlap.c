/* all_reduce_overlap.c: workers whose exchanges overlap the backward pass have the bits of those whose exchanges do not, and complete
 * all that they have started, also when they fail. */
#include "activations.h"
#include "trainer.h"
#include "workers.h"

/* 2.2 million weights: the exchange of the gradient has three parts. The first one ends in layer 2, the second one in layer 1. */
enum { INPUTS = 400, OUTPUTS = 3, ROWS = 12, PARTS = 3, MANY = 1100, MOST_STARTS = 4096 };
static const size_t sizes[] = {INPUTS, 2000, 700, OUTPUTS};
static const size_t shorter[] = {INPUTS, 1300, 500, OUTPUTS}; /* two parts */
static float x[MANY * INPUTS], y[MANY * OUTPUTS];

/* ---- An engine that adds in the order of the workers, on the thread of the worker that starts an exchange as the last one: it writes
 * to the memory of the others while they compute. */

static struct {
    struct {
        float *values[MOST_WORKERS];
        size_t count;
        int arrived;
    } exchanges[MOST_STARTS];
    int started[MOST_WORKERS], finished[MOST_WORKERS], finishes[MOST_WORKERS];
    int victim, break_start, break_finish; /* the call that fails on this worker, from 1; on all workers if victim is -1 */
    int disagree;
} engine;

static int32_t start(void *values, size_t count, int32_t type, int32_t operation, void *user_data) {
    worker *own = (worker *)user_data;
    team *t = own->team;
    const int is_victim = engine.victim < 0 || engine.victim == own->index;
    if (is_victim && engine.started[own->index] - engine.finished[own->index] + 1 == engine.break_start) return BROKEN;
    pthread_mutex_lock(&t->lock);
    const int number = engine.started[own->index]++;
    if (number >= MOST_STARTS || type != BP_FLOAT || operation != BP_REDUCE_SUM) engine.disagree = 1;
    else {
        if (engine.exchanges[number].arrived && engine.exchanges[number].count != count) engine.disagree = 1;
        engine.exchanges[number].count = count;
        engine.exchanges[number].values[own->index] = (float *)values;
        if (++engine.exchanges[number].arrived == t->workers && !engine.disagree)
            for (size_t i = 0; i < count; i++) {
                float **v = engine.exchanges[number].values, sum = v[0][i];
                for (int k = 1; k < t->workers; k++) sum += v[k][i];
                for (int k = 0; k < t->workers; k++) v[k][i] = sum;
            }
        pthread_cond_broadcast(&t->changed);
    }
    pthread_mutex_unlock(&t->lock);
    return 0;
}

static int32_t finish(void *user_data) {
    worker *own = (worker *)user_data;
    team *t = own->team;
    const int is_victim = engine.victim < 0 || engine.victim == own->index;
    int32_t code = 0;
    pthread_mutex_lock(&t->lock);
    while (engine.finished[own->index] < engine.started[own->index]) {
        const int number = engine.finished[own->index];
        while (engine.exchanges[number].arrived < t->workers && t->left == 0) pthread_cond_wait(&t->changed, &t->lock);
        if (engine.exchanges[number].arrived < t->workers) code = ALONE;
        engine.finished[own->index]++;
    }
    if (++engine.finishes[own->index] == engine.break_finish && is_victim) code = BROKEN;
    pthread_mutex_unlock(&t->lock);
    return code;
}

static void reset(int victim, int break_start, int break_finish) {
    memset(&engine, 0, sizeof engine);
    engine.victim = victim, engine.break_start = break_start, engine.break_finish = break_finish;
}

static bp_network *network_of(const size_t *layers, const char *optimizer, int normalized) {
    bp_network *network = check_network(layers, 4, 3);
    EXPECT_OK(bp_network_set_activation(network, 1, "tanh"));
    EXPECT_OK(bp_network_set_activation(network, 2, "tanh"));
    EXPECT_OK(bp_network_set_activation(network, 3, "identity"));
    EXPECT_OK(bp_network_set_batchnorm(network, 1, normalized));
    EXPECT_OK(bp_network_set_batchnorm(network, 2, normalized));
    EXPECT_OK(bp_network_set_optimizer(network, optimizer));
    EXPECT_OK(bp_network_set_option(network, "gradient_reduction", BP_REDUCTION_MEAN));
    return network;
}

static bp_network *large_network(const char *optimizer, int normalized) { return network_of(sizes, optimizer, normalized); }

/* ---- Equality */

typedef struct {
    int steps, overlaps, uneven, rows;
    float rate;
} plan;

static size_t first_row(const plan *p, int index, int workers) {
    if (p->uneven) return index == 0 ? 0 : index == workers ? (size_t)p->rows : (size_t)p->rows - 1; /* some have no rows */
    return (size_t)(p->rows * index / workers);
}

static void train_share(worker *own) {
    const plan *p = (const plan *)own->context;
    const size_t first = first_row(p, own->index, own->team->workers);
    const size_t rows = first_row(p, own->index + 1, own->team->workers) - first;
    float loss = 0;
    if (p->overlaps) own->status = bp_network_set_all_reduce_overlap(own->network, start, finish, own);
    for (int step = 0; step < p->steps && own->status == BP_OK; step++) {
        own->status = bp_network_train_minibatch(own->network, x + first * INPUTS, y + first * OUTPUTS, rows, p->rate, &loss);
        if (p->overlaps && engine.finished[own->index] != engine.started[own->index]) own->status = BP_STOPPED;
    }
    own->loss = loss;
}

/* Trains with and without overlap. Returns whether both networks and losses have the same bits, on all workers. */
static int has_the_bits_of_one_exchange(const bp_network *network, int workers, plan p, int starts) {
    team plain, overlapped;
    worker members[MOST_WORKERS], others[MOST_WORKERS];
    int is_equal = 1;
    p.overlaps = 0;
    team_run(&plain, members, workers, network, train_share, &p, 0);
    p.overlaps = 1;
    reset(0, 0, 0);
    team_run(&overlapped, others, workers, network, train_share, &p, 0);
    for (int k = 0; k < workers; k++) {
        if (!EXPECT_OK(others[k].status)) printf("#   %s\n", others[k].message);
        EXPECT_OK(members[k].status);
        EXPECT(engine.started[k] == starts * p.steps && engine.finishes[k] == (starts ? p.steps : 0) && !engine.disagree);
        is_equal &= others[k].loss == members[0].loss;
    }
    is_equal &= team_agrees(&overlapped, others) && snapshot_equal(members[0].network, others[0].network);
    team_free(&plain, members);
    team_free(&overlapped, others);
    return is_equal;
}

static void overlapped_steps_have_the_bits_of_steps_with_one_exchange(void) {
    static const char *const optimizers[] = {"sgd", "momentum", "adam"};
    for (int o = IS_SLOW ? 2 : 0; o < 3; o++)
        for (int normalized = IS_SLOW; normalized < 2; normalized++) {
            bp_network *network = large_network(optimizers[o], normalized);
            for (int workers = IS_SLOW ? 4 : 1; workers <= 4; workers++) {
                const plan p = {o == 0 ? 1 : 2, 1, (workers + o) % 2, ROWS, 0.002f};
                if (!EXPECT(has_the_bits_of_one_exchange(network, workers, p, PARTS)))
                    printf("#   %s, batchnorm %d, %d workers\n", optimizers[o], normalized, workers);
            }
            bp_network_free(network);
        }
    bp_network *network = network_of(shorter, "adam", 1);
    const plan p = {IS_SLOW ? 2 : 200, 1, 0, ROWS, 0.0005f};
    EXPECT(has_the_bits_of_one_exchange(network, 2, p, 2));
    bp_network_free(network);
}

static void frozen_layers_clipping_dropout_and_parts_of_a_minibatch_have_the_same_bits(void) {
    for (int kind = IS_SLOW ? 2 : 0; kind < 5; kind += IS_SLOW ? 2 : 1) {
        bp_network *network = large_network("momentum", kind == 1);
        const plan p = {2, 1, 1, kind == 4 ? MANY : ROWS, 0.002f}; /* more than 1,024 rows: two parts, on one worker only */
        if (kind < 3) EXPECT_OK(bp_network_set_trainable(network, kind == 2 ? 3 : (size_t)kind + 1, 0));
        if (kind == 3) EXPECT_OK(bp_network_set_option(network, "clip_norm", 0.05));
        if (kind == 4) EXPECT_OK(bp_network_set_dropout(network, 1, 0.25));
        if (!EXPECT(has_the_bits_of_one_exchange(network, 2, p, PARTS))) printf("#   kind %d\n", kind);
        bp_network_free(network);
    }
}

static void find_gradients(worker *own) {
    const plan *p = (const plan *)own->context;
    const size_t count = count_of(own->network), first = first_row(p, own->index, 2),
                 rows = first_row(p, own->index + 1, 2) - first;
    float *flat = (float *)calloc(2 * count, sizeof(float)), loss = 0;
    if (p->overlaps) own->status = bp_network_set_all_reduce_overlap(own->network, start, finish, own);
    if (own->status == BP_OK)
        own->status = bp_network_gradient(own->network, x + first * INPUTS, y + first * OUTPUTS, rows, flat, count, &loss);
    if (own->status == BP_OK)
        own->status = bp_network_backpropagate(own->network, x + first * INPUTS, y + first * OUTPUTS, rows, flat + count, count,
                                               NULL);
    if (own->status == BP_OK) own->status = bp_network_set_optimizer(own->network, "lbfgs");
    for (int step = 0; step < (IS_SLOW ? 1 : 3) && own->status == BP_OK; step++)
        own->status = bp_network_train_minibatch(own->network, x + first * INPUTS, y + first * OUTPUTS, rows, 1, &loss);
    own->loss = loss;
    for (size_t i = 0; i < 2 * count; i++) own->loss += (double)flat[i] * (double)(1 + i % 1000);
    free(flat);
}

static void gradients_and_steps_of_lbfgs_have_the_same_bits(void) {
    bp_network *network = large_network("sgd", 1);
    team teams[2];
    worker members[2][MOST_WORKERS];
    for (int overlaps = 0; overlaps < 2; overlaps++) {
        plan p = {1, overlaps, 0, ROWS, 1};
        reset(0, 0, 0);
        team_run(&teams[overlaps], members[overlaps], 2, network, find_gradients, &p, 0);
        for (int k = 0; k < 2; k++)
            if (!EXPECT_OK(members[overlaps][k].status)) printf("#   %s\n", members[overlaps][k].message);
    }
    EXPECT(engine.started[0] >= (IS_SLOW ? 4 : 5) * PARTS && engine.started[0] == PARTS * engine.finishes[0] &&
           !engine.disagree);
    EXPECT(members[0][0].loss == members[1][0].loss && snapshot_equal(members[0][0].network, members[1][1].network));
    for (int overlaps = 0; overlaps < 2; overlaps++) team_free(&teams[overlaps], members[overlaps]);
    bp_network_free(network);
}

static void a_small_network_makes_one_exchange(void) {
    static const size_t small[] = {INPUTS, 2000, 100, OUTPUTS}; /* 1,003,712 weights with those of the padding */
    bp_network *network = check_network(small, 4, 1);
    const plan p = {3, 1, 0, ROWS, 0.01f};
    EXPECT(has_the_bits_of_one_exchange(network, 2, p, 0));
    bp_network_free(network);
}

/* ---- Failures */

static void start_or_finish_that_fails_undoes_the_step(void) {
    bp_network *network = large_network("adam", 0);
    for (int victim = -1; victim < 2; victim += IS_SLOW ? 2 : 1)
        for (int at = 1; at <= PARTS + 1; at += IS_SLOW ? PARTS : 1) {
            plan p = {1, 1, 0, ROWS, 0.01f};
            const int is_finish = at > PARTS;
            team t;
            worker members[MOST_WORKERS];
            reset(victim, is_finish ? 0 : at, is_finish);
            team_run(&t, members, 2, network, train_share, &p, 0);
            for (int k = 0; k < 2; k++) {
                const int fails = victim < 0 || victim == k;
                if (is_finish && !fails) { /* the engine works on this worker: it has made the step */
                    EXPECT_OK(members[k].status);
                    continue;
                }
                if (!EXPECT_STATUS(members[k].status, BP_ERROR_CALLBACK))
                    printf("#   victim %d, at %d, worker %d\n", victim, at, k);
                EXPECT(!fails ||
                       strstr(members[k].message,
                              is_finish ? "finish function failed with code 7" : "start function failed with code 7"));
                EXPECT(snapshot_equal(members[k].network, network));
                EXPECT(engine.finishes[k] == 1 && engine.finished[k] == engine.started[k]);
            }
            team_free(&t, members);
        }
    bp_network_free(network);
}

/* The blocking exchanges of batch normalization and the agreement fail, with exchanges started or not. */
static void a_function_that_fails_completes_what_was_started(void) {
    bp_network *network = large_network("sgd", 1);
    /* An agreement, two layers forward, and two backward; the last one after a start. */
    for (size_t at = IS_SLOW ? 4 : 1; at <= 5; at++) {
        plan p = {1, 1, 0, ROWS, 0.01f};
        team t;
        worker members[MOST_WORKERS];
        reset(0, 0, 0);
        team_run(&t, members, 2, network, train_share, &p, at);
        for (int k = 0; k < 2; k++) {
            EXPECT_STATUS(members[k].status, BP_ERROR_CALLBACK);
            EXPECT(snapshot_equal(members[k].network, network));
            EXPECT(engine.started[k] == (at == 5) && engine.finishes[k] == (at == 5) && engine.finished[k] == (at == 5));
        }
        team_free(&t, members);
    }
    bp_network_free(network);
}

static void train_with_failing_callback(worker *own) {
    plan p = {1, 1, 0, ROWS, 0.01f};
    if (own->index == 1) failing.thread = pthread_self(), failing.calls = 0, failing.at = *(int *)own->context;
    own->context = &p;
    train_share(own);
}

static void a_callback_that_fails_at_any_point_ends_the_step_on_all_workers(void) {
    EXPECT_OK(bp_activation_register_vector("failing", failing_pass, failing_pass_back, NULL, NULL));
    for (int normalized = IS_SLOW ? 3 : 0; normalized < 4; normalized++) {
        bp_network *network = large_network("sgd", 0);
        for (size_t layer = 1; layer < 4; layer++) EXPECT_OK(bp_network_set_activation(network, layer, "failing"));
        EXPECT_OK(bp_network_set_batchnorm(network, 1, normalized & 1));
        EXPECT_OK(bp_network_set_batchnorm(network, 2, normalized >> 1));
        /* Three layers forward and backward: before, between and after the starts. */
        for (int at = 1; at <= 7; at += IS_SLOW ? 2 : 1) {
            team t;
            worker members[MOST_WORKERS];
            reset(0, 0, 0);
            team_run(&t, members, 3, network, train_with_failing_callback, &at, 0);
            for (int k = 0; k < 3; k++) {
                if (!EXPECT_STATUS(members[k].status, at == 7 ? BP_OK : k == 1 ? BP_ERROR_CALLBACK : BP_ERROR_WORKER))
                    printf("#   batchnorm %d, call %d, worker %d: %s\n", normalized, at, k, members[k].message);
                EXPECT(at == 7 || snapshot_equal(members[k].network, network));
                EXPECT(engine.started[k] == engine.started[0] && engine.finished[k] == engine.started[0] && !engine.disagree);
            }
            team_free(&t, members);
        }
        bp_network_free(network);
    }
    EXPECT_OK(bp_activation_unregister("failing"));
}

static void numbers_that_are_not_finite_fail_the_step_on_all_workers(void) {
    for (int kind = 0; kind < 4; kind += IS_SLOW ? 3 : 1) {
        bp_network *network = large_network("momentum", kind < 2);
        plan p = {1, 1, kind == 3, kind == 3 ? MANY : ROWS, 0.01f}; /* 3: in the second part of a worker */
        float *wrong = kind == 0 ? x + INPUTS + 7 : kind == 1 ? y + 4 : kind == 2 ? y + 2 : x + (MANY - 20) * INPUTS;
        const float old = *wrong;
        team t;
        worker members[MOST_WORKERS];
        *wrong = kind == 2 ? 1e37f : kind == 1 ? INFINITY : NAN;
        reset(0, 0, 0);
        team_run(&t, members, 2, network, train_share, &p, 0);
        for (int k = 0; k < 2; k++) {
            if (!EXPECT_STATUS(members[k].status, BP_ERROR_NOT_FINITE))
                printf("#   kind %d, worker %d: %s\n", kind, k, members[k].message);
            EXPECT(snapshot_equal(members[k].network, network));
            EXPECT(engine.finished[k] == engine.started[0] && !engine.disagree);
        }
        *wrong = old;
        team_free(&t, members);
        bp_network_free(network);
    }
}

static void overlap_on_one_worker(worker *own) {
    float loss;
    if (own->index == 1) own->status = bp_network_set_all_reduce_overlap(own->network, start, finish, own);
    if (own->status == BP_OK) own->status = bp_network_train_minibatch(own->network, x, y, 4, 0.01f, &loss);
}

static void workers_with_and_without_overlap_get_mismatch(void) {
    bp_network *network = large_network("sgd", 0);
    team t;
    worker members[MOST_WORKERS];
    reset(0, 0, 0);
    team_run(&t, members, 2, network, overlap_on_one_worker, NULL, 0);
    for (int k = 0; k < 2; k++) EXPECT_STATUS(members[k].status, BP_ERROR_MISMATCH);
    EXPECT(engine.started[1] == 0);
    team_free(&t, members);
    bp_network_free(network);
}

typedef struct {
    worker *own;
    bp_trainer *trainer;
    int reports;
} cancelling;

static int32_t cancel_third_report(const bp_progress *progress, void *user_data) {
    cancelling *seen = (cancelling *)user_data;
    (void)progress;
    if (++seen->reports == 3) (void)bp_trainer_cancel(seen->trainer);
    return 0;
}

static void fit_and_cancel(worker *own) {
    cancelling seen = {own, NULL, 0};
    EXPECT_OK(bp_network_set_all_reduce_overlap(own->network, start, finish, own));
    EXPECT_OK(bp_trainer_create(&seen.trainer));
    EXPECT_OK(bp_trainer_set_option(seen.trainer, "epochs", 9));
    EXPECT_OK(bp_trainer_set_option(seen.trainer, "batch_size", 4));
    EXPECT_OK(bp_trainer_set_option(seen.trainer, "shared_rows", 1));
    EXPECT_OK(bp_trainer_set_option(seen.trainer, "progress_interval", 1));
    if (own->index == 1) EXPECT_OK(bp_trainer_set_progress(seen.trainer, cancel_third_report, &seen));
    own->status = bp_trainer_fit(seen.trainer, own->network, x, y, ROWS, NULL, NULL, 0, NULL);
    bp_trainer_free(seen.trainer);
}

static void a_fit_that_is_cancelled_on_one_worker_ends_on_all_at_the_same_step(void) {
    bp_network *network = large_network("adam", 1);
    team t;
    worker members[MOST_WORKERS];
    reset(0, 0, 0);
    team_run(&t, members, 2, network, fit_and_cancel, NULL, 0);
    for (int k = 0; k < 2; k++) EXPECT_STATUS(members[k].status, BP_STOPPED);
    EXPECT(team_agrees(&t, members) && engine.started[0] == PARTS * 3 && engine.finished[1] == PARTS * 3);
    team_free(&t, members);
    bp_network_free(network);
}

/* ---- The function */

static int32_t alone(void *values, size_t count, int32_t type, int32_t operation, void *user_data) {
    (void)values, (void)count, (void)type, (void)operation, (void)user_data;
    return 0;
}
static int32_t calling_back(void *values, size_t count, int32_t type, int32_t operation, void *user_data) {
    (void)values, (void)count, (void)type, (void)operation;
    return bp_network_train_minibatch(*(bp_network **)user_data, x, y, 1, 0.1f, NULL) == BP_ERROR_BUSY ? 5 : 0;
}
static int32_t finish_alone(void *user_data) { return (void)user_data, 0; }
static int32_t finish_calling_back(void *user_data) { return calling_back(NULL, 0, 0, 0, user_data); }
static int32_t never(void *values, size_t count, int32_t type, int32_t operation, void *user_data) {
    return alone(values, count, type, operation, user_data), 1;
}

static void the_setter_refuses_wrong_arguments_and_null_removes_the_overlap(void) {
    bp_network *network = large_network("sgd", 0);
    EXPECT_ERROR(bp_network_set_all_reduce_overlap(network, start, finish, NULL), BP_ERROR_UNSUPPORTED);
    EXPECT_OK(bp_network_set_all_reduce_overlap(network, NULL, NULL, NULL));
    EXPECT_OK(bp_network_set_all_reduce(network, alone, 0, 1, NULL));
    EXPECT_ERROR(bp_network_set_all_reduce_overlap(network, start, NULL, NULL), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_network_set_all_reduce_overlap(NULL, start, finish, NULL), BP_ERROR_NULL_ARGUMENT);
    EXPECT_OK(bp_network_set_all_reduce_overlap(network, never, finish_alone, NULL));
    EXPECT_ERROR(bp_network_train_minibatch(network, x, y, 4, 0.01f, NULL), BP_ERROR_CALLBACK);
    EXPECT_OK(bp_network_set_all_reduce_overlap(network, NULL, finish_alone, NULL));
    EXPECT_OK(bp_network_train_minibatch(network, x, y, 4, 0.01f, NULL));
    EXPECT_OK(bp_network_set_all_reduce_overlap(network, never, finish_alone, NULL));
    EXPECT_OK(bp_network_set_all_reduce(network, alone, 0, 1, NULL));
    EXPECT_OK(bp_network_train_minibatch(network, x, y, 4, 0.01f, NULL));
    EXPECT_OK(bp_network_set_all_reduce_overlap(network, calling_back, finish_alone, &network));
    EXPECT_ERROR(bp_network_train_minibatch(network, x, y, 4, 0.01f, NULL), BP_ERROR_CALLBACK);
    EXPECT_MESSAGE("start function failed with code 5");
    EXPECT_OK(bp_network_set_all_reduce_overlap(network, alone, finish_calling_back, &network));
    EXPECT_ERROR(bp_network_train_minibatch(network, x, y, 4, 0.01f, NULL), BP_ERROR_CALLBACK);
    EXPECT_MESSAGE("finish function failed with code 5");
    bp_network_free(network);
}

int main(void) {
    check_fill(x, MANY * INPUTS, 1);
    check_fill(y, MANY * OUTPUTS, 2);
    CLAIM(overlapped_steps_have_the_bits_of_steps_with_one_exchange);
    CLAIM(frozen_layers_clipping_dropout_and_parts_of_a_minibatch_have_the_same_bits);
    CLAIM(gradients_and_steps_of_lbfgs_have_the_same_bits);
    CLAIM(a_small_network_makes_one_exchange);
    CLAIM(start_or_finish_that_fails_undoes_the_step);
    CLAIM(a_function_that_fails_completes_what_was_started);
    CLAIM(a_callback_that_fails_at_any_point_ends_the_step_on_all_workers);
    CLAIM(numbers_that_are_not_finite_fail_the_step_on_all_workers);
    CLAIM(workers_with_and_without_overlap_get_mismatch);
    CLAIM(a_fit_that_is_cancelled_on_one_worker_ends_on_all_at_the_same_step);
    CLAIM(the_setter_refuses_wrong_arguments_and_null_removes_the_overlap);
    return check_end();
}
