/* team.c: the library's threads: results have the same bits for any number of threads, also after fork. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* Large enough for several threads; odd sizes, so that the shares differ. */
enum { INPUTS = 301, OUTPUTS = 7, ROWS = 333, STEPS = 6 };
static const size_t sizes[] = {INPUTS, 250, 131, OUTPUTS};
static float x[ROWS * INPUTS], y[ROWS * OUTPUTS];

typedef struct {
    float *parameters, *gradient;
    float outputs[ROWS * OUTPUTS], losses[STEPS], evaluated;
    size_t count;
} run;

static int32_t halve(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    (void)user_data;
    for (size_t i = 0; i < rows * columns; i++) a[i] = 0.5f * z[i];
    return 0;
}

static int32_t halve_back(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                          void *user_data) {
    (void)z, (void)a, (void)user_data;
    for (size_t i = 0; i < rows * columns; i++) dz[i] = 0.5f * da[i];
    return 0;
}

/* Trains a new network; kind 0 plain, 1 with batch normalization, 2 with a custom activation. */
static void train(run *result, size_t threads, int kind) {
    bp_network *network = NULL;
    EXPECT_OK(bp_set_thread_count(threads));
    EXPECT(threads == 0 || bp_thread_count() == threads);
    EXPECT_OK(bp_network_create(sizes, 4, 5, &network));
    EXPECT_OK(bp_network_set_activation(network, 1, "tanh"));
    EXPECT_OK(bp_network_set_activation(network, 2, kind == 2 ? "halve" : "relu"));
    if (kind == 1) {
        EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
        EXPECT_OK(bp_network_set_batchnorm(network, 2, 1));
    }
    EXPECT_OK(bp_network_set_option(network, "gradient_reduction", 1));
    for (int step = 0; step < STEPS; step++)
        EXPECT_OK(bp_network_train_minibatch(network, x, y, (size_t)(ROWS - 50 * step), 0.05f, &result->losses[step]));
    EXPECT_OK(bp_network_parameter_count(network, &result->count));
    result->parameters = (float *)calloc(result->count, sizeof(float));
    result->gradient = (float *)calloc(result->count, sizeof(float));
    EXPECT_OK(bp_network_get_parameters(network, result->parameters, count_of(network)));
    EXPECT_OK(bp_network_predict(network, x, ROWS, result->outputs));
    EXPECT_OK(bp_network_evaluate(network, x, y, ROWS, &result->evaluated));
    EXPECT_OK(bp_network_gradient(network, x, y, ROWS, result->gradient, count_of(network), NULL));
    bp_network_free(network);
    EXPECT_OK(bp_set_thread_count(0));
}

static void expect_same(const run *a, const run *b) {
    EXPECT(a->count == b->count && a->count > 100000);
    EXPECT(memcmp(a->parameters, b->parameters, a->count * sizeof(float)) == 0);
    EXPECT(memcmp(a->gradient, b->gradient, a->count * sizeof(float)) == 0);
    EXPECT(memcmp(a->outputs, b->outputs, sizeof a->outputs) == 0);
    EXPECT(memcmp(a->losses, b->losses, sizeof a->losses) == 0);
    EXPECT(memcmp(&a->evaluated, &b->evaluated, sizeof a->evaluated) == 0);
}

static void free_run(run *result) {
    free(result->parameters);
    free(result->gradient);
}

static void results_do_not_depend_on_the_thread_count(void) {
    static run one, other;
    static const size_t counts[] = {0, 2, 3, 8};
    for (int kind = 0; kind < 3; kind++) {
        train(&one, 1, kind);
        EXPECT(one.losses[STEPS - 1] < one.losses[0]);
        for (int i = 0; i < 4; i++) {
            train(&other, counts[i], kind);
            expect_same(&one, &other);
            free_run(&other);
        }
        free_run(&one);
    }
}

/* Also with very few rows for each thread. */
static void any_number_of_rows_gives_the_same_bits_for_any_thread_count(void) {
    enum { MOST = 70, WIDTH = 120, COUNT = 2 * WIDTH * (WIDTH + 1) };
    static const size_t square[] = {WIDTH, WIDTH, WIDTH}, counts[] = {2, 3, 8, 16};
    static float one[COUNT], other[COUNT], outputs[MOST * WIDTH], same[MOST * WIDTH];
    for (size_t rows = 7; rows <= MOST; rows += IS_SLOW ? 9 : 1)
        for (int i = -1; i < 4; i++) {
            bp_network *network = check_network(square, 3, rows);
            EXPECT_OK(bp_set_thread_count(i < 0 ? 1 : counts[i]));
            EXPECT_OK(bp_network_train_minibatch(network, x, x + 5000, rows, 0.1f, NULL));
            EXPECT_OK(bp_network_get_parameters(network, i < 0 ? one : other, count_of(network)));
            EXPECT_OK(bp_network_predict(network, x, rows, i < 0 ? outputs : same));
            EXPECT(i < 0 || memcmp(one, other, sizeof one) == 0);
            EXPECT(i < 0 || memcmp(outputs, same, rows * WIDTH * sizeof *same) == 0);
            bp_network_free(network);
        }
    EXPECT_OK(bp_set_thread_count(0));
}

/* Predictions of one row, of few and of many rows. Single rows are predicted often enough in sequence that the team is woken. */
static void row_has_the_same_prediction_alone_and_among_others(void) {
    static float all[ROWS * OUTPUTS], some[ROWS * OUTPUTS];
    static const size_t counts[] = {1, 2, 3, 8};
    bp_network *network = NULL;
    EXPECT_OK(bp_network_create(sizes, 4, 6, &network));
    EXPECT_OK(bp_network_predict(network, x, ROWS, all));
    EXPECT(all[0] != all[OUTPUTS]);
    for (int i = 0; i < 4; i++) {
        EXPECT_OK(bp_set_thread_count(counts[i]));
        for (size_t rows = 1; rows < ROWS; rows += rows >= 40 ? 73 : IS_SLOW ? 6 : 1)
            for (size_t first = 0; first + rows <= ROWS; first += rows) {
                EXPECT_OK(bp_network_predict(network, x + first * INPUTS, rows, some));
                EXPECT(memcmp(some, all + first * OUTPUTS, rows * OUTPUTS * sizeof(float)) == 0);
            }
    }
    EXPECT_OK(bp_set_thread_count(0));
    bp_network_free(network);
}

/* Runs on a thread whose stack has the size that the header guarantees to be sufficient, including the thread's own needs. */
static void *run_on_a_small_stack(void *unused) {
    static run result;
    bp_network *copy = NULL;
    double worst;
    for (int kind = 0; kind < 3; kind++) {
        train(&result, 1, kind);
        free_run(&result);
    }
    bp_network *network = NULL, *small = check_network((const size_t[]){9, 20, 7}, 3, 5);
    EXPECT_OK(bp_network_create(sizes, 4, 5, &network));
    EXPECT_OK(bp_network_set_optimizer(network, "adam"));
    EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.001f, NULL));
    EXPECT_OK(bp_network_check_gradient(IS_SLOW ? small : network, x, y, 2, &worst)); /* two losses for each parameter */
    EXPECT_OK(bp_network_save(network, "small_stack.safetensors"));
    EXPECT_OK(bp_network_load("small_stack.safetensors", &copy));
    EXPECT_ERROR(bp_network_set_activation(network, 1, "no such"), BP_ERROR_UNKNOWN_NAME);
    bp_network_free(small);
    bp_network_free(network);
    bp_network_free(copy);
    return unused;
}

static void call_needs_less_than_128_KiB_of_stack(void) {
    pthread_attr_t attributes;
    pthread_t thread;
    EXPECT(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, 128 << 10) == 0);
    EXPECT(pthread_create(&thread, &attributes, run_on_a_small_stack, NULL) == 0);
    EXPECT(pthread_join(thread, NULL) == 0);
    pthread_attr_destroy(&attributes);
}

static void thread_count_is_checked(void) {
    EXPECT_ERROR(bp_set_thread_count(257), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_set_thread_count(SIZE_MAX), BP_ERROR_INVALID_VALUE);
    EXPECT_OK(bp_set_thread_count(256));
    EXPECT(bp_thread_count() == 256);
    EXPECT_OK(bp_set_thread_count(0));
    EXPECT(bp_thread_count() >= 1);
}

static void child_of_fork_trains_and_predicts_with_the_same_bits(void) {
    static run parent, child;
    train(&parent, 2, 0); /* starts the team */
    fflush(stdout);
    pid_t pid = fork();
    EXPECT(pid >= 0);
    if (pid == 0) {
        int before = check_failures;
        train(&child, 2, 0);
        expect_same(&parent, &child);
        fflush(stdout);
        _exit(check_failures != before);
    }
    int status = -1;
    EXPECT(waitpid(pid, &status, 0) == pid);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    free_run(&parent);
}

int main(void) {
    check_fill(x, ROWS * INPUTS, 1);
    check_fill(y, ROWS * OUTPUTS, 2);
    EXPECT_OK(bp_activation_register_vector("halve", halve, halve_back, NULL, NULL));
    CLAIM(results_do_not_depend_on_the_thread_count);
    CLAIM(any_number_of_rows_gives_the_same_bits_for_any_thread_count);
    CLAIM(row_has_the_same_prediction_alone_and_among_others);
    CLAIM(call_needs_less_than_128_KiB_of_stack);
    CLAIM(thread_count_is_checked);
    CLAIM(child_of_fork_trains_and_predicts_with_the_same_bits);
    return check_end();
}
