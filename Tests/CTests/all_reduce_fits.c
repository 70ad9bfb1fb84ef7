/* all_reduce_fits.c: whole trainings by several workers: the same as by one process, and they end together. */
#include "activations.h"
#include "trainer.h"
#include "workers.h"

enum { INPUTS = 4, OUTPUTS = 2, ROWS = 50 };
static float x[ROWS * INPUTS], y[ROWS * OUTPUTS], row_weights[ROWS];
static const size_t sizes[] = {INPUTS, 9, OUTPUTS};

static bp_network *network_with(const char *optimizer, int normalized) {
    bp_network *network = check_network(sizes, 3, 5);
    EXPECT_OK(bp_network_set_activation(network, 1, "tanh"));
    EXPECT_OK(bp_network_set_activation(network, 2, "identity"));
    EXPECT_OK(bp_network_set_batchnorm(network, 1, normalized));
    EXPECT_OK(bp_network_set_optimizer(network, optimizer));
    EXPECT_OK(bp_network_set_option(network, "gradient_reduction", BP_REDUCTION_MEAN));
    return network;
}

typedef struct {
    const char *options; /* with shared_rows=1, all rows are passed; otherwise, the worker's */
    size_t starts[MOST_WORKERS + 1];
    int is_weighted, is_validated;
    int victim, answer; /* the worker whose progress function returns `answer` at its third report; 0 for none */
    int cancels, bad_row, late;
    bp_fit_result results[MOST_WORKERS];
    size_t reports[MOST_WORKERS];
} fit;

typedef struct {
    fit *of;
    int index;
    bp_trainer *trainer;
    size_t reports;
} watcher;

static int32_t watch(const bp_progress *progress, void *user_data) {
    watcher *own = (watcher *)user_data;
    (void)progress;
    if (++own->reports != 3 || own->index != own->of->victim) return 0;
    if (own->of->cancels) (void)bp_trainer_cancel(own->trainer);
    return own->of->answer;
}

static void fit_share(worker *own) {
    fit *f = (fit *)own->context;
    bp_trainer *trainer = NULL;
    watcher seen = {f, own->index, NULL, 0};
    static __thread float in[ROWS * INPUTS];
    char word[64];
    int length;
    (void)bp_trainer_create(&trainer);
    for (const char *at = f->options; sscanf(at, "%63s%n", word, &length) == 1; at += length) {
        char *value = strchr(word, '=');
        *value++ = 0;
        own->status = own->status ? own->status : bp_trainer_set_option(trainer, word, atof(value));
    }
    double shared = 0;
    (void)bp_trainer_get_option(trainer, "shared_rows", &shared);
    const size_t first = shared ? 0 : f->starts[own->index], end = shared ? ROWS : f->starts[own->index + 1];
    if (f->is_weighted) (void)bp_trainer_set_row_weights(trainer, row_weights + first, end - first);
    seen.trainer = trainer;
    if (own->index <= f->victim) (void)bp_trainer_set_progress(trainer, watch, &seen); /* not on all workers */
    if (f->late && own->index == f->victim) (void)bp_trainer_set_option(trainer, "time_limit", 1e-9);
    memcpy(in, x, sizeof in);
    if (f->bad_row && own->index == f->victim) in[first * INPUTS] = NAN;
    const size_t held = f->is_validated ? (end - first) / 4 : 0;
    if (own->status == BP_OK)
        own->status = bp_trainer_fit(trainer, own->network, in + first * INPUTS, y + first * OUTPUTS, end - first,
                                     held ? x + first * INPUTS : NULL, held ? y + first * OUTPUTS : NULL, held, &own->loss);
    f->results[own->index].struct_size = sizeof(bp_fit_result);
    (void)bp_trainer_get_result(trainer, &f->results[own->index]);
    f->reports[own->index] = seen.reports;
    bp_trainer_free(trainer);
}

static void split(fit *f, int workers) {
    for (int k = 0; k <= workers; k++) f->starts[k] = (size_t)(ROWS * k / workers);
}

/* Fits with the workers and with one process. The fits must have the same steps and the same loss. Returns the distance. */
static double distance_of_fits(const bp_network *network, int workers, fit f) {
    bp_network *alone = NULL;
    team t;
    worker members[MOST_WORKERS];
    EXPECT_OK(bp_network_clone(network, &alone));
    fit whole = f;
    whole.starts[0] = 0, whole.starts[1] = ROWS;
    team_run(&t, members, workers, network, fit_share, &f, 0);
    worker self = {&t, 0, &whole, alone, 0, 0, "", NULL};
    fit_share(&self);
    EXPECT_OK(self.status);
    for (int k = 0; k < workers; k++) {
        if (!EXPECT_OK(members[k].status)) printf("#   worker %d: %s\n", k, members[k].message);
        EXPECT(f.results[k].steps == whole.results[0].steps && f.results[k].epochs == whole.results[0].epochs);
        EXPECT(f.results[k].best_epoch == whole.results[0].best_epoch && f.results[k].end == whole.results[0].end);
        EXPECT(f.results[k].restart == whole.results[0].restart);
        EXPECT_NEAR(members[k].loss, self.loss, 1e-5 * fmax(1, self.loss));
    }
    EXPECT(team_agrees(&t, members));
    const double found = distance(alone, members[0].network);
    team_free(&t, members);
    bp_network_free(alone);
    return found;
}

static void fits_of_shared_rows_are_those_of_one_process(void) {
    static const struct {
        const char *optimizer, *options;
        int is_weighted, is_validated, normalized;
    } all[] = {
        {"sgd", "epochs=12 batch_size=7 learning_rate=0.05 seed=2 shared_rows=1", 0, 0, 1},
        {"adam", "epochs=12 batch_size=16 learning_rate=0.003 validation_fraction=0.3 patience=4 shared_rows=1", 0, 0, 0},
        {"momentum", "epochs=8 batch_size=9 drop_last=1 learning_rate=0.02 schedule=3 shared_rows=1", 1, 0, 0},
        {"sgd", "epochs=8 batch_size=3 sampling=1 learning_rate=0.02 keep=2 shared_rows=1", 0, 1, 0},
        {"momentum", "epochs=8 batch_size=0 learning_rate=0.01 shared_rows=1", 1, 1, 1},
        {"adam", "epochs=6 batch_size=20 learning_rate=0.01 restarts=3 shared_rows=1", 0, 1, 0},
        {"adam", "epochs=6 batch_size=20 learning_rate=0.01 on_divergence=1 shared_rows=1", 0, 0, 0},
        {"lbfgs", "epochs=6 shared_rows=1", 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        bp_network *network = network_with(all[i].optimizer, all[i].normalized);
        for (int workers = 1; workers <= 4; workers++) {
            fit f = {all[i].options, {0}, all[i].is_weighted, all[i].is_validated, -1, 0, 0, 0, 0, {{0}}, {0}};
            const double found = distance_of_fits(network, workers, f);
            if (!EXPECT(found < (i == 7 ? 2e-4 : 1e-5))) printf("#   case %d, %d workers: %.3g\n", (int)i, workers, found);
        }
        bp_network_free(network);
    }
}

static void fits_of_each_worker_s_rows_are_those_of_all_rows(void) {
    static const char *const optimizers[] = {"sgd", "adam", "lbfgs", "levenberg_marquardt"};
    for (int i = 0; i < 4; i++) {
        bp_network *network = network_with(optimizers[i], i < 2);
        for (int workers = 2; workers <= 4; workers++) {
            fit f = {"epochs=8 batch_size=0 learning_rate=0.02", {0}, i == 0, 0, -1, 0, 0, 0, 0, {{0}}, {0}};
            split(&f, workers);
            if (workers == 4) f.starts[1] = f.starts[2] = 1; /* one row, and none */
            EXPECT(distance_of_fits(network, workers, f) < (i < 2 ? 1e-5 : 5e-4));
        }
        bp_network_free(network);
    }
}

static void an_epoch_ends_with_the_worker_that_has_the_most_minibatches(void) {
    bp_network *network = network_with("adam", 1);
    team t;
    worker members[MOST_WORKERS];
    fit f = {"epochs=5 batch_size=4 learning_rate=0.01 validation_fraction=0.2 keep=2",
             {0, 20, 20, 21, ROWS},
             1,
             0,
             -1,
             0,
             0,
             0,
             0,
             {{0}},
             {0}};
    team_run(&t, members, 4, network, fit_share, &f, 0);
    for (int k = 0; k < 4; k++) {
        if (!EXPECT_OK(members[k].status)) printf("#   worker %d: %s\n", k, members[k].message);
        EXPECT(f.results[k].epochs == 5 && f.results[k].steps == 5 * 6); /* 29 rows, of which 23 are trained on */
        EXPECT(members[k].loss == members[0].loss && f.results[k].best_epoch == f.results[0].best_epoch);
    }
    EXPECT(team_agrees(&t, members));
    team_free(&t, members);
    bp_network_free(network);
}

static void a_fit_is_resumed_by_another_number_of_workers(void) {
    bp_network *network = network_with("adam", 0), *alone = NULL;
    team t;
    worker members[MOST_WORKERS];
    fit f = {"epochs=5 batch_size=8 learning_rate=0.01 seed=4 shared_rows=1", {0}, 0, 0, -1, 0, 0, 0, 0, {{0}}, {0}}, rest = f;
    EXPECT_OK(bp_network_clone(network, &alone));
    EXPECT_OK(trainer_fit("epochs=9 batch_size=8 learning_rate=0.01 seed=4", alone, x, y, ROWS, NULL));
    team_run(&t, members, 4, network, fit_share, &f, 0);
    snapshot saved = snapshot_of(members[2].network);
    team_free(&t, members);
    bp_network_free(network);
    EXPECT_OK(bp_network_load_memory(saved.bytes, saved.count, &network));
    rest.options = "epochs=9 batch_size=8 learning_rate=0.01 seed=4 resume=1 shared_rows=1";
    team_run(&t, members, 3, network, fit_share, &rest, 0);
    for (int k = 0; k < 3; k++)
        if (!EXPECT_OK(members[k].status)) printf("#   worker %d: %s\n", k, members[k].message);
    EXPECT(rest.results[0].epochs == 9 && rest.results[0].steps == 9 * 7);
    EXPECT(distance(alone, members[0].network) < 1e-5);
    team_free(&t, members);
    bp_network_free(network);
    bp_network_free(alone);
    free(saved.bytes);
}

/* Trains with `first` workers, and resumes with `then`, whose minibatches have 24 rows in all. */
static void refuses_to_resume(int first, int shared, int then, int then_shared, int32_t status, const char *message) {
    bp_network *network = network_with("adam", 0);
    team t;
    worker members[MOST_WORKERS];
    char options[100], rest_options[100];
    fit f = {options, {0}, 0, 0, -1, 0, 0, 0, 0, {{0}}, {0}}, rest = f;
    rest.options = rest_options;
    (void)snprintf(options, sizeof options, "epochs=2 batch_size=%d shared_rows=%d", shared ? 24 : 24 / first, shared);
    (void)snprintf(rest_options, sizeof rest_options, "epochs=4 resume=1 batch_size=%d shared_rows=%d",
                   then_shared ? 24 : 24 / then, then_shared);
    split(&f, first);
    split(&rest, then);
    team_run(&t, members, first, network, fit_share, &f, 0);
    for (int k = 0; k < first; k++) EXPECT_OK(members[k].status);
    snapshot saved = snapshot_of(members[0].network);
    team_free(&t, members);
    bp_network_free(network);
    EXPECT_OK(bp_network_load_memory(saved.bytes, saved.count, &network));
    free(saved.bytes);
    team_run(&t, members, then, network, fit_share, &rest, 0);
    for (int k = 0; k < then; k++) {
        if (!EXPECT_STATUS(members[k].status, status) || !strstr(members[k].message, message))
            EXPECT(!printf("#   %d to %d workers, worker %d: %s\n", first, then, k, members[k].message));
        if (status != BP_OK) EXPECT(snapshot_equal(members[k].network, network));
    }
    team_free(&t, members);
    bp_network_free(network);
}

static void a_fit_of_own_rows_is_resumed_by_the_same_number_of_workers_only(void) {
    refuses_to_resume(4, 0, 2, 0, BP_ERROR_INVALID_VALUE,
                      "latest fit had the number of workers with their own rows 4, not 2: ");
    refuses_to_resume(1, 0, 3, 0, BP_ERROR_INVALID_VALUE, "own rows 0, not 3: ");
    refuses_to_resume(3, 0, 1, 0, BP_ERROR_INVALID_VALUE, "own rows 3, not 0: ");
    refuses_to_resume(3, 0, 3, 1, BP_ERROR_INVALID_VALUE, "own rows 3, not 0: ");
    refuses_to_resume(3, 1, 3, 0, BP_ERROR_INVALID_VALUE, "own rows 0, not 3: ");
    refuses_to_resume(3, 0, 3, 0, BP_OK, "");
    refuses_to_resume(1, 0, 3, 1, BP_OK, "");
}

static void a_fit_that_one_worker_ends_ends_on_all_at_the_same_step(void) {
    static const struct {
        const char *options;
        int answer, cancels, late;
        int32_t status, others, end;
    } all[] = {
        {"epochs=9 batch_size=8 shared_rows=1", 1, 0, 0, BP_STOPPED, BP_STOPPED, BP_END_STOPPED},
        {"epochs=3 batch_size=8 shared_rows=1", 1, 0, 0, BP_STOPPED, BP_STOPPED, BP_END_STOPPED}, /* at the last epoch */
        {"epochs=9 batch_size=8 shared_rows=1", -5, 0, 0, BP_ERROR_CALLBACK, BP_ERROR_WORKER, 0},
        {"epochs=3 batch_size=8 shared_rows=1", -5, 0, 0, BP_ERROR_CALLBACK, BP_ERROR_WORKER, 0},
        {"epochs=9 batch_size=8 progress_interval=2", -5, 0, 0, BP_ERROR_CALLBACK, BP_ERROR_WORKER, 0},
        {"epochs=9 batch_size=8 progress_interval=2", 0, 1, 0, BP_STOPPED, BP_STOPPED, BP_END_CANCELLED},
        {"epochs=9 batch_size=8", 0, 0, 1, BP_OK, BP_OK, BP_END_TIME_LIMIT},
        {"epochs=2 batch_size=8 restarts=4", 1, 0, 0, BP_STOPPED, BP_STOPPED, BP_END_STOPPED},
        {"epochs=2 batch_size=8 restarts=4", -5, 0, 0, BP_ERROR_CALLBACK, BP_ERROR_WORKER, 0},
        {"epochs=2 batch_size=8 restarts=4", 0, 1, 0, BP_STOPPED, BP_STOPPED, BP_END_CANCELLED},
        {"epochs=2 batch_size=8 restarts=4", 0, 0, 1, BP_OK, BP_OK, BP_END_TIME_LIMIT},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        for (int victim = 0; victim < 3; victim++)
            for (int is_validated = 0; is_validated < 2; is_validated++) {
                bp_network *network = network_with("sgd", 1);
                team t;
                worker members[MOST_WORKERS];
                fit f = {all[i].options, {0}, 0,           is_validated, victim, all[i].answer,
                         all[i].cancels, 0,   all[i].late, {{0}},        {0}};
                split(&f, 3);
                team_run(&t, members, 3, network, fit_share, &f, 0);
                for (int k = 0; k < 3; k++) {
                    if (!EXPECT_STATUS(members[k].status, k == victim ? all[i].status : all[i].others))
                        printf("#   case %d, victim %d, worker %d: %s\n", (int)i, victim, k, members[k].message);
                    EXPECT(f.results[k].end == all[i].end && f.results[k].steps == f.results[0].steps);
                    if (all[i].status < 0) EXPECT(snapshot_equal(members[k].network, network));
                }
                EXPECT(team_agrees(&t, members));
                team_free(&t, members);
                bp_network_free(network);
            }
}

static void wrong_data_on_one_worker_fail_the_fit_on_all(void) {
    for (int victim = 0; victim < 3; victim++) {
        bp_network *network = network_with("sgd", 1);
        team t;
        worker members[MOST_WORKERS];
        fit f = {"epochs=3", {0}, 0, 0, victim, 0, 0, 1, 0, {{0}}, {0}};
        split(&f, 3);
        team_run(&t, members, 3, network, fit_share, &f, 0);
        for (int k = 0; k < 3; k++) {
            EXPECT_STATUS(members[k].status, BP_ERROR_NOT_FINITE);
            EXPECT(!strcmp(members[k].message, "a number is not finite on another worker") == (k != victim));
            EXPECT(snapshot_equal(members[k].network, network));
        }
        team_free(&t, members);
        bp_network_free(network);
    }
}

static void workers_recover_from_a_divergence_together(void) {
    bp_network *network = network_with("sgd", 0);
    team t;
    worker members[MOST_WORKERS];
    fit f = {"epochs=12 batch_size=8 learning_rate=1e9 on_divergence=1", {0}, 0, 1, -1, 0, 0, 0, 0, {{0}}, {0}};
    split(&f, 3);
    team_run(&t, members, 3, network, fit_share, &f, 0);
    for (int k = 0; k < 3; k++)
        if (!EXPECT_OK(members[k].status)) printf("#   %s\n", members[k].message);
    EXPECT(team_agrees(&t, members) && members[0].loss == members[2].loss);
    team_free(&t, members);
    bp_network_free(network);
}

/* ---- Streams */

typedef struct {
    const char *options;
    size_t rows[MOST_WORKERS];
    int victim, kind; /* 1: returns -3; 2: fills a NaN; 3: stops */
    size_t positions_wrong;
    bp_fit_result results[MOST_WORKERS];
} streams;

typedef struct {
    streams *of;
    int index;
    size_t calls;
} stream;

static int32_t next(bp_minibatch *minibatch, void *user_data) {
    stream *own = (stream *)user_data;
    const size_t rows = own->of->rows[own->index];
    const int fails = own->index == own->of->victim && ++own->calls == 3;
    if (minibatch->first_row != minibatch->batch * minibatch->capacity) own->of->positions_wrong++;
    if (fails && own->of->kind == 1) return -3;
    if (fails && own->of->kind == 3) return 1;
    while (minibatch->rows < minibatch->capacity && minibatch->first_row + minibatch->rows < rows) {
        const size_t row = (minibatch->first_row + minibatch->rows + 10 * (size_t)own->index) % ROWS;
        memcpy(minibatch->inputs + minibatch->rows * INPUTS, x + row * INPUTS, INPUTS * sizeof(float));
        memcpy(minibatch->targets + minibatch->rows * OUTPUTS, y + row * OUTPUTS, OUTPUTS * sizeof(float));
        minibatch->rows++;
    }
    if (fails && own->of->kind == 2) minibatch->inputs[0] = NAN;
    return 0;
}

static void fit_streams(worker *own) {
    streams *s = (streams *)own->context;
    stream source = {s, own->index, 0};
    bp_trainer *trainer = NULL;
    char word[64];
    int length;
    (void)bp_trainer_create(&trainer);
    for (const char *at = s->options; sscanf(at, "%63s%n", word, &length) == 1; at += length) {
        char *value = strchr(word, '=');
        *value++ = 0;
        (void)bp_trainer_set_option(trainer, word, atof(value));
    }
    own->status = bp_trainer_fit_stream(trainer, own->network, next, &source, NULL, NULL, 0, &own->loss);
    s->results[own->index].struct_size = sizeof(bp_fit_result);
    (void)bp_trainer_get_result(trainer, &s->results[own->index]);
    bp_trainer_free(trainer);
}

static void streams_of_any_lengths_end_their_epoch_together(void) {
    static const size_t rows[][3] = {{20, 20, 20}, {20, 3, 0}, {0, 0, 7}, {8, 16, 4}, {16, 0, 16}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bp_network *network = network_with("adam", 1);
        team t;
        worker members[MOST_WORKERS];
        streams s = {"epochs=3 batch_size=8 learning_rate=0.01", {rows[i][0], rows[i][1], rows[i][2]}, -1, 0, 0, {{0}}};
        size_t most = 0;
        for (int k = 0; k < 3; k++) most = rows[i][k] > most ? rows[i][k] : most;
        team_run(&t, members, 3, network, fit_streams, &s, 0);
        for (int k = 0; k < 3; k++) {
            if (!EXPECT_OK(members[k].status)) printf("#   case %d, worker %d: %s\n", (int)i, k, members[k].message);
            EXPECT(s.results[k].epochs == 3 && s.results[k].steps == 3 * ((most + 7) / 8));
        }
        EXPECT(s.positions_wrong == 0 && team_agrees(&t, members));
        team_free(&t, members);
        bp_network_free(network);
    }
}

static void a_stream_that_fails_or_stops_on_one_worker_does_on_all(void) {
    static const int32_t codes[] = {0, BP_ERROR_CALLBACK, BP_ERROR_NOT_FINITE, BP_STOPPED};
    static const int32_t others[] = {0, BP_ERROR_WORKER, BP_ERROR_NOT_FINITE, BP_STOPPED};
    for (int kind = 1; kind < 4; kind++)
        for (int victim = 0; victim < 3; victim++) {
            bp_network *network = network_with("adam", 1);
            team t;
            worker members[MOST_WORKERS];
            streams s = {"epochs=3 batch_size=8 learning_rate=0.01", {40, 30, 50}, victim, kind, 0, {{0}}};
            team_run(&t, members, 3, network, fit_streams, &s, 0);
            for (int k = 0; k < 3; k++) {
                if (!EXPECT_STATUS(members[k].status, k == victim ? codes[kind] : others[kind]))
                    printf("#   kind %d, victim %d, worker %d: %s\n", kind, victim, k, members[k].message);
                if (kind < 3) EXPECT(snapshot_equal(members[k].network, network));
            }
            EXPECT(team_agrees(&t, members));
            team_free(&t, members);
            bp_network_free(network);
        }
}

static void a_fit_without_rows_on_any_worker_is_refused(void) {
    bp_network *network = network_with("adam", 1);
    team t;
    worker members[MOST_WORKERS];
    fit f = {"epochs=3", {0}, 0, 0, -1, 0, 0, 0, 0, {{0}}, {0}};
    team_run(&t, members, 2, network, fit_share, &f, 0);
    for (int k = 0; k < 2; k++) EXPECT_STATUS(members[k].status, BP_ERROR_INVALID_VALUE);
    team_free(&t, members);
    streams s = {"epochs=3", {0}, -1, 0, 0, {{0}}};
    team_run(&t, members, 2, network, fit_streams, &s, 0);
    for (int k = 0; k < 2; k++) EXPECT_STATUS(members[k].status, BP_ERROR_INVALID_VALUE);
    team_free(&t, members);
    bp_network_free(network);
}

enum { MANY = 65535 };

/* All workers have the numbers of this one. An agreement ends with one number of each worker. */
static int32_t reduce_many(void *values, size_t count, int32_t type, int32_t operation, void *user_data) {
    float *floats = (float *)values;
    double *doubles = (double *)values;
    const size_t sums = count > MANY ? count - MANY : count;
    (void)user_data;
    if (operation != BP_REDUCE_SUM) return 0;
    for (size_t i = 0; i < sums && type == BP_FLOAT; i++) floats[i] *= MANY;
    for (size_t i = 0; i < sums && type != BP_FLOAT; i++) doubles[i] *= MANY;
    for (size_t i = sums; i < count; i++) doubles[i] = doubles[count - 1];
    return 0;
}

/* Row 65533, the only one whose loss is not 0. Products of workers and rows need 32 bits. */
static void the_last_of_65535_workers_has_the_last_row(void) {
    static float rows[MANY - 1], zeros[MANY - 1];
    const size_t one[] = {1, 1};
    const float identity[] = {1, 0};
    double loss = 0;
    bp_network *network = check_network(one, 2, 1);
    rows[MANY - 2] = 2;
    EXPECT_OK(bp_network_set_activation(network, 1, "identity"));
    EXPECT_OK(bp_network_set_parameters(network, identity, 2));
    EXPECT_OK(bp_network_set_all_reduce(network, reduce_many, MANY - 1, MANY, NULL));
    EXPECT_OK(trainer_fit("epochs=1 batch_size=0 shared_rows=1 learning_rate=0", network, rows, zeros, MANY - 1, &loss));
    EXPECT_NEAR(loss, 2, 1e-6);
    bp_network_free(network);
}

int main(void) {
    check_fill(x, ROWS * INPUTS, 1);
    check_fill(y, ROWS * OUTPUTS, 2);
    for (int i = 0; i < ROWS; i++) row_weights[i] = (float)(i % 3);
    CLAIM(fits_of_shared_rows_are_those_of_one_process);
    CLAIM(fits_of_each_worker_s_rows_are_those_of_all_rows);
    CLAIM(an_epoch_ends_with_the_worker_that_has_the_most_minibatches);
    CLAIM(a_fit_is_resumed_by_another_number_of_workers);
    CLAIM(a_fit_of_own_rows_is_resumed_by_the_same_number_of_workers_only);
    CLAIM(a_fit_that_one_worker_ends_ends_on_all_at_the_same_step);
    CLAIM(wrong_data_on_one_worker_fail_the_fit_on_all);
    CLAIM(workers_recover_from_a_divergence_together);
    CLAIM(streams_of_any_lengths_end_their_epoch_together);
    CLAIM(a_stream_that_fails_or_stops_on_one_worker_does_on_all);
    CLAIM(a_fit_without_rows_on_any_worker_is_refused);
    CLAIM(the_last_of_65535_workers_has_the_last_row);
    return check_end();
}
