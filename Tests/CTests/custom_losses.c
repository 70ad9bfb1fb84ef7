/* custom_losses.c: registered losses, the built-in losses beside the three of losses.c, and missing targets. */
#include <pthread.h>
#include <string.h>

#include "trainer.h"

static int destroyed;
static void destroy(void *user_data) { (void)user_data, destroyed++; }

typedef struct {
    int32_t code; /* returned */
    size_t calls, rows, columns;
    int wrong; /* whether the gradient is wrong */
} behaviour;

/* 1/2 sum of w (a - y)^2 with targets y and, if a row has more of them, weights w. */
static int32_t weighted(const float *outputs, const float *targets, double *losses, float *gradients, size_t rows,
                        size_t output_count, size_t target_columns, void *user_data) {
    behaviour *own = (behaviour *)user_data;
    own->calls++, own->rows = rows, own->columns = target_columns;
    for (size_t row = 0; row < rows; row++) {
        losses[row] = 0;
        for (size_t k = 0; k < output_count; k++) {
            const float *y = targets + row * target_columns + k, w = target_columns > output_count ? y[output_count] : 1;
            const double e = (double)outputs[row * output_count + k] - (double)*y;
            losses[row] += 0.5 * (double)w * e * e;
            if (gradients) gradients[row * output_count + k] = w * (float)e * (own->wrong ? 2 : 1);
        }
    }
    return own->code;
}

static const size_t sizes[] = {3, 5, 2};
enum { ROWS = 9 };
static float x[ROWS * 3], y[ROWS * 2], wide[ROWS * 4];

static bp_network *network_with(const char *loss) {
    bp_network *network = check_network(sizes, 3, 1);
    EXPECT_OK(bp_network_set_activation(network, 2, strcmp(loss, "poisson") ? "identity" : "softplus"));
    EXPECT_OK(bp_network_set_loss(network, loss));
    return network;
}

static float loss_of(bp_network *network, const float *targets, size_t rows) {
    float loss = -1;
    EXPECT_OK(bp_network_evaluate(network, x, targets, rows, &loss));
    return loss;
}

static void a_registered_squared_error_trains_like_the_built_in_one(void) {
    behaviour own = {0, 0, 0, 0, 0};
    float ours = 0, theirs = 0, a[64], b[64];
    EXPECT_OK(bp_loss_register("mine", 0, weighted, &own, destroy));
    bp_network *mine = network_with("mine"), *built_in = network_with("squared_error");
    for (int step = 0; step < 20; step++) {
        EXPECT_OK(bp_network_train_minibatch(mine, x, y, ROWS, 0.05f, &ours));
        EXPECT_OK(bp_network_train_minibatch(built_in, x, y, ROWS, 0.05f, &theirs));
        EXPECT_NEAR(ours, theirs, 1e-5);
    }
    EXPECT(own.calls == 20 && own.rows == ROWS && own.columns == 2);
    EXPECT_OK(bp_network_get_parameters(mine, a, count_of(mine)));
    EXPECT_OK(bp_network_get_parameters(built_in, b, count_of(built_in)));
    for (size_t i = 0; i < count_of(mine); i++) EXPECT_NEAR(a[i], b[i], 1e-5);
    EXPECT_NEAR(loss_of(mine, y, ROWS), loss_of(built_in, y, ROWS), 1e-5);
    double worst = 1;
    EXPECT_OK(bp_network_check_gradient(mine, x, y, ROWS, &worst));
    EXPECT(worst < 1e-2);
    EXPECT_OK(bp_loss_unregister("mine"));
    destroyed = 0;
    EXPECT_OK(bp_network_train_minibatch(mine, x, y, ROWS, 0.05f, &ours)); /* the network keeps the loss */
    bp_network_free(mine);
    EXPECT(destroyed == 1);
    bp_network_free(built_in);
}

static void a_row_of_targets_can_hold_weights(void) {
    behaviour own = {0, 0, 0, 0, 0};
    float losses[ROWS], loss, expected[ROWS];
    size_t columns = 0;
    double score;
    EXPECT_OK(bp_loss_register("weighted", 4, weighted, &own, destroy));
    bp_network *mine = network_with("weighted"), *built_in = network_with("squared_error");
    EXPECT_OK(bp_network_target_columns(mine, &columns));
    EXPECT(columns == 4);
    for (size_t row = 0; row < ROWS; row++) {
        memcpy(wide + 4 * row, y + 2 * row, 2 * sizeof *y);
        wide[4 * row + 2] = wide[4 * row + 3] = (float)row;
    }
    EXPECT_OK(bp_network_row_losses(mine, x, wide, ROWS, losses));
    EXPECT_OK(bp_network_row_losses(built_in, x, y, ROWS, expected));
    for (size_t row = 0; row < ROWS; row++) EXPECT_NEAR(losses[row], expected[row] * (float)row, 1e-4);
    EXPECT_OK(bp_network_train_step(mine, x, wide + 4, 0.1f, &loss));
    EXPECT_ERROR(bp_network_score(mine, "r2", x, wide, ROWS, &score), BP_ERROR_UNSUPPORTED);
    EXPECT_MESSAGE("a score compares each output with a target, but loss \"weighted\" has target_columns 4");
    EXPECT_ERROR(bp_network_fit_scaling(mine, "none", "standard", x, wide, ROWS), BP_ERROR_INVALID_VALUE);
    bp_trainer *trainer = trainer_with("epochs=1 validation_fraction=0.5 stratify=1");
    EXPECT_ERROR(bp_trainer_fit(trainer, mine, x, wide, ROWS, NULL, NULL, 0, NULL), BP_ERROR_UNSUPPORTED);
    EXPECT_MESSAGE("a row of targets of loss \"weighted\" has 4 numbers");
    EXPECT_OK(bp_trainer_set_option(trainer, "stratify", 0));
    EXPECT_OK(bp_trainer_fit(trainer, mine, x, wide, ROWS, NULL, NULL, 0, NULL));
    bp_trainer_free(trainer);
    EXPECT_OK(bp_network_fit_scaling(mine, "auto", "auto", x, wide, ROWS));
    EXPECT_OK(bp_network_fit_scaling(built_in, "none", "standard", x, y, ROWS));
    EXPECT_ERROR(bp_network_set_loss(built_in, "weighted"), BP_ERROR_INVALID_VALUE);
    bp_network_free(mine);
    bp_network_free(built_in);
    EXPECT_OK(bp_loss_unregister("weighted"));
}

/* ---- Streams */

enum { BATCH = 4, MOST_COLUMNS = 5 };
static float targets_of_rows[ROWS * MOST_COLUMNS];

/* Half the squared error. With fewer targets than outputs, several outputs have the same target. */
static int32_t narrow(const float *outputs, const float *targets, double *losses, float *gradients, size_t rows,
                      size_t output_count, size_t target_columns, void *user_data) {
    (void)user_data;
    for (size_t row = 0; row < rows; row++) {
        losses[row] = 0;
        for (size_t k = 0; k < output_count; k++) {
            const float e = outputs[row * output_count + k] - targets[row * target_columns + k % target_columns];
            losses[row] += 0.5 * (double)e * (double)e;
            if (gradients) gradients[row * output_count + k] = e;
        }
    }
    return 0;
}

static int32_t next_rows(bp_minibatch *minibatch, void *columns) {
    const size_t count = *(const size_t *)columns;
    for (size_t row = (size_t)minibatch->first_row; minibatch->rows < minibatch->capacity && row < ROWS; row++) {
        memcpy(minibatch->inputs + 3 * minibatch->rows, x + 3 * row, 3 * sizeof *x);
        memcpy(minibatch->targets + count * minibatch->rows++, targets_of_rows + count * row, count * sizeof *x);
    }
    return 0;
}

/* Fits from a stream, in one part or, with `cut` steps first, in two. */
static void fit_stream(bp_network *network, size_t columns, int cut) {
    double loss;
    bp_trainer *trainer = trainer_with("epochs=3 batch_size=4 learning_rate=0.05 resume=1");
    if (cut) {
        EXPECT_OK(bp_trainer_set_option(trainer, "steps", cut));
        EXPECT_OK(bp_trainer_fit_stream(trainer, network, next_rows, &columns, x, targets_of_rows, ROWS, &loss));
        EXPECT_OK(bp_trainer_set_option(trainer, "steps", 0));
    }
    EXPECT_OK(bp_trainer_fit_stream(trainer, network, next_rows, &columns, x, targets_of_rows, ROWS, &loss));
    bp_trainer_free(trainer);
}

static void a_stream_trains_a_loss_of_other_target_columns_like_a_loop_of_minibatches(void) {
    static const size_t columns[] = {0, 1, 2, 3, MOST_COLUMNS};
    for (size_t kind = 0; kind < sizeof columns / sizeof columns[0]; kind++) {
        const size_t count = columns[kind] ? columns[kind] : 2;
        EXPECT_OK(bp_loss_register("narrow", columns[kind], narrow, NULL, NULL));
        bp_network *looped = network_with("narrow"), *fitted = network_with("narrow");
        for (int epoch = 0; epoch < 3; epoch++)
            for (size_t i = 0; i < ROWS; i += BATCH)
                EXPECT_OK(bp_network_train_minibatch(looped, x + 3 * i, targets_of_rows + count * i,
                                                     ROWS - i < BATCH ? ROWS - i : BATCH, 0.05f, NULL));
        fit_stream(fitted, count, 0);
        EXPECT(same_parameters(fitted, looped));
        for (int cut = 1; cut < 9; cut++) {
            bp_network *resumed = network_with("narrow");
            fit_stream(resumed, count, cut);
            EXPECT(snapshot_equal(resumed, fitted));
            bp_network_free(resumed);
        }
        bp_network_free(looped);
        bp_network_free(fitted);
        EXPECT_OK(bp_loss_unregister("narrow"));
    }
}

/* ---- Threads */

enum { THREADS = 4 };
static bp_network *read_by_all, *fitted_alone;
static float loss_alone;

static void *fit_and_evaluate(void *unused) {
    bp_network *network = network_with("narrow");
    for (int i = 0; i < 10; i++) EXPECT(loss_of(read_by_all, targets_of_rows, ROWS) == loss_alone);
    fit_stream(network, MOST_COLUMNS, 3);
    EXPECT(snapshot_equal(network, fitted_alone));
    bp_network_free(network);
    return unused;
}

static void threads_that_use_a_loss_at_the_same_time_have_the_same_results(void) {
    pthread_t threads[THREADS];
    destroyed = 0;
    EXPECT_OK(bp_loss_register("narrow", MOST_COLUMNS, narrow, NULL, destroy));
    read_by_all = network_with("narrow"), fitted_alone = network_with("narrow");
    loss_alone = loss_of(read_by_all, targets_of_rows, ROWS);
    fit_stream(fitted_alone, MOST_COLUMNS, 0);
    for (int i = 0; i < THREADS; i++) EXPECT(pthread_create(&threads[i], NULL, fit_and_evaluate, NULL) == 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    EXPECT_OK(bp_loss_unregister("narrow"));
    bp_network_free(read_by_all);
    EXPECT(destroyed == 0);
    bp_network_free(fitted_alone);
    EXPECT(destroyed == 1);
}

static void a_loss_that_fails_changes_nothing(void) {
    behaviour own = {7, 0, 0, 0, 0};
    float loss;
    double fitted;
    bp_trainer *trainer;
    EXPECT_OK(bp_loss_register("failing", 0, weighted, &own, NULL));
    bp_network *network = network_with("failing");
    snapshot before = snapshot_of(network);
    EXPECT_ERROR(bp_network_train_minibatch(network, x, y, ROWS, 0.1f, &loss), BP_ERROR_CALLBACK);
    EXPECT(strstr(bp_last_error_message(), "loss \"failing\" failed with code 7") != NULL);
    EXPECT_ERROR(bp_network_evaluate(network, x, y, ROWS, &loss), BP_ERROR_CALLBACK);
    EXPECT_OK(bp_trainer_create(&trainer));
    EXPECT_ERROR(bp_trainer_fit(trainer, network, x, y, ROWS, NULL, NULL, 0, &fitted), BP_ERROR_CALLBACK);
    EXPECT(snapshot_holds(before, network));
    own.code = 0;
    EXPECT_OK(bp_trainer_set_option(trainer, "restarts", 3));
    EXPECT_OK(bp_trainer_set_option(trainer, "validation_fraction", 0.3));
    EXPECT_OK(bp_trainer_fit(trainer, network, x, y, ROWS, NULL, NULL, 0, &fitted));
    bp_trainer_free(trainer);
    free(before.bytes);
    bp_network_free(network);
    EXPECT_OK(bp_loss_unregister("failing"));
}

static void a_file_keeps_the_name_of_a_registered_loss(void) {
    behaviour own = {0, 0, 0, 0, 0};
    char name[65];
    size_t needed;
    bp_network *loaded;
    EXPECT_OK(bp_loss_register("kept", 0, weighted, &own, NULL));
    bp_network *network = network_with("kept");
    snapshot model = snapshot_of(network);
    bp_network_free(network);
    EXPECT_OK(bp_network_load_memory(model.bytes, model.count, &loaded));
    EXPECT_OK(bp_network_get_loss(loaded, name, sizeof name, &needed));
    EXPECT(strcmp(name, "kept") == 0);
    bp_network_free(loaded);
    EXPECT_OK(bp_loss_unregister("kept"));
    free(model.bytes);
}

static void a_model_whose_loss_is_not_registered_predicts_and_trains_once_it_is(void) {
    behaviour own = {0, 0, 0, 0, 0};
    char name[65];
    float before[ROWS * 2], after[ROWS * 2], losses[ROWS], gradient[64], loss;
    double worst;
    size_t needed, columns = 0;
    bp_network *loaded, *clone;
    bp_predictor *predictor;
    EXPECT_OK(bp_loss_register("later", 4, weighted, &own, NULL));
    bp_network *network = network_with("later");
    EXPECT_OK(bp_network_predict(network, x, ROWS, before));
    snapshot model = snapshot_of(network);
    EXPECT_OK(bp_loss_unregister("later"));
    EXPECT_OK(bp_network_load_memory(model.bytes, model.count, &loaded));
    EXPECT(snapshot_holds(model, loaded));
    EXPECT_OK(bp_network_get_loss(loaded, name, sizeof name, &needed));
    EXPECT(strcmp(name, "later") == 0);
    EXPECT_OK(bp_network_target_columns(loaded, &columns));
    EXPECT(columns == 4);
    EXPECT_OK(bp_network_predict(loaded, x, ROWS, after));
    EXPECT(memcmp(before, after, sizeof before) == 0);
    EXPECT_OK(bp_predictor_create(loaded, &predictor));
    bp_predictor_free(predictor);
    EXPECT_OK(bp_network_clone(loaded, &clone));
    const size_t count = count_of(loaded);
    bp_trainer *trainer = trainer_with("epochs=2 restarts=2");
    for (int wrong = 0; wrong < 2; wrong++) { /* not registered, or with other columns */
        const int32_t error = BP_ERROR_UNKNOWN_NAME;
        if (wrong) EXPECT_OK(bp_loss_register("later", 3, weighted, &own, NULL));
        EXPECT_ERROR(bp_network_train_step(loaded, x, wide, 0.1f, &loss), error);
        EXPECT_MESSAGE("the model's loss \"later\" with target_columns 4 is not registered: register it, or set another");
        EXPECT_ERROR(bp_network_train_minibatch(loaded, x, wide, ROWS, 0.1f, &loss), error);
        EXPECT_ERROR(bp_network_gradient(loaded, x, wide, ROWS, gradient, count, &loss), error);
        EXPECT_ERROR(bp_network_check_gradient(loaded, x, wide, ROWS, &worst), error);
        EXPECT_ERROR(bp_network_evaluate(loaded, x, wide, ROWS, &loss), error);
        EXPECT_ERROR(bp_network_row_losses(loaded, x, wide, ROWS, losses), error);
        EXPECT_ERROR(bp_network_check_settings(loaded, NULL, 0), error);
        EXPECT_ERROR(bp_trainer_fit(trainer, loaded, x, wide, ROWS, NULL, NULL, 0, NULL), error);
        EXPECT(own.calls == 0 && snapshot_holds(model, loaded));
        if (wrong) EXPECT_OK(bp_loss_unregister("later"));
    }
    EXPECT_OK(bp_loss_register("later", 4, weighted, &own, NULL));
    EXPECT_OK(bp_network_train_minibatch(network, x, wide, ROWS, 0.1f, &loss));
    EXPECT_OK(bp_network_train_minibatch(loaded, x, wide, ROWS, 0.1f, &loss));
    EXPECT(snapshot_equal(network, loaded));
    EXPECT_OK(bp_trainer_fit(trainer, clone, x, wide, ROWS, NULL, NULL, 0, NULL));
    EXPECT_OK(bp_loss_unregister("later"));
    EXPECT_OK(bp_network_set_loss(loaded, "huber")); /* the remedy without the loss */
    EXPECT_OK(bp_network_train_minibatch(loaded, x, y, ROWS, 0.1f, &loss));
    bp_trainer_free(trainer);
    bp_network_free(network);
    bp_network_free(loaded);
    bp_network_free(clone);
    free(model.bytes);
}

static void names_of_losses_are_checked_and_listed(void) {
    behaviour own = {0, 0, 0, 0, 0};
    char name[65];
    size_t needed;
    destroyed = 0;
    EXPECT_ERROR(bp_loss_register("huber", 0, weighted, &own, destroy), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_loss_register("Huber", 0, weighted, &own, destroy), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_loss_register("mine", SIZE_MAX, weighted, &own, destroy), BP_ERROR_LIMIT);
    EXPECT_ERROR(bp_loss_unregister("huber"), BP_ERROR_UNSUPPORTED);
    EXPECT_ERROR(bp_loss_unregister("mine"), BP_ERROR_UNKNOWN_NAME);
    EXPECT(destroyed == 0);
    EXPECT_OK(bp_loss_register("tanh", 0, weighted, &own, destroy)); /* an activation's name is free */
    EXPECT_ERROR(bp_loss_register("tanh", 0, weighted, &own, destroy), BP_ERROR_INVALID_VALUE);
    EXPECT_OK(bp_loss_name(8, name, sizeof name, &needed));
    EXPECT(strcmp(name, "tanh") == 0);
    EXPECT_OK(bp_loss_unregister("tanh"));
    EXPECT(destroyed == 1);
    bp_network *network = check_network(sizes, 3, 1);
    EXPECT_ERROR(bp_network_set_loss(network, "mae"), BP_ERROR_UNKNOWN_NAME);
    EXPECT(strstr(bp_last_error_message(), "\"absolute_error\"") != NULL);
    bp_network_free(network);
}

static void the_check_of_a_loss_detects_a_wrong_gradient(void) {
    behaviour own = {0, 0, 0, 0, 0};
    double worst = 1;
    EXPECT_OK(bp_loss_register("checked", 0, weighted, &own, NULL));
    EXPECT_OK(bp_loss_check("checked", y, x, ROWS, 2, &worst));
    EXPECT(worst < 1e-3);
    own.wrong = 1;
    EXPECT_OK(bp_loss_check("checked", y, x, ROWS, 2, &worst));
    EXPECT(worst > 0.1);
    own.code = 3;
    EXPECT_ERROR(bp_loss_check("checked", y, x, ROWS, 2, &worst), BP_ERROR_CALLBACK);
    EXPECT_ERROR(bp_loss_check("huber", y, x, ROWS, 2, &worst), BP_ERROR_UNSUPPORTED);
    EXPECT_OK(bp_loss_unregister("checked"));
}

static double term(const char *loss, double a, double target) {
    const double e = a - target, size = fabs(e);
    if (!strcmp(loss, "absolute_error")) return size;
    if (!strcmp(loss, "huber")) return size < 0.25 ? e * e / 2 : 0.25 * (size - 0.125);
    if (!strcmp(loss, "log_cosh")) return log(cosh(e));
    if (!strcmp(loss, "quantile")) return fmax(0.9 * -e, 0.1 * e);
    if (!strcmp(loss, "poisson")) return a - target * log(a);
    return e * e / 2;
}

/* The value from the formula, the gradient from check_gradient, with missing targets and without. */
static void losses_match_their_formulas_with_and_without_missing_targets(void) {
    static const char *const losses[] = {"squared_error", "absolute_error", "huber", "log_cosh", "quantile", "poisson"};
    for (size_t kind = 0; kind < 6; kind++)
        for (int missing = 0; missing < 2; missing++) {
            float targets[ROWS * 2], outputs[ROWS * 2], loss;
            double expected = 0, worst = 1;
            bp_network *network = network_with(losses[kind]);
            EXPECT_OK(bp_network_set_option(network, "huber_delta", 0.25));
            EXPECT_OK(bp_network_set_option(network, "quantile", 0.9));
            EXPECT_OK(bp_network_set_option(network, "missing_targets", missing));
            EXPECT_OK(bp_network_predict(network, x, ROWS, outputs));
            for (int i = 0; i < ROWS * 2; i++) {
                targets[i] = missing && (i % 5 == 0 || i / 2 == 3) ? NAN : fabsf(y[i]);
                if (!isnan(targets[i])) expected += term(losses[kind], (double)outputs[i], (double)targets[i]);
            }
            EXPECT_OK(bp_network_evaluate(network, x, targets, ROWS, &loss));
            if (!EXPECT_NEAR(loss, expected, 1e-5)) printf("#   %s, missing %d\n", losses[kind], missing);
            EXPECT_OK(bp_network_check_gradient(network, x, targets, ROWS, &worst));
            if (!EXPECT(worst < 2e-2)) printf("#   %s, missing %d: %g\n", losses[kind], missing, worst);
            bp_network_free(network);
        }
}

static void cross_entropies_ignore_missing_targets(void) {
    for (int categorical = 0; categorical < 2; categorical++) {
        float targets[ROWS * 2], losses[ROWS], expected[ROWS], outputs[ROWS * 2];
        double worst = 1;
        bp_network *network = check_network(sizes, 3, 1);
        EXPECT_OK(bp_network_set_activation(network, 2, categorical ? "softmax" : "logistic"));
        EXPECT_OK(bp_network_set_loss(network, categorical ? "cross_entropy" : "binary_cross_entropy"));
        EXPECT_OK(bp_network_set_option(network, "missing_targets", 1));
        EXPECT_OK(bp_network_predict(network, x, ROWS, outputs));
        for (int i = 0; i < ROWS * 2; i++) targets[i] = i % 3 == 0 ? NAN : (float)(i % 2);
        for (int row = 0; row < ROWS; row++) {
            expected[row] = 0;
            for (int i = 2 * row; i < 2 * row + 2; i++)
                if (!isnan(targets[i]))
                    expected[row] -= targets[i] * logf(outputs[i]) +
                        (categorical ? 0 : (1 - targets[i]) * logf(1 - outputs[i]));
        }
        EXPECT_OK(bp_network_row_losses(network, x, targets, ROWS, losses));
        for (int row = 0; row < ROWS; row++) EXPECT_NEAR(losses[row], expected[row], 1e-5);
        EXPECT_OK(bp_network_check_gradient(network, x, targets, ROWS, &worst));
        EXPECT(worst < 1e-2);
        bp_network_free(network);
    }
}

static void missing_targets_count_for_nothing_in_scores_and_scaling(void) {
    const size_t line[] = {1, 1};
    const float through[] = {1, 0}, inputs[] = {1, 2, 3, 4}, targets[] = {1, NAN, 4, NAN}, none[] = {NAN, NAN, NAN, NAN};
    const float infinite[] = {1, INFINITY, 1, 1};
    float offset, after[2], loss;
    double score = 9;
    bp_network *network = check_network(line, 2, 1);
    EXPECT_OK(bp_network_set_activation(network, 1, "identity"));
    EXPECT_OK(bp_network_set_parameters(network, through, 2));
    EXPECT_ERROR(bp_network_evaluate(network, inputs, targets, 4, &loss), BP_ERROR_NOT_FINITE);
    EXPECT_OK(bp_network_set_option(network, "missing_targets", 1));
    EXPECT_OK(bp_network_score(network, "mean_absolute_error", inputs, targets, 4, &score));
    EXPECT_NEAR(score, 0.5, 1e-12);
    EXPECT_OK(bp_network_score(network, "r2", inputs, targets, 4, &score));
    EXPECT_NEAR(score, 1 - 1 / 4.5, 1e-12);
    EXPECT_ERROR(bp_network_score(network, "r2", inputs, none, 4, &score), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_network_evaluate(network, inputs, infinite, 4, &loss), BP_ERROR_NOT_FINITE);
    EXPECT_OK(bp_network_train_minibatch(network, inputs, none, 4, 0.1f, &loss)); /* nothing to learn */
    EXPECT_OK(bp_network_get_parameters(network, after, 2));
    EXPECT(loss == 0 && after[0] == 1 && after[1] == 0);
    EXPECT_OK(bp_network_fit_scaling(network, "none", "standard", inputs, targets, 4));
    EXPECT_OK(bp_network_get_tensor(network, "scaling.targets.offset", &offset, 1));
    EXPECT(offset == 2.5f);
    bp_network_free(network);
}

int main(void) {
    check_fill(x, ROWS * 3, 1);
    check_fill(y, ROWS * 2, 2);
    check_fill(targets_of_rows, ROWS * MOST_COLUMNS, 3);
    CLAIM(a_registered_squared_error_trains_like_the_built_in_one);
    CLAIM(a_row_of_targets_can_hold_weights);
    CLAIM(a_stream_trains_a_loss_of_other_target_columns_like_a_loop_of_minibatches);
    CLAIM(threads_that_use_a_loss_at_the_same_time_have_the_same_results);
    CLAIM(a_loss_that_fails_changes_nothing);
    CLAIM(a_file_keeps_the_name_of_a_registered_loss);
    CLAIM(a_model_whose_loss_is_not_registered_predicts_and_trains_once_it_is);
    CLAIM(names_of_losses_are_checked_and_listed);
    CLAIM(the_check_of_a_loss_detects_a_wrong_gradient);
    CLAIM(losses_match_their_formulas_with_and_without_missing_targets);
    CLAIM(cross_entropies_ignore_missing_targets);
    CLAIM(missing_targets_count_for_nothing_in_scores_and_scaling);
    return check_end();
}
