/* trainer.h: trainers with options, and a progress function that records all reports. */
#ifndef TRAINER_H
#define TRAINER_H

#include "check.h"

/* Creates a trainer with options given as "name=value" words, separated by spaces. */
static inline bp_trainer *trainer_with(const char *options) {
    bp_trainer *trainer = NULL;
    char word[256];
    int length;
    EXPECT_OK(bp_trainer_create(&trainer));
    for (const char *at = options; sscanf(at, "%255s%n", word, &length) == 1; at += length) {
        char *value = strchr(word, '=');
        if (!EXPECT(value != NULL)) break;
        *value++ = 0;
        EXPECT_OK(bp_trainer_set_option(trainer, word, atof(value)));
    }
    return trainer;
}

enum { TRAINER_RECORDS = 20000 };

/* The recorded reports. `at` counts them. From report number `answer_at` on (counted from 1; 0: never) the progress function
 * returns `answer`. */
typedef struct {
    bp_progress records[TRAINER_RECORDS];
    size_t at, answer_at;
    int32_t answer;
} trainer_log;

static inline int32_t trainer_record(const bp_progress *progress, void *user_data) {
    trainer_log *log = (trainer_log *)user_data;
    if (log->at < TRAINER_RECORDS) log->records[log->at] = *progress;
    log->at++;
    return log->answer_at && log->at >= log->answer_at ? log->answer : 0;
}

static inline void trainer_watch(bp_trainer *trainer, trainer_log *log) {
    log->at = log->answer_at = 0;
    log->answer = 0;
    EXPECT_OK(bp_trainer_set_progress(trainer, trainer_record, log));
}

/* Fits with a new trainer that has these options. Returns the status of the fit. */
static inline int32_t trainer_fit(const char *options, bp_network *network, const float *x, const float *y, size_t rows,
                                  double *loss_out) {
    bp_trainer *trainer = trainer_with(options);
    int32_t status = bp_trainer_fit(trainer, network, x, y, rows, NULL, NULL, 0, loss_out);
    bp_trainer_free(trainer);
    return status;
}

enum { TRAINER_PARAMETERS = 4096 };

static inline int same_parameters(const bp_network *one, const bp_network *other) {
    static float a[TRAINER_PARAMETERS], b[TRAINER_PARAMETERS];
    const size_t count = count_of(one);
    return EXPECT(count > 0 && count <= TRAINER_PARAMETERS) && EXPECT_OK(bp_network_get_parameters(one, a, count)) &&
        EXPECT_OK(bp_network_get_parameters(other, b, count)) && memcmp(a, b, count * sizeof *a) == 0;
}

#endif
