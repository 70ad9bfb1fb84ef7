/* restarts.c: "run this algorithm for many different initial values of the weight parameters and choose the weights
 * corresponding to the lowest local minimum among all these runs" (notes, section 3). */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>

#include "trainer.h"

static const float x[] = {0, 0, 0, 1, 1, 0, 1, 1}, y[] = {0, 1, 1, 0}; /* exclusive or */
static const size_t sizes[] = {2, 2, 1};
static trainer_log log_;

#define XOR "epochs=2000 batch_size=0 learning_rate=2 target_loss=0.001 "

static int solved(const bp_network *network) {
    float outputs[4];
    EXPECT_OK(bp_network_predict(network, x, 4, outputs));
    for (int i = 0; i < 4; i++)
        if (fabsf(outputs[i] - y[i]) > 0.2f) return 0;
    return 1;
}

static void twenty_restarts_always_solve_xor_where_one_start_sometimes_sticks(void) {
    int stuck = 0, failed = 0;
    for (int seed = 0; seed < 100; seed++) {
        bp_network *one = check_network(sizes, 3, (uint64_t)seed), *many = check_network(sizes, 3, (uint64_t)seed);
        char options[200];
        EXPECT_OK(trainer_fit(XOR, one, x, y, 4, NULL));
        snprintf(options, sizeof options, XOR "restarts=20 seed=%d", seed);
        EXPECT_OK(trainer_fit(options, many, x, y, 4, NULL));
        stuck += !solved(one);
        failed += !solved(many);
        bp_network_free(one);
        bp_network_free(many);
    }
    EXPECT(stuck > 0 && stuck < 100);
    EXPECT(failed == 0);
}

static void restarts_give_the_same_bits_for_any_number_of_threads(void) {
    snapshot first = {NULL, 0};
    const size_t threads[] = {1, 2, 3, 8};
    for (int i = 0; i < 8; i++) { /* each without and with a progress function, which requires rounds */
        bp_network *network = check_network(sizes, 3, 1);
        bp_trainer *trainer = trainer_with("epochs=50 batch_size=3 learning_rate=1 restarts=7 seed=4");
        if (i >= 4) trainer_watch(trainer, &log_);
        EXPECT_OK(bp_set_thread_count(threads[i % 4]));
        EXPECT_OK(bp_trainer_fit(trainer, network, x, y, 4, NULL, NULL, 0, NULL));
        if (i == 0) first = snapshot_of(network);
        EXPECT(snapshot_holds(first, network));
        bp_trainer_free(trainer);
        bp_network_free(network);
    }
    EXPECT_OK(bp_set_thread_count(0));
    free(first.bytes);
}

static void lowest_loss_is_chosen_and_reports_come_in_rounds(void) {
    enum { STARTS = 6, EPOCHS = 40 };
    for (int validated = 0; validated < 2; validated++) {
        bp_network *network = check_network(sizes, 3, 1);
        bp_trainer *trainer = trainer_with("epochs=40 batch_size=0 learning_rate=2 restarts=6 seed=9 keep=1");
        double loss = 0;
        float after = 0;
        int winner = 0;
        double losses[STARTS];
        trainer_watch(trainer, &log_);
        if (validated) EXPECT_OK(bp_trainer_fit(trainer, network, x, y, 4, x, y, 3, &loss));
        else EXPECT_OK(bp_trainer_fit(trainer, network, x, y, 4, NULL, NULL, 0, &loss));
        EXPECT(log_.at == STARTS * EPOCHS);
        for (size_t i = 0; i < log_.at; i++)
            EXPECT(log_.records[i].restart == i % STARTS && log_.records[i].epoch == i / STARTS + 1);
        for (int i = 0; i < STARTS; i++) {
            const bp_progress *last = &log_.records[STARTS * (EPOCHS - 1) + i];
            losses[i] = validated ? last->validation_loss : last->loss;
            for (int j = 0; j < i; j++) EXPECT(losses[i] != losses[j]); /* each from different weights */
            if (losses[i] < losses[winner]) winner = i;
        }
        EXPECT_NEAR(loss, losses[winner], 1e-7);
        EXPECT_OK(bp_network_evaluate(network, x, y, validated ? 3 : 4, &after));
        if (validated) EXPECT_NEAR(after / 3, loss, 1e-6);
        else EXPECT(after / 4 <= loss + 1e-3); /* the loss before the last step */
        bp_trainer_free(trainer);
        bp_network_free(network);
    }
}

typedef struct {
    bp_network *network;
    snapshot start;
    int calls, stop_at;
    int32_t answer;
} keeper;

static int32_t network_is_unchanged(const bp_progress *progress, void *user_data) {
    keeper *k = (keeper *)user_data;
    (void)progress;
    EXPECT(snapshot_holds(k->start, k->network));
    EXPECT_STATUS(bp_network_train_step(k->network, x, y, 1, NULL), BP_ERROR_BUSY);
    return ++k->calls == k->stop_at ? k->answer : 0;
}

static void network_changes_only_at_the_end(void) {
    for (int32_t answer = -3; answer < 4; answer += 3) { /* aborts, continues, stops */
        keeper k = {NULL, {NULL, 0}, 0, 13, 0};
        bp_trainer *trainer = trainer_with("epochs=4 restarts=5");
        double loss = 0;
        k.network = check_network(sizes, 3, 1), k.answer = answer;
        EXPECT_OK(bp_network_train_step(k.network, x, y, 0.5f, NULL));
        k.start = snapshot_of(k.network);
        EXPECT_OK(bp_trainer_set_progress(trainer, network_is_unchanged, &k));
        EXPECT_STATUS(bp_trainer_fit(trainer, k.network, x, y, 4, NULL, NULL, 0, &loss),
                      answer < 0       ? BP_ERROR_CALLBACK
                          : answer > 0 ? BP_STOPPED
                                       : BP_OK);
        EXPECT(snapshot_holds(k.start, k.network) == (answer < 0));
        EXPECT((loss > 0) == (answer >= 0));
        EXPECT(answer < 0 ? k.calls == 13 : answer > 0 ? k.calls == 15 : k.calls == 20);
        EXPECT_STATUS(bp_network_train_step(k.network, x, y, 0.5f, NULL), BP_OK);
        free(k.start.bytes);
        bp_trainer_free(trainer);
        bp_network_free(k.network);
    }
}

static pthread_t caller;
static int elsewhere, here;

static float bend(float z, void *user_data) {
    (void)user_data;
    if (pthread_equal(pthread_self(), caller)) here++;
    else elsewhere++;
    return z / (1 + fabsf(z));
}
static float bend_derivative(float z, float a, void *user_data) {
    (void)z, (void)user_data;
    return (1 - fabsf(a)) * (1 - fabsf(a));
}

static void callbacks_of_restarts_run_on_the_calling_thread(void) {
    bp_network *network = check_network(sizes, 3, 1);
    EXPECT_OK(bp_activation_register_scalar("restart_bend", bend, bend_derivative, NULL, NULL));
    EXPECT_OK(bp_network_set_activation(network, 1, "restart_bend"));
    EXPECT_OK(bp_set_thread_count(8));
    caller = pthread_self();
    EXPECT_OK(trainer_fit("epochs=50 restarts=8", network, x, y, 4, NULL));
    EXPECT(here > 0 && elsewhere == 0);
    EXPECT_OK(bp_set_thread_count(0));
    bp_network_free(network);
    EXPECT_OK(bp_activation_unregister("restart_bend"));
}

/* At this rate a network with an active rectifier diverges. A network with an inactive rectifier does not. */
static void diverging_starts_are_discarded_and_the_fit_fails_only_if_all_diverge(void) {
    int refused = 0, survived = 0;
    for (int seed = 0; seed < 20; seed++) {
        for (int starts = 1; starts < 20; starts += 18) {
            bp_network *network = check_network(sizes, 3, 1);
            char text[200];
            snapshot before;
            int32_t status;
            EXPECT_OK(bp_network_set_activation(network, 1, "identity"));
            EXPECT_OK(bp_network_set_activation(network, 2, "relu"));
            before = snapshot_of(network);
            snprintf(text, sizeof text, "epochs=60 batch_size=0 learning_rate=2 restarts=%d seed=%d", starts, seed);
            status = trainer_fit(text, network, x, y, 4, NULL);
            if (status == BP_ERROR_NOT_FINITE) {
                EXPECT(snapshot_holds(before, network) && check_message());
                if (starts == 1) refused++;
            } else {
                EXPECT_OK(status);
                EXPECT(!snapshot_holds(before, network));
                if (starts == 19) survived++;
            }
            free(before.bytes);
            bp_network_free(network);
        }
    }
    EXPECT(refused > 4 && refused < 16 && survived == 20);
}

/* The next restart uses the memory of one that ended. */
static void reports_of_many_restarts_come_in_rounds_of_sixteen(void) {
    enum { STARTS = 37, EPOCHS = 3, WINDOW = 16 };
    static bp_progress first[STARTS * EPOCHS];
    const size_t threads[] = {1, 2, 8};
    snapshot winner = {NULL, 0};
    for (int i = 0; i < 3; i++) {
        bp_network *network = check_network(sizes, 3, 1);
        bp_trainer *trainer = trainer_with("epochs=3 batch_size=0 learning_rate=1 restarts=37 seed=4");
        trainer_watch(trainer, &log_);
        EXPECT_OK(bp_set_thread_count(threads[i]));
        EXPECT_OK(bp_trainer_fit(trainer, network, x, y, 4, NULL, NULL, 0, NULL));
        EXPECT(log_.at == STARTS * EPOCHS);
        for (size_t k = 0; k < log_.at; k++) {
            const bp_progress *r = &log_.records[k];
            size_t group = r->restart / WINDOW, size = group == STARTS / WINDOW ? STARTS % WINDOW : WINDOW;
            EXPECT(k == group * WINDOW * EPOCHS + (size_t)(r->epoch - 1) * size + r->restart % WINDOW);
            if (i == 0) first[k] = *r;
            EXPECT(first[k].loss == r->loss && first[k].restart == r->restart);
        }
        if (i == 0) winner = snapshot_of(network);
        EXPECT(snapshot_holds(winner, network));
        bp_trainer_free(trainer);
        bp_network_free(network);
    }
    EXPECT_OK(bp_set_thread_count(0));
    free(winner.bytes);
}

static void restarts_after_a_stop_do_not_begin(void) {
    bp_network *network = check_network(sizes, 3, 1);
    bp_trainer *trainer = trainer_with("epochs=3 restarts=1000");
    trainer_watch(trainer, &log_);
    log_.answer_at = 20, log_.answer = 1;
    EXPECT_STATUS(bp_trainer_fit(trainer, network, x, y, 4, NULL, NULL, 0, NULL), BP_STOPPED);
    EXPECT(log_.at == 32); /* the round is finished */
    bp_trainer_free(trainer);
    bp_network_free(network);
}

int main(void) {
    CLAIM(twenty_restarts_always_solve_xor_where_one_start_sometimes_sticks);
    CLAIM(restarts_give_the_same_bits_for_any_number_of_threads);
    CLAIM(lowest_loss_is_chosen_and_reports_come_in_rounds);
    CLAIM(network_changes_only_at_the_end);
    CLAIM(reports_of_many_restarts_come_in_rounds_of_sixteen);
    CLAIM(restarts_after_a_stop_do_not_begin);
    CLAIM(callbacks_of_restarts_run_on_the_calling_thread);
    CLAIM(diverging_starts_are_discarded_and_the_fit_fails_only_if_all_diverge);
    return check_end();
}
