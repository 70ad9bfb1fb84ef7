/* ensemble.c: fits of several networks at once, many of them in the lanes of vectors. Each network must get the bits of its own fit. */
#define _POSIX_C_SOURCE 200809L
#include "trainer.h"

enum { ROWS = 67, INPUTS = 3, OUTPUTS = 2, MOST = 37 };

static const size_t sizes[] = {INPUTS, 9, 5, OUTPUTS};
static float x[ROWS * INPUTS], y[ROWS * OUTPUTS], weights[ROWS];
static trainer_log log_;

/* Inputs in -1 ... 1. Targets are shares of two classes: valid for every loss. */
static void make_data(void) {
    uint32_t state = 1;
    for (int i = 0; i < ROWS; i++) {
        for (int k = 0; k < INPUTS; k++)
            x[i * INPUTS + k] = (float)((state = state * 1664525u + 1013904223u) >> 8) / (1 << 23) - 1;
        y[i * OUTPUTS] = 0.5f + 0.4f * sinf(3 * x[i * INPUTS] + x[i * INPUTS + 1]);
        y[i * OUTPUTS + 1] = 1 - y[i * OUTPUTS];
        weights[i] = 0.25f * (float)(i % 5);
    }
}

/* What makes the networks of a test: settings as words "name=value", of which activation, output, loss and optimizer are text and the
 * others are options. */
static bp_network *network_with(const char *settings, uint64_t seed) {
    bp_network *network = check_network(sizes, 4, seed);
    char word[256];
    int length;
    for (const char *at = settings; sscanf(at, "%255s%n", word, &length) == 1; at += length) {
        char *value = strchr(word, '=');
        if (!EXPECT(value != NULL)) break;
        *value++ = 0;
        if (strcmp(word, "loss") == 0) EXPECT_OK(bp_network_set_loss(network, value));
        else if (strcmp(word, "optimizer") == 0) EXPECT_OK(bp_network_set_optimizer(network, value));
        else if (strcmp(word, "output") == 0) EXPECT_OK(bp_network_set_activation(network, 3, value));
        else if (strcmp(word, "second") == 0) EXPECT_OK(bp_network_set_activation(network, 2, value));
        else if (strcmp(word, "activation") == 0) {
            EXPECT_OK(bp_network_set_activation(network, 1, value));
            EXPECT_OK(bp_network_set_activation(network, 2, value));
        } else if (strcmp(word, "batchnorm") == 0) EXPECT_OK(bp_network_set_batchnorm(network, 1, atoi(value)));
        else if (strcmp(word, "dropout") == 0) EXPECT_OK(bp_network_set_dropout(network, 1, (float)atof(value)));
        else if (strcmp(word, "trainable") == 0) EXPECT_OK(bp_network_set_trainable(network, 1, atoi(value)));
        else if (strcmp(word, "scaling") == 0) EXPECT_OK(bp_network_fit_scaling(network, value, value, x, y, ROWS));
        else EXPECT_OK(bp_network_set_option(network, word, atof(value)));
    }
    return network;
}

static double rate_of(size_t i) { return 0.004 * (double)(1 + i % 5); }

/* Fits `count` networks together, and clones of them alone, and compares networks, files and results. */
static void compare(const char *settings, const char *options, size_t count, int have_rates, int validated) {
    bp_network *networks[MOST], *alone[MOST];
    bp_fit_result results[MOST], one = {sizeof one, 0, 0, 0, 0, 0, 0, 0};
    double rates[MOST], lowest = INFINITY;
    size_t winner = 0;
    bp_trainer *trainer = trainer_with(options);
    for (size_t i = 0; i < count; i++) {
        networks[i] = network_with(settings, i + 1);
        EXPECT_OK(bp_network_clone(networks[i], &alone[i]));
        rates[i] = rate_of(i);
        results[i].struct_size = sizeof results[i];
    }
    EXPECT_OK(bp_trainer_fit_ensemble(trainer, networks, count, have_rates ? rates : NULL, x, y, ROWS - 10,
                                      validated ? x + 57 * INPUTS : NULL, validated ? y + 57 * OUTPUTS : NULL,
                                      validated ? 10 : 0, results));
    EXPECT_OK(bp_trainer_get_result(trainer, &one));
    for (size_t i = 0; i < count; i++)
        if (results[i].loss < lowest) lowest = results[i].loss, winner = i;
    EXPECT(one.loss == lowest && one.restart == winner);
    for (size_t i = 0; i < count; i++) {
        double loss;
        snapshot own;
        if (have_rates) EXPECT_OK(bp_trainer_set_option(trainer, "learning_rate", rates[i]));
        EXPECT_OK(bp_trainer_fit(trainer, alone[i], x, y, ROWS - 10, validated ? x + 57 * INPUTS : NULL,
                                 validated ? y + 57 * OUTPUTS : NULL, validated ? 10 : 0, &loss));
        EXPECT_OK(bp_trainer_get_result(trainer, &one));
        if (!EXPECT(same_parameters(networks[i], alone[i])))
            printf("#   network %d of %d: %s; %s\n", (int)i, (int)count, settings, options);
        own = snapshot_of(alone[i]);
        EXPECT(snapshot_holds(own, networks[i]));
        EXPECT(memcmp(&one, &results[i], sizeof one) == 0 && loss == one.loss);
        free(own.bytes);
        bp_network_free(networks[i]);
        bp_network_free(alone[i]);
    }
    bp_trainer_free(trainer);
}

#define FIT "epochs=3 batch_size=20 learning_rate=0.01 seed=5"

static const char *const optimizers[] = {"sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "irprop_minus"};
static const char *const losses[] = {"loss=squared_error output=identity",  "loss=squared_error gradient_reduction=1",
                                     "loss=binary_cross_entropy",           "loss=cross_entropy output=softmax",
                                     "loss=absolute_error output=identity", "loss=huber huber_delta=0.1 output=tanh",
                                     "loss=log_cosh output=identity",       "loss=quantile quantile=0.3 output=identity",
                                     "loss=poisson output=softplus"};

static void every_optimizer_and_loss_gives_each_network_the_bits_of_its_own_fit(void) {
    for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers; i++)
        for (size_t k = 0; k < sizeof losses / sizeof *losses; k++) {
            char settings[200];
            snprintf(settings, sizeof settings, "activation=tanh optimizer=%s %s", optimizers[i], losses[k]);
            compare(settings, FIT, 9, k % 2, 0);
        }
}

static void every_activation_gives_the_same_bits(void) {
    char name[64], settings[200];
    size_t needed;
    for (size_t i = 0; bp_activation_name(i, name, sizeof name, &needed) == BP_OK; i++) {
        if (bp_activation_kind(name, &(int32_t){0}) != BP_OK || strchr(name, '.')) continue;
        snprintf(settings, sizeof settings, "activation=%s output=identity optimizer=momentum gradient_reduction=1", name);
        compare(settings, FIT, 5, 0, 0);
    }
}

static void every_number_of_networks_and_threads_gives_the_same_bits(void) {
    const size_t counts[] = {1, 2, 7, 8, 9, 16, 17, 37};
    for (size_t threads = 1; threads <= 3; threads++) {
        EXPECT_OK(bp_set_thread_count(threads));
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            compare("activation=tanh optimizer=adam", FIT, counts[i], 0, 0);
            compare("activation=relu output=identity", FIT " batch_size=32", counts[i], 1, 1);
        }
    }
    EXPECT_OK(bp_set_thread_count(0));
}

static void large_minibatches_give_the_same_bits(void) {
    enum { MANY = 1300 };
    static float many_x[MANY * INPUTS], many_y[MANY * OUTPUTS];
    bp_network *networks[5], *alone;
    double losses[5] = {0};
    bp_fit_result results[5];
    for (int i = 0; i < MANY * INPUTS; i++) many_x[i] = x[i % (ROWS * INPUTS)] * (float)(1 + i % 7) / 7;
    for (int i = 0; i < MANY * OUTPUTS; i++) many_y[i] = y[i % (ROWS * OUTPUTS)] * (float)(1 + i % 5) / 5;
    for (int batch = 0; batch <= 1024; batch += 1024) {
        bp_trainer *trainer = trainer_with("epochs=3 learning_rate=0.0001");
        EXPECT_OK(bp_trainer_set_option(trainer, "batch_size", batch));
        for (size_t i = 0; i < 5; i++)
            networks[i] = network_with("output=identity", i), results[i].struct_size = sizeof results[i];
        for (size_t i = 0; i < 5; i++) {
            EXPECT_OK(bp_network_clone(networks[i], &alone));
            EXPECT_OK(bp_trainer_fit(trainer, alone, many_x, many_y, MANY, NULL, NULL, 0, &losses[i]));
            if (i < 4) bp_network_free(alone);
        }
        EXPECT_OK(bp_trainer_fit_ensemble(trainer, networks, 5, NULL, many_x, many_y, MANY, NULL, NULL, 0, results));
        EXPECT(same_parameters(networks[4], alone));
        for (size_t i = 0; i < 5; i++) EXPECT(results[i].loss == losses[i]), bp_network_free(networks[i]);
        bp_network_free(alone);
        bp_trainer_free(trainer);
    }
}

static void every_option_of_fits_gives_the_same_bits(void) {
    const char *const options[] = {FIT " batch_size=0",
                                   FIT " batch_size=7",
                                   FIT " batch_size=4",
                                   FIT " drop_last=1",
                                   FIT " sampling=1",
                                   FIT " steps=7",
                                   FIT " epochs=40 patience=2 min_delta=0.0003",
                                   FIT " epochs=60 target_loss=0.05",
                                   FIT " epochs=30 schedule=6 plateau_patience=1 learning_rate=0.3",
                                   FIT " schedule=3 warmup_steps=4",
                                   FIT " schedule=5",
                                   FIT " validation_fraction=0.3 epochs=20 patience=3",
                                   FIT " keep=2 epochs=10",
                                   FIT " on_divergence=1",
                                   FIT " validation_fraction=0.3 stratify=1"};
    const char *const settings[] = {"activation=tanh optimizer=adam", "weight_decay=0.01 l1=0.001",
                                    "optimizer=momentum clip_value=0.01 decay_biases=1", "optimizer=adamw weight_decay=0.1",
                                    "scaling=standard output=identity optimizer=rmsprop"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        for (size_t k = 0; k < sizeof settings / sizeof *settings; k++) {
            int has_fraction = strstr(options[i], "validation_fraction") != NULL;
            compare(settings[k], options[i], 10, (i + k) % 2, !has_fraction && k % 2);
        }
}

static void networks_that_have_no_lanes_give_the_same_bits(void) {
    const char *const settings[] = {"batchnorm=1 optimizer=adam",
                                    "dropout=0.3",
                                    "clip_norm=0.05",
                                    "trainable=0",
                                    "optimizer=lbfgs output=identity",
                                    "optimizer=levenberg_marquardt output=identity",
                                    "second=softmax",
                                    "missing_targets=1 output=identity",
                                    "output=softmax"};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) compare(settings[i], FIT, 6, 0, 0);
}

static void networks_of_different_settings_give_the_same_bits(void) {
    const char *const settings[] = {"optimizer=adam", "optimizer=adam weight_decay=0.1", "activation=relu",
                                    "optimizer=adam", "optimizer=lbfgs output=identity", "batchnorm=1"};
    enum { COUNT = 24 };
    bp_network *networks[COUNT], *alone[COUNT];
    bp_trainer *trainer = trainer_with(FIT " validation_fraction=0.2");
    bp_rows xs = {sizeof xs, BP_FLOAT, x, ROWS, INPUTS, 0, 0, 0, 0, NULL},
            ys = {sizeof ys, BP_FLOAT, y, ROWS, OUTPUTS, 0, 0, 0, 0, weights};
    for (size_t i = 0; i < COUNT; i++) {
        networks[i] = network_with(settings[i % 6], i);
        if (i % 4 == 1) EXPECT_OK(bp_network_train_minibatch(networks[i], x, y, 30, 0.01f, NULL)); /* trained before */
        EXPECT_OK(bp_network_clone(networks[i], &alone[i]));
    }
    EXPECT_OK(bp_trainer_fit_ensemble_rows(trainer, networks, COUNT, NULL, &xs, &ys, NULL, NULL, NULL));
    EXPECT_OK(bp_trainer_set_option(trainer, "resume", 1));
    EXPECT_OK(bp_trainer_set_option(trainer, "epochs", 5));
    EXPECT_OK(bp_trainer_fit_ensemble_rows(trainer, networks, COUNT, NULL, &xs, &ys, NULL, NULL, NULL));
    EXPECT_OK(bp_trainer_set_option(trainer, "resume", 0));
    for (size_t i = 0; i < COUNT; i++) {
        snapshot own;
        EXPECT_OK(bp_trainer_fit_rows(trainer, alone[i], &xs, &ys, NULL, NULL, NULL));
        own = snapshot_of(alone[i]);
        EXPECT(snapshot_holds(own, networks[i]) || i % 6 == 4); /* the history of lbfgs is for one fit */
        free(own.bytes);
        bp_network_free(networks[i]);
        bp_network_free(alone[i]);
    }
    bp_trainer_free(trainer);
}

/* Half the squared error, which is computed without lanes because it is registered. */
static int32_t half_squares(const float *outputs, const float *targets, double *values, float *gradients, size_t rows,
                            size_t columns, size_t target_columns, void *user_data) {
    (void)target_columns, (void)user_data;
    for (size_t i = 0; i < rows; i++) {
        double sum = 0;
        for (size_t k = i * columns; k < (i + 1) * columns; k++) {
            double error = (double)outputs[k] - (double)targets[k];
            sum += error * error;
            if (gradients) gradients[k] = outputs[k] - targets[k];
        }
        values[i] = 0.5 * sum;
    }
    return 0;
}

static void restarts_in_lanes_give_the_bits_of_restarts_without_lanes(void) {
    const char *const options[] = {FIT " restarts=21", FIT " restarts=21 batch_size=0",
                                   FIT " restarts=35 epochs=30 patience=2 validation_fraction=0.2",
                                   FIT " restarts=5 on_divergence=1"};
    EXPECT_OK(bp_loss_register("ensemble.half_squares", 0, half_squares, NULL, NULL));
    for (size_t i = 0; i < 8; i++) {
        bp_network *lanes = network_with("activation=tanh output=identity optimizer=adam", 3), *alone;
        bp_trainer *trainer = trainer_with(options[i / 2]);
        double loss = 0, other = 1;
        if (i % 2) trainer_watch(trainer, &log_);
        EXPECT_OK(bp_network_clone(lanes, &alone));
        EXPECT_OK(bp_network_set_loss(alone, "ensemble.half_squares"));
        EXPECT_OK(bp_trainer_fit(trainer, lanes, x, y, ROWS, NULL, NULL, 0, &loss));
        EXPECT_OK(bp_trainer_fit(trainer, alone, x, y, ROWS, NULL, NULL, 0, &other));
        EXPECT(loss == other && same_parameters(lanes, alone));
        bp_trainer_free(trainer);
        bp_network_free(lanes);
        bp_network_free(alone);
    }
    EXPECT_OK(bp_loss_unregister("ensemble.half_squares"));
}

/* A program of a later version, whose structs are larger. */
static void results_of_a_larger_struct_are_all_filled(void) {
    struct {
        bp_fit_result known;
        uint64_t later[3];
    } results[4];
    bp_network *networks[4];
    bp_trainer *trainer = trainer_with("epochs=2 batch_size=20 seed=5");
    memset(results, 0x5A, sizeof results);
    for (size_t i = 0; i < 4; i++) {
        networks[i] = network_with("activation=tanh output=identity", i);
        results[i].known.struct_size = sizeof results[i];
    }
    EXPECT_OK(bp_trainer_fit_ensemble(trainer, networks, 4, NULL, x, y, ROWS, NULL, NULL, 0, &results[0].known));
    for (size_t i = 0; i < 4; i++) {
        float loss = 0;
        EXPECT_OK(bp_network_evaluate(networks[i], x, y, ROWS, &loss));
        EXPECT(results[i].known.struct_size == sizeof results[i].known && results[i].known.epochs == 2);
        EXPECT(results[i].later[0] == 0x5A5A5A5A5A5A5A5A && results[i].known.loss > 0 && loss > 0);
        bp_network_free(networks[i]);
    }
    bp_trainer_free(trainer);
}

static void a_network_that_diverges_stays_as_it_was_and_the_others_are_trained(void) {
    for (int recovers = 0; recovers < 2; recovers++) {
        bp_network *networks[9], *alone[9];
        double rates[9];
        bp_fit_result results[9];
        bp_trainer *trainer = trainer_with("epochs=40 batch_size=20 seed=5");
        EXPECT_OK(bp_trainer_set_option(trainer, "on_divergence", recovers));
        for (size_t i = 0; i < 9; i++) {
            networks[i] = network_with("activation=identity output=identity", i);
            EXPECT_OK(bp_network_clone(networks[i], &alone[i]));
            rates[i] = i % 3 == 1 ? 5 : 0.001;
            results[i].struct_size = sizeof results[i];
        }
        EXPECT_OK(bp_trainer_fit_ensemble(trainer, networks, 9, rates, x, y, ROWS, NULL, NULL, 0, results));
        for (size_t i = 0; i < 9; i++) {
            int32_t status;
            snapshot own;
            EXPECT_OK(bp_trainer_set_option(trainer, "learning_rate", rates[i]));
            status = bp_trainer_fit(trainer, alone[i], x, y, ROWS, NULL, NULL, 0, NULL);
            EXPECT(status == (i % 3 == 1 && !recovers ? BP_ERROR_NOT_FINITE : BP_OK));
            EXPECT((status != BP_OK) == (results[i].end == BP_END_DIVERGED) && (status != BP_OK) == isnan(results[i].loss));
            own = snapshot_of(alone[i]);
            EXPECT(snapshot_holds(own, networks[i]));
            free(own.bytes);
        }
        for (size_t i = 0; i < 9; i++) rates[i] = 1e6;
        if (!recovers)
            EXPECT_ERROR(bp_trainer_fit_ensemble(trainer, networks, 9, rates, x, y, ROWS, NULL, NULL, 0, results),
                         BP_ERROR_NOT_FINITE);
        for (size_t i = 0; i < 9; i++) bp_network_free(networks[i]), bp_network_free(alone[i]);
        bp_trainer_free(trainer);
    }
}

static void one_report_an_epoch_is_that_of_the_network_with_the_lowest_loss(void) {
    bp_network *networks[20];
    bp_trainer *trainer = trainer_with("epochs=4 batch_size=20 progress_interval=2");
    for (int validated = 0; validated < 2; validated++) {
        size_t at = 0;
        for (size_t i = 0; i < 20; i++) networks[i] = network_with(i % 2 ? "activation=tanh" : "batchnorm=1", i);
        trainer_watch(trainer, &log_);
        EXPECT_OK(bp_trainer_fit_ensemble(trainer, networks, 20, NULL, x, y, 60, validated ? x : NULL, validated ? y : NULL,
                                          validated ? 10 : 0, NULL));
        for (size_t k = 0; k < log_.at; k++) {
            const bp_progress *r = &log_.records[k];
            at += r->epoch_ended;
            EXPECT(r->restart < 20 && r->epochs == 4 && r->steps == 12 &&
                   isnan(r->validation_loss) == !(validated && r->epoch_ended));
            if (r->epoch_ended) EXPECT(r->epoch == at && r->step == 3 * at);
            else EXPECT(r->step % 2 == 0);
        }
        EXPECT(at == 4 && log_.at == 4 + 4); /* steps 2, 4, 8 and 10; 6 and 12 end epochs */
        for (size_t i = 0; i < 20; i++) bp_network_free(networks[i]);
    }
    bp_trainer_free(trainer);
}

static int32_t cancels(const bp_progress *progress, void *user_data) {
    (void)progress;
    return bp_trainer_cancel((bp_trainer *)user_data);
}

static void a_stop_ends_all_networks_and_an_abort_changes_none(void) {
    for (int32_t answer = -4; answer <= 1; answer += 5) {
        bp_network *networks[18];
        snapshot before[18];
        bp_trainer *trainer = trainer_with(FIT " epochs=100");
        bp_fit_result results[18];
        for (size_t i = 0; i < 18; i++) {
            networks[i] = network_with("optimizer=adam", i), before[i] = snapshot_of(networks[i]);
            results[i].struct_size = sizeof results[i];
        }
        trainer_watch(trainer, &log_);
        log_.answer_at = 3, log_.answer = answer;
        EXPECT_STATUS(bp_trainer_fit_ensemble(trainer, networks, 18, NULL, x, y, ROWS, NULL, NULL, 0, results),
                      answer < 0 ? BP_ERROR_CALLBACK : BP_STOPPED);
        EXPECT(log_.at == 3);
        for (size_t i = 0; i < 18; i++) {
            EXPECT(snapshot_holds(before[i], networks[i]) == (answer < 0));
            if (answer > 0) EXPECT(results[i].end == BP_END_STOPPED && results[i].epochs == 3);
            free(before[i].bytes);
        }
        EXPECT_OK(bp_trainer_set_progress(trainer, cancels, trainer));
        EXPECT_STATUS(bp_trainer_fit_ensemble(trainer, networks, 18, NULL, x, y, ROWS, NULL, NULL, 0, results), BP_STOPPED);
        EXPECT(results[17].end == BP_END_CANCELLED && results[17].epochs == 1);
        for (size_t i = 0; i < 18; i++) bp_network_free(networks[i]);
        bp_trainer_free(trainer);
    }
}

static int32_t never_called(void *values, size_t count, int32_t type, int32_t operation, void *user_data) {
    (void)values, (void)count, (void)type, (void)operation, (void)user_data;
    return EXPECT(0) ? 0 : 1;
}

static void bad_arguments_are_refused_and_no_network_changes(void) {
    const size_t wider[] = {INPUTS, 9, 6, OUTPUTS};
    bp_network *networks[4], *other = check_network(wider, 4, 1), *freed = check_network(sizes, 4, 1), *scratch;
    bp_trainer *trainer = trainer_with(FIT);
    snapshot before[3];
    double rates[4] = {0.1, 0.1, 0.1, 0.1};
    bp_fit_result results[4];
    float nan[ROWS * INPUTS];
    for (size_t i = 0; i < 3; i++) networks[i] = network_with("", i), before[i] = snapshot_of(networks[i]);
    for (size_t i = 0; i < 4; i++) results[i].struct_size = sizeof results[i];
    bp_network_free(freed);
    memcpy(nan, x, sizeof nan);
    nan[5] = NAN;
#define FIT_OF(count, x) bp_trainer_fit_ensemble(trainer, networks, count, rates, x, y, ROWS, NULL, NULL, 0, results)
    networks[3] = other;
    EXPECT_ERROR(FIT_OF(4, x), BP_ERROR_MISMATCH);
    EXPECT(strstr(bp_last_error_message(), "network 3") != NULL);
    networks[3] = networks[1];
    EXPECT_ERROR(FIT_OF(4, x), BP_ERROR_INVALID_VALUE);
    EXPECT(strstr(bp_last_error_message(), "network 3: it is in the array twice") != NULL);
    networks[3] = freed;
    EXPECT_ERROR(FIT_OF(4, x), BP_ERROR_INVALID_HANDLE);
    networks[3] = (bp_network *)trainer;
    EXPECT_ERROR(FIT_OF(4, x), BP_ERROR_INVALID_HANDLE);
    networks[3] = NULL;
    EXPECT_ERROR(FIT_OF(4, x), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(FIT_OF(0, x), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(FIT_OF(SIZE_MAX, x), BP_ERROR_LIMIT);
    EXPECT_ERROR(FIT_OF((size_t)1 << 30, x), BP_ERROR_LIMIT);
    EXPECT_ERROR(FIT_OF(3, nan), BP_ERROR_NOT_FINITE);
    EXPECT_ERROR(FIT_OF(3, NULL), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_trainer_fit_ensemble(trainer, NULL, 3, rates, x, y, ROWS, NULL, NULL, 0, results), BP_ERROR_NULL_ARGUMENT);
    rates[2] = -1;
    EXPECT_ERROR(FIT_OF(3, x), BP_ERROR_INVALID_VALUE);
    rates[2] = NAN;
    EXPECT_ERROR(FIT_OF(3, x), BP_ERROR_INVALID_VALUE);
    rates[2] = 0.1;
    results[1].struct_size = 8;
    EXPECT_ERROR(FIT_OF(3, x), BP_ERROR_INVALID_VALUE);
    results[1].struct_size = sizeof results[1];
    EXPECT_OK(bp_trainer_set_option(trainer, "restarts", 2));
    EXPECT_ERROR(FIT_OF(3, x), BP_ERROR_UNSUPPORTED);
    EXPECT_OK(bp_trainer_set_option(trainer, "restarts", 0));
    EXPECT_OK(bp_network_clone(networks[2], &scratch));
    EXPECT_OK(bp_network_set_loss(networks[2], "cross_entropy")); /* does not go with logistic */
    EXPECT_ERROR(FIT_OF(3, x), BP_ERROR_INVALID_VALUE);
    EXPECT(strstr(bp_last_error_message(), "network 2") != NULL);
    EXPECT_OK(bp_network_set_loss(networks[2], "squared_error"));
    EXPECT_OK(bp_network_set_all_reduce(networks[1], never_called, 1, 2, NULL)); /* so that no worker waits for another */
    EXPECT_ERROR(FIT_OF(3, x), BP_ERROR_UNSUPPORTED);
    EXPECT(strstr(bp_last_error_message(), "network 1") != NULL);
    EXPECT_OK(bp_network_set_all_reduce(networks[1], NULL, 0, 0, NULL));
    for (size_t i = 0; i < 3; i++) {
        EXPECT(snapshot_holds(before[i], networks[i]));
        free(before[i].bytes);
        EXPECT_OK(bp_network_train_step(networks[i], x, y, 0.1f, NULL)); /* is not in a fit any more */
    }
    EXPECT_OK(FIT_OF(3, x));
    for (size_t i = 0; i < 3; i++) bp_network_free(networks[i]);
    bp_network_free(other), bp_network_free(scratch);
    bp_trainer_free(trainer);
}

static void a_resumed_network_of_other_rows_is_refused(void) {
    bp_network *networks[3];
    bp_trainer *trainer = trainer_with(FIT);
    snapshot before;
    for (size_t i = 0; i < 3; i++) {
        networks[i] = network_with("", i);
        EXPECT_OK(bp_trainer_set_option(trainer, "seed", i < 2 ? 5 : 6));
        EXPECT_OK(bp_trainer_fit(trainer, networks[i], x, y, ROWS, NULL, NULL, 0, NULL));
    }
    before = snapshot_of(networks[0]);
    EXPECT_OK(bp_trainer_set_option(trainer, "resume", 1));
    EXPECT_OK(bp_trainer_set_option(trainer, "epochs", 5));
    EXPECT_OK(bp_trainer_set_option(trainer, "seed", 5));
    EXPECT_ERROR(bp_trainer_fit_ensemble(trainer, networks, 3, NULL, x, y, ROWS, NULL, NULL, 0, NULL), BP_ERROR_INVALID_VALUE);
    EXPECT(strstr(bp_last_error_message(), "network 2") != NULL && snapshot_holds(before, networks[0]));
    EXPECT_OK(bp_trainer_fit_ensemble(trainer, networks, 2, NULL, x, y, ROWS, NULL, NULL, 0, NULL));
    for (size_t i = 0; i < 3; i++) bp_network_free(networks[i]);
    free(before.bytes);
    bp_trainer_free(trainer);
}

static bp_network *fitted[3];
static int32_t is_busy(const bp_progress *progress, void *user_data) {
    bp_trainer *other = trainer_with(FIT);
    float output[OUTPUTS];
    (void)progress;
    EXPECT_ERROR(bp_network_train_step(fitted[1], x, y, 0.1f, NULL), BP_ERROR_BUSY);
    EXPECT_ERROR(bp_trainer_fit(other, fitted[2], x, y, ROWS, NULL, NULL, 0, NULL), BP_ERROR_BUSY);
    EXPECT_ERROR(bp_trainer_fit_ensemble(other, fitted, 3, NULL, x, y, ROWS, NULL, NULL, 0, NULL), BP_ERROR_BUSY);
    EXPECT_ERROR(bp_trainer_set_option((bp_trainer *)user_data, "epochs", 1), BP_ERROR_BUSY);
    EXPECT_OK(bp_network_predict(fitted[0], x, 1, output));
    bp_trainer_free(other);
    return 0;
}
static int32_t frees(const bp_progress *progress, void *user_data) {
    (void)progress, (void)user_data;
    bp_network_free(fitted[1]);
    return 0;
}

static void networks_are_busy_during_a_fit_and_one_that_is_freed_fails_it(void) {
    bp_trainer *trainer = trainer_with(FIT);
    snapshot before[3];
    for (size_t i = 0; i < 3; i++) fitted[i] = network_with("", i);
    EXPECT_OK(bp_trainer_set_progress(trainer, is_busy, trainer));
    EXPECT_OK(bp_trainer_fit_ensemble(trainer, fitted, 3, NULL, x, y, ROWS, NULL, NULL, 0, NULL));
    for (size_t i = 0; i < 3; i++) before[i] = snapshot_of(fitted[i]);
    EXPECT_OK(bp_trainer_set_progress(trainer, frees, NULL));
    EXPECT_ERROR(bp_trainer_fit_ensemble(trainer, fitted, 3, NULL, x, y, ROWS, NULL, NULL, 0, NULL), BP_ERROR_INVALID_HANDLE);
    EXPECT(snapshot_holds(before[0], fitted[0]) && snapshot_holds(before[2], fitted[2]));
    for (size_t i = 0; i < 3; i++) free(before[i].bytes), bp_network_free(fitted[i]);
    bp_trainer_free(trainer);
}

int main(void) {
    make_data();
    CLAIM(every_optimizer_and_loss_gives_each_network_the_bits_of_its_own_fit);
    CLAIM(every_activation_gives_the_same_bits);
    CLAIM(every_number_of_networks_and_threads_gives_the_same_bits);
    CLAIM(large_minibatches_give_the_same_bits);
    CLAIM(every_option_of_fits_gives_the_same_bits);
    CLAIM(networks_that_have_no_lanes_give_the_same_bits);
    CLAIM(networks_of_different_settings_give_the_same_bits);
    CLAIM(restarts_in_lanes_give_the_bits_of_restarts_without_lanes);
    CLAIM(results_of_a_larger_struct_are_all_filled);
    CLAIM(a_network_that_diverges_stays_as_it_was_and_the_others_are_trained);
    CLAIM(one_report_an_epoch_is_that_of_the_network_with_the_lowest_loss);
    CLAIM(a_stop_ends_all_networks_and_an_abort_changes_none);
    CLAIM(bad_arguments_are_refused_and_no_network_changes);
    CLAIM(a_resumed_network_of_other_rows_is_refused);
    CLAIM(networks_are_busy_during_a_fit_and_one_that_is_freed_fails_it);
    return check_end();
}
