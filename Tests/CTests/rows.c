/* rows.c: the functions that take bp_rows. bindings/python/tests/test_rows.py compares all types, layouts and calls with NumPy;
 * this file has what only C can pass, and the memory that a fit needs. */
#define _GNU_SOURCE /* MAP_ANONYMOUS, MAP_NORESERVE, feenableexcept */
#include <fenv.h>
#include <sys/mman.h>

#include "check.h"
#include "flush.h"
#include "heap.h"

enum { ROWS = 60, INPUTS = 3, OUTPUTS = 2 };
static const size_t sizes[] = {INPUTS, 6, OUTPUTS};
static float x[ROWS * INPUTS], y[ROWS * OUTPUTS], weights[ROWS];
static double wide_x[ROWS * INPUTS], wide_y[ROWS * OUTPUTS]; /* the same numbers, column-major */
static bp_rows xs = {sizeof(bp_rows), BP_DOUBLE, wide_x, ROWS, INPUTS, 8, 8 * ROWS, 0, 0, NULL};
static bp_rows ys = {sizeof(bp_rows), BP_DOUBLE, wide_y, ROWS, OUTPUTS, 8, 8 * ROWS, 0, 0, NULL};

static void make_data(void) {
    check_fill(x, ROWS * INPUTS, 1);
    check_fill(y, ROWS * OUTPUTS, 2);
    for (int r = 0; r < ROWS; r++) {
        weights[r] = (float)(r % 4);
        for (int c = 0; c < INPUTS; c++) wide_x[c * ROWS + r] = (double)x[r * INPUTS + c];
        for (int c = 0; c < OUTPUTS; c++) wide_y[c * ROWS + r] = (double)y[r * OUTPUTS + c];
    }
}

static bp_network *prepared(void) {
    bp_network *network = check_network(sizes, 3, 4);
    EXPECT_OK(bp_network_set_activation(network, 1, "tanh"));
    EXPECT_OK(bp_network_set_activation(network, 2, "identity"));
    return network;
}

static bp_trainer *short_trainer(void) {
    bp_trainer *trainer;
    EXPECT_OK(bp_trainer_create(&trainer));
    EXPECT_OK(bp_trainer_set_option(trainer, "epochs", 2));
    EXPECT_OK(bp_trainer_set_option(trainer, "learning_rate", 0.01));
    EXPECT_OK(bp_trainer_set_option(trainer, "validation_fraction", 0.2));
    return trainer;
}

static void floats_without_gaps_give_the_bits_of_the_plain_functions(void) {
    const bp_rows fx = {sizeof fx, BP_FLOAT, x, ROWS, INPUTS, 0, 0, 0, 0, NULL};
    const bp_rows fy = {sizeof fy, BP_FLOAT, y, ROWS, OUTPUTS, 4 * OUTPUTS, 4, 0, 0, NULL};
    for (int scaled = 0; scaled < 2; scaled++) {
        bp_network *one = prepared(), *other = prepared();
        bp_trainer *trainer = short_trainer();
        float a[ROWS * OUTPUTS], b[ROWS * OUTPUTS], la, lb;
        double sa, sb;
        if (scaled) {
            EXPECT_OK(bp_network_fit_scaling(one, "standard", "standard", x, y, ROWS));
            EXPECT_OK(bp_network_fit_scaling_rows(other, "standard", "standard", &fx, &fy));
        }
        EXPECT_OK(bp_network_train_minibatch(one, x, y, ROWS, 0.01f, &la));
        EXPECT_OK(bp_network_train_rows(other, &fx, &fy, 0.01f, &lb));
        EXPECT(la == lb);
        EXPECT_OK(bp_trainer_fit(trainer, one, x, y, ROWS, NULL, NULL, 0, &sa));
        EXPECT_OK(bp_trainer_fit_rows(trainer, other, &fx, &fy, NULL, NULL, &sb));
        EXPECT(sa == sb);
        EXPECT_OK(bp_network_evaluate(one, x, y, ROWS, &la));
        EXPECT_OK(bp_network_evaluate_rows(other, &fx, &fy, &lb));
        EXPECT(la == lb);
        EXPECT_OK(bp_network_score(one, "r2", x, y, ROWS, &sa));
        EXPECT_OK(bp_network_score_rows(other, "r2", &fx, &fy, &sb));
        EXPECT(sa == sb);
        EXPECT_OK(bp_network_predict(one, x, ROWS, a));
        EXPECT_OK(bp_network_predict_rows(other, &fx, b, BP_FLOAT, 0, 0));
        EXPECT(memcmp(a, b, sizeof(float) * (ROWS * OUTPUTS)) == 0);
        EXPECT(snapshot_equal(one, other));
        bp_trainer_free(trainer);
        bp_network_free(one), bp_network_free(other);
    }
}

static void outputs_are_stored_at_any_strides_and_addresses(void) {
    static char memory[8 * ROWS * OUTPUTS * 3 + 1];
    bp_network *network = prepared();
    float plain[ROWS * OUTPUTS];
    EXPECT_OK(bp_network_predict(network, x, ROWS, plain));
    for (int32_t type = BP_FLOAT; type <= BP_DOUBLE; type++) {
        const ptrdiff_t w = type == BP_DOUBLE ? 8 : 4;
        const ptrdiff_t strides[][2] = {{w * OUTPUTS, w}, {w, w * ROWS}, {3 * w * OUTPUTS, 2 * w}, {-w * OUTPUTS, w}};
        for (size_t k = 0; k < sizeof strides / sizeof strides[0]; k++)
            for (int shift = 0; shift < 2; shift++) {
                char *start = memory + shift + (strides[k][0] < 0 ? w * OUTPUTS * (ROWS - 1) : 0);
                memset(memory, 0x5A, sizeof memory);
                EXPECT_OK(bp_network_predict_rows(network, &xs, start, type, strides[k][0], strides[k][1]));
                for (ptrdiff_t r = 0; r < ROWS; r++)
                    for (ptrdiff_t c = 0; c < OUTPUTS; c++) {
                        char *at = start + r * strides[k][0] + c * strides[k][1];
                        float f;
                        double d;
                        memcpy(&f, at, sizeof f), memcpy(&d, at, sizeof d);
                        EXPECT((type == BP_DOUBLE ? d : (double)f) == (double)plain[r * OUTPUTS + c]);
                        memset(at, 0x5A, (size_t)w);
                    }
                for (size_t i = 0; i < sizeof memory; i++) EXPECT(memory[i] == 0x5A);
            }
    }
    bp_network_free(network);
}

static void integers_have_a_scale_and_a_zero_point(void) {
    static int8_t bytes[ROWS * INPUTS];
    static uint8_t unsigned_bytes[ROWS * INPUTS];
    static float a[ROWS * INPUTS], b[ROWS * INPUTS], one[ROWS * OUTPUTS], other[ROWS * OUTPUTS];
    bp_network *network = prepared();
    for (int i = 0; i < ROWS * INPUTS; i++) {
        bytes[i] = (int8_t)(i * 37), unsigned_bytes[i] = (uint8_t)(i * 53);
        a[i] = 0.1f * (float)(bytes[i] + 7), b[i] = 0.003f * (float)(unsigned_bytes[i] - 128);
    }
    const bp_rows from[] = {{sizeof(bp_rows), BP_INT8, bytes, ROWS, INPUTS, 0, 0, 0.1f, -7, NULL},
                            {sizeof(bp_rows), BP_UINT8, unsigned_bytes, ROWS, INPUTS, 0, 0, 0.003f, 128, NULL}};
    for (int k = 0; k < 2; k++) {
        EXPECT_OK(bp_network_predict(network, k ? b : a, ROWS, one));
        EXPECT_OK(bp_network_predict_rows(network, &from[k], other, BP_FLOAT, 0, 0));
        EXPECT(memcmp(one, other, sizeof(float) * (ROWS * OUTPUTS)) == 0);
    }
    bp_network_free(network);
}

/* All functions with rows return `status`, and change nothing. */
static void expect_refused(const bp_rows *inputs, const bp_rows *targets, int32_t status) {
    bp_network *network = prepared();
    bp_trainer *trainer = short_trainer();
    snapshot before = snapshot_of(network);
    float loss = 1;
    double score = 1;
    EXPECT(bp_network_train_rows(network, inputs, targets, 0.1f, &loss) == status && check_message() && loss == 0);
    EXPECT(bp_network_evaluate_rows(network, inputs, targets, &loss) == status && check_message());
    EXPECT(bp_network_score_rows(network, "r2", inputs, targets, &score) == status && score == 0);
    EXPECT(bp_trainer_fit_rows(trainer, network, inputs, targets, NULL, NULL, &score) == status && check_message());
    EXPECT(bp_trainer_fit_rows(trainer, network, &xs, &ys, inputs, targets, &score) == status && check_message());
    EXPECT(snapshot_holds(before, network));
    bp_trainer_free(trainer);
    bp_network_free(network);
}

static void malformed_descriptions_are_refused(void) {
    static float infinite = INFINITY;
    static struct {
        bp_rows rows;
        uint32_t newer;
    } newer;
    bp_network *network = prepared();
    bp_rows bad = xs;
#define REFUSED(member, value, status)                                                            \
    do {                                                                                          \
        bad = xs;                                                                                 \
        bad.member = value;                                                                       \
        expect_refused(&bad, &ys, status);                                                        \
        EXPECT(bp_network_predict_rows(network, &bad, x, BP_FLOAT, 0, 0) == (status));            \
        EXPECT(bp_network_add_scaling_rows(network, &bad, NULL) == (status));                     \
        EXPECT(bp_network_fit_scaling_rows(network, "standard", "none", &bad, NULL) == (status)); \
    } while (0)
    REFUSED(struct_size, 0, BP_ERROR_INVALID_VALUE);
    REFUSED(struct_size, sizeof(bp_rows) - 1, BP_ERROR_INVALID_VALUE);
    REFUSED(struct_size, UINT32_MAX, BP_ERROR_INVALID_VALUE);
    REFUSED(type, -1, BP_ERROR_INVALID_VALUE);
    REFUSED(type, 5, BP_ERROR_INVALID_VALUE);
    REFUSED(values, NULL, BP_ERROR_NULL_ARGUMENT);
    REFUSED(columns, INPUTS + 1, BP_ERROR_MISMATCH);
    REFUSED(columns, 0, BP_ERROR_MISMATCH);
    REFUSED(columns, SIZE_MAX, BP_ERROR_LIMIT);
    REFUSED(scale, 2, BP_ERROR_INVALID_VALUE);
    REFUSED(zero_point, 1, BP_ERROR_INVALID_VALUE);
    REFUSED(row_weights, weights, BP_ERROR_INVALID_VALUE);
    REFUSED(rows, SIZE_MAX, BP_ERROR_LIMIT);
    REFUSED(rows, SIZE_MAX / 16 + 1, BP_ERROR_LIMIT);
    REFUSED(row_stride, PTRDIFF_MAX, BP_ERROR_LIMIT);
    REFUSED(row_stride, PTRDIFF_MIN, BP_ERROR_LIMIT);
    REFUSED(column_stride, PTRDIFF_MIN, BP_ERROR_LIMIT);
    bad = ys, bad.rows = ROWS - 1;
    expect_refused(&xs, &bad, BP_ERROR_MISMATCH);
    bp_rows one = xs;
    bad = ys, bad.row_weights = &infinite, bad.rows = one.rows = 1;
    expect_refused(&one, &bad, BP_ERROR_INVALID_VALUE);
    bp_rows integers = {sizeof integers, BP_INT8, x, ROWS, INPUTS, 0, 0, NAN, 0, NULL};
    expect_refused(&integers, &ys, BP_ERROR_INVALID_VALUE);
    integers.scale = 1, integers.zero_point = 256;
    expect_refused(&integers, &ys, BP_ERROR_INVALID_VALUE);
    expect_refused(NULL, &ys, BP_ERROR_NULL_ARGUMENT);
    expect_refused(&xs, NULL, BP_ERROR_NULL_ARGUMENT);
    const bp_rows none = {sizeof none, BP_DOUBLE, NULL, 0, INPUTS, 0, 0, 0, 0, NULL};
    bad = ys, bad.rows = 0;
    expect_refused(&none, &bad, BP_ERROR_INVALID_VALUE);
    EXPECT_OK(bp_network_predict_rows(network, &none, NULL, BP_FLOAT, 0, 0));
    EXPECT_OK(bp_network_add_scaling_rows(network, &none, &bad));
    /* A newer program's struct: members that the library does not know must be 0. */
    newer.rows = xs, newer.rows.struct_size = sizeof newer;
    EXPECT_OK(bp_network_predict_rows(network, &newer.rows, x, BP_FLOAT, 0, 0));
    newer.newer = 1;
    expect_refused(&newer.rows, &ys, BP_ERROR_UNSUPPORTED);
    for (int32_t type = -1; type < 6; type++)
        EXPECT(type == BP_FLOAT || type == BP_DOUBLE ||
               bp_network_predict_rows(network, &xs, x, type, 0, 0) == BP_ERROR_INVALID_VALUE);
    EXPECT(bp_network_predict_rows(network, &xs, x, BP_FLOAT, PTRDIFF_MAX, 4) == BP_ERROR_LIMIT);
    make_data(); /* outputs were stored in x */
    bp_network_free(network);
}

static void a_fit_takes_row_weights_from_the_trainer_or_the_targets(void) {
    bp_network *one = prepared(), *other = prepared();
    bp_trainer *trainer = short_trainer();
    bp_rows weighted = ys;
    double a, b;
    EXPECT_OK(bp_trainer_set_option(trainer, "validation_fraction", 0)); /* held-out rows keep the weights of targets only */
    weighted.row_weights = weights;
    EXPECT_OK(bp_trainer_fit_rows(trainer, one, &xs, &weighted, NULL, NULL, &a));
    EXPECT_OK(bp_trainer_set_row_weights(trainer, weights, ROWS));
    EXPECT_OK(bp_trainer_fit(trainer, other, x, y, ROWS, NULL, NULL, 0, &b));
    EXPECT(a == b);
    EXPECT(snapshot_equal(one, other));
    snapshot before = snapshot_of(one);
    EXPECT(bp_trainer_fit_rows(trainer, one, &xs, &weighted, NULL, NULL, &a) == BP_ERROR_INVALID_VALUE);
    weights[5] = -1;
    EXPECT_OK(bp_trainer_set_row_weights(trainer, NULL, 0));
    EXPECT(bp_trainer_fit_rows(trainer, one, &xs, &weighted, NULL, NULL, &a) == BP_ERROR_INVALID_VALUE);
    EXPECT(strstr(bp_last_error_message(), "row 5") != NULL);
    EXPECT(snapshot_holds(before, one));
    make_data();
    bp_trainer_free(trainer);
    bp_network_free(one), bp_network_free(other);
}

/* 200 MB of zeros, without the memory for them. A fit needs 8 bytes for each row's place in the order of an epoch. */
static void a_fit_does_not_copy_the_data(void) {
    const size_t rows = 1250000, columns = 20, shape[] = {20, 2, 1};
    void *zeros = mmap(NULL, rows * columns * 8, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (!EXPECT(zeros != MAP_FAILED)) return;
    const bp_rows inputs = {sizeof inputs, BP_DOUBLE, zeros, rows, columns, 8, (ptrdiff_t)(8 * rows), 0, 0, NULL};
    const bp_rows targets = {sizeof targets, BP_DOUBLE, zeros, rows, 1, 0, 0, 0, 0, NULL};
    bp_network *network = check_network(shape, 3, 1);
    bp_trainer *trainer = short_trainer();
    EXPECT_OK(bp_trainer_set_option(trainer, "steps", 50));
    EXPECT_OK(bp_set_thread_count(1)); /* the counts of heap.h are not atomic */
    heap_watch();
    long before = heap_bytes;
    EXPECT_OK(bp_trainer_fit_rows(trainer, network, &inputs, &targets, NULL, NULL, NULL));
    heap_watched = 0;
    EXPECT(heap_peak - before < (long)(3 * 8 * rows)); /* the split and the order */
    EXPECT_OK(bp_set_thread_count(0));
    bp_trainer_free(trainer);
    bp_network_free(network);
    (void)munmap(zeros, rows * columns * 8);
}

/* The caller's floating-point environment has no effect on the checks of a description: no trap, no flag, no flush to zero. */
static void descriptions_are_checked_in_the_default_environment(void) {
    float some[ROWS], scale = 1e-39f, plain[OUTPUTS], flushed[OUTPUTS];
    uint32_t signalling = 0x7fa00000;
    uint8_t bytes[INPUTS] = {100, 200, 50};
    memcpy(some, weights, sizeof some), memcpy(some + 2, &signalling, 4);
    bp_network *network = prepared();
    bp_rows weighted = ys, subnormal = {sizeof subnormal, BP_UINT8, bytes, 1, INPUTS, 0, 0, 0, 0, NULL};
    weighted.row_weights = some;
    subnormal.scale = scale;
    feclearexcept(FE_ALL_EXCEPT);
    feenableexcept(FE_INVALID);
    EXPECT_STATUS(bp_network_train_rows(network, &xs, &weighted, 0.1f, NULL), BP_ERROR_INVALID_VALUE);
    fedisableexcept(FE_INVALID);
    EXPECT(!fetestexcept(FE_INVALID));
    EXPECT_OK(bp_network_predict_rows(network, &subnormal, plain, BP_FLOAT, 0, 0));
    set_flush(1);
    EXPECT_OK(bp_network_predict_rows(network, &subnormal, flushed, BP_FLOAT, 0, 0));
    set_flush(0);
    EXPECT(memcmp(plain, flushed, sizeof plain) == 0);
    bp_network_free(network);
}

int main(void) {
    make_data();
    CLAIM(floats_without_gaps_give_the_bits_of_the_plain_functions);
    CLAIM(outputs_are_stored_at_any_strides_and_addresses);
    CLAIM(integers_have_a_scale_and_a_zero_point);
    CLAIM(malformed_descriptions_are_refused);
    CLAIM(descriptions_are_checked_in_the_default_environment);
    CLAIM(a_fit_takes_row_weights_from_the_trainer_or_the_targets);
    CLAIM(a_fit_does_not_copy_the_data);
    return check_end();
}
