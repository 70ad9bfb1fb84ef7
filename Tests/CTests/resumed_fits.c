/* resumed_fits.c: random fits over all options, each cut into parts at random steps. For all options and cuts, the final
 * network equals the network of the whole fit: the same file, byte for byte. Each part continues from the file of the previous
 * part, or from a file that was saved within a fit. TORTURE=1 tries thousands of fits. */
#include "trainer.h"

enum { MOST_ROWS = 40, INPUTS = 3, OUTPUTS = 2 };
static float x[MOST_ROWS * INPUTS], y[MOST_ROWS * OUTPUTS], weights[MOST_ROWS];
static float held_out_x[9 * INPUTS], held_out_y[9 * OUTPUTS];
static uint64_t state;

/* splitmix64 (Vigna): the same numbers on every machine. */
static uint64_t draw(uint64_t below) {
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

typedef struct {
    char options[512];
    size_t length, rows;
    uint64_t seed; /* of the network */
    const char *optimizer, *activation;
    int batchnorm, dropout, clipped, mean, weighted, validated, streamed;
} fit;

static void add(fit *f, const char *name, double value) {
    f->length += (size_t)snprintf(f->options + f->length, sizeof f->options - f->length, "%s=%.17g ", name, value);
}

static fit random_fit(void) {
    static const char *const optimizers[] = {"sgd",
                                             "momentum",
                                             "nesterov",
                                             "rmsprop",
                                             "adam",
                                             "adamw",
                                             "irprop_minus",
                                             "lbfgs",
                                             "levenberg_marquardt",
                                             "bayesian_regularization"};
    static const char *const activations[] = {"tanh", "relu", "logistic", "silu"};
    /* The last two diverge, in many fits after some epochs. */
    static const double rates[] = {0.003, 0.03, 0.1, 0.5, 3, 40, 3000};
    fit f;
    memset(&f, 0, sizeof f);
    f.rows = 2 + draw(MOST_ROWS - 1);
    f.seed = draw(1000);
    f.optimizer = optimizers[draw(10)];
    f.activation = activations[draw(4)];
    f.batchnorm = draw(3) == 0, f.dropout = draw(4) == 0, f.clipped = draw(5) == 0, f.mean = (int)draw(2);
    f.weighted = draw(4) == 0, f.validated = draw(4) == 0;
    if (draw(3) == 0) add(&f, "steps", 1 + (double)draw(50));
    else add(&f, "epochs", 1 + (double)draw(12));
    f.streamed = draw(3) == 0;
    const int is_lbfgs = strcmp(f.optimizer, "lbfgs") == 0;
    const int is_damped = strcmp(f.optimizer, optimizers[8]) == 0 || strcmp(f.optimizer, optimizers[9]) == 0;
    if (is_lbfgs || is_damped) f.streamed = f.dropout = f.clipped = 0;
    if (is_damped) f.batchnorm = 0;
    add(&f, "batch_size", f.streamed ? 1 + (double)draw(9) : (double)draw(f.rows + 3));
    add(&f, "drop_last", (double)(f.rows >= 12 && draw(2)));
    if (f.streamed) add(&f, "steps_per_epoch", (double)draw(8));
    else add(&f, "sampling", (double)(draw(4) == 0 && !is_lbfgs && !is_damped));
    add(&f, "seed", (double)draw(100));
    add(&f, "learning_rate", rates[draw(7)]);
    add(&f, "schedule", (double)draw(7));
    add(&f, "decay_epochs", 1 + (double)draw(4));
    add(&f, "decay_factor", 0.25 * (double)draw(5));
    add(&f, "plateau_patience", (double)draw(3));
    if (draw(4) == 0) add(&f, "warmup_steps", (double)draw(20));
    if (draw(4) == 0) add(&f, "minimum_rate", 0.001);
    if (!f.validated && !f.streamed && draw(3) == 0) {
        add(&f, "validation_fraction", 0.1 * (double)(1 + draw(6)));
        add(&f, "stratify", f.rows > 30);
    }
    if (draw(3) == 0) add(&f, "patience", 1 + (double)draw(4));
    if (draw(4) == 0) add(&f, "min_delta", 0.01);
    if (draw(6) == 0) add(&f, "target_loss", 0.3);
    add(&f, "keep", (double)draw(3));
    add(&f, "on_divergence", (double)(draw(4) > 0));
    if (!f.streamed && draw(8) == 0) add(&f, "restarts", 1); /* with several, another one may have the lowest loss at the cut */
    return f;
}

static bp_network *fresh_network(const fit *f) {
    const size_t sizes[] = {INPUTS, 7, OUTPUTS};
    bp_network *network = check_network(sizes, 3, f->seed);
    EXPECT_OK(bp_network_set_activation(network, 1, f->activation));
    EXPECT_OK(bp_network_set_activation(network, 2, "identity"));
    EXPECT_OK(bp_network_set_optimizer(network, f->optimizer));
    if (f->batchnorm) EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    if (f->dropout) EXPECT_OK(bp_network_set_dropout(network, 1, 0.25));
    if (f->clipped) EXPECT_OK(bp_network_set_option(network, "clip_norm", 1));
    EXPECT_OK(bp_network_set_option(network, "gradient_reduction", f->mean));
    return network;
}

static bp_network *loaded(snapshot file) {
    bp_network *network = NULL;
    EXPECT_OK(bp_network_load_memory(file.bytes, file.count, &network));
    return network;
}

/* Stops at a report, or saves the network at it. */
typedef struct {
    size_t reports, stop_at, save_at;
    bp_network *network;
    snapshot saved;
} watcher;

static int32_t watch(const bp_progress *progress, void *user_data) {
    watcher *w = (watcher *)user_data;
    (void)progress;
    w->reports++;
    if (w->reports == w->save_at) w->saved = snapshot_of(w->network);
    return w->reports == w->stop_at;
}

/* A stream that gives the same rows at the same position. Its epochs have different rows, and different numbers of rows. */
static int32_t fill(bp_minibatch *m, void *user_data) {
    const fit *f = (const fit *)user_data;
    size_t rows = f->rows >= 12 ? f->rows - (size_t)(m->epoch % 3) : f->rows;
    for (size_t at = (size_t)m->first_row; m->rows < m->capacity && at < rows; at++, m->rows++) {
        size_t row = (at + (size_t)m->epoch) % f->rows;
        memcpy(m->inputs + m->rows * INPUTS, x + row * INPUTS, INPUTS * sizeof *x);
        memcpy(m->targets + m->rows * OUTPUTS, y + row * OUTPUTS, OUTPUTS * sizeof *y);
        if (f->weighted) m->row_weights[m->rows] = weights[row];
    }
    return 0;
}

static int32_t run(const fit *f, bp_network *network, int resume, watcher *w, double *loss) {
    bp_trainer *trainer = trainer_with(f->options);
    int32_t status;
    EXPECT_OK(bp_trainer_set_option(trainer, "resume", resume));
    if (f->weighted && !f->streamed) EXPECT_OK(bp_trainer_set_row_weights(trainer, weights, f->rows));
    if (w) {
        w->network = network;
        EXPECT_OK(bp_trainer_set_option(trainer, "progress_interval", 1));
        EXPECT_OK(bp_trainer_set_progress(trainer, watch, w));
    }
    const float *vx = f->validated ? held_out_x : NULL, *vy = f->validated ? held_out_y : NULL;
    size_t held_out = f->validated ? 9 : 0;
    if (f->streamed) status = bp_trainer_fit_stream(trainer, network, fill, (void *)f, vx, vy, held_out, loss);
    else status = bp_trainer_fit(trainer, network, x, y, f->rows, vx, vy, held_out, loss);
    bp_trainer_free(trainer);
    return status;
}

static int same_loss(double one, double other) { return one == other || (one != one && other != other); }

static size_t fits, streamed, cuts, failed, saved_within, files_with_best;

static void compare(const fit *f, const bp_network *whole, const bp_network *parts, const char *how) {
    if (!EXPECT(snapshot_equal(whole, parts)))
        printf("#   %s: %s; network %d, %s, %s, %d rows, batchnorm %d, dropout %d, weighted %d, validated %d, streamed %d\n",
               how, f->options, (int)f->seed, f->optimizer, f->activation, (int)f->rows, f->batchnorm, f->dropout, f->weighted,
               f->validated, f->streamed);
}

/* Fits in up to four parts, each from the file of the previous part. */
static void cut_and_resume(const fit *f, const bp_network *whole, double whole_loss, size_t reports) {
    bp_network *parts = fresh_network(f);
    double loss = 0;
    int32_t status = BP_STOPPED;
    size_t part = 0;
    for (; status == BP_STOPPED && part < 50; part++) {
        watcher w = {0, 0, 0, NULL, {NULL, 0}};
        snapshot file;
        if (part < 3) w.stop_at = 1 + draw(part == 0 ? reports : reports / 2 + 1);
        status = run(f, parts, part > 0, &w, &loss);
        if (!EXPECT(status == BP_OK || status == BP_STOPPED)) break;
        cuts += status == BP_STOPPED;
        file = snapshot_of(parts);
        bp_network_free(parts);
        parts = loaded(file);
        free(file.bytes);
    }
    EXPECT_OK(status);
    compare(f, whole, parts, "cut");
    if (!EXPECT(same_loss(loss, whole_loss))) printf("#   %g, whole %g: %s\n", loss, whole_loss, f->options);
    bp_network_free(parts);
}

static int contains(snapshot file, const char *word) {
    size_t length = strlen(word);
    for (size_t i = 0; i + length < file.count; i++)
        if (memcmp(file.bytes + i, word, length) == 0) return 1;
    return 0;
}

/* Continues from a file that was saved within the fit, and from one that was saved within the continued fit. */
static void save_within_and_resume(const fit *f, const bp_network *whole, size_t reports) {
    bp_network *network = fresh_network(f);
    for (int part = 0; part < 2; part++) {
        watcher w = {0, 0, 0, NULL, {NULL, 0}};
        w.save_at = 1 + draw(reports);
        EXPECT_OK(run(f, network, part > 0, &w, NULL));
        compare(f, whole, network, "saved within");
        if (!w.saved.count) break; /* the fit made fewer reports */
        saved_within++;
        files_with_best += (size_t)contains(w.saved, "fit.best");
        bp_network_free(network);
        network = loaded(w.saved);
        free(w.saved.bytes);
    }
    EXPECT_OK(run(f, network, 1, NULL, NULL));
    compare(f, whole, network, "resumed from a file saved within");
    bp_network_free(network);
}

static void random_fits_are_resumed_to_the_same_file(void) {
    const char *torture = getenv("TORTURE");
    size_t wanted = torture && *torture == '1' ? 6000 : 700;
    for (size_t i = 0; i < wanted; i++) {
        int before = check_failures;
        bp_network *whole;
        watcher w = {0, 0, 0, NULL, {NULL, 0}};
        double loss = 0;
        int32_t status;
        fit f;
        state = i;
        f = random_fit();
        whole = fresh_network(&f);
        status = run(&f, whole, 0, &w, &loss);
        if (status == BP_OK && w.reports > 0) {
            fits++, streamed += (size_t)f.streamed;
            cut_and_resume(&f, whole, loss, w.reports);
            if (!strstr(f.options, "restarts"))
                save_within_and_resume(&f, whole, w.reports); /* restarts change the network only at the end */
        } else if (status != BP_OK) {
            /* A stream without a number of steps, whose schedule needs it. */
            if (status != BP_ERROR_UNSUPPORTED || !f.streamed) EXPECT_STATUS(status, BP_ERROR_NOT_FINITE);
            failed++;
        }
        bp_network_free(whole);
        if (check_failures > before && check_failures < 20) printf("#   fit %d\n", (int)i);
    }
    printf("# %d fits, %d from streams, %d cuts, %d files saved within, %d with the best network; %d failed\n", (int)fits,
           (int)streamed, (int)cuts, (int)saved_within, (int)files_with_best, (int)failed);
    /* The test covers each case often enough. */
    EXPECT(fits > wanted / 2 && cuts > fits && streamed > fits / 6 && saved_within > fits / 2 && files_with_best > fits / 10);
}

int main(void) {
    check_fill(x, MOST_ROWS * INPUTS, 1);
    check_fill(y, MOST_ROWS * OUTPUTS, 2);
    check_fill(held_out_x, 9 * INPUTS, 3);
    check_fill(held_out_y, 9 * OUTPUTS, 4);
    check_fill(weights, MOST_ROWS, 5);
    for (int i = 0; i < MOST_ROWS; i++) weights[i] = fabsf(weights[i]);
    CLAIM(random_fits_are_resumed_to_the_same_file);
    return check_end();
}
