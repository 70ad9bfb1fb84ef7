/* trainer_errors.c: the errors of trainers, and that a refused call changes nothing; the calls that are busy during a fit. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <time.h>

#include "activations.h"
#include "calls.h"
#include "trainer.h"

enum { ROWS = 12, INPUTS = 2, OUTPUTS = 1 };
static const size_t sizes[] = {INPUTS, 2, OUTPUTS}; /* as calls.h requires */
static float x[ROWS * INPUTS], y[ROWS];

static bp_network *some_network(void) { return check_network(sizes, 3, 3); }

static int32_t fit(bp_trainer *trainer, bp_network *network) {
    return bp_trainer_fit(trainer, network, x, y, ROWS, NULL, NULL, 0, NULL);
}

/* ---- Handles */

static int refused_everywhere(bp_trainer *trainer) {
    bp_network *network = some_network();
    double value = 5, loss = 5;
    float weight = 1;
    int refused = EXPECT_ERROR(bp_trainer_set_option(trainer, "epochs", 1), BP_ERROR_INVALID_HANDLE) &
        EXPECT_ERROR(bp_trainer_get_option(trainer, "epochs", &value), BP_ERROR_INVALID_HANDLE) &
        EXPECT_ERROR(bp_trainer_set_row_weights(trainer, &weight, 1), BP_ERROR_INVALID_HANDLE) &
        EXPECT_ERROR(bp_trainer_set_progress(trainer, NULL, NULL), BP_ERROR_INVALID_HANDLE) &
        EXPECT_ERROR(bp_trainer_fit(trainer, network, x, y, ROWS, NULL, NULL, 0, &loss), BP_ERROR_INVALID_HANDLE) &
        EXPECT_ERROR(bp_trainer_cancel(trainer), BP_ERROR_INVALID_HANDLE);
    bp_trainer_free(trainer);
    bp_network_free(network);
    return refused && value == 0 && loss == 0;
}

static void freed_and_invented_trainers_are_refused_by_every_function(void) {
    static double object[8];
    const uintptr_t made_up[] = {1, 8, (uintptr_t)object, UINTPTR_MAX, UINTPTR_MAX / 2 + 1};
    bp_trainer *trainer = trainer_with(""), *live = trainer_with("");
    bp_trainer_free(trainer);
    EXPECT(refused_everywhere(trainer));
    for (size_t i = 0; i < sizeof made_up / sizeof *made_up; i++) EXPECT(refused_everywhere((bp_trainer *)made_up[i]));
    for (size_t bit = 0; bit < 8 * sizeof live; bit++)
        EXPECT(refused_everywhere((bp_trainer *)((uintptr_t)live ^ (uintptr_t)1 << bit)));
    EXPECT_OK(bp_trainer_cancel(live));
    bp_trainer_free(live);
    bp_trainer_free(NULL);
}

static void network_handles_are_no_trainers_and_trainer_handles_no_networks(void) {
    bp_network *network = some_network();
    bp_trainer *trainer = trainer_with("");
    EXPECT(refused_everywhere((bp_trainer *)network));
    for (size_t i = 0; i < NETWORK_CALLS; i++)
        EXPECT_ERROR(network_calls[i].call((bp_network *)trainer), BP_ERROR_INVALID_HANDLE);
    bp_network_free((bp_network *)trainer);
    EXPECT_OK(fit(trainer, network));
    EXPECT_ERROR(bp_trainer_fit(trainer, (bp_network *)trainer, x, y, ROWS, NULL, NULL, 0, NULL), BP_ERROR_INVALID_HANDLE);
    bp_trainer_free(trainer);
    bp_network_free(network);
}

static void trainers_and_networks_reuse_each_others_slots_and_old_handles_stay_invalid(void) {
    for (int round = 0; round < 200; round++) {
        bp_trainer *trainer = trainer_with("");
        bp_network *network;
        size_t count;
        bp_trainer_free(trainer);
        network = some_network();
        EXPECT_STATUS(bp_trainer_cancel(trainer), BP_ERROR_INVALID_HANDLE);
        EXPECT_STATUS(bp_network_layer_count((bp_network *)trainer, &count), BP_ERROR_INVALID_HANDLE);
        bp_network_free(network);
    }
}

static void fit_of_a_freed_network_is_refused(void) {
    bp_network *network = some_network();
    bp_trainer *trainer = trainer_with("");
    bp_network_free(network);
    EXPECT_ERROR(fit(trainer, network), BP_ERROR_INVALID_HANDLE);
    network = some_network();
    EXPECT_OK(fit(trainer, network)); /* the trainer is usable again */
    bp_trainer_free(trainer);
    bp_network_free(network);
}

/* ---- Options */

static void every_option_refuses_values_out_of_bounds_and_reports_the_bounds(void) {
    bp_trainer *trainer = trainer_with("");
    bp_option_description option;
    int options = 0;
    for (size_t i = 0;; i++) {
        double bad[6], value;
        size_t count = 0;
        option.struct_size = sizeof option;
        if (bp_option_info(i, &option) != BP_OK) break;
        if (option.owner != 1) continue;
        options++;
        bad[count++] = option.minimum - 1, bad[count++] = option.maximum * 2 + 1;
        bad[count++] = (double)NAN, bad[count++] = HUGE_VAL, bad[count++] = -HUGE_VAL;
        if (option.whole_numbers) bad[count++] = option.minimum + 0.5;
        EXPECT_OK(bp_trainer_get_option(trainer, option.name, &value));
        EXPECT_NEAR(value, option.default_value, 0);
        for (size_t b = 0; b < count; b++) {
            double low = 0, high = 0;
            const char *at;
            EXPECT_ERROR(bp_trainer_set_option(trainer, option.name, bad[b]), BP_ERROR_INVALID_VALUE);
            EXPECT(strstr(bp_last_error_message(), option.name) != NULL);
            at = strstr(bp_last_error_message(), option.choices ? " must be 0 (" : " from ");
            EXPECT(at && (option.choices || sscanf(at, " from %lf to %lf", &low, &high) == 2));
            EXPECT(option.choices || (low == option.minimum && high == option.maximum));
            EXPECT_OK(bp_trainer_get_option(trainer, option.name, &value));
            EXPECT_NEAR(value, option.default_value, 0);
        }
        EXPECT_OK(bp_trainer_set_option(trainer, option.name, option.minimum));
        EXPECT_OK(bp_trainer_set_option(trainer, option.name, option.maximum));
        EXPECT_OK(bp_trainer_get_option(trainer, option.name, &value));
        EXPECT_NEAR(value, option.maximum, 0);
    }
    EXPECT(options >= 25);
    bp_trainer_free(trainer);
}

static void unknown_options_are_refused(void) {
    bp_trainer *trainer = trainer_with("");
    double value = 3;
    EXPECT_ERROR(bp_trainer_set_option(trainer, "epoch", 3), BP_ERROR_UNKNOWN_NAME);
    EXPECT_MESSAGE("\"epoch\"");
    EXPECT_ERROR(bp_trainer_get_option(trainer, "", &value), BP_ERROR_UNKNOWN_NAME);
    EXPECT(value == 0);
    EXPECT_ERROR(bp_trainer_set_option(trainer, "gradient_reduction", 1), BP_ERROR_UNKNOWN_NAME); /* an option of a network */
    bp_trainer_free(trainer);
}

/* ---- Data */

static void null_is_refused_in_every_position(void) {
    bp_network *network = some_network();
    bp_trainer *trainer = trainer_with("epochs=1");
    double value;
    EXPECT_ERROR(bp_trainer_create(NULL), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_trainer_set_option(trainer, NULL, 1), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_trainer_get_option(trainer, NULL, &value), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_trainer_get_option(trainer, "epochs", NULL), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_trainer_set_row_weights(trainer, NULL, 3), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_trainer_fit(trainer, NULL, x, y, ROWS, NULL, NULL, 0, NULL), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_trainer_fit(NULL, network, x, y, ROWS, NULL, NULL, 0, NULL), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_trainer_fit(trainer, network, NULL, y, ROWS, NULL, NULL, 0, NULL), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_trainer_fit(trainer, network, x, NULL, ROWS, NULL, NULL, 0, NULL), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_trainer_fit(trainer, network, x, y, ROWS, NULL, y, ROWS, NULL), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_trainer_fit(trainer, network, x, y, ROWS, x, NULL, ROWS, NULL), BP_ERROR_NULL_ARGUMENT);
    EXPECT_OK(fit(trainer, network));
    bp_trainer_free(trainer);
    bp_network_free(network);
}

static void bad_data_are_refused_with_the_first_bad_row(void) {
    bp_network *network = some_network();
    bp_trainer *trainer = trainer_with("");
    snapshot before;
    float bad_x[ROWS * INPUTS], bad_y[ROWS], weights[ROWS];
    double loss = 5;
    EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.1f, NULL));
    before = snapshot_of(network);
    memcpy(bad_x, x, sizeof x), memcpy(bad_y, y, sizeof y);
    bad_x[5 * INPUTS + 1] = bad_x[9 * INPUTS] = (float)NAN, bad_y[7] = (float)HUGE_VAL;
    EXPECT_ERROR(bp_trainer_fit(trainer, network, bad_x, y, ROWS, NULL, NULL, 0, &loss), BP_ERROR_NOT_FINITE);
    EXPECT_MESSAGE("inputs: row 5, column 1 is NaN");
    EXPECT_ERROR(bp_trainer_fit(trainer, network, x, bad_y, ROWS, NULL, NULL, 0, &loss), BP_ERROR_NOT_FINITE);
    EXPECT_MESSAGE("targets: row 7, column 0 is infinity");
    EXPECT_ERROR(bp_trainer_fit(trainer, network, x, y, ROWS, bad_x, y, ROWS, &loss), BP_ERROR_NOT_FINITE);
    EXPECT_MESSAGE("validation_inputs: row 5");
    EXPECT_ERROR(bp_trainer_fit(trainer, network, x, y, ROWS, x, bad_y, ROWS, &loss), BP_ERROR_NOT_FINITE);
    EXPECT_MESSAGE("validation_targets: row 7");
    EXPECT_ERROR(bp_trainer_fit(trainer, network, x, y, 0, NULL, NULL, 0, &loss), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_trainer_fit(trainer, network, x, y, ROWS, x, y, 0, &loss), BP_ERROR_INVALID_VALUE);
    EXPECT_MESSAGE("validation_rows is 0");
    for (size_t bit = 60; bit < 64; bit++) {
        EXPECT_ERROR(bp_trainer_fit(trainer, network, x, y, (size_t)1 << bit, NULL, NULL, 0, &loss), BP_ERROR_LIMIT);
        EXPECT_ERROR(bp_trainer_fit(trainer, network, x, y, ROWS, x, y, (size_t)1 << bit, &loss), BP_ERROR_LIMIT);
        EXPECT_ERROR(bp_trainer_set_row_weights(trainer, weights, (size_t)1 << bit), BP_ERROR_LIMIT);
    }
    EXPECT_OK(bp_trainer_set_option(trainer, "validation_fraction", 0.5));
    EXPECT_ERROR(bp_trainer_fit(trainer, network, x, y, 1, NULL, NULL, 0, &loss), BP_ERROR_INVALID_VALUE);
    EXPECT(loss == 0 && snapshot_holds(before, network));
    free(before.bytes);
    bp_trainer_free(trainer);
    bp_network_free(network);
}

static void bad_weights_are_refused_with_the_first_bad_row(void) {
    bp_network *network = some_network(), *twin = some_network();
    bp_trainer *trainer = trainer_with("epochs=2"), *other = trainer_with("epochs=2");
    const float bad[] = {-1, (float)NAN, (float)HUGE_VAL};
    float weights[ROWS];
    for (int i = 0; i < ROWS; i++) weights[i] = (float)(i % 3);
    EXPECT_OK(bp_trainer_set_row_weights(trainer, weights, ROWS));
    EXPECT_OK(bp_trainer_set_row_weights(other, weights, ROWS));
    for (int i = 0; i < 3; i++) {
        weights[4] = bad[i], weights[6] = -2;
        EXPECT_ERROR(bp_trainer_set_row_weights(trainer, weights, ROWS), BP_ERROR_INVALID_VALUE);
        EXPECT_MESSAGE("row 4");
    }
    EXPECT_OK(fit(trainer, network)); /* the earlier weights are kept */
    EXPECT_OK(fit(other, twin));
    EXPECT(same_parameters(network, twin));
    EXPECT_ERROR(bp_trainer_fit(trainer, network, x, y, ROWS - 1, NULL, NULL, 0, NULL), BP_ERROR_INVALID_VALUE);
    EXPECT_MESSAGE("12 rows, but rows is 11");
    bp_trainer_free(trainer);
    bp_trainer_free(other);
    bp_network_free(network);
    bp_network_free(twin);
}

/* ---- Busy: calls from within a fit */

typedef struct {
    bp_trainer *trainer, *other;
    bp_network *network, *second;
    int what, calls;
} fit_callback;

enum { CALL_EVERYTHING, FREE_NETWORK, FREE_TRAINER, CANCEL };

static int32_t call_during_fit(const bp_progress *progress, void *user_data) {
    fit_callback *m = (fit_callback *)user_data;
    double value = 0;
    (void)progress;
    m->calls++;
    switch (m->what) {
    case FREE_NETWORK: bp_network_free(m->network); break;
    case FREE_TRAINER: bp_trainer_free(m->trainer); break;
    case CANCEL: EXPECT_OK(bp_trainer_cancel(m->trainer)); break;
    default:
        EXPECT_ERROR(fit(m->trainer, m->network), BP_ERROR_BUSY);
        EXPECT_ERROR(fit(m->trainer, m->second), BP_ERROR_BUSY);
        EXPECT_ERROR(fit(m->other, m->network), BP_ERROR_BUSY);
        EXPECT_OK(fit(m->other, m->second));
        EXPECT_ERROR(bp_trainer_set_option(m->trainer, "epochs", 2), BP_ERROR_BUSY);
        EXPECT_ERROR(bp_trainer_set_row_weights(m->trainer, x, 1), BP_ERROR_BUSY);
        EXPECT_ERROR(bp_trainer_set_progress(m->trainer, NULL, NULL), BP_ERROR_BUSY);
        EXPECT_OK(bp_trainer_get_option(m->trainer, "epochs", &value));
        EXPECT_NEAR(value, 3, 0);
        for (size_t i = 0; i < NETWORK_CALLS; i++)
            EXPECT_STATUS(network_calls[i].call(m->network), network_calls[i].reads ? BP_OK : BP_ERROR_BUSY);
    }
    return 0;
}

static fit_callback new_fit_callback(int what, bp_network *network, bp_network *second) {
    fit_callback m = {NULL, NULL, NULL, NULL, 0, 0};
    m.trainer = trainer_with("epochs=3 batch_size=5"), m.other = trainer_with("epochs=1");
    m.network = network, m.second = second, m.what = what;
    return m;
}

static void network_can_be_read_but_not_changed_during_a_fit(void) {
    bp_network *network = some_network(), *twin = some_network(), *second = some_network();
    fit_callback m = new_fit_callback(CALL_EVERYTHING, network, second);
    EXPECT_OK(bp_network_set_metadata(network, "k", "v")); /* as calls.h requires */
    EXPECT_OK(bp_trainer_set_progress(m.trainer, call_during_fit, &m));
    EXPECT_OK(fit(m.trainer, network));
    EXPECT(m.calls == 3);
    EXPECT_OK(trainer_fit("epochs=3 batch_size=5", twin, x, y, ROWS, NULL));
    EXPECT(same_parameters(network, twin)); /* no call had an effect */
    EXPECT_OK(calls_train_step(network));   /* the fit has ended */
    EXPECT_OK(bp_trainer_set_option(m.trainer, "epochs", 2));
    bp_trainer_free(m.trainer);
    bp_trainer_free(m.other);
    bp_network_free(network);
    bp_network_free(twin);
    bp_network_free(second);
    remove("calls.safetensors");
}

static void network_freed_by_the_progress_function_ends_the_fit(void) {
    fit_callback m = new_fit_callback(FREE_NETWORK, some_network(), NULL);
    EXPECT_OK(bp_trainer_set_progress(m.trainer, call_during_fit, &m));
    EXPECT_ERROR(fit(m.trainer, m.network), BP_ERROR_INVALID_HANDLE);
    EXPECT(m.calls == 1);
    EXPECT_OK(bp_trainer_set_option(m.trainer, "epochs", 2)); /* the trainer is no longer in a fit */
    bp_trainer_free(m.trainer);
    bp_trainer_free(m.other);
}

static void trainer_freed_by_the_progress_function_stops_the_fit(void) {
    bp_network *network = some_network();
    fit_callback m = new_fit_callback(FREE_TRAINER, network, NULL);
    EXPECT_OK(bp_trainer_set_progress(m.trainer, call_during_fit, &m));
    EXPECT_STATUS(fit(m.trainer, network), BP_STOPPED);
    EXPECT(m.calls == 1);
    EXPECT(refused_everywhere(m.trainer));
    EXPECT_OK(calls_train_step(network));
    bp_trainer_free(m.other);
    bp_network_free(network);
}

static void cancel_stops_a_fit_and_does_nothing_without_one(void) {
    bp_network *network = some_network(), *twin = some_network();
    fit_callback m = new_fit_callback(CANCEL, network, NULL);
    EXPECT_OK(bp_trainer_set_progress(m.trainer, call_during_fit, &m));
    EXPECT_STATUS(fit(m.trainer, network), BP_STOPPED);
    EXPECT(m.calls == 1);
    EXPECT_OK(trainer_fit("epochs=1 batch_size=5", twin, x, y, ROWS, NULL)); /* the latest weights are kept */
    EXPECT(same_parameters(network, twin));
    EXPECT_OK(bp_trainer_set_progress(m.trainer, NULL, NULL));
    EXPECT_OK(bp_trainer_cancel(m.trainer));
    EXPECT_OK(fit(m.trainer, network)); /* the earlier cancel has no effect */
    bp_trainer_free(m.trainer);
    bp_trainer_free(m.other);
    bp_network_free(network);
    bp_network_free(twin);
}

/* ---- Other threads */

typedef struct {
    bp_trainer *trainer;
    bp_network *network;
    int32_t status;
    int began; /* read and written by two threads */
} background_fit;

static int32_t record_beginning(const bp_progress *progress, void *user_data) {
    (void)progress;
    __atomic_store_n(&((background_fit *)user_data)->began, 1, __ATOMIC_RELEASE);
    return 0;
}

static void *run_fit(void *argument) {
    background_fit *f = (background_fit *)argument;
    f->status = fit(f->trainer, f->network);
    return NULL;
}

static void wait_for_beginning(const background_fit *f) {
    const struct timespec moment = {0, 1000000};
    while (!__atomic_load_n(&f->began, __ATOMIC_ACQUIRE)) nanosleep(&moment, NULL);
}

static void other_threads_read_the_network_and_cancel_the_fit(void) {
    background_fit f = {NULL, NULL, 99, 0};
    pthread_t thread;
    float outputs[ROWS];
    f.trainer = trainer_with("epochs=1000000000 batch_size=3"), f.network = some_network();
    EXPECT_OK(bp_trainer_set_progress(f.trainer, record_beginning, &f));
    EXPECT(pthread_create(&thread, NULL, run_fit, &f) == 0);
    wait_for_beginning(&f);
    for (int i = 0; i < 200; i++) {
        EXPECT_OK(bp_network_predict(f.network, x, ROWS, outputs));
        EXPECT_STATUS(bp_network_train_step(f.network, x, y, 0.1f, NULL), BP_ERROR_BUSY);
        EXPECT_STATUS(bp_trainer_set_option(f.trainer, "epochs", 1), BP_ERROR_BUSY);
        EXPECT_STATUS(fit(f.trainer, f.network), BP_ERROR_BUSY);
    }
    EXPECT_OK(calls_save_memory(f.network));
    EXPECT_OK(bp_trainer_cancel(f.trainer));
    EXPECT(pthread_join(thread, NULL) == 0);
    EXPECT_STATUS(f.status, BP_STOPPED);
    bp_trainer_free(f.trainer);
    bp_network_free(f.network);
}

static void network_or_trainer_freed_on_another_thread_ends_the_fit(void) {
    for (int which = 0; which < 2; which++) {
        background_fit f = {NULL, NULL, 99, 0};
        pthread_t thread;
        f.trainer = trainer_with("epochs=1000000000 batch_size=3"), f.network = some_network();
        EXPECT_OK(bp_trainer_set_progress(f.trainer, record_beginning, &f));
        EXPECT(pthread_create(&thread, NULL, run_fit, &f) == 0);
        wait_for_beginning(&f);
        if (which) bp_trainer_free(f.trainer);
        else bp_network_free(f.network);
        EXPECT(pthread_join(thread, NULL) == 0);
        EXPECT_STATUS(f.status, which ? BP_STOPPED : BP_ERROR_INVALID_HANDLE);
        bp_trainer_free(f.trainer);
        bp_network_free(f.network);
    }
}

/* ---- An activation that fails in the middle */

typedef struct {
    bp_trainer *trainer;
    bp_network *network;
    int calls, fails_at;
} failing_fit;

static int32_t fail_late(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    failing_fit *f = (failing_fit *)user_data;
    memcpy(a, z, rows * columns * sizeof *a);
    if (f->calls == 5) EXPECT_STATUS(fit(f->trainer, f->network), BP_ERROR_BUSY);
    return ++f->calls == f->fails_at ? 7 : 0;
}

static void failing_activation_undoes_the_whole_fit(void) {
    failing_fit f = {NULL, NULL, 0, 20};
    snapshot before;
    f.network = some_network(), f.trainer = trainer_with("epochs=50 batch_size=5");
    EXPECT_OK(bp_activation_register_vector("fail_late", fail_late, pass_back, &f, NULL));
    EXPECT_OK(bp_network_set_activation(f.network, 1, "fail_late"));
    EXPECT_OK(bp_network_set_batchnorm(f.network, 1, 1));
    before = snapshot_of(f.network);
    EXPECT_ERROR(fit(f.trainer, f.network), BP_ERROR_CALLBACK);
    EXPECT(f.calls == 20 && snapshot_holds(before, f.network));
    f.fails_at = 0;
    EXPECT_OK(fit(f.trainer, f.network));
    free(before.bytes);
    bp_trainer_free(f.trainer);
    bp_network_free(f.network);
    EXPECT_OK(bp_activation_unregister("fail_late"));
}

int main(void) {
    check_fill(x, ROWS * INPUTS, 1);
    check_fill_shares(y, ROWS, 2);
    CLAIM(freed_and_invented_trainers_are_refused_by_every_function);
    CLAIM(network_handles_are_no_trainers_and_trainer_handles_no_networks);
    CLAIM(trainers_and_networks_reuse_each_others_slots_and_old_handles_stay_invalid);
    CLAIM(fit_of_a_freed_network_is_refused);
    CLAIM(every_option_refuses_values_out_of_bounds_and_reports_the_bounds);
    CLAIM(unknown_options_are_refused);
    CLAIM(null_is_refused_in_every_position);
    CLAIM(bad_data_are_refused_with_the_first_bad_row);
    CLAIM(bad_weights_are_refused_with_the_first_bad_row);
    CLAIM(network_can_be_read_but_not_changed_during_a_fit);
    CLAIM(network_freed_by_the_progress_function_ends_the_fit);
    CLAIM(trainer_freed_by_the_progress_function_stops_the_fit);
    CLAIM(cancel_stops_a_fit_and_does_nothing_without_one);
    CLAIM(other_threads_read_the_network_and_cancel_the_fit);
    CLAIM(network_or_trainer_freed_on_another_thread_ends_the_fit);
    CLAIM(failing_activation_undoes_the_whole_fit);
    return check_end();
}
