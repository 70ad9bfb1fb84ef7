/* stream.c: fits from a stream: steps, ends of epochs, positions, options, failing and faulty streams. Most claims
 * compare a fit with a loop of bp_network_train_minibatch, or with bp_trainer_fit on minibatches of all rows, which are not
 * shuffled. resumed_fits.c resumes fits from streams. */
#include "trainer.h"

enum { INPUTS = 3, OUTPUTS = 2, ROWS = 37, CAPACITY = 8 };
static const size_t sizes[] = {INPUTS, 5, OUTPUTS};
static float x[ROWS * INPUTS], y[ROWS * OUTPUTS], weights[ROWS];
static bp_network *network, *twin; /* equal at the start of a claim */

/* A stream of the first `rows` rows in order, in every epoch. */
typedef struct {
    size_t rows;
    int is_weighted, is_endless, goes_back; /* goes_back: positions need not follow each other */
    size_t calls, fail_at;                  /* the number of the failing call, from 1; 0: none */
    int32_t (*fault)(bp_minibatch *m);      /* the end of that call */
    uint64_t epoch, batch, first_row;       /* the next position */
    size_t inputs, outputs;
} source;

static int32_t fill(bp_minibatch *m, void *user_data) {
    source *s = (source *)user_data;
    EXPECT(m->struct_size == sizeof *m && m->reserved == 0 && m->rows == 0);
    if (m->epoch != s->epoch && m->first_row == 0) s->epoch++, s->batch = s->first_row = 0;
    EXPECT(s->goes_back || (m->epoch == s->epoch && m->batch == s->batch && m->first_row == s->first_row));
    for (size_t i = 0; i < m->capacity; i++) EXPECT(m->row_weights[i] == 1);
    for (size_t row = (size_t)m->first_row; m->rows < m->capacity && (s->is_endless || row < s->rows); row++, m->rows++) {
        memcpy(m->inputs + m->rows * s->inputs, x + row % s->rows * s->inputs, s->inputs * sizeof *x);
        memcpy(m->targets + m->rows * s->outputs, y + row % s->rows * s->outputs, s->outputs * sizeof *y);
        if (s->is_weighted) m->row_weights[m->rows] = weights[row % s->rows];
    }
    s->batch++, s->first_row += m->rows;
    return ++s->calls == s->fail_at ? s->fault(m) : 0;
}

static source source_of(size_t rows) {
    source s;
    memset(&s, 0, sizeof s);
    s.rows = rows, s.inputs = INPUTS, s.outputs = OUTPUTS;
    return s;
}

static void begin(void) { network = check_network(sizes, 3, 1), twin = check_network(sizes, 3, 1); }

static void end(void) {
    bp_network_free(network);
    bp_network_free(twin);
}

static int32_t fit_stream(const char *options, source *s, double *loss) {
    bp_trainer *trainer = trainer_with(options);
    int32_t status = bp_trainer_fit_stream(trainer, network, fill, s, NULL, NULL, 0, loss);
    bp_trainer_free(trainer);
    return status;
}

/* `epochs` epochs of minibatches of the first `rows` rows, in order. Returns the mean loss of the last epoch. */
static double loop(bp_network *trained, size_t rows, int epochs, float rate) {
    double sum = 0;
    for (int epoch = 0; epoch < epochs; epoch++) {
        sum = 0;
        for (size_t i = 0; i < rows; i += CAPACITY) {
            float loss;
            size_t count = rows - i < CAPACITY ? rows - i : CAPACITY;
            EXPECT_OK(bp_network_train_minibatch(trained, x + i * INPUTS, y + i * OUTPUTS, count, rate, &loss));
            sum += (double)loss;
        }
    }
    return sum / (double)rows;
}

/* ---- Steps and epochs */

static void fit_from_a_stream_equals_a_loop_of_minibatches(void) {
    static const size_t lengths[] = {ROWS, 4 * CAPACITY, CAPACITY, CAPACITY + 1, 1};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        source s = source_of(lengths[i]);
        double loss;
        begin();
        EXPECT_OK(fit_stream("epochs=4 batch_size=8 learning_rate=0.05", &s, &loss));
        EXPECT_NEAR(loss, loop(twin, lengths[i], 4, 0.05f), 1e-12);
        EXPECT(same_parameters(network, twin));
        EXPECT(s.epoch == 3 && s.calls == 4 * (lengths[i] / CAPACITY + 1)); /* a full minibatch ends no epoch */
        end();
    }
}

static void drop_last_skips_the_last_rows_of_a_stream(void) {
    source s = source_of(ROWS);
    begin();
    EXPECT_OK(fit_stream("epochs=2 batch_size=8 drop_last=1 learning_rate=0.05", &s, NULL));
    loop(twin, ROWS / CAPACITY * CAPACITY, 2, 0.05f);
    EXPECT(same_parameters(network, twin));
    end();
}

static void endless_stream_has_epochs_of_steps_per_epoch(void) {
    source s = source_of(2 * CAPACITY);
    static trainer_log log_;
    bp_trainer *trainer = trainer_with("epochs=3 steps_per_epoch=4 batch_size=8 learning_rate=0.05");
    s.is_endless = 1;
    begin();
    trainer_watch(trainer, &log_);
    EXPECT_OK(bp_trainer_fit_stream(trainer, network, fill, &s, NULL, NULL, 0, NULL));
    loop(twin, 2 * CAPACITY, 6, 0.05f);
    EXPECT(same_parameters(network, twin) && s.calls == 12 && log_.at == 3);
    for (size_t i = 0; i < log_.at && i < 3; i++)
        EXPECT(log_.records[i].epoch == i + 1 && log_.records[i].epochs == 3 && log_.records[i].step == 4 * (i + 1) &&
               log_.records[i].steps == 12 && log_.records[i].epoch_ended);
    bp_trainer_free(trainer);
    end();
}

static void stream_ends_an_epoch_before_steps_per_epoch(void) {
    source s = source_of(ROWS);
    begin();
    EXPECT_OK(fit_stream("epochs=2 steps_per_epoch=1000 batch_size=8 learning_rate=0.05", &s, NULL));
    loop(twin, ROWS, 2, 0.05f);
    EXPECT(same_parameters(network, twin));
    end();
}

static void option_steps_ends_a_stream_without_end(void) {
    source s = source_of(2 * CAPACITY);
    static trainer_log log_;
    bp_trainer *trainer = trainer_with("steps=6 batch_size=8 learning_rate=0.05 progress_interval=2");
    s.is_endless = 1;
    begin();
    trainer_watch(trainer, &log_);
    EXPECT_OK(bp_trainer_fit_stream(trainer, network, fill, &s, NULL, NULL, 0, NULL));
    loop(twin, 2 * CAPACITY, 3, 0.05f);
    EXPECT(same_parameters(network, twin) && s.calls == 6 && log_.at == 3);
    EXPECT(log_.records[0].epochs == 0 && log_.records[0].steps == 6 && log_.records[2].step == 6);
    bp_trainer_free(trainer);
    end();
}

/* ---- Options: equal to bp_trainer_fit on minibatches of all rows */

static void every_option_of_a_trainer_has_the_same_effect_as_in_a_fit_of_arrays(void) {
    static const char *const options[] = {
        "epochs=9",
        "epochs=9 schedule=1 decay_epochs=2",
        "epochs=9 schedule=2 decay_factor=0.3",
        "steps=9 schedule=3",
        "steps=9 schedule=5 one_cycle_start=4",
        "epochs=9 steps_per_epoch=1 schedule=3",
        "epochs=9 steps_per_epoch=1 schedule=5",
        "epochs=9 schedule=4 inverse_time_decay=0.5",
        "epochs=30 schedule=6 plateau_patience=1 learning_rate=3",
        "epochs=9 warmup_steps=5",
        "epochs=40 patience=2 learning_rate=4",
        "epochs=40 patience=2 min_delta=0.01",
        "epochs=200 target_loss=0.15",
        "epochs=9 keep=2 learning_rate=4",
        "epochs=9 keep=1",
        "epochs=9 on_divergence=1 learning_rate=3000",
        "epochs=9 on_divergence=1 learning_rate=1e9",
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        for (int variant = 0; variant < 8; variant++) {
            const int is_weighted = variant & 1, is_validated = variant & 2, is_mean = variant & 4;
            const int recovers = strstr(options[i], "on_divergence") != NULL;
            if (recovers && !is_validated) continue; /* a stream has no training rows to compare weights by */
            static trainer_log from_stream, from_arrays;
            char text[200];
            double loss = -1, expected = -2;
            source s = source_of(ROWS);
            snprintf(text, sizeof text, "batch_size=%d learning_rate=0.5 %s", ROWS + 1, options[i]);
            bp_trainer *streaming = trainer_with(text), *other = trainer_with(text);
            EXPECT_OK(bp_trainer_set_option(other, "steps_per_epoch", 0));
            begin();
            s.is_weighted = is_weighted, s.goes_back = recovers;
            trainer_watch(streaming, &from_stream), trainer_watch(other, &from_arrays);
            for (int k = 0; k < 2; k++) {
                EXPECT_OK(bp_network_set_activation(k ? twin : network, 2, "identity"));
                EXPECT_OK(bp_network_set_option(k ? twin : network, "gradient_reduction", is_mean != 0));
            }
            if (is_weighted) EXPECT_OK(bp_trainer_set_row_weights(other, weights, ROWS));
            const float *vx = is_validated ? x + 5 : NULL, *vy = is_validated ? y + 7 : NULL;
            int32_t status = bp_trainer_fit_stream(streaming, network, fill, &s, vx, vy, is_validated ? 9 : 0, &loss);
            EXPECT_STATUS(bp_trainer_fit(other, twin, x, y, ROWS, vx, vy, is_validated ? 9 : 0, &expected), status);
            EXPECT(status == BP_OK || status == BP_ERROR_NOT_FINITE);
            failed += status != BP_OK;
            EXPECT(loss == expected);
            EXPECT(same_parameters(network, twin) && from_stream.at == from_arrays.at);
            for (size_t k = 0; k < from_arrays.at && k < TRAINER_RECORDS; k++) {
                const bp_progress *a = &from_stream.records[k], *b = &from_arrays.records[k];
                EXPECT(a->epoch == b->epoch && a->step == b->step && a->loss == b->loss &&
                       a->learning_rate == b->learning_rate && a->epoch_ended == b->epoch_ended);
            }
            if (check_failures) printf("#   %s, variant %d\n", options[i], variant);
            bp_trainer_free(streaming), bp_trainer_free(other);
            end();
        }
    EXPECT(failed < 20); /* of 128 */
}

static void options_that_need_all_rows_are_refused(void) {
    static const char *const refused[][2] = {{"batch_size=0", "batch_size"}, {"sampling=1", "sampling"},
                                             {"restarts=2", "restarts"},     {"validation_fraction=0.2", "validation_fraction"},
                                             {"schedule=3", "steps"},        {"schedule=5 epochs=3", "steps_per_epoch"}};
    source s = source_of(ROWS);
    begin();
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        EXPECT_ERROR(fit_stream(refused[i][0], &s, NULL), BP_ERROR_UNSUPPORTED);
        EXPECT(strstr(bp_last_error_message(), refused[i][1]) != NULL);
    }
    bp_trainer *trainer = trainer_with("validation_fraction=0.2 epochs=1");
    EXPECT_OK(bp_trainer_fit_stream(trainer, network, fill, &s, x, y, 9, NULL)); /* not used */
    EXPECT_OK(bp_trainer_set_row_weights(trainer, weights, ROWS));
    EXPECT_ERROR(bp_trainer_fit_stream(trainer, network, fill, &s, x, y, 9, NULL), BP_ERROR_UNSUPPORTED);
    EXPECT_MESSAGE("row weights");
    bp_trainer_free(trainer);
    end();
}

static void fit_of_arrays_and_fit_from_a_stream_do_not_resume_each_other(void) {
    source s = source_of(ROWS);
    begin();
    EXPECT_OK(fit_stream("epochs=1", &s, NULL));
    EXPECT_ERROR(trainer_fit("epochs=2 resume=1", network, x, y, ROWS, NULL), BP_ERROR_UNSUPPORTED);
    EXPECT_MESSAGE("resume");
    EXPECT_OK(trainer_fit("epochs=2", network, x, y, ROWS, NULL));
    EXPECT_ERROR(fit_stream("epochs=3 resume=1", &s, NULL), BP_ERROR_UNSUPPORTED);
    EXPECT_MESSAGE("resume");
    end();
}

/* ---- Streams that end or fail */

static int32_t answer;
static int32_t return_answer(bp_minibatch *m) { return m->rows = m->capacity + 1, answer; } /* rows are then not used */

static void stream_stops_and_aborts_a_fit_at_every_call(void) {
    static const int32_t stops[] = {1, 2, INT32_MAX}, aborts[] = {-1, -7, INT32_MIN};
    for (size_t call = 1; call <= 7; call++)
        for (size_t i = 0; i < 3; i++) {
            source s = source_of(3 * CAPACITY), t = s;
            char number[40];
            double loss = 3;
            s.fail_at = t.fail_at = call, s.fault = t.fault = return_answer;
            begin();
            answer = aborts[i];
            EXPECT_ERROR(fit_stream("epochs=5 batch_size=8", &s, &loss), BP_ERROR_CALLBACK);
            snprintf(number, sizeof number, "returned %d", (int)answer);
            EXPECT(strstr(bp_last_error_message(), number) && loss == 0 && snapshot_equal(network, twin));
            answer = stops[i];
            EXPECT_STATUS(fit_stream("epochs=5 batch_size=8", &t, &loss), BP_STOPPED);
            EXPECT(t.calls == call && (call == 1 ? loss != loss : loss > 0));
            loop(twin, 3 * CAPACITY, (int)(call - 1) / 4,
                 0.01f); /* the complete epochs, of three steps and a call without rows */
            loop(twin, (call - 1) % 4 * CAPACITY, 1, 0.01f);
            EXPECT(same_parameters(network, twin));
            end();
        }
}

static int32_t too_many(bp_minibatch *m) { return m->rows = m->capacity + 1, 0; }
static int32_t far_too_many(bp_minibatch *m) { return m->rows = SIZE_MAX, 0; }
static int32_t bad_input(bp_minibatch *m) { return m->inputs[2 * INPUTS + 1] = NAN, 0; }
static int32_t bad_target(bp_minibatch *m) { return m->targets[3 * OUTPUTS] = -INFINITY, 0; }
static int32_t bad_weight(bp_minibatch *m) { return m->row_weights[4] = -1, 0; }
static int32_t nan_weight(bp_minibatch *m) { return m->row_weights[4] = NAN, 0; }
static int32_t spoiled(bp_minibatch *m) { /* only what the library reads counts */
    m->inputs = m->targets = m->row_weights = NULL;
    m->capacity = 0, m->struct_size = 0;
    return 0;
}

static void bad_data_are_refused_with_their_place_and_undo_the_fit(void) {
    static const struct {
        int32_t (*fault)(bp_minibatch *m);
        int32_t status;
        const char *message;
    } faults[] = {
        {too_many, BP_ERROR_INVALID_VALUE, "rows to 9"},
        {far_too_many, BP_ERROR_INVALID_VALUE, SIZE_MAX > UINT32_MAX ? "rows to 18446744073709551615" : "rows to 4294967295"},
        {bad_input, BP_ERROR_NOT_FINITE, "inputs: row 2, column 1"},
        {bad_target, BP_ERROR_NOT_FINITE, "targets: row 3, column 0"},
        {bad_weight, BP_ERROR_INVALID_VALUE, "the weight of row 4 is -1"},
        {nan_weight, BP_ERROR_INVALID_VALUE, "the weight of row 4 is"}};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        for (size_t call = 1; call <= 6; call += 5) {
            source s = source_of(3 * CAPACITY + 5);
            s.fail_at = call, s.fault = faults[i].fault;
            begin();
            EXPECT_ERROR(fit_stream("epochs=5 batch_size=8 on_divergence=1", &s, NULL), faults[i].status);
            EXPECT(strstr(bp_last_error_message(), faults[i].message) != NULL);
            EXPECT(strstr(bp_last_error_message(), call == 1 ? "epoch 0, minibatch 0" : "epoch 1, minibatch 1") != NULL);
            EXPECT(s.calls == call && snapshot_equal(network, twin));
            end();
        }
    source s = source_of(ROWS);
    s.fail_at = 2, s.fault = spoiled;
    begin();
    EXPECT_OK(fit_stream("epochs=1 batch_size=8", &s, NULL));
    end();
}

static void targets_that_the_loss_does_not_accept_are_refused_unless_their_weight_is_0(void) {
    source s = source_of(ROWS);
    begin();
    EXPECT_OK(bp_network_set_loss(network, "binary_cross_entropy"));
    y[3] = 1.5f;
    EXPECT_ERROR(fit_stream("epochs=1 batch_size=8", &s, NULL), BP_ERROR_INVALID_VALUE);
    EXPECT_MESSAGE("epoch 0, minibatch 0: targets: row 1, column 1 is 1.5");
    weights[1] = 0, s = source_of(ROWS), s.is_weighted = 1;
    EXPECT_OK(fit_stream("epochs=1 batch_size=8", &s, NULL));
    y[3] = 0.5f, weights[1] = 1.5f;
    EXPECT_OK(bp_network_set_activation(network, 2, "relu"));
    EXPECT_ERROR(fit_stream("epochs=1 batch_size=8", &s, NULL), BP_ERROR_INVALID_VALUE); /* as bp_network_check_settings */
    EXPECT_MESSAGE("binary_cross_entropy");
    end();
}

static int32_t no_rows(bp_minibatch *m) { return m->rows = 0; }

static void epoch_without_rows_is_refused(void) {
    for (size_t call = 1; call <= 6; call += 5) {
        source s = source_of(ROWS);
        s.fail_at = call, s.fault = no_rows;
        begin();
        EXPECT_ERROR(fit_stream("epochs=3 batch_size=8", &s, NULL), BP_ERROR_INVALID_VALUE);
        EXPECT(strstr(bp_last_error_message(), call == 1 ? "epoch 0, minibatch 0: the epoch has no rows" : "epoch 1") != NULL);
        EXPECT(snapshot_equal(network, twin));
        end();
    }
    source s = source_of(5);
    begin();
    EXPECT_ERROR(fit_stream("epochs=3 batch_size=8 drop_last=1", &s, NULL), BP_ERROR_INVALID_VALUE);
    EXPECT_MESSAGE("drop_last");
    end();
}

static void capacity_beyond_memory_is_refused(void) {
    const size_t wide[] = {(size_t)1 << 20, 1};
    source s = source_of(1);
    begin();
    bp_network_free(network);
    network = check_network(wide, 2, 1);
    EXPECT_ERROR(fit_stream("batch_size=1000000000", &s, NULL),
                 SIZE_MAX > UINT32_MAX ? BP_ERROR_OUT_OF_MEMORY : BP_ERROR_LIMIT);
    EXPECT(s.calls == 0);
    end();
}

/* ---- Calls from a stream */

static bp_trainer *fitting;

static int32_t read_and_fail_to_change(bp_minibatch *m) {
    float outputs[OUTPUTS];
    EXPECT_OK(bp_network_predict(network, x, 1, outputs));
    EXPECT_ERROR(bp_network_train_step(network, x, y, 0.1f, NULL), BP_ERROR_BUSY);
    EXPECT_ERROR(bp_trainer_set_option(fitting, "epochs", 1), BP_ERROR_BUSY);
    EXPECT_ERROR(bp_trainer_fit_stream(fitting, network, fill, NULL, NULL, NULL, 0, NULL), BP_ERROR_BUSY);
    EXPECT_OK(trainer_fit("epochs=1", twin, x, y, ROWS, NULL)); /* another network, another trainer */
    return m->rows > 0 ? 0 : 1;
}
static int32_t cancel(bp_minibatch *m) { return (void)m, bp_trainer_cancel(fitting); }
static int32_t free_trainer(bp_minibatch *m) { return (void)m, bp_trainer_free(fitting), 0; }
static int32_t free_network(bp_minibatch *m) { return (void)m, bp_network_free(network), 0; }

static void stream_may_read_the_network_cancel_the_fit_and_free_both(void) {
    static const struct {
        int32_t (*call)(bp_minibatch *m);
        int32_t status;
    } calls[] = {{read_and_fail_to_change, BP_OK},
                 {cancel, BP_STOPPED},
                 {free_trainer, BP_STOPPED},
                 {free_network, BP_ERROR_INVALID_HANDLE}};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        source s = source_of(ROWS);
        s.fail_at = 3, s.fault = calls[i].call;
        begin();
        fitting = trainer_with("epochs=2 batch_size=8");
        EXPECT_STATUS(bp_trainer_fit_stream(fitting, network, fill, &s, NULL, NULL, 0, NULL), calls[i].status);
        EXPECT(calls[i].status == BP_OK || s.calls == 3);
        if (calls[i].status == BP_STOPPED) { /* before the step of the minibatch */
            loop(twin, 2 * CAPACITY, 1, 0.01f);
            EXPECT(same_parameters(network, twin));
        }
        bp_trainer_free(fitting);
        end();
    }
}

static int32_t stop(bp_minibatch *m) { return (void)m, 1; }

static void result_says_why_a_fit_from_a_stream_ended(void) {
    static const struct {
        const char *options;
        int32_t (*fault)(bp_minibatch *m);
        int32_t end;
        uint64_t epochs, steps;
    } cases[] = {
        {"epochs=3 batch_size=8", NULL, BP_END_COMPLETE, 3, 15},
        {"steps=7 batch_size=8", NULL, BP_END_COMPLETE, 1, 7},
        {"patience=1 min_delta=1e9 batch_size=8", NULL, BP_END_PATIENCE, 2, 10},
        {"target_loss=1e9 batch_size=8", NULL, BP_END_TARGET_LOSS, 1, 5},
        {"epochs=9 batch_size=8", stop, BP_END_STOPPED, 1, 7},
        {"epochs=9 batch_size=8", cancel, BP_END_CANCELLED, 1, 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        source s = source_of(ROWS);
        bp_fit_result result = {sizeof result, 0, 0, 0, 0, 0, 0, 0};
        double loss;
        if (cases[i].fault) s.fail_at = 8, s.fault = cases[i].fault; /* the third call of the second epoch */
        begin();
        fitting = trainer_with(cases[i].options);
        EXPECT_STATUS(bp_trainer_fit_stream(fitting, network, fill, &s, NULL, NULL, 0, &loss),
                      cases[i].fault ? BP_STOPPED : BP_OK);
        EXPECT_OK(bp_trainer_get_result(fitting, &result));
        if (!EXPECT(result.end == cases[i].end && result.epochs == cases[i].epochs && result.steps == cases[i].steps))
            printf("#   %s: %d, %d epochs, %d steps\n", cases[i].options, (int)result.end, (int)result.epochs,
                   (int)result.steps);
        EXPECT(result.loss == loss && result.best_epoch <= result.epochs);
        bp_trainer_free(fitting);
        end();
    }
}

static void null_is_refused(void) {
    bp_trainer *trainer = trainer_with("epochs=1");
    source s = source_of(ROWS);
    double loss = 1;
    begin();
    EXPECT_ERROR(bp_trainer_fit_stream(NULL, network, fill, &s, NULL, NULL, 0, &loss), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_trainer_fit_stream(trainer, NULL, fill, &s, NULL, NULL, 0, &loss), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_trainer_fit_stream(trainer, network, NULL, &s, NULL, NULL, 0, &loss), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_trainer_fit_stream(trainer, network, fill, &s, NULL, y, 3, &loss), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_trainer_fit_stream(trainer, network, fill, &s, x, NULL, 3, &loss), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_trainer_fit_stream(trainer, network, fill, &s, x, y, 0, &loss), BP_ERROR_INVALID_VALUE);
    EXPECT(loss == 0 && s.calls == 0 && snapshot_equal(network, twin));
    bp_trainer_free(trainer);
    end();
}

int main(void) {
    check_fill(x, ROWS * INPUTS, 1);
    check_fill(y, ROWS * OUTPUTS, 2);
    check_fill(weights, ROWS, 3);
    for (int i = 0; i < ROWS * OUTPUTS; i++) y[i] = fabsf(y[i]);
    for (int i = 0; i < ROWS; i++) weights[i] = 0.5f + fabsf(weights[i]);
    CLAIM(fit_from_a_stream_equals_a_loop_of_minibatches);
    CLAIM(drop_last_skips_the_last_rows_of_a_stream);
    CLAIM(endless_stream_has_epochs_of_steps_per_epoch);
    CLAIM(stream_ends_an_epoch_before_steps_per_epoch);
    CLAIM(option_steps_ends_a_stream_without_end);
    CLAIM(every_option_of_a_trainer_has_the_same_effect_as_in_a_fit_of_arrays);
    CLAIM(options_that_need_all_rows_are_refused);
    CLAIM(fit_of_arrays_and_fit_from_a_stream_do_not_resume_each_other);
    CLAIM(stream_stops_and_aborts_a_fit_at_every_call);
    CLAIM(bad_data_are_refused_with_their_place_and_undo_the_fit);
    CLAIM(targets_that_the_loss_does_not_accept_are_refused_unless_their_weight_is_0);
    CLAIM(epoch_without_rows_is_refused);
    CLAIM(capacity_beyond_memory_is_refused);
    CLAIM(stream_may_read_the_network_cancel_the_fit_and_free_both);
    CLAIM(result_says_why_a_fit_from_a_stream_ended);
    CLAIM(null_is_refused);
    return check_end();
}
