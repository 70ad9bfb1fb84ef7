/* stratify.c: option "stratify". The target of a row of class c is one of 1, 16, 256: its half square, the loss of a network
 * whose outputs are 0, gives the number of validation rows of each class. */
#include "trainer.h"

enum { MOST = 240 };
static float x[MOST], y[MOST * 3];

/* A network of one layer whose weights are 0, and stay 0 with learning rate 0. */
static bp_network *zero_network(size_t outputs) {
    const size_t sizes[] = {1, outputs};
    float zeros[8] = {0};
    bp_network *network = check_network(sizes, 2, 1);
    EXPECT_OK(bp_network_set_activation(network, 1, "identity"));
    EXPECT_OK(bp_network_set_parameters(network, zeros, count_of(network)));
    return network;
}

static const char options[] = "epochs=1 learning_rate=0 stratify=1 validation_fraction=";

/* Fits rows of three classes, of these numbers, and returns the losses of the training rows and of the validation rows. */
static int32_t split(const size_t *numbers, const char *fraction, int seed, double *training, double *validation) {
    static trainer_log log_;
    static const float values[] = {1, 16, 256};
    char text[100];
    size_t rows = 0, left[3] = {numbers[0], numbers[1], numbers[2]};
    bp_network *network = zero_network(3);
    memset(y, 0, sizeof y);
    for (size_t c = 0; left[0] + left[1] + left[2] > 0; c = (c + 1) % 3) /* the classes are mixed */
        if (left[c]) y[3 * rows + c] = values[c], left[c]--, rows++;
    snprintf(text, sizeof text, "%s%s seed=%d", options, fraction, seed);
    bp_trainer *trainer = trainer_with(text);
    trainer_watch(trainer, &log_);
    int32_t status = bp_trainer_fit(trainer, network, x, y, rows, NULL, NULL, 0, NULL);
    *training = log_.records[0].loss, *validation = log_.records[0].validation_loss;
    bp_trainer_free(trainer);
    bp_network_free(network);
    return status;
}

/* The mean loss of rows of three classes, of these numbers. */
static double mean_of(double a, double b, double c) { return (a * 0.5 + b * 128 + c * 32768) / (a + b + c); }

static void every_class_has_the_same_share_of_validation_rows(void) {
    static const struct {
        const char *fraction;
        size_t rows[3], held_out[3];
    } cases[] = {{"0.25", {100, 40, 4}, {25, 10, 1}},
                 {"0.5", {2, 100, 50}, {1, 50, 25}},
                 {"0.1", {120, 80, 2}, {12, 8, 1}}, /* at least one row */
                 {"0.99", {3, 4, 50}, {2, 3, 49}},  /* at most all rows but one */
                 {"0.3", {10, 5, 8}, {3, 2, 2}}};   /* 1.5 is rounded to 2, and 2.4 to 2 */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int seed = 0; seed < 20; seed++) {
            const size_t *n = cases[i].rows, *v = cases[i].held_out;
            double training, validation;
            EXPECT_OK(split(n, cases[i].fraction, seed, &training, &validation));
            EXPECT_NEAR(validation, mean_of((double)v[0], (double)v[1], (double)v[2]), 1e-2);
            EXPECT_NEAR(training, mean_of((double)(n[0] - v[0]), (double)(n[1] - v[1]), (double)(n[2] - v[2])), 1e-2);
        }
}

/* Without the option, the shares differ from seed to seed. */
static void shares_vary_without_the_option(void) {
    int others = 0;
    for (int seed = 0; seed < 20; seed++) {
        static trainer_log log_;
        char text[100];
        bp_network *network = zero_network(1);
        for (size_t i = 0; i < 100; i++) y[i] = i % 5 == 0 ? 16 : 1;
        for (int stratify = 0; stratify < 2; stratify++) {
            snprintf(text, sizeof text, "epochs=1 learning_rate=0 validation_fraction=0.2 seed=%d stratify=%d", seed, stratify);
            bp_trainer *trainer = trainer_with(text);
            trainer_watch(trainer, &log_);
            int32_t status = bp_trainer_fit(trainer, network, x, y, 100, NULL, NULL, 0, NULL);
            /* One output: both targets are above 0.5, so that there is one class. */
            EXPECT_STATUS(status, stratify ? BP_WARNING_MISSING_CLASS : BP_OK);
            others += fabs(log_.records[0].validation_loss - (16 * 0.5 + 4 * 128) / 20) > 1;
            bp_trainer_free(trainer);
        }
        bp_network_free(network);
    }
    EXPECT(others > 10);
}

static void one_output_has_two_classes_above_and_not_above_one_half(void) {
    static trainer_log log_;
    for (int seed = 0; seed < 20; seed++) {
        char text[100];
        bp_network *network = zero_network(1);
        for (size_t i = 0; i < 40; i++) y[i] = i < 8 ? 1 : 0.5f;
        snprintf(text, sizeof text, "%s0.25 seed=%d", options, seed);
        bp_trainer *trainer = trainer_with(text);
        trainer_watch(trainer, &log_);
        EXPECT_OK(bp_trainer_fit(trainer, network, x, y, 40, NULL, NULL, 0, NULL));
        EXPECT_NEAR(log_.records[0].validation_loss, (2 * 0.5 + 8 * 0.125) / 10, 1e-6);
        bp_trainer_free(trainer);
        bp_network_free(network);
    }
}

/* Rows of class 0 lack the target of column 1 or 2, whose value does not matter. */
static void missing_targets_do_not_count_for_the_class_of_a_row(void) {
    static trainer_log log_;
    for (int seed = 0; seed < 20; seed++) {
        char text[100];
        bp_network *network = zero_network(3);
        EXPECT_OK(bp_network_set_option(network, "missing_targets", 1));
        memset(y, 0, sizeof y);
        for (size_t i = 0; i < 40; i++) {
            y[3 * i + i % 2] = i % 2 ? 16 : 1;
            if (i % 2 == 0) y[3 * i + 1 + i / 2 % 2] = NAN;
        }
        for (size_t i = 40; i < 44; i++) y[3 * i] = y[3 * i + 1] = NAN, y[3 * i + 2] = -256; /* class 2: the only target */
        snprintf(text, sizeof text, "%s0.25 seed=%d", options, seed);
        bp_trainer *trainer = trainer_with(text);
        trainer_watch(trainer, &log_);
        EXPECT_OK(bp_trainer_fit(trainer, network, x, y, 44, NULL, NULL, 0, NULL));
        EXPECT_NEAR(log_.records[0].validation_loss, mean_of(5, 5, 1), 1e-2);
        bp_trainer_free(trainer);
        bp_network_free(network);
    }
}

/* The rows of a class differ, so that a validation loss shows which of them are held out. */
static double loss_of_split(int seed, size_t restarts) {
    char text[100];
    double loss = 0;
    bp_network *network = zero_network(2);
    for (size_t i = 0; i < 60; i++) y[2 * i] = i % 2 ? (float)i : 0, y[2 * i + 1] = i % 2 ? 0 : (float)(i + 1);
    snprintf(text, sizeof text, "%s0.2 seed=%d keep=1 restarts=%d", options, seed, (int)restarts);
    EXPECT_OK(trainer_fit(text, network, x, y, 60, &loss));
    bp_network_free(network);
    return loss;
}

static void split_depends_on_the_seed_only(void) {
    int different = 0;
    for (int seed = 0; seed < 10; seed++) {
        EXPECT(loss_of_split(seed, 0) == loss_of_split(seed, 0));
        different += loss_of_split(seed, 0) != loss_of_split(seed + 1, 0);
    }
    EXPECT(different >= 9);
}

static void class_of_fewer_than_two_rows_is_a_warning_and_the_fit_is_complete(void) {
    const size_t one_row[] = {10, 1, 10}, no_row[] = {10, 10, 0};
    double training, validation;
    EXPECT_STATUS(split(one_row, "0.2", 1, &training, &validation), BP_WARNING_MISSING_CLASS);
    EXPECT_MESSAGE("class 1 ");
    EXPECT_NEAR(validation, mean_of(2, 0, 2), 1e-2);
    EXPECT_NEAR(training, mean_of(8, 1, 8), 1e-2); /* the single row is trained on */
    EXPECT_STATUS(split(no_row, "0.2", 1, &training, &validation), BP_WARNING_MISSING_CLASS);
    EXPECT_MESSAGE("class 2 ");
    EXPECT(strcmp(bp_status_name(BP_WARNING_MISSING_CLASS), "BP_WARNING_MISSING_CLASS") == 0);

    bp_network *network = zero_network(1), *untrained = zero_network(1);
    bp_trainer *trainer = trainer_with("epochs=3 stratify=1 validation_fraction=0.2");
    double loss = 0;
    trainer_log *log_ = (trainer_log *)malloc(sizeof *log_);
    for (size_t i = 0; i < 20; i++) y[i] = 1;
    EXPECT_STATUS(bp_trainer_fit(trainer, network, x, y, 20, NULL, NULL, 0, &loss), BP_WARNING_MISSING_CLASS);
    EXPECT(loss > 0 && !same_parameters(network, untrained));
    trainer_watch(trainer, log_);
    log_->answer_at = 2, log_->answer = 1;
    EXPECT_STATUS(bp_trainer_fit(trainer, network, x, y, 20, NULL, NULL, 0, &loss), BP_STOPPED);
    free(log_);
    bp_trainer_free(trainer);
    bp_network_free(network);
    bp_network_free(untrained);
}

static void classes_of_a_single_row_are_refused_and_change_nothing(void) {
    const size_t single[] = {1, 1, 1};
    double training, validation;
    EXPECT_ERROR(split(single, "0.5", 1, &training, &validation), BP_ERROR_INVALID_VALUE);
    EXPECT_MESSAGE("stratify");
}

static void option_has_no_effect_without_a_split(void) {
    for (int validated = 0; validated < 2; validated++) {
        bp_network *network = zero_network(1), *other = zero_network(1);
        bp_trainer *trainer = trainer_with("epochs=3 stratify=1"), *plain = trainer_with("epochs=3");
        const float *v = validated ? x : NULL, *w = validated ? y : NULL;
        for (size_t i = 0; i < 20; i++) y[i] = 1;
        if (validated) EXPECT_OK(bp_trainer_set_option(trainer, "validation_fraction", 0.5));
        EXPECT_OK(bp_trainer_fit(trainer, network, x, y, 20, v, w, validated ? 5 : 0, NULL));
        EXPECT_OK(bp_trainer_fit(plain, other, x, y, 20, v, w, validated ? 5 : 0, NULL));
        EXPECT(same_parameters(network, other));
        bp_trainer_free(trainer), bp_trainer_free(plain);
        bp_network_free(network), bp_network_free(other);
    }
}

int main(void) {
    check_fill(x, MOST, 1);
    CLAIM(every_class_has_the_same_share_of_validation_rows);
    CLAIM(shares_vary_without_the_option);
    CLAIM(one_output_has_two_classes_above_and_not_above_one_half);
    CLAIM(missing_targets_do_not_count_for_the_class_of_a_row);
    CLAIM(split_depends_on_the_seed_only);
    CLAIM(class_of_fewer_than_two_rows_is_a_warning_and_the_fit_is_complete);
    CLAIM(classes_of_a_single_row_are_refused_and_change_nothing);
    CLAIM(option_has_no_effect_without_a_split);
    return check_end();
}
