/* trainer.c: the rows, learning rates, end and result of a fit. */
#include "mirror.h"
#include "trainer.h"

enum { ROWS = 21, INPUTS = 3, OUTPUTS = 2 };
static const size_t sizes[] = {INPUTS, 5, OUTPUTS};
static float x[ROWS * INPUTS], y[ROWS * OUTPUTS];
static trainer_log log_;

static bp_network *some_network(void) { return check_network(sizes, 3, 3); }

static void fill_data(void) {
    check_fill(x, ROWS * INPUTS, 1);
    check_fill_shares(y, ROWS * OUTPUTS, 2);
}

/* ---- A fit is made of steps */

static void fit_with_all_rows_in_a_minibatch_is_a_loop_of_steps(void) {
    bp_network *fitted = some_network(), *stepped = some_network();
    double loss = 0;
    float step_loss = 0;
    EXPECT_OK(trainer_fit("epochs=30 batch_size=0 learning_rate=0.125", fitted, x, y, ROWS, &loss));
    for (int i = 0; i < 30; i++) EXPECT_OK(bp_network_train_minibatch(stepped, x, y, ROWS, 0.125f, &step_loss));
    EXPECT(same_parameters(fitted, stepped));
    EXPECT_NEAR(loss, step_loss / ROWS, 1e-6);
    bp_network_free(fitted);
    bp_network_free(stepped);
}

static void batch_larger_than_the_data_is_all_rows(void) {
    bp_network *larger = some_network(), *all = some_network();
    EXPECT_OK(trainer_fit("epochs=5 batch_size=1000", larger, x, y, ROWS, NULL));
    EXPECT_OK(trainer_fit("epochs=5 batch_size=0", all, x, y, ROWS, NULL));
    EXPECT(same_parameters(larger, all));
    bp_network_free(larger);
    bp_network_free(all);
}

static void steps_option_replaces_epochs(void) {
    bp_network *network = some_network();
    bp_trainer *trainer = trainer_with("epochs=1000 steps=17 batch_size=4 progress_interval=1");
    trainer_watch(trainer, &log_);
    EXPECT_OK(bp_trainer_fit(trainer, network, x, y, ROWS, NULL, NULL, 0, NULL));
    EXPECT(log_.at == 17 && log_.records[16].step == 17 && log_.records[16].steps == 17);
    EXPECT(log_.records[16].epoch == 2 && log_.records[16].epochs == 3); /* of six steps each */
    bp_trainer_free(trainer);
    bp_network_free(network);
}

static void reports_come_after_epochs_or_at_an_interval_of_steps(void) {
    bp_network *network = some_network();
    bp_trainer *trainer = trainer_with("epochs=3 batch_size=4 progress_interval=4 learning_rate=0.25");
    const uint64_t steps[] = {4, 6, 8, 12, 16, 18};
    trainer_watch(trainer, &log_);
    EXPECT_OK(bp_trainer_fit(trainer, network, x, y, ROWS, NULL, NULL, 0, NULL));
    EXPECT(log_.at == 6);
    for (size_t i = 0; i < 6; i++) {
        const bp_progress *p = &log_.records[i];
        EXPECT(p->struct_size == sizeof *p && p->restart == 0 && p->reserved == 0);
        EXPECT(p->step == steps[i] && p->steps == 18 && p->epoch == steps[i] / 6 && p->epochs == 3);
        EXPECT(p->epoch_ended == (steps[i] % 6 == 0));
        EXPECT(p->loss > 0 && isnan(p->validation_loss));
        EXPECT_NEAR(p->learning_rate, 0.25, 0);
    }
    bp_trainer_free(trainer);
    bp_network_free(network);
}

/* ---- Sampling of rows. The network's output is 0 and it does not learn. The loss of row i is i: half the square of its
 * target. */

enum { MARKED = 16, EPOCHS = 400 };
static float marked_x[MARKED], marked_y[MARKED];
static int drawn[EPOCHS * MARKED + 64], drawn_count;

/* One row for each step, so that the losses identify the rows. */
static void draw(const char *options) {
    const size_t one[] = {1, 1};
    const float zeros[2] = {0, 0};
    bp_network *network = check_network(one, 2, 1);
    char all[256];
    bp_trainer *trainer;
    double sum = 0;
    snprintf(all, sizeof all, "batch_size=1 learning_rate=0 progress_interval=1 epochs=%d %s", EPOCHS, options);
    trainer = trainer_with(all);
    for (int i = 0; i < MARKED; i++) marked_x[i] = 1, marked_y[i] = sqrtf(2.0f * (float)i);
    EXPECT_OK(bp_network_set_activation(network, 1, "identity"));
    EXPECT_OK(bp_network_set_parameters(network, zeros, count_of(network)));
    trainer_watch(trainer, &log_);
    EXPECT_OK(bp_trainer_fit(trainer, network, marked_x, marked_y, MARKED, NULL, NULL, 0, NULL));
    drawn_count = 0;
    for (size_t i = 0; i < log_.at; i++) { /* each loss is the mean since the start of the epoch */
        double place = (double)(i % MARKED), now = log_.records[i].loss * (place + 1);
        if (place == 0) sum = 0;
        drawn[drawn_count++] = (int)floor(now - sum + 0.5);
        sum = now;
    }
    EXPECT(drawn_count == EPOCHS * MARKED);
    bp_trainer_free(trainer);
    bp_network_free(network);
}

/* The chi-square statistic of counts with equal expected values. */
static double chi_square(const int *counts, int bins) {
    double total = 0, sum = 0;
    for (int i = 0; i < bins; i++) total += counts[i];
    for (int i = 0; i < bins; i++) sum += pow(counts[i] - total / bins, 2) / (total / bins);
    return sum;
}

static void uniform_draws_pass_chi_square_tests(void) {
    static int counts[MARKED], pairs[MARKED * MARKED];
    int repeats = 0;
    draw("sampling=1 seed=5");
    memset(counts, 0, sizeof counts), memset(pairs, 0, sizeof pairs);
    for (int i = 0; i < drawn_count; i++) {
        counts[drawn[i]]++;
        if (i % 2) pairs[drawn[i - 1] * MARKED + drawn[i]]++;
        if (i % MARKED && drawn[i] == drawn[i - 1]) repeats++;
    }
    /* 15 and 255 degrees of freedom: 99.9 % of uniform draws lie below 37.7 and 330.5, 0.1 % below 3.5 and 190.9. */
    EXPECT_NEAR(chi_square(counts, MARKED), 20.6, 17.1);
    EXPECT_NEAR(chi_square(pairs, MARKED * MARKED), 260.7, 69.8);
    EXPECT(repeats > 0); /* with replacement */
}

static void shuffled_epochs_have_every_row_once_in_uniform_order(void) {
    static int places[MARKED * MARKED];
    int same = 0;
    draw("seed=5");
    memset(places, 0, sizeof places);
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        unsigned seen = 0;
        for (int i = 0; i < MARKED; i++) {
            seen |= 1u << drawn[epoch * MARKED + i];
            places[drawn[epoch * MARKED + i] * MARKED + i]++;
        }
        EXPECT(seen == (1u << MARKED) - 1);
        if (epoch && !memcmp(drawn + epoch * MARKED, drawn + (epoch - 1) * MARKED, sizeof(int) * MARKED)) same++;
    }
    /* 15 * 15 = 225 degrees of freedom: between 165.3 and 295.9 in 99.8 % of cases. */
    EXPECT_NEAR(chi_square(places, MARKED * MARKED), 230.6, 65.3);
    EXPECT(same == 0);
}

static void seed_determines_the_order(void) {
    static int first[EPOCHS * MARKED];
    const char *const samplings[] = {"sampling=0 seed=1", "sampling=1 seed=1"};
    for (int i = 0; i < 2; i++) {
        draw(samplings[i]);
        memcpy(first, drawn, sizeof first);
        draw(samplings[i]);
        EXPECT(memcmp(first, drawn, sizeof first) == 0);
        draw(i ? "sampling=1 seed=2" : "seed=2");
        EXPECT(memcmp(first, drawn, sizeof first) != 0);
    }
}

static void last_minibatch_is_smaller_or_dropped(void) {
    /* 10 rows, 4 for each step, and a loss of 1 for every row. The number of reports shows the number of steps. */
    for (int drop = 0; drop < 2; drop++) {
        const size_t one[] = {1, 1};
        const float zeros[2] = {0, 0}, inputs[10] = {0};
        float targets[10];
        bp_network *network = check_network(one, 2, 1);
        bp_trainer *trainer = trainer_with("batch_size=4 learning_rate=0 epochs=2 progress_interval=1");
        for (int i = 0; i < 10; i++) targets[i] = sqrtf(2);
        EXPECT_OK(bp_trainer_set_option(trainer, "drop_last", drop));
        EXPECT_OK(bp_network_set_activation(network, 1, "identity"));
        EXPECT_OK(bp_network_set_parameters(network, zeros, count_of(network)));
        trainer_watch(trainer, &log_);
        EXPECT_OK(bp_trainer_fit(trainer, network, inputs, targets, 10, NULL, NULL, 0, NULL));
        EXPECT(log_.at == (drop ? 4u : 6u));
        for (size_t i = 0; i < log_.at; i++) EXPECT_NEAR(log_.records[i].loss, 1, 1e-6);
        bp_trainer_free(trainer);
        bp_network_free(network);
    }
}

static void last_minibatch_has_the_remaining_rows(void) {
    /* With summed gradients, learning rate 0 and one epoch, the mean loss equals the loss of all rows only if each row was used
     * once. */
    bp_network *network = some_network();
    double loss = 0;
    float whole = 0;
    EXPECT_OK(bp_network_evaluate(network, x, y, ROWS, &whole));
    EXPECT_OK(trainer_fit("batch_size=4 learning_rate=0 epochs=1", network, x, y, ROWS, &loss));
    EXPECT_NEAR(loss, whole / ROWS, 1e-6);
    bp_network_free(network);
}

/* ---- Schedules */

static void rates_are(const char *options, double (*rate)(double t, double epoch, double steps)) {
    bp_network *network = some_network();
    char all[256];
    bp_trainer *trainer;
    snprintf(all, sizeof all, "batch_size=4 epochs=8 progress_interval=1 learning_rate=0.5 %s", options);
    trainer = trainer_with(all);
    trainer_watch(trainer, &log_);
    EXPECT_OK(bp_trainer_fit(trainer, network, x, y, ROWS, NULL, NULL, 0, NULL));
    EXPECT(log_.at == 48);
    for (size_t t = 0; t < log_.at; t++) {
        double expected = rate((double)t, floor((double)t / 6), 48);
        if (!EXPECT_NEAR(log_.records[t].learning_rate, expected, 1e-7 * expected))
            printf("#   %s, step %d\n", options, (int)t);
    }
    bp_trainer_free(trainer);
    bp_network_free(network);
}

static double constant(double t, double e, double steps) { return (void)t, (void)e, (void)steps, 0.5; }
static double by_steps(double t, double e, double steps) { return (void)t, (void)steps, 0.5 * pow(0.25, floor(e / 3)); }
static double exponential(double t, double e, double steps) { return (void)t, (void)steps, 0.5 * pow(0.25, e / 3); }
static double cosine(double t, double e, double steps) {
    return (void)e, 0.125 + 0.375 * (1 + cos(acos(-1.0) * t / steps)) / 2;
}
static double robbins_monro(double t, double e, double steps) { return (void)e, (void)steps, 0.5 / (1 + 0.25 * t); }
static double warm(double t, double e, double steps) { return (void)e, (void)steps, t < 10 ? 0.5 * (t + 1) / 10 : 0.5; }
static double floored(double t, double e, double steps) {
    return (void)e, (void)steps, 0.5 / (1 + 0.25 * t) < 0.0625 ? 0.0625 : 0.5 / (1 + 0.25 * t);
}

static void schedules_match_their_formulas(void) {
    rates_are("", constant);
    rates_are("schedule=1 decay_factor=0.25 decay_epochs=3", by_steps);
    rates_are("schedule=2 decay_factor=0.25 decay_epochs=3", exponential);
    rates_are("schedule=3 minimum_rate=0.125", cosine);
    rates_are("schedule=4 inverse_time_decay=0.25", robbins_monro);
    rates_are("warmup_steps=10", warm);
    rates_are("schedule=4 inverse_time_decay=0.25 minimum_rate=0.0625", floored);
}

/* torch.optim.lr_scheduler (PyTorch 2): OneCycleLR(max_lr=0.5, total_steps, pct_start, cycle_momentum=False), and
 * CosineAnnealingLR(T_max=12, eta_min=0.05) from 0.5. */
static void schedules_match_pytorch(void) {
    static const struct {
        const char *options;
        int steps;
        double rates[20];
    } cases[] = {{"schedule=5", 20, {0.02,        0.0658359214, 0.185835921,  0.334164079, 0.454164079,   0.5,      0.493732003,
                                     0.475242316, 0.445458089,  0.405872827,  0.358471501, 0.305631011,   0.250001, 0.194370989,
                                     0.141530499, 0.094129173,  0.0545439112, 0.024759684, 0.00626999688, 2e-06}},
                 {"schedule=5 one_cycle_peak=0.5",
                  11,
                  {0.02, 0.0761493337, 0.218324437, 0.38, 0.485526229, 0.489873284, 0.413715529, 0.285579567, 0.146147662,
                   0.039688458, 2e-06}},
                 {"schedule=3 minimum_rate=0.05",
                  12,
                  {0.5, 0.492333311, 0.469855716, 0.434099026, 0.3875, 0.333234285, 0.275, 0.216765715, 0.1625, 0.115900974,
                   0.0801442841, 0.0576666891}}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        bp_network *network = some_network();
        char all[256];
        bp_trainer *trainer;
        snprintf(all, sizeof all, "learning_rate=0.5 progress_interval=1 steps=%d %s", cases[c].steps, cases[c].options);
        trainer = trainer_with(all);
        trainer_watch(trainer, &log_);
        EXPECT_OK(bp_trainer_fit(trainer, network, x, y, ROWS, NULL, NULL, 0, NULL));
        EXPECT((int)log_.at == cases[c].steps);
        for (int t = 0; t < cases[c].steps; t++)
            EXPECT_NEAR(log_.records[t].learning_rate, cases[c].rates[t], 1e-7 * cases[c].rates[t] + 1e-12);
        bp_trainer_free(trainer);
        bp_network_free(network);
    }
}

/* The loss does not change at rate 0, so that no epoch except the first improves it. */
static void plateau_reduces_the_rate_after_its_patience(void) {
    bp_network *network = some_network();
    /* With a huge min_delta only the first epoch is an improvement, from infinity. */
    bp_trainer *trainer = trainer_with("batch_size=0 epochs=13 learning_rate=0.5 schedule=6 decay_factor=0.5 "
                                       "plateau_patience=2 min_delta=1e9 minimum_rate=0.1");
    const double rates[13] = {0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125, 0.125, 0.1, 0.1, 0.1};
    trainer_watch(trainer, &log_);
    EXPECT_OK(bp_trainer_fit(trainer, network, x, y, ROWS, NULL, NULL, 0, NULL));
    for (int e = 0; e < 13; e++) EXPECT_NEAR(log_.records[e].learning_rate, rates[e], 1e-7);
    bp_trainer_free(trainer);
    bp_network_free(network);
}

/* ---- Validation, reasons to end, and the weights that are kept */

/* The parameters after each reported epoch, and their loss by bp_network_evaluate. */
typedef struct {
    bp_network *network;
    const float *x, *y;
    size_t rows, epochs;
    float parameters[64][64], losses[64];
    double validation_losses[64];
    size_t stop_after; /* the number of epochs; 0: never */
} epoch_record;

static int32_t record_epoch(const bp_progress *progress, void *user_data) {
    epoch_record *w = (epoch_record *)user_data;
    EXPECT_OK(bp_network_get_parameters(w->network, w->parameters[w->epochs], count_of(w->network)));
    EXPECT_OK(bp_network_evaluate(w->network, w->x, w->y, w->rows, &w->losses[w->epochs]));
    w->validation_losses[w->epochs] = progress->validation_loss;
    return ++w->epochs == w->stop_after;
}

static int is_best(const double *losses, size_t count, size_t index) {
    for (size_t i = 0; i < count; i++)
        if (losses[i] < losses[index] || (losses[i] == losses[index] && i < index)) return 0;
    return 1;
}

/* A rate so high that losses do not fall in every epoch. */
static void validation_losses_match_evaluate_and_the_best_weights_are_kept(void) {
    for (int keep = 0; keep < 3; keep++) {
        static epoch_record w;
        bp_network *network = some_network();
        bp_trainer *trainer = trainer_with("epochs=20 batch_size=4 learning_rate=2.5");
        double loss = 0;
        float now[64];
        size_t kept = 0;
        memset(&w, 0, sizeof w);
        w.network = network, w.x = x + 15 * INPUTS, w.y = y + 15 * OUTPUTS, w.rows = 6;
        EXPECT_OK(bp_trainer_set_option(trainer, "keep", keep));
        EXPECT_OK(bp_trainer_set_progress(trainer, record_epoch, &w));
        EXPECT_OK(bp_trainer_fit(trainer, network, x, y, 15, w.x, w.y, w.rows, &loss));
        EXPECT(w.epochs == 20);
        for (size_t e = 0; e < 20; e++) EXPECT_NEAR(w.validation_losses[e], w.losses[e] / 6, 1e-6);
        if (keep == 1) kept = 19;
        else
            while (kept < 19 && !is_best(w.validation_losses, 20, kept)) kept++;
        EXPECT(keep == 1 || kept < 19); /* otherwise the best and the latest weights would be equal */
        EXPECT_NEAR(loss, w.validation_losses[kept], 1e-7);
        EXPECT_OK(bp_network_get_parameters(network, now, count_of(network)));
        EXPECT(memcmp(now, w.parameters[kept], 32 * sizeof(float)) == 0);
        bp_trainer_free(trainer);
        bp_network_free(network);
    }
}

static void held_out_rows_are_not_trained_on(void) {
    /* Row i has a single input 1, at position i: only rows used in training change their weights. */
    enum { N = 20 };
    const size_t wide[] = {N, 1};
    static float inputs[N * N], targets[N], before[N + 1], after[N + 1];
    unsigned held_out[2];
    for (int s = 0; s < 2; s++) {
        bp_network *network = check_network(wide, 2, 1);
        bp_trainer *trainer = trainer_with("epochs=3 batch_size=3 learning_rate=0.1 validation_fraction=0.25 keep=1");
        int still = 0;
        EXPECT_OK(bp_trainer_set_option(trainer, "seed", s + 1));
        for (int i = 0; i < N; i++) inputs[i * N + i] = 1, targets[i] = 1;
        EXPECT_OK(bp_network_get_parameters(network, before, count_of(network)));
        trainer_watch(trainer, &log_);
        EXPECT_OK(bp_trainer_fit(trainer, network, inputs, targets, N, NULL, NULL, 0, NULL));
        EXPECT_OK(bp_network_get_parameters(network, after, count_of(network)));
        held_out[s] = 0;
        for (int i = 0; i < N; i++)
            if (before[i] == after[i]) still++, held_out[s] |= 1u << i;
        EXPECT(still == 5 && log_.records[2].step == 15 && log_.records[2].validation_loss > 0);
        bp_trainer_free(trainer);
        bp_network_free(network);
    }
    EXPECT(held_out[0] != held_out[1]);
}

static void patience_ends_a_fit_and_keeps_the_best_weights(void) {
    static epoch_record w;
    bp_network *network = some_network();
    bp_trainer *trainer = trainer_with("epochs=60 batch_size=4 learning_rate=2.5 patience=4");
    float now[64];
    size_t best = 0;
    memset(&w, 0, sizeof w);
    w.network = network, w.x = x + 15 * INPUTS, w.y = y + 15 * OUTPUTS, w.rows = 6;
    EXPECT_OK(bp_trainer_set_progress(trainer, record_epoch, &w));
    EXPECT_OK(bp_trainer_fit(trainer, network, x, y, 15, w.x, w.y, w.rows, NULL));
    EXPECT(w.epochs > 4 && w.epochs < 60);
    while (!is_best(w.validation_losses, w.epochs, best)) best++;
    EXPECT(best == w.epochs - 5);
    EXPECT_OK(bp_network_get_parameters(network, now, count_of(network)));
    EXPECT(memcmp(now, w.parameters[best], 32 * sizeof(float)) == 0);
    bp_trainer_free(trainer);
    bp_network_free(network);
}

static void target_loss_ends_a_fit(void) {
    bp_network *network = some_network(), *twin = some_network();
    bp_trainer *trainer = trainer_with("epochs=40 batch_size=0 learning_rate=0.125");
    double loss = 0;
    double target;
    trainer_watch(trainer, &log_);
    EXPECT_OK(bp_trainer_fit(trainer, twin, x, y, ROWS, NULL, NULL, 0, NULL));
    target = (log_.records[19].loss + log_.records[20].loss) / 2; /* the loss falls in each epoch */
    EXPECT(log_.at == 40 && log_.records[19].loss > target && log_.records[20].loss < target);
    EXPECT_OK(bp_trainer_set_option(trainer, "target_loss", target));
    trainer_watch(trainer, &log_);
    EXPECT_OK(bp_trainer_fit(trainer, network, x, y, ROWS, NULL, NULL, 0, &loss));
    EXPECT(log_.at == 21 && loss < target && log_.records[19].loss > target);
    bp_trainer_free(trainer);
    bp_network_free(network);
    bp_network_free(twin);
}

static void time_limit_ends_a_fit(void) {
    bp_network *network = some_network();
    EXPECT_OK(trainer_fit("epochs=1000000000 time_limit=0.01", network, x, y, ROWS, NULL));
    bp_network_free(network);
}

static void stop_keeps_the_latest_or_the_best(void) {
    for (int keep = 1; keep < 3; keep++) {
        static epoch_record w;
        bp_network *network = some_network();
        bp_trainer *trainer = trainer_with("epochs=60 batch_size=4 learning_rate=2.5");
        float now[64];
        size_t kept = 0;
        memset(&w, 0, sizeof w);
        w.network = network, w.x = x + 15 * INPUTS, w.y = y + 15 * OUTPUTS, w.rows = 6, w.stop_after = 9;
        EXPECT_OK(bp_trainer_set_option(trainer, "keep", keep));
        EXPECT_OK(bp_trainer_set_progress(trainer, record_epoch, &w));
        EXPECT_STATUS(bp_trainer_fit(trainer, network, x, y, 15, w.x, w.y, w.rows, NULL), BP_STOPPED);
        EXPECT(w.epochs == 9);
        if (keep == 1) kept = 8;
        else
            while (!is_best(w.validation_losses, w.epochs, kept)) kept++;
        EXPECT_OK(bp_network_get_parameters(network, now, count_of(network)));
        EXPECT(memcmp(now, w.parameters[kept], 32 * sizeof(float)) == 0);
        bp_trainer_free(trainer);
        bp_network_free(network);
    }
}

static void abort_restores_the_network_and_reports_the_hosts_code(void) {
    bp_network *network = some_network();
    bp_trainer *trainer = trainer_with("epochs=9 batch_size=4");
    double loss = 7;
    snapshot before;
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.1f, NULL));
    before = snapshot_of(network);
    trainer_watch(trainer, &log_);
    log_.answer_at = 5, log_.answer = -42;
    EXPECT_ERROR(bp_trainer_fit(trainer, network, x, y, ROWS, NULL, NULL, 0, &loss), BP_ERROR_CALLBACK);
    EXPECT_MESSAGE("-42");
    EXPECT(loss == 0 && log_.at == 5);
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
    bp_trainer_free(trainer);
    bp_network_free(network);
}

/* ---- Weights of rows */

/* Steps on all rows, against the formulas in double precision. */
static void weighted_step_matches_the_formulas(void) {
    static const struct {
        int loss, output, norm, mean;
    } cases[] = {{REF_SQUARED_ERROR, REF_TANH, 0, 0},
                 {REF_SQUARED_ERROR, REF_LOGISTIC, 1, 1},
                 {REF_BINARY_CROSS_ENTROPY, REF_LOGISTIC, 0, 1},
                 {REF_BINARY_CROSS_ENTROPY, REF_LOGISTIC, 1, 0},
                 {REF_CROSS_ENTROPY, REF_SOFTMAX, 1, 0},
                 {REF_CROSS_ENTROPY, REF_SOFTMAX, 0, 1}};
    float weights[ROWS], targets[ROWS * OUTPUTS];
    for (int i = 0; i < ROWS; i++) weights[i] = (float)(i % 5) / 2;
    for (int i = 0; i < ROWS * OUTPUTS; i++) targets[i] = (float)(i % 3) / 2;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        static reference r;
        const int widths[] = {INPUTS, 5, OUTPUTS};
        bp_network *network;
        bp_trainer *trainer = trainer_with("steps=1 batch_size=0 learning_rate=0.125");
        ref_init(&r, 3, widths);
        r.loss = cases[c].loss, r.activation[2] = cases[c].output, r.norm[1] = cases[c].norm;
        r.mean_reduction = cases[c].mean;
        network = mirror(&r, 0.5, 7);
        r.row_weights = weights;
        EXPECT_OK(bp_trainer_set_row_weights(trainer, weights, ROWS));
        for (int step = 0; step < 3; step++) {
            double expected = ref_step(&r, x, targets, ROWS, 0.125) / (r.mean_reduction ? 1 : ROWS);
            double loss = 0;
            EXPECT_OK(bp_trainer_fit(trainer, network, x, targets, ROWS, NULL, NULL, 0, &loss));
            EXPECT_NEAR(loss, expected, 2e-6 * fmax(1, expected));
            EXPECT(mirror_parameters_agree(network, &r, 5e-6));
        }
        bp_trainer_free(trainer);
        bp_network_free(network);
    }
}

static void weights_of_one_equal_no_weights_and_weights_belong_to_their_rows(void) {
    bp_network *plain = some_network(), *ones = some_network(), *some = some_network(), *taken_back = some_network();
    bp_trainer *trainer = trainer_with("epochs=4 batch_size=21 seed=2"); /* few rows would be summed in another order */
    float weights[ROWS];
    EXPECT_OK(bp_trainer_fit(trainer, plain, x, y, ROWS, NULL, NULL, 0, NULL));
    for (int i = 0; i < ROWS; i++) weights[i] = 1;
    EXPECT_OK(bp_trainer_set_row_weights(trainer, weights, ROWS));
    EXPECT_OK(bp_trainer_fit(trainer, ones, x, y, ROWS, NULL, NULL, 0, NULL));
    EXPECT(same_parameters(plain, ones));
    weights[7] = 3;
    EXPECT_OK(bp_trainer_set_row_weights(trainer, weights, ROWS));
    weights[7] = 1; /* no effect: the trainer has a copy */
    EXPECT_OK(bp_trainer_fit(trainer, some, x, y, ROWS, NULL, NULL, 0, NULL));
    EXPECT(!same_parameters(plain, some));
    EXPECT_OK(bp_trainer_set_row_weights(trainer, NULL, 0));
    EXPECT_OK(bp_trainer_fit(trainer, taken_back, x, y, ROWS, NULL, NULL, 0, NULL));
    EXPECT(same_parameters(plain, taken_back));
    bp_trainer_free(trainer);
    bp_network_free(plain);
    bp_network_free(ones);
    bp_network_free(some);
    bp_network_free(taken_back);
}

static void rows_of_weight_0_change_nothing_in_any_minibatch(void) {
    enum { N = 20 }; /* as above: only row i changes weight i */
    const size_t wide[] = {N, 1};
    static float inputs[N * N], targets[N], before[N + 1], after[N + 1], weights[N];
    for (int batch = 1; batch < 8; batch += 3) {
        bp_network *network = check_network(wide, 2, 1);
        bp_trainer *trainer = trainer_with("epochs=2 learning_rate=0.5");
        EXPECT_OK(bp_trainer_set_option(trainer, "batch_size", batch));
        for (int i = 0; i < N; i++) inputs[i * N + i] = 1, targets[i] = 1, weights[i] = (float)(i % 2);
        EXPECT_OK(bp_network_get_parameters(network, before, count_of(network)));
        EXPECT_OK(bp_trainer_set_row_weights(trainer, weights, N));
        EXPECT_OK(bp_trainer_fit(trainer, network, inputs, targets, N, NULL, NULL, 0, NULL));
        EXPECT_OK(bp_network_get_parameters(network, after, count_of(network)));
        for (int i = 0; i < N; i++) EXPECT((before[i] == after[i]) == (i % 2 == 0));
        bp_trainer_free(trainer);
        bp_network_free(network);
    }
}

/* ---- The result */

static bp_fit_result result_of(const bp_trainer *trainer) {
    bp_fit_result result;
    memset(&result, 0x5A, sizeof result);
    result.struct_size = sizeof result;
    EXPECT_OK(bp_trainer_get_result(trainer, &result));
    EXPECT(result.struct_size == sizeof result && result.reserved == 0);
    return result;
}

static int32_t cancel_fit(const bp_progress *progress, void *trainer) {
    EXPECT_OK(bp_trainer_cancel((bp_trainer *)trainer));
    return progress->epoch == 0; /* never stops the fit itself */
}

static void result_is_why_the_fit_ended_and_how_many_epochs_it_made(void) {
    static const struct {
        const char *options;
        int answer, cancels;
        int32_t end;
        uint64_t epochs, steps;
    } cases[] = {
        {"epochs=5", 0, 0, BP_END_COMPLETE, 5, 15},
        {"steps=8", 0, 0, BP_END_COMPLETE, 2, 8},
        {"epochs=5 restarts=4", 0, 0, BP_END_COMPLETE, 5, 15},
        {"patience=1 min_delta=1e9", 0, 0, BP_END_PATIENCE, 2, 6}, /* the first epoch is better than none */
        {"patience=1 min_delta=1e9 epochs=2", 0, 0, BP_END_PATIENCE, 2, 6},
        {"target_loss=1e9", 0, 0, BP_END_TARGET_LOSS, 1, 3},
        {"target_loss=1e9 epochs=1", 0, 0, BP_END_TARGET_LOSS, 1, 3},
        {"time_limit=1e-9", 0, 0, BP_END_TIME_LIMIT, 0, 0},
        {"time_limit=1e-9 restarts=4", 0, 0, BP_END_TIME_LIMIT, 0, 0},
        {"epochs=9", 1, 0, BP_END_STOPPED, 2, 6},
        {"epochs=2", 1, 0, BP_END_STOPPED, 2, 6}, /* at its last report */
        {"epochs=9 restarts=4", 1, 0, BP_END_STOPPED, 2, 6},
        {"epochs=9", 0, 1, BP_END_CANCELLED, 1, 3},
        {"epochs=9 restarts=40", 0, 1, BP_END_CANCELLED, 1, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bp_network *network = some_network();
        bp_trainer *trainer = trainer_with("batch_size=7");
        bp_trainer *options = trainer_with(cases[i].options);
        bp_fit_result result = result_of(trainer);
        double loss = 9;
        int32_t status;
        EXPECT(result.end == BP_END_NONE && !result.epochs && !result.steps && !result.best_epoch && !result.restart);
        EXPECT(result.loss == 0);
        bp_trainer_free(trainer);
        trainer = options;
        EXPECT_OK(bp_trainer_set_option(trainer, "batch_size", 7));
        trainer_watch(trainer, &log_);
        if (cases[i].answer) log_.answer_at = strstr(cases[i].options, "restarts") ? 5 : 2, log_.answer = 1;
        if (cases[i].cancels) EXPECT_OK(bp_trainer_set_progress(trainer, cancel_fit, trainer));
        status = bp_trainer_fit(trainer, network, x, y, ROWS, NULL, NULL, 0, &loss);
        EXPECT_STATUS(status, cases[i].answer || cases[i].cancels ? BP_STOPPED : BP_OK);
        result = result_of(trainer);
        if (!EXPECT(result.end == cases[i].end && result.epochs == cases[i].epochs && result.steps == cases[i].steps))
            printf("#   %s: %d after %d epochs, %d steps\n", cases[i].options, (int)result.end, (int)result.epochs,
                   (int)result.steps);
        EXPECT(result.loss == loss || (loss != loss && result.loss != result.loss));
        bp_trainer_free(trainer);
        bp_network_free(network);
    }
}

static void result_names_the_epoch_and_the_restart_of_the_best_loss(void) {
    for (int restarts = 0; restarts < 6; restarts += 5) {
        bp_network *network = some_network();
        bp_trainer *trainer = trainer_with("epochs=30 batch_size=3 learning_rate=3 validation_fraction=0.5 patience=6");
        bp_fit_result result;
        size_t best = 0;
        EXPECT_OK(bp_trainer_set_option(trainer, "restarts", restarts));
        trainer_watch(trainer, &log_);
        EXPECT_OK(bp_trainer_fit(trainer, network, x, y, ROWS, NULL, NULL, 0, NULL));
        result = result_of(trainer);
        for (size_t i = 1; i < log_.at; i++) {
            const bp_progress *one = &log_.records[i], *other = &log_.records[best];
            const int is_earlier = one->restart < other->restart ||
                (one->restart == other->restart && one->epoch < other->epoch);
            if (one->validation_loss < other->validation_loss || (one->validation_loss == other->validation_loss && is_earlier))
                best = i;
        }
        EXPECT(result.best_epoch == log_.records[best].epoch && result.restart == log_.records[best].restart);
        EXPECT(result.loss == log_.records[best].validation_loss && result.best_epoch <= result.epochs);
        bp_trainer_free(trainer);
        bp_network_free(network);
    }
}

static int32_t look_at_the_result(const bp_progress *progress, void *trainer) {
    EXPECT(result_of((bp_trainer *)trainer).steps == 3); /* of the fit before */
    return progress->step >= 2 ? -1 : 0;
}

static void failed_fit_leaves_the_result_of_the_fit_before(void) {
    bp_network *network = some_network();
    bp_trainer *trainer = trainer_with("steps=3 batch_size=7");
    EXPECT_OK(bp_trainer_fit(trainer, network, x, y, ROWS, NULL, NULL, 0, NULL));
    EXPECT_OK(bp_trainer_set_option(trainer, "steps", 5));
    EXPECT_OK(bp_trainer_set_option(trainer, "progress_interval", 1));
    EXPECT_OK(bp_trainer_set_progress(trainer, look_at_the_result, trainer));
    EXPECT_ERROR(bp_trainer_fit(trainer, network, x, y, ROWS, NULL, NULL, 0, NULL), BP_ERROR_CALLBACK);
    EXPECT(result_of(trainer).end == BP_END_COMPLETE && result_of(trainer).steps == 3);
    EXPECT_OK(bp_trainer_set_progress(trainer, NULL, NULL));
    EXPECT_OK(bp_trainer_set_option(trainer, "resume", 1));
    EXPECT_OK(bp_trainer_fit(trainer, network, x, y, ROWS, NULL, NULL, 0, NULL));
    EXPECT(result_of(trainer).steps == 5 && result_of(trainer).epochs == 1); /* from the start of the first part */
    bp_trainer_free(trainer);
    bp_network_free(network);
}

/* ---- Divergence */

static void diverging_fit_is_refused_or_continues_at_half_the_rate(void) {
    const size_t linear[] = {INPUTS, OUTPUTS};
    for (int on = 0; on < 2; on++) {
        bp_network *network = check_network(linear, 2, 1);
        bp_trainer *trainer = trainer_with("epochs=200 batch_size=0 learning_rate=2");
        double loss = 9;
        float before = 0;
        snapshot start;
        EXPECT_OK(bp_network_set_activation(network, 1, "identity"));
        EXPECT_OK(bp_network_evaluate(network, x, y, ROWS, &before));
        start = snapshot_of(network);
        EXPECT_OK(bp_trainer_set_option(trainer, "on_divergence", on));
        trainer_watch(trainer, &log_);
        if (on) {
            EXPECT_OK(bp_trainer_fit(trainer, network, x, y, ROWS, NULL, NULL, 0, &loss));
            EXPECT(loss < before / ROWS);
            EXPECT(log_.records[log_.at - 1].step == 200 && log_.records[log_.at - 1].learning_rate < 0.5);
        } else {
            EXPECT_ERROR(bp_trainer_fit(trainer, network, x, y, ROWS, NULL, NULL, 0, &loss), BP_ERROR_NOT_FINITE);
            EXPECT(loss == 0 && log_.at > 10 && snapshot_holds(start, network));
        }
        free(start.bytes);
        bp_trainer_free(trainer);
        bp_network_free(network);
    }
}

/* The mean loss of the rows that select the best weights. */
static double mean_loss(const bp_network *network, const float *inputs, const float *targets, const float *weights) {
    float losses[ROWS] = {0};
    double sum = 0;
    EXPECT_OK(bp_network_row_losses(network, inputs, targets, ROWS, losses));
    for (int row = 0; row < ROWS; row++) sum += losses[row] * (weights ? weights[row] : 1);
    return sum / ROWS;
}

/* At these rates the loss explodes: to infinity or to a large finite value, in the first epochs or late. */
static void fit_that_recovers_never_ends_worse_than_it_began(void) {
    static const double rates[] = {0.3, 3, 30, 300, 3000, 3e4, 3e6};
    static const char *const activations[] = {"identity", "tanh", "relu", "silu"};
    static const char *const more[] = {"", "keep=2", "patience=3", "sampling=1 schedule=5"};
    enum { FITS = 7 * 4 * 4 * 3 * 3 };
    float weights[ROWS], held_out_x[ROWS * INPUTS], held_out_y[ROWS * OUTPUTS];
    int improved = 0;
    for (int i = 0; i < ROWS; i++) weights[i] = (float)(i % 3);
    check_fill(held_out_x, ROWS * INPUTS, 6);
    check_fill_shares(held_out_y, ROWS * OUTPUTS, 7);
    for (int i = 0; i < FITS; i++) {
        const int batch = 7 * (i / 112 % 3), weighted = i / 336 == 1, validated = i / 336 == 2;
        const float *vx = validated ? held_out_x : NULL, *vy = validated ? held_out_y : NULL;
        bp_network *network = check_network(sizes, 3, 3);
        bp_trainer *trainer = trainer_with(more[i / 28 % 4]);
        double loss = 0, before, after;
        int32_t status;
        EXPECT_OK(bp_network_set_activation(network, 1, activations[i / 7 % 4]));
        EXPECT_OK(bp_network_set_activation(network, 2, "identity"));
        EXPECT_OK(bp_trainer_set_option(trainer, "epochs", 40));
        EXPECT_OK(bp_trainer_set_option(trainer, "on_divergence", BP_DIVERGENCE_RECOVER));
        EXPECT_OK(bp_trainer_set_option(trainer, "learning_rate", rates[i % 7]));
        EXPECT_OK(bp_trainer_set_option(trainer, "batch_size", batch));
        if (weighted) EXPECT_OK(bp_trainer_set_row_weights(trainer, weights, ROWS));
        before = mean_loss(network, validated ? vx : x, validated ? vy : y, weighted ? weights : NULL);
        status = bp_trainer_fit(trainer, network, x, y, ROWS, vx, vy, validated ? ROWS : 0, &loss);
        after = mean_loss(network, validated ? vx : x, validated ? vy : y, weighted ? weights : NULL);
        if (status != BP_ERROR_NOT_FINITE) { /* it diverges at all rates that it tries */
            EXPECT_OK(status);
            EXPECT_NEAR(loss, after, 1e-6 * after);
        }
        if (!EXPECT(after <= before * 1.000001)) printf("#   fit %d: %g, then %g\n", i, before, after);
        improved += after < 0.9 * before;
        bp_trainer_free(trainer);
        bp_network_free(network);
    }
    if (!EXPECT(improved > FITS / 2)) printf("#   %d of %d\n", improved, FITS);
}

static void divergence_at_every_rate_ends_with_an_error(void) {
    const size_t linear[] = {1, 1};
    const float huge[] = {1e30f}, one[] = {1};
    bp_network *network = check_network(linear, 2, 1);
    snapshot start;
    EXPECT_OK(bp_network_set_activation(network, 1, "identity"));
    start = snapshot_of(network);
    EXPECT_ERROR(trainer_fit("on_divergence=1", network, huge, one, 1, NULL), BP_ERROR_NOT_FINITE);
    EXPECT(snapshot_holds(start, network));
    free(start.bytes);
    bp_network_free(network);
}

int main(void) {
    fill_data();
    CLAIM(fit_with_all_rows_in_a_minibatch_is_a_loop_of_steps);
    CLAIM(batch_larger_than_the_data_is_all_rows);
    CLAIM(steps_option_replaces_epochs);
    CLAIM(reports_come_after_epochs_or_at_an_interval_of_steps);
    CLAIM(uniform_draws_pass_chi_square_tests);
    CLAIM(shuffled_epochs_have_every_row_once_in_uniform_order);
    CLAIM(seed_determines_the_order);
    CLAIM(last_minibatch_is_smaller_or_dropped);
    CLAIM(last_minibatch_has_the_remaining_rows);
    CLAIM(schedules_match_their_formulas);
    CLAIM(schedules_match_pytorch);
    CLAIM(plateau_reduces_the_rate_after_its_patience);
    CLAIM(validation_losses_match_evaluate_and_the_best_weights_are_kept);
    CLAIM(held_out_rows_are_not_trained_on);
    CLAIM(patience_ends_a_fit_and_keeps_the_best_weights);
    CLAIM(target_loss_ends_a_fit);
    CLAIM(time_limit_ends_a_fit);
    CLAIM(stop_keeps_the_latest_or_the_best);
    CLAIM(abort_restores_the_network_and_reports_the_hosts_code);
    CLAIM(weighted_step_matches_the_formulas);
    CLAIM(weights_of_one_equal_no_weights_and_weights_belong_to_their_rows);
    CLAIM(rows_of_weight_0_change_nothing_in_any_minibatch);
    CLAIM(result_is_why_the_fit_ended_and_how_many_epochs_it_made);
    CLAIM(result_names_the_epoch_and_the_restart_of_the_best_loss);
    CLAIM(failed_fit_leaves_the_result_of_the_fit_before);
    CLAIM(diverging_fit_is_refused_or_continues_at_half_the_rate);
    CLAIM(fit_that_recovers_never_ends_worse_than_it_began);
    CLAIM(divergence_at_every_rate_ends_with_an_error);
    return check_end();
}
