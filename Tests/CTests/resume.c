/* resume.c: a fit of N steps equals a fit of k steps, saved to a file and resumed for the rest, bit for bit, for any number of
 * threads. */
#include "trainer.h"

enum { ROWS = 23, INPUTS = 3, OUTPUTS = 2 };
static float x[ROWS * INPUTS], y[ROWS * OUTPUTS];
static trainer_log log_;

/* A network with much state: batch normalization, an optimizer, dropout. */
static bp_network *rich_network(int kind) {
    const size_t sizes[] = {INPUTS, 9, 7, OUTPUTS};
    const char *const optimizers[] = {"sgd", "adam", "momentum"};
    bp_network *network = check_network(sizes, 4, 5);
    EXPECT_OK(bp_network_set_activation(network, 1, "tanh"));
    EXPECT_OK(bp_network_set_optimizer(network, optimizers[kind]));
    if (kind > 0) EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    for (size_t layer = 1; kind > 1 && layer < 3; layer++) EXPECT_OK(bp_network_set_dropout(network, layer, 0.25));
    return network;
}

static bp_network *through_a_file(bp_network *network) {
    snapshot file = snapshot_of(network);
    bp_network *loaded = NULL;
    EXPECT_OK(bp_network_load_memory(file.bytes, file.count, &loaded));
    bp_network_free(network);
    free(file.bytes);
    return loaded;
}

/* Options of whole fits: all reasons to end, and all state that a fit keeps. */
static const char *const fits[] = {
    "epochs=12 batch_size=5",
    "epochs=12 batch_size=5 sampling=1 seed=8",
    "epochs=12 batch_size=0 schedule=3",
    "steps=57 batch_size=5 drop_last=1 schedule=5 warmup_steps=9",
    "epochs=12 batch_size=4 schedule=1 decay_epochs=2 seed=3",
    "epochs=12 batch_size=1 schedule=2 decay_epochs=3",
    "epochs=12 batch_size=5 schedule=4 inverse_time_decay=0.5",
    "epochs=12 batch_size=5 schedule=6 plateau_patience=1 learning_rate=0.5 keep=1 validation_fraction=0.3",
    "epochs=12 batch_size=5 learning_rate=0.5 validation_fraction=0.3",
    "epochs=12 batch_size=5 learning_rate=0.5 patience=3 keep=1",
    "epochs=40 batch_size=5 learning_rate=0.5 validation_fraction=0.3 patience=3",
    "epochs=12 batch_size=5 on_divergence=1",
};
enum { FITS = sizeof fits / sizeof *fits };

static void stopped_and_resumed_fits_equal_whole_ones(void) {
    for (int f = 0; f < FITS; f++)
        for (int kind = 0; kind < 3; kind++) {
            bp_network *whole = rich_network(kind);
            double loss = 0;
            EXPECT_OK(trainer_fit(fits[f], whole, x, y, ROWS, &loss));
            for (int stop = 1; stop < 30; stop += 7) { /* steps, within epochs and at their ends */
                bp_network *parts = rich_network(kind);
                double resumed_loss = 0;
                bp_trainer *trainer = trainer_with(fits[f]);
                int32_t status;
                EXPECT_OK(bp_trainer_set_option(trainer, "progress_interval", 1));
                trainer_watch(trainer, &log_);
                log_.answer_at = (size_t)stop, log_.answer = 1;
                status = bp_trainer_fit(trainer, parts, x, y, ROWS, NULL, NULL, 0, NULL);
                EXPECT(status == (log_.at >= log_.answer_at ? BP_STOPPED : BP_OK));
                parts = through_a_file(parts);
                EXPECT_OK(bp_trainer_set_progress(trainer, NULL, NULL));
                EXPECT_OK(bp_trainer_set_option(trainer, "resume", 1));
                EXPECT_OK(bp_trainer_fit(trainer, parts, x, y, ROWS, NULL, NULL, 0, &resumed_loss));
                if (!EXPECT(snapshot_equal(whole, parts))) printf("#   %s, kind %d, stop %d\n", fits[f], kind, stop);
                EXPECT_NEAR(resumed_loss, loss, 0);
                bp_trainer_free(trainer);
                bp_network_free(parts);
            }
            bp_network_free(whole);
        }
}

static void epochs_in_parts_equal_epochs_in_one(void) {
    for (int kind = 0; kind < 3; kind++) {
        bp_network *whole = rich_network(kind), *parts = rich_network(kind);
        EXPECT_OK(trainer_fit("epochs=9 batch_size=5 seed=6", whole, x, y, ROWS, NULL));
        EXPECT_OK(trainer_fit("epochs=2 batch_size=5 seed=6 resume=1", parts, x, y, ROWS, NULL)); /* nothing to resume */
        parts = through_a_file(parts);
        EXPECT_OK(trainer_fit("epochs=7 batch_size=5 seed=6 resume=1", parts, x, y, ROWS, NULL));
        parts = through_a_file(parts);
        EXPECT_OK(trainer_fit("epochs=9 batch_size=5 seed=6 resume=1", parts, x, y, ROWS, NULL));
        EXPECT(snapshot_equal(whole, parts));
        EXPECT_OK(trainer_fit("epochs=9 batch_size=5 seed=6 resume=1", parts, x, y, ROWS, NULL)); /* already complete */
        EXPECT(snapshot_equal(whole, parts));
        EXPECT_OK(
            trainer_fit("epochs=9 batch_size=5 seed=6", parts, x, y, ROWS, NULL)); /* a new fit from the current weights */
        EXPECT(!snapshot_equal(whole, parts));
        bp_network_free(whole);
        bp_network_free(parts);
    }
}

static void other_data_or_seed_of_a_resumed_fit_is_refused_and_changes_nothing(void) {
    bp_network *network = rich_network(1);
    EXPECT_OK(trainer_fit("epochs=2 batch_size=5 seed=6", network, x, y, ROWS, NULL));
    network = through_a_file(network);
    snapshot before = snapshot_of(network);
    EXPECT_ERROR(trainer_fit("epochs=9 batch_size=5 seed=7 resume=1", network, x, y, ROWS, NULL), BP_ERROR_INVALID_VALUE);
    EXPECT_MESSAGE("\"resume\": the network's latest fit had seed 6, not 7: ");
    EXPECT_ERROR(trainer_fit("epochs=9 batch_size=4 seed=6 resume=1", network, x, y, ROWS, NULL), BP_ERROR_INVALID_VALUE);
    EXPECT_MESSAGE("had batch_size 5, not 4: ");
    EXPECT_ERROR(trainer_fit("epochs=9 batch_size=0 seed=6 resume=1", network, x, y, ROWS, NULL), BP_ERROR_INVALID_VALUE);
    EXPECT_MESSAGE("had batch_size 5, not 23: ");
    EXPECT_ERROR(trainer_fit("epochs=9 batch_size=5 seed=6 resume=1", network, x, y, ROWS - 1, NULL), BP_ERROR_INVALID_VALUE);
    EXPECT_MESSAGE("had the number of training rows 23, not 22: ");
    EXPECT_ERROR(trainer_fit("epochs=9 batch_size=5 seed=6 resume=1 validation_fraction=0.5", network, x, y, ROWS, NULL),
                 BP_ERROR_INVALID_VALUE);
    EXPECT(snapshot_holds(before, network));
    /* What says when a fit ends, and the rate, may change. */
    EXPECT_OK(trainer_fit("epochs=3 batch_size=5 seed=6 resume=1 patience=3 learning_rate=0.5 schedule=3", network, x, y, ROWS,
                          NULL));
    EXPECT_OK(trainer_fit("epochs=2 batch_size=4 seed=7", network, x, y, ROWS - 1, NULL)); /* a new fit */
    free(before.bytes);
    bp_network_free(network);
}

typedef struct {
    bp_network *network;
    snapshot saved;
    uint64_t step;
} checkpoint;

static int32_t save_at(const bp_progress *progress, void *user_data) {
    checkpoint *c = (checkpoint *)user_data;
    if (progress->step == c->step) c->saved = snapshot_of(c->network);
    return 0;
}

static void file_saved_within_a_fit_continues_like_the_fit(void) {
    for (int f = 0; f < 8; f++) { /* the fits that keep the latest weights */
        for (uint64_t step = 3; step < 40; step += 11) {
            checkpoint c = {NULL, {NULL, 0}, 0};
            bp_network *loaded = NULL;
            bp_trainer *trainer = trainer_with(fits[f]);
            c.network = rich_network(1), c.step = step;
            EXPECT_OK(bp_trainer_set_option(trainer, "progress_interval", 1));
            EXPECT_OK(bp_trainer_set_progress(trainer, save_at, &c));
            EXPECT_OK(bp_trainer_fit(trainer, c.network, x, y, ROWS, NULL, NULL, 0, NULL));
            if (c.saved.count) {
                EXPECT_OK(bp_trainer_set_progress(trainer, NULL, NULL));
                EXPECT_OK(bp_network_load_memory(c.saved.bytes, c.saved.count, &loaded));
                EXPECT_OK(bp_trainer_set_option(trainer, "resume", 1));
                EXPECT_OK(bp_trainer_fit(trainer, loaded, x, y, ROWS, NULL, NULL, 0, NULL));
                EXPECT(snapshot_equal(c.network, loaded));
            } else {
                EXPECT(f == 2 && step > 12); /* there are as few steps as epochs */
            }
            free(c.saved.bytes);
            bp_trainer_free(trainer);
            bp_network_free(c.network);
            bp_network_free(loaded);
        }
    }
}

static void chosen_restart_is_resumed_with_its_state(void) {
    bp_network *parts = rich_network(1), *whole = rich_network(1);
    /* With a single start, the whole and the resumed fit choose the same one. */
    EXPECT_OK(trainer_fit("epochs=3 batch_size=5 restarts=1 seed=4", parts, x, y, ROWS, NULL));
    parts = through_a_file(parts);
    EXPECT_OK(trainer_fit("epochs=8 batch_size=5 restarts=1 seed=4 resume=1", parts, x, y, ROWS, NULL));
    EXPECT_OK(trainer_fit("epochs=8 batch_size=5 restarts=1 seed=4", whole, x, y, ROWS, NULL));
    EXPECT(snapshot_equal(whole, parts));
    bp_network_free(parts);
    bp_network_free(whole);
}

static void new_weights_discard_the_fit(void) {
    bp_network *network = rich_network(0), *fresh = rich_network(0);
    EXPECT_OK(trainer_fit("epochs=3", network, x, y, ROWS, NULL));
    EXPECT_OK(bp_network_initialize(network, 5));
    EXPECT(snapshot_equal(network, fresh));
    EXPECT_OK(trainer_fit("epochs=3 resume=1", network, x, y, ROWS, NULL));
    EXPECT_OK(trainer_fit("epochs=3", fresh, x, y, ROWS, NULL));
    EXPECT(snapshot_equal(network, fresh));
    bp_network_free(network);
    bp_network_free(fresh);
}

/* Large enough for several threads. */
static void fits_give_the_same_bits_for_any_number_of_threads(void) {
    enum { N = 300, WIDE = 70 };
    static float inputs[N * WIDE], targets[N * 3];
    const size_t sizes[] = {WIDE, 64, 40, 3}, threads[] = {1, 2, 3, 8};
    snapshot first = {NULL, 0};
    check_fill(inputs, N * WIDE, 3);
    check_fill_shares(targets, N * 3, 4);
    for (int i = 0; i < 4; i++) {
        bp_network *network = check_network(sizes, 4, 2);
        EXPECT_OK(bp_network_set_batchnorm(network, 2, 1));
        EXPECT_OK(bp_network_set_optimizer(network, "adam"));
        EXPECT_OK(bp_set_thread_count(threads[i]));
        EXPECT_OK(trainer_fit("epochs=6 batch_size=96 validation_fraction=0.3 patience=2 learning_rate=0.02 schedule=3",
                              network, inputs, targets, N, NULL));
        if (i == 0) first = snapshot_of(network);
        EXPECT(snapshot_holds(first, network));
        bp_network_free(network);
    }
    EXPECT_OK(bp_set_thread_count(0));
    free(first.bytes);
}

int main(void) {
    check_fill(x, ROWS * INPUTS, 1);
    check_fill_shares(y, ROWS * OUTPUTS, 2);
    CLAIM(stopped_and_resumed_fits_equal_whole_ones);
    CLAIM(epochs_in_parts_equal_epochs_in_one);
    CLAIM(other_data_or_seed_of_a_resumed_fit_is_refused_and_changes_nothing);
    CLAIM(file_saved_within_a_fit_continues_like_the_fit);
    CLAIM(chosen_restart_is_resumed_with_its_state);
    CLAIM(new_weights_discard_the_fit);
    CLAIM(fits_give_the_same_bits_for_any_number_of_threads);
    return check_end();
}
