/* sharing.c: thread-safe activations run on all threads of the library, others on the calling thread. Results, failures and
 * calls from callbacks are the same in both cases. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "check.h"

/* Large enough for several threads; odd sizes, so that the shares differ. */
enum { INPUTS = 101, OUTPUTS = 7, ROWS = 333, STEPS = 4 };
static const size_t sizes[] = {INPUTS, 90, 131, OUTPUTS};
static float x[ROWS * INPUTS], y[ROWS * OUTPUTS];

static int has_processors(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 1;
}

/* ---- softsign in each form, which counts the calls on other threads */

static pthread_t caller;
static int elsewhere; /* calls on threads other than the caller */

static void count_elsewhere(void) {
    if (!pthread_equal(caller, pthread_self())) __atomic_add_fetch(&elsewhere, 1, __ATOMIC_RELAXED);
}

static float scalar(float z, void *user_data) {
    (void)user_data;
    count_elsewhere();
    return z / (1 + fabsf(z));
}
static float scalar_slope(float z, float a, void *user_data) {
    float slope = 1 / (1 + fabsf(z));
    (void)a, (void)user_data;
    count_elsewhere();
    return slope * slope;
}
static float plain(float z) { return scalar(z, NULL); }
static float plain_slope(float z) { return scalar_slope(z, 0, NULL); }
static float plain2(float z, double unused) { return (void)unused, scalar(z, NULL); }
static float plain2_slope(float z, double unused) { return (void)unused, scalar_slope(z, 0, NULL); }

static int32_t fails, fails_back; /* the code to fail with */
static void (*during)(void);

static int32_t vector(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    for (size_t i = 0; i < rows * columns; i++) a[i] = scalar(z[i], user_data);
    if (during) during();
    return fails;
}
static int32_t vector_back(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                           void *user_data) {
    for (size_t i = 0; i < rows * columns; i++) dz[i] = da[i] * scalar_slope(z[i], a[i], user_data);
    if (during) during();
    return fails_back;
}

static const char *const names[] = {"share.scalar", "share.vector", "share.foreign", "share.ffi"};
enum { KINDS = sizeof names / sizeof names[0] };

static void register_all(int thread_safe) {
    const double unused = 7;
    EXPECT_OK(bp_activation_register_scalar(names[0], scalar, scalar_slope, NULL, NULL));
    EXPECT_OK(bp_activation_register_vector(names[1], vector, vector_back, NULL, NULL));
    EXPECT_OK(bp_activation_register_foreign(names[2], (bp_foreign_fn)plain, (bp_foreign_fn)plain_slope, "f(f)", NULL, 0));
    EXPECT_OK(
        bp_activation_register_foreign(names[3], (bp_foreign_fn)plain2, (bp_foreign_fn)plain2_slope, "f(f,d)", &unused, 1));
    for (int i = 0; i < KINDS; i++) EXPECT_OK(bp_activation_set_thread_safe(names[i], thread_safe));
}
static void unregister_all(void) {
    for (int i = 0; i < KINDS; i++) EXPECT_OK(bp_activation_unregister(names[i]));
}

static bp_network *with(const char *first, const char *second, int norm) {
    bp_network *network = check_network(sizes, 4, 5);
    EXPECT_OK(bp_network_set_activation(network, 1, first));
    EXPECT_OK(bp_network_set_activation(network, 2, second));
    EXPECT_OK(bp_network_set_batchnorm(network, 2, norm));
    EXPECT_OK(bp_network_set_option(network, "gradient_reduction", 1));
    return network;
}

/* ---- Claims */

static float outputs[2][ROWS * OUTPUTS];

static void results_do_not_depend_on_the_threads_that_run_the_callbacks(void) {
    for (int kind = 0; kind < KINDS; kind++)
        for (int norm = 0; norm < 2; norm++) {
            bp_network *expected = NULL;
            for (int run = 0; run < 4; run++) { /* on one thread; then shared by 1, 2, 3 */
                bp_network *network;
                float loss;
                register_all(run > 0);
                EXPECT_OK(bp_set_thread_count(run > 0 ? (size_t)run : 1));
                network = with(names[kind], names[(kind + 1) % KINDS], norm);
                unregister_all();
                elsewhere = 0;
                for (size_t step = 0; step < STEPS; step++)
                    EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS - 50 * step, 0.1f, &loss));
                EXPECT_OK(bp_network_predict(network, x, ROWS, outputs[run > 0]));
                if (run < 2) EXPECT(elsewhere == 0);
                if (!expected) {
                    expected = network;
                    continue;
                }
                EXPECT(snapshot_equal(network, expected));
                EXPECT(memcmp(outputs[0], outputs[1], sizeof outputs[0]) == 0);
                bp_network_free(network);
            }
            bp_network_free(expected);
        }
    EXPECT_OK(bp_set_thread_count(0));
}

/* Waits until another thread calls this function too. */
static void wait_for_company(void) {
    const struct timespec nap = {0, 1000000};
    while (!__atomic_load_n(&elsewhere, __ATOMIC_RELAXED)) nanosleep(&nap, NULL);
}

static void thread_safe_activations_do_run_on_several_threads(void) {
    bp_network *network;
    if (!has_processors()) {
        printf("# not tried: activations on several threads, because the library has no threads on one processor\n");
        return;
    }
    EXPECT_OK(bp_set_thread_count(2));
    register_all(1);
    network = with(names[1], "tanh", 0);
    during = wait_for_company;
    elsewhere = 0;
    EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.1f, NULL));
    EXPECT(elsewhere > 0);
    elsewhere = 0;
    EXPECT_OK(bp_network_predict(network, x, ROWS, outputs[0]));
    EXPECT(elsewhere > 0);
    during = NULL;
    bp_network_free(network);
    unregister_all();
    EXPECT_OK(bp_set_thread_count(0));
}

static void activations_not_declared_thread_safe_run_on_the_calling_thread_only(void) {
    EXPECT_OK(bp_set_thread_count(2));
    register_all(1);
    for (int i = 0; i < KINDS; i++) EXPECT_OK(bp_activation_set_thread_safe(names[i], 0)); /* undeclared */
    for (int kind = 0; kind < KINDS; kind++) {
        bp_network *network = with(names[kind], "tanh", kind % 2);
        elsewhere = 0;
        EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.1f, NULL));
        EXPECT_OK(bp_network_predict(network, x, ROWS, outputs[0]));
        EXPECT(elsewhere == 0);
        bp_network_free(network);
    }
    unregister_all();
    EXPECT_OK(bp_set_thread_count(0));
}

static void thread_safety_applies_to_layers_that_are_set_afterwards(void) {
    bp_network *early, *late, *clone = NULL;
    EXPECT_OK(bp_set_thread_count(2));
    register_all(0);
    early = with(names[0], "tanh", 0);
    EXPECT_OK(bp_activation_set_thread_safe(names[0], 1));
    late = with(names[0], "tanh", 0);
    EXPECT_OK(bp_network_clone(early, &clone));
    elsewhere = 0;
    EXPECT_OK(bp_network_train_minibatch(early, x, y, ROWS, 0.1f, NULL));
    EXPECT_OK(bp_network_train_minibatch(clone, x, y, ROWS, 0.1f, NULL));
    EXPECT(elsewhere == 0);
    EXPECT_OK(bp_network_train_minibatch(late, x, y, ROWS, 0.1f, NULL));
    EXPECT(snapshot_equal(early, late) && snapshot_equal(early, clone));
    bp_network_free(early);
    bp_network_free(late);
    bp_network_free(clone);
    unregister_all();
    EXPECT_OK(bp_set_thread_count(0));
}

static void failure_on_any_thread_undoes_the_step_and_reports_the_code(void) {
    EXPECT_OK(bp_set_thread_count(2));
    register_all(1);
    for (int norm = 0; norm < 2; norm++) {
        bp_network *network = with("tanh", names[1], norm), *twin = NULL;
        snapshot before;
        EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.1f, NULL));
        EXPECT_OK(bp_network_clone(network, &twin));
        before = snapshot_of(network);
        fails = 4711;
        EXPECT_ERROR(bp_network_train_minibatch(network, x, y, ROWS, 0.1f, NULL), BP_ERROR_CALLBACK);
        EXPECT_MESSAGE("activation \"share.vector\" failed with code 4711 in its forward pass");
        EXPECT_ERROR(bp_network_predict(network, x, ROWS, outputs[0]), BP_ERROR_CALLBACK);
        EXPECT_MESSAGE("4711");
        EXPECT_ERROR(bp_network_evaluate(network, x, y, ROWS, outputs[0]), BP_ERROR_CALLBACK);
        fails = 0, fails_back = -4712;
        EXPECT_ERROR(bp_network_train_minibatch(network, x, y, ROWS, 0.1f, NULL), BP_ERROR_CALLBACK);
        EXPECT_MESSAGE("code -4712 in its backward pass");
        fails_back = 0;
        EXPECT(snapshot_holds(before, network));
        EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.1f, NULL));
        EXPECT_OK(bp_network_train_minibatch(twin, x, y, ROWS, 0.1f, NULL));
        EXPECT(snapshot_equal(network, twin)); /* equal to a network without the failure */
        bp_network_free(network);
        bp_network_free(twin);
        free(before.bytes);
    }
    unregister_all();
    EXPECT_OK(bp_set_thread_count(0));
}

static float poison(float z) { return z > 1.5f ? NAN : z; }

static void nan_from_any_thread_fails_the_step(void) {
    EXPECT_OK(bp_set_thread_count(2));
    EXPECT_OK(bp_activation_register_foreign("poison", (bp_foreign_fn)poison, (bp_foreign_fn)plain_slope, "f(f)", NULL, 0));
    EXPECT_OK(bp_activation_set_thread_safe("poison", 1));
    for (size_t layer = 1; layer < 4; layer++) {
        bp_network *network = with("tanh", "tanh", 1);
        snapshot before;
        EXPECT_OK(bp_network_set_activation(network, layer, "poison"));
        if (layer == 3) EXPECT_OK(bp_network_set_batchnorm(network, 3, 1)); /* so that some z is large */
        before = snapshot_of(network);
        EXPECT_ERROR(bp_network_train_minibatch(network, x, y, ROWS, 0.1f, NULL), BP_ERROR_NOT_FINITE);
        EXPECT(snapshot_holds(before, network));
        free(before.bytes);
        bp_network_free(network);
    }
    EXPECT_OK(bp_activation_unregister("poison"));
    EXPECT_OK(bp_set_thread_count(0));
}

/* ---- Calls from callbacks, on any thread */

static bp_network *own, *other;
static int busy, odd;

static void call_back(void) {
    float out[OUTPUTS];
    int32_t status = bp_network_train_step(own, x, y, 0.1f, NULL);
    if (status == BP_ERROR_BUSY) __atomic_add_fetch(&busy, 1, __ATOMIC_RELAXED);
    else __atomic_add_fetch(&odd, 1, __ATOMIC_RELAXED);
    if (bp_network_predict(other, x, 1, out) != BP_OK) __atomic_add_fetch(&odd, 1, __ATOMIC_RELAXED);
}

static void callbacks_on_any_thread_find_their_network_busy_and_others_usable(void) {
    EXPECT_OK(bp_set_thread_count(2));
    register_all(1);
    own = with(names[1], names[1], 1);
    other = with("tanh", "relu", 0); /* without callbacks, so that the callback does not call itself */
    busy = odd = 0;
    during = call_back;
    EXPECT_OK(bp_network_train_minibatch(own, x, y, ROWS, 0.1f, NULL));
    EXPECT(busy >= 4 && odd == 0);
    EXPECT_OK(bp_network_predict(own, x, ROWS, outputs[0])); /* a call that reads: a changing call within it is busy too */
    EXPECT(busy >= 6 && odd == 0);
    during = NULL;
    bp_network_free(own);
    bp_network_free(other);
    unregister_all();
    EXPECT_OK(bp_set_thread_count(0));
}

static void bad_arguments_are_refused(void) {
    EXPECT_ERROR(bp_activation_set_thread_safe(NULL, 1), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_activation_set_thread_safe("no.such", 1), BP_ERROR_UNKNOWN_NAME);
    EXPECT_ERROR(bp_activation_set_thread_safe("tanh", 0), BP_ERROR_UNSUPPORTED);
}

int main(void) {
    caller = pthread_self();
    check_fill(x, ROWS * INPUTS, 1);
    check_fill(y, ROWS * OUTPUTS, 2);
    CLAIM(results_do_not_depend_on_the_threads_that_run_the_callbacks);
    CLAIM(thread_safe_activations_do_run_on_several_threads);
    CLAIM(activations_not_declared_thread_safe_run_on_the_calling_thread_only);
    CLAIM(thread_safety_applies_to_layers_that_are_set_afterwards);
    CLAIM(failure_on_any_thread_undoes_the_step_and_reports_the_code);
    CLAIM(nan_from_any_thread_fails_the_step);
    CLAIM(callbacks_on_any_thread_find_their_network_busy_and_others_usable);
    CLAIM(bad_arguments_are_refused);
    return check_end();
}
