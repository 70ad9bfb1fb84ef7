/* environment.c: the caller's floating-point environment: rounding, subnormal numbers, traps and flags. The library's results
 * do not depend on it. Every call restores it. Callbacks run in it. */
#define _GNU_SOURCE
#include <fenv.h>
#include <pthread.h>

#include "check.h"
#include "flush.h"
#include "trainer.h"

enum { LOUD = FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW, INPUTS = 8, OUTPUTS = 3, ROWS = 104 };
static const size_t sizes[] = {INPUTS, 13, OUTPUTS};
static float x[ROWS * INPUTS], y[ROWS * OUTPUTS];

static const char *const activations[] = {
    "identity", "sign", "logistic", "tanh",         "relu",       "leaky_relu", "elu",  "softplus", "softsign", "silu",
    "gelu",     "selu", "mish",     "hard_sigmoid", "hard_swish", "relu6",      "sine", "gaussian", "softmax"};
static const char *const losses[] = {"squared_error", "binary_cross_entropy", "cross_entropy"};
static const char *const optimizers[] = {"sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "irprop_minus"};
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The numbers are exact in every mode. The targets of each row are a distribution. */
static void make_data(void) {
    for (int i = 0; i < ROWS * INPUTS; i++) x[i] = (float)((i * 37) % 129 - 64) / 32;
    for (int i = 0; i < ROWS; i++) {
        y[i * OUTPUTS] = (float)(i % 5) / 8;
        y[i * OUTPUTS + 1] = (float)(i % 3) / 8;
        y[i * OUTPUTS + 2] = 1 - y[i * OUTPUTS] - y[i * OUTPUTS + 1];
    }
}

/* ---- Environments of a host */

typedef struct {
    const char *name;
    int rounding, traps, flush;
} mode;
static const mode modes[] = {
    {"to nearest", FE_TONEAREST, 0, 0},       {"upward", FE_UPWARD, 0, 0},
    {"downward", FE_DOWNWARD, 0, 0},          {"toward zero", FE_TOWARDZERO, 0, 0},
    {"flushing to zero", FE_TONEAREST, 0, 1}, {"trapping", FE_TONEAREST, LOUD, 0},
    {"all settings", FE_DOWNWARD, LOUD, 1},
};

static int trappable; /* the exceptions that this processor can trap: on arm64 it may be none */

static void enter(const mode *m) {
    feclearexcept(FE_ALL_EXCEPT);
    fesetround(m->rounding);
    feenableexcept(m->traps);
    set_flush(m->flush);
}

static int is_in(const mode *m) {
#ifdef __SSE__ /* fegetexcept reads the x87 only */
    if ((_mm_getcsr() & 0x1f80 & ~(unsigned)(m->traps << 7)) != (0x1f80 & ~(unsigned)(m->traps << 7))) return 0;
#endif
    return fegetround() == m->rounding && fegetexcept() == (m->traps & trappable) && flushes() == m->flush;
}

static void leave(void) {
    fedisableexcept(FE_ALL_EXCEPT);
    fesetround(FE_TONEAREST);
    set_flush(0);
    feclearexcept(FE_ALL_EXCEPT);
}

static const mode *expected_mode = &modes[0]; /* the mode in which callbacks must run */
/* Callback calls: all; in another environment; on a thread of the library. */
static volatile int calls, mismatches, elsewhere;
static pthread_t caller;

static void record_call(void) {
    calls++;
    if (!is_in(expected_mode)) mismatches++;
    if (!pthread_equal(pthread_self(), caller)) elsewhere++;
}

/* Values that are computed without rounding. The library rounds its results from them. */
static float tenth(float z, void *user_data) { return (void)z, (void)user_data, record_call(), 0.1f; }
static float third(float z, float a, void *user_data) { return (void)z, (void)a, (void)user_data, record_call(), 0.3f; }
static double third_double(double z) { return (void)z, record_call(), 1.0 / 4 + 0x1p-40; }
static double scaled(double z, double factor) { return (void)z, record_call(), factor; }
static float plus(float z, float more) { return (void)z, record_call(), more; }
static int32_t forward(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    (void)z, (void)user_data;
    record_call();
    for (size_t i = 0; i < rows * columns; i++) a[i] = 0.1f;
    return 0;
}
static int32_t backward(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                        void *user_data) {
    (void)z, (void)a, (void)user_data;
    record_call();
    for (size_t i = 0; i < rows * columns; i++) dz[i] = da[i];
    return 0;
}
static void destroy(void *user_data) { (void)user_data, record_call(); }
static int32_t watch(const bp_progress *progress, void *user_data) { return (void)progress, (void)user_data, record_call(), 0; }

/* ---- All calls that compute, and a hash of their results */

static uint64_t digest;

static void add(const void *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) digest = (digest ^ ((const uint8_t *)bytes)[i]) * 1099511628211u;
}

static void add_network(const bp_network *network) {
    snapshot now = snapshot_of(network);
    add(now.bytes, now.count);
    free(now.bytes);
}

/* The call raises none of the three flags, and restores the host's environment. */
#define EXPECT_QUIET(call) \
    (feclearexcept(FE_ALL_EXCEPT), EXPECT_OK(call) && EXPECT(!fetestexcept(LOUD)) && EXPECT(is_in(expected_mode)))

static void use(bp_network *network, size_t rows) {
    static float outputs[ROWS * OUTPUTS], gradient[1024];
    size_t count = 0;
    float loss = 0;
    double score = 0;
    EXPECT_QUIET(bp_network_parameter_count(network, &count));
    if (!EXPECT(count <= COUNT(gradient))) return;
    EXPECT_QUIET(bp_network_train_minibatch(network, x, y, rows, 0.01f, &loss));
    add(&loss, sizeof loss);
    EXPECT_QUIET(bp_network_train_step(network, x, y, 0.01f, &loss));
    add(&loss, sizeof loss);
    EXPECT_QUIET(bp_network_gradient(network, x, y, rows, gradient, count, &loss));
    add(gradient, count * sizeof *gradient);
    EXPECT_QUIET(bp_network_predict(network, x, rows, outputs));
    add(outputs, rows * OUTPUTS * sizeof *outputs);
    EXPECT_QUIET(bp_network_predict(network, x, 1, outputs));
    EXPECT_QUIET(bp_network_evaluate(network, x, y, rows, &loss));
    add(&loss, sizeof loss);
    EXPECT_QUIET(bp_network_score(network, "r2", x, y, rows, &score));
    add(&score, sizeof score);
    add_network(network);
}

static bp_network *made(const char *hidden, const char *output, const char *loss, const char *optimizer, int norm) {
    bp_network *network = NULL;
    EXPECT_QUIET(bp_network_create(sizes, 3, 1, &network));
    EXPECT_QUIET(bp_network_set_activation(network, 1, hidden));
    EXPECT_QUIET(bp_network_set_activation(network, 2, output));
    EXPECT_QUIET(bp_network_set_loss(network, loss));
    EXPECT_QUIET(bp_network_set_optimizer(network, optimizer));
    EXPECT_QUIET(bp_network_set_batchnorm(network, 1, norm));
    return network;
}

static int32_t next(bp_minibatch *minibatch, void *rows) {
    record_call();
    for (size_t row = (size_t)minibatch->first_row; row < *(size_t *)rows && minibatch->rows < minibatch->capacity; row++) {
        memcpy(minibatch->inputs + minibatch->rows * INPUTS, x + row * INPUTS, INPUTS * sizeof *x);
        memcpy(minibatch->targets + minibatch->rows * OUTPUTS, y + row * OUTPUTS, OUTPUTS * sizeof *y);
        minibatch->row_weights[minibatch->rows++] = row % 2 ? 1 : 0.5f;
    }
    return 0;
}

static void fit(bp_network *network, size_t rows, const char *options) {
    bp_trainer *trainer = trainer_with(options);
    double loss = 0;
    EXPECT_QUIET(bp_trainer_set_progress(trainer, watch, NULL));
    EXPECT_QUIET(bp_trainer_fit(trainer, network, x, y, rows, NULL, NULL, 0, &loss));
    add(&loss, sizeof loss);
    if (!strstr(options, "validation_fraction"))
        EXPECT_QUIET(bp_trainer_fit_stream(trainer, network, next, &rows, x, y, 2, &loss));
    add(&loss, sizeof loss);
    bp_trainer_free(trainer);
    add_network(network);
}

static void use_all(void) {
    static const size_t rows[] = {1, 2, 5, 17, ROWS};
    for (size_t a = 0; a < COUNT(activations); a++)
        for (int norm = 0; norm < 2; norm++)
            for (size_t r = 0; r < COUNT(rows); r++) {
                bp_network *network = made(activations[a], "logistic", "squared_error", "sgd", norm);
                use(network, rows[r]);
                fit(network, rows[r], "epochs=2");
                bp_network_free(network);
            }
    for (size_t l = 0; l < COUNT(losses); l++)
        for (size_t o = 0; o < COUNT(optimizers); o++) {
            bp_network *network = made("tanh", l == 2 ? "softmax" : "logistic", losses[l], optimizers[o], o % 2);
            EXPECT_QUIET(bp_network_set_option(network, "weight_decay", 0.001));
            EXPECT_QUIET(bp_network_set_option(network, "clip_norm", 0.25));
            EXPECT_QUIET(bp_network_set_dropout(network, 1, l == 0 ? 0.3 : 0));
            use(network, ROWS);
            bp_network_free(network);
        }
    for (int schedule = 0; schedule < 7; schedule++) {
        char options[200]; /* exact numbers, because strtod rounds in the thread's mode too */
        snprintf(options, sizeof options,
                 "epochs=4 schedule=%d warmup_steps=%d patience=1 validation_fraction=0.25 restarts=%d", schedule,
                 schedule % 2 ? 3 : 0, schedule == 3 ? 3 : 0);
        bp_network *network = made("elu", "softmax", "cross_entropy", "adam", 1);
        fit(network, ROWS, options);
        EXPECT_QUIET(bp_network_fold_batchnorm(network));
        add_network(network);
        bp_network_free(network);
    }
    bp_network *network = made("gelu", "identity", "squared_error", "sgd", 0), *loaded = NULL;
    EXPECT_QUIET(bp_network_fit_scaling(network, "standard", "min_max", x, y, ROWS));
    EXPECT_QUIET(bp_network_set_option(network, "beta1", 0.1));
    use(network, ROWS);
    snapshot saved = snapshot_of(network);
    EXPECT_QUIET(bp_network_load_memory(saved.bytes, saved.count, &loaded));
    add_network(loaded);
    EXPECT_QUIET(bp_network_initialize(loaded, 5));
    add_network(loaded);
    free(saved.bytes);
    bp_network_free(loaded);
    bp_network_free(network);
}

static void use_callbacks(void) {
    static const char *const names[] = {"tenth", "fourth", "scaled", "plus", "matrices", "undifferentiated"};
    static const double factor = 0.1;
    EXPECT_QUIET(bp_activation_register_scalar("tenth", tenth, third, NULL, destroy));
    EXPECT_QUIET(bp_activation_register_scalar("undifferentiated", tenth, NULL, NULL, destroy));
    EXPECT_QUIET(
        bp_activation_register_foreign("fourth", (bp_foreign_fn)third_double, (bp_foreign_fn)third_double, "d(d)", NULL, 0));
    EXPECT_QUIET(bp_activation_register_foreign("scaled", (bp_foreign_fn)scaled, (bp_foreign_fn)scaled, "d(d,d)", &factor, 1));
    EXPECT_QUIET(bp_activation_register_foreign("plus", (bp_foreign_fn)plus, (bp_foreign_fn)plus, "f(f,f)", &factor, 1));
    EXPECT_QUIET(bp_activation_register_vector("matrices", forward, backward, NULL, destroy));
    for (size_t i = 0; i < COUNT(names); i++) {
        bp_network *network = made(names[i], "logistic", "squared_error", "sgd", 1);
        use(network, ROWS);
        fit(network, ROWS, "epochs=2");
        EXPECT_QUIET(bp_activation_unregister(names[i]));
        EXPECT_QUIET(
            bp_network_set_activation(network, 1, "tanh")); /* releases the activation, so that destroy runs within a call */
        bp_network_free(network);
    }
}

/* ---- Claims */

/* A trap would end this program. */
static void finite_data_give_the_same_bits_in_every_environment_and_raise_no_flag(void) {
    uint64_t expected = 0;
    for (size_t i = 0; i < COUNT(modes); i++) {
        expected_mode = &modes[i];
        digest = 14695981039346656037u;
        enter(expected_mode);
        use_all();
        leave();
        if (i == 0) expected = digest;
        if (!EXPECT(digest == expected)) printf("#   %s\n", modes[i].name);
    }
    expected_mode = &modes[0];
}

static void callbacks_run_in_the_callers_environment_and_the_library_in_its_own(void) {
    uint64_t expected = 0;
    for (size_t i = 0; i < COUNT(modes); i++) {
        expected_mode = &modes[i];
        digest = 14695981039346656037u;
        calls = mismatches = 0;
        enter(expected_mode);
        use_callbacks();
        leave();
        if (i == 0) expected = digest;
        if (!EXPECT(digest == expected) || !EXPECT(mismatches == 0)) printf("#   %s\n", modes[i].name);
        EXPECT(calls > 1000);
    }
    expected_mode = &modes[0];
}

/* Large enough for several threads. A thread of the library does not always start in time: the test repeats the call for a
 * while. */
static void callbacks_on_other_threads_run_in_the_callers_environment(void) {
    enum { WIDTH = 160, MANY = 512 };
    static const size_t wide[] = {WIDTH, WIDTH, WIDTH};
    static float inputs[MANY * WIDTH];
    static float outputs[MANY * WIDTH];
    EXPECT_OK(bp_set_thread_count(4));
    EXPECT_OK(bp_activation_register_scalar("tenth", tenth, third, NULL, NULL));
    EXPECT_OK(bp_activation_set_thread_safe("tenth", 1));
    bp_network *network = check_network(wide, 3, 1);
    EXPECT_OK(bp_network_set_activation(network, 1, "tenth"));
    for (size_t i = 0; i < 2 * COUNT(modes); i++) {
        expected_mode = &modes[i % COUNT(modes)];
        mismatches = elsewhere = 0;
        enter(expected_mode);
        for (int n = 0; n < 50 && !elsewhere; n++) {
            EXPECT_OK(bp_network_train_minibatch(network, inputs, inputs, MANY, 0.01f, NULL));
            EXPECT_OK(bp_network_predict(network, inputs, MANY, outputs));
        }
        leave();
        EXPECT(mismatches == 0);
    }
    expected_mode = &modes[0];
    bp_network_free(network);
    EXPECT_OK(bp_activation_unregister("tenth"));
    EXPECT_OK(bp_set_thread_count(0));
}

/* ---- A callback that calls the library */

static bp_network *inner;
static float inner_outputs[OUTPUTS];
static float calling(float z, void *user_data) {
    (void)user_data;
    record_call();
    if (bp_network_predict(inner, x, 1, inner_outputs) != BP_OK) mismatches++;
    record_call();
    return z;
}

static void calls_from_callbacks_give_the_same_bits_and_leave_the_environment(void) {
    float expected[OUTPUTS];
    inner = check_network(sizes, 3, 7);
    EXPECT_OK(bp_network_predict(inner, x, 1, expected));
    EXPECT_OK(bp_activation_register_scalar("calling", calling, third, NULL, NULL));
    bp_network *network = check_network(sizes, 3, 1);
    EXPECT_OK(bp_network_set_activation(network, 1, "calling"));
    for (size_t i = 0; i < COUNT(modes); i++) {
        expected_mode = &modes[i];
        mismatches = 0;
        enter(expected_mode);
        EXPECT_QUIET(bp_network_train_minibatch(network, x, y, 5, 0.01f, NULL));
        leave();
        EXPECT(mismatches == 0);
        EXPECT(memcmp(expected, inner_outputs, sizeof expected) == 0);
    }
    expected_mode = &modes[0];
    bp_network_free(network);
    bp_network_free(inner);
    EXPECT_OK(bp_activation_unregister("calling"));
}

static void flags_of_the_caller_stay_raised(void) {
    bp_network *network = check_network(sizes, 3, 1);
    for (size_t i = 0; i < 5; i++) {
        expected_mode = &modes[i];
        enter(expected_mode);
        feraiseexcept(FE_INVALID);
        EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.01f, NULL));
        EXPECT(fetestexcept(LOUD) == FE_INVALID);
        leave();
    }
    expected_mode = &modes[0];
    bp_network_free(network);
}

/* On i386, feraiseexcept raises flags of the x87, which belong to the host alone. */
static void raising_destroy(void *user_data) {
    volatile float zero = 0, infinite = 1 / zero, nan = zero / zero;
    *(int *)user_data = isinf(infinite) && isnan(nan);
}

static void flags_that_a_destroy_callback_raises_end_with_the_call(void) {
    for (int freed_last = 0; freed_last < 2; freed_last++) {
        bp_network *network = check_network(sizes, 3, 1);
        int raised = 0;
        EXPECT_OK(bp_activation_register_scalar("raising", tenth, NULL, &raised, raising_destroy));
        EXPECT_OK(bp_network_set_activation(network, 1, "raising"));
        feclearexcept(FE_ALL_EXCEPT);
        if (freed_last) EXPECT_OK(bp_activation_unregister("raising"));
        bp_network_free(network);
        if (!freed_last) EXPECT_OK(bp_activation_unregister("raising"));
        EXPECT(raised && !fetestexcept(LOUD));
    }
}

#ifdef __x86_64__ /* on i386, a call itself passes numbers in registers of the x87 */
/* The next x87 instruction of the host would trap. The library's conversions between numbers and text do not. */
static void raised_x87_flags_that_the_host_traps_do_not_trap_in_the_library(void) {
    const uint16_t control = 0x37f & ~0x0d; /* invalid, division by zero and overflow trap */
    uint16_t control_after, status_after;
    bp_network *network = check_network(sizes, 3, 1);
    volatile long double large = 1e4900L;
    __asm__ volatile("fninit");
    large = large * large; /* overflow */
    __asm__ volatile("fldcw %0" : : "m"(control));
    int32_t status = bp_network_set_option(network, "beta1", 7);
    __asm__ volatile("fnstsw %0\n\tfnstcw %1" : "=m"(status_after), "=m"(control_after));
    __asm__ volatile("fninit");
    EXPECT(status == BP_ERROR_INVALID_VALUE && check_message());
    EXPECT((status_after & 8) && control_after == control);
    bp_network_free(network);
}

#endif

static int32_t failing(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    (void)z, (void)a, (void)rows, (void)columns, (void)user_data;
    record_call();
    return 3;
}

static void calls_that_fail_leave_the_environment_and_its_flags(void) {
    static float infinite[INPUTS], huge[INPUTS], many[OUTPUTS];
    for (int i = 0; i < INPUTS; i++) huge[i] = 3e38f;
    for (int i = 0; i < OUTPUTS; i++) many[i] = -3e38f;
    infinite[3] = INFINITY;
    EXPECT_OK(bp_activation_register_vector("failing", failing, backward, NULL, NULL));
    bp_network *network = check_network(sizes, 3, 1), *other = check_network(sizes, 3, 1);
    EXPECT_OK(bp_network_set_activation(network, 1, "failing"));
    EXPECT_OK(bp_network_set_activation(other, 2, "identity"));
    for (size_t i = 0; i < COUNT(modes); i++) {
        expected_mode = &modes[i];
        mismatches = 0;
        enter(expected_mode);
        EXPECT_ERROR(bp_network_train_minibatch(network, x, y, ROWS, 0.01f, NULL), BP_ERROR_CALLBACK);
        EXPECT_ERROR(bp_network_train_step(other, infinite, y, 0.01f, NULL), BP_ERROR_NOT_FINITE);
        EXPECT_ERROR(bp_network_train_step(other, huge, many, 1, NULL), BP_ERROR_NOT_FINITE);
        EXPECT_ERROR(bp_network_set_option(other, "momentum", 2), BP_ERROR_INVALID_VALUE);
        EXPECT_ERROR(bp_network_predict(NULL, x, 1, many), BP_ERROR_NULL_ARGUMENT);
        EXPECT(!fetestexcept(LOUD) && is_in(expected_mode));
        leave();
        EXPECT(mismatches == 0);
    }
    expected_mode = &modes[0];
    bp_network_free(network);
    bp_network_free(other);
    EXPECT_OK(bp_activation_unregister("failing"));
}

int main(void) {
    caller = pthread_self();
    make_data();
    trappable = feenableexcept(LOUD) == -1 ? 0 : fegetexcept();
    leave();
    CLAIM(finite_data_give_the_same_bits_in_every_environment_and_raise_no_flag);
    CLAIM(callbacks_run_in_the_callers_environment_and_the_library_in_its_own);
    CLAIM(callbacks_on_other_threads_run_in_the_callers_environment);
    CLAIM(calls_from_callbacks_give_the_same_bits_and_leave_the_environment);
    CLAIM(flags_of_the_caller_stay_raised);
    CLAIM(flags_that_a_destroy_callback_raises_end_with_the_call);
#ifdef __x86_64__
    CLAIM(raised_x87_flags_that_the_host_traps_do_not_trap_in_the_library);
#endif
    CLAIM(calls_that_fail_leave_the_environment_and_its_flags);
    return check_end();
}
