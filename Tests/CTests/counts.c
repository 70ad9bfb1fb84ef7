/* counts.c: calls with flat parameters or gradients refuse a number of elements other than the network's. */
#include <pthread.h>

#include "check.h"

enum { INPUTS = 3, OUTPUTS = 2, PARAMETERS = 3 * 4 + 4 + 4 * 2 + 2, NORMALIZED = PARAMETERS + 2 * 4, ROWS = 2 };
static const size_t sizes[] = {INPUTS, 4, OUTPUTS};
static const float x[ROWS * INPUTS] = {1, -1, 0.5f, 0.25f, 2, -2}, y[ROWS * OUTPUTS] = {1, 0, 0, 1};

static void wrong_parameter_count_is_refused_and_nothing_is_read_or_written(void) {
    const size_t counts[] = {0, 1, PARAMETERS - 1, PARAMETERS + 1, NORMALIZED, SIZE_MAX / 2 + 1, SIZE_MAX};
    bp_network *network = check_network(sizes, 3, 1);
    snapshot before = snapshot_of(network);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        float *small = (float *)malloc(sizeof(float)); /* a memory checker detects an access beyond it */
        float loss = 7;
        if (!EXPECT(small != NULL)) return;
        *small = 5;
        EXPECT_ERROR(bp_network_get_parameters(network, small, counts[i]), BP_ERROR_MISMATCH);
        EXPECT_MESSAGE("the network has 26 parameters");
        EXPECT_ERROR(bp_network_set_parameters(network, small, counts[i]), BP_ERROR_MISMATCH);
        EXPECT_ERROR(bp_network_gradient(network, x, y, ROWS, small, counts[i], &loss), BP_ERROR_MISMATCH);
        EXPECT_ERROR(bp_network_apply_gradient(network, small, counts[i], 0.5f), BP_ERROR_MISMATCH);
        EXPECT(*small == 5 && loss == 0);
        free(small);
    }
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
    bp_network_free(network);
}

static void parameter_count_follows_batch_normalization(void) {
    bp_network *network = check_network(sizes, 3, 1);
    float values[NORMALIZED];
    EXPECT(count_of(network) == PARAMETERS);
    EXPECT_OK(bp_network_get_parameters(network, values, PARAMETERS));
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    EXPECT(count_of(network) == NORMALIZED);
    EXPECT_ERROR(bp_network_get_parameters(network, values, PARAMETERS), BP_ERROR_MISMATCH);
    EXPECT_OK(bp_network_get_parameters(network, values, NORMALIZED));
    EXPECT_OK(bp_network_fold_batchnorm(network));
    EXPECT_ERROR(bp_network_set_parameters(network, values, NORMALIZED), BP_ERROR_MISMATCH);
    EXPECT_OK(bp_network_set_parameters(network, values, PARAMETERS));
    bp_network_free(network);
}

/* ---- Another thread changes the number between reading it and using it */

enum { TURNS = 2000 };
static bp_network *shared;

static void *toggle(void *failures) {
    for (int i = 0; i < TURNS; i++)
        if (bp_network_set_batchnorm(shared, 1, i % 2 == 0) != BP_OK) ++*(int *)failures;
    return NULL;
}

static void parameter_count_that_another_thread_changed_is_refused(void) {
    pthread_t thread;
    int failures = 0;
    shared = check_network(sizes, 3, 1);
    if (!EXPECT(pthread_create(&thread, NULL, toggle, &failures) == 0)) return;
    for (int i = 0; i < TURNS; i++) {
        size_t count = count_of(shared);
        float *values = (float *)calloc(count, sizeof *values); /* a block of exactly that size */
        int32_t status = BP_OK;
        if (!EXPECT(values != NULL)) break;
        switch (i % 4) {
        case 0: status = bp_network_get_parameters(shared, values, count); break;
        case 1: status = bp_network_set_parameters(shared, values, count); break;
        case 2: status = bp_network_gradient(shared, x, y, ROWS, values, count, NULL); break;
        case 3: status = bp_network_apply_gradient(shared, values, count, 0.1f); break;
        }
        EXPECT(status == BP_OK || status == BP_ERROR_MISMATCH);
        free(values);
    }
    pthread_join(thread, NULL);
    EXPECT(failures == 0);
    bp_network_free(shared);
}

int main(void) {
    CLAIM(wrong_parameter_count_is_refused_and_nothing_is_read_or_written);
    CLAIM(parameter_count_follows_batch_normalization);
    CLAIM(parameter_count_that_another_thread_changed_is_refused);
    return check_end();
}
