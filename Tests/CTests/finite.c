/* finite.c: after a step every number of the network is finite, or the step is refused and changes nothing: for every
 * optimizer, any rate and any magnitude of the data. A step is refused only if a number of the formulas exceeds the range of
 * float. */
#include <float.h>

#include "check.h"

static const char *const optimizers[] = {"sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "irprop_minus"};
enum { SGD, MOMENTUM, NESTEROV, RMSPROP, ADAM, ADAMW, IRPROP_MINUS, OPTIMIZERS };

static uint64_t state;
static double uniform(void) { /* splitmix64 (Vigna), in [0, 1) */
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}
static int draw(int below) { return (int)(uniform() * below); }
static float of_any_size(double low, double high) { /* low, high: exponents of ten */
    return (float)(pow(10, low + (high - low) * uniform()) * (draw(2) ? 1 : -1));
}

static int all_finite(const bp_network *network) {
    static float values[4096];
    size_t count = 0;
    EXPECT_OK(bp_network_parameter_count(network, &count));
    EXPECT_OK(bp_network_get_parameters(network, values, count));
    for (size_t i = 0; i < count; i++)
        if (!isfinite(values[i])) return 0;
    return 1;
}

static size_t accepted, refused;

/* status: the status of a step. The network's file must load too: it holds the running statistics and the optimizer's state. */
static void finite_or_unchanged(int32_t status, snapshot before, const bp_network *network) {
    if (status == BP_OK) {
        snapshot now = snapshot_of(network);
        bp_network *again = NULL;
        EXPECT(all_finite(network));
        EXPECT_OK(bp_network_load_memory(now.bytes, now.count, &again));
        bp_network_free(again);
        free(now.bytes);
        accepted++;
    } else {
        EXPECT_STATUS(status, BP_ERROR_NOT_FINITE);
        EXPECT(snapshot_holds(before, network));
        refused++;
    }
    free(before.bytes);
}

static void steps_with_any_magnitude_are_finite_or_refused(void) {
    enum { ROWS = 9, INPUTS = 20, OUTPUTS = 3 };
    static const char *const activations[] = {"identity", "relu", "tanh"};
    const size_t sizes[] = {INPUTS, 18, OUTPUTS};
    const int wanted = getenv("TORTURE") ? 100000 : 4000;
    accepted = refused = 0;
    for (int i = 0; i < wanted; i++) {
        static float x[ROWS * INPUTS], y[ROWS * OUTPUTS], gradient[2000];
        bp_network *network = check_network(sizes, 3, 1);
        double size_of_x, size_of_y, size_of_rate;
        size_t count;
        state = (uint64_t)i;
        EXPECT_OK(bp_network_set_activation(network, 1, activations[draw(3)]));
        EXPECT_OK(bp_network_set_activation(network, 2, activations[draw(3)]));
        EXPECT_OK(bp_network_set_optimizer(network, optimizers[draw(OPTIMIZERS)]));
        if (draw(3) == 0) EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
        if (draw(6) == 0) EXPECT_OK(bp_network_set_option(network, "weight_decay", pow(10, 6 - 9 * uniform())));
        if (draw(6) == 0) EXPECT_OK(bp_network_set_option(network, "clip_norm", pow(10, 30 - 40 * uniform())));
        if (draw(6) == 0) EXPECT_OK(bp_network_set_option(network, "epsilon", pow(10, -12 * uniform())));
        EXPECT_OK(bp_network_parameter_count(network, &count));
        size_of_x = 38 * uniform() - 5, size_of_y = 38 * uniform() - 5, size_of_rate = 43 * uniform() - 5;
        for (int step = 0; step < 4; step++) {
            size_t rows = draw(3) ? (size_t)(1 + draw(ROWS)) : 1;
            float rate = size_of_rate > 38 ? FLT_MAX : (float)pow(10, size_of_rate);
            snapshot before;
            for (int k = 0; k < ROWS * INPUTS; k++) x[k] = of_any_size(size_of_x - 1, size_of_x);
            for (int k = 0; k < ROWS * OUTPUTS; k++) y[k] = of_any_size(size_of_y - 1, size_of_y);
            before = snapshot_of(network);
            if (draw(4)) {
                finite_or_unchanged(bp_network_train_minibatch(network, x, y, rows, rate, NULL), before, network);
            } else {
                for (int k = 0; k < 2000; k++) gradient[k] = of_any_size(size_of_x - 1, size_of_x);
                finite_or_unchanged(bp_network_apply_gradient(network, gradient, count, rate), before, network);
            }
        }
        bp_network_free(network);
    }
    EXPECT(accepted > 1000 && refused > 1000);
}

static void zero_gradient_at_any_rate_keeps_weights_finite(void) {
    const size_t sizes[] = {2, 1};
    const float x[] = {0, 0}, rates[] = {0, 1, 1e20f, 3e37f, 1e38f, FLT_MAX};
    for (int i = 0; i < OPTIMIZERS; i++) {
        bp_network *network = check_network(sizes, 2, 1);
        float parameters[3], target;
        EXPECT_OK(bp_network_set_activation(network, 1, "identity"));
        EXPECT_OK(bp_network_set_optimizer(network, optimizers[i]));
        EXPECT_OK(bp_network_get_parameters(network, parameters, 3));
        target = parameters[2]; /* the output, with inputs of 0 */
        for (size_t k = 0; k < sizeof rates / sizeof rates[0]; k++) {
            snapshot before = snapshot_of(network);
            finite_or_unchanged(bp_network_train_minibatch(network, x, &target, 1, rates[k], NULL), before, network);
        }
        bp_network_free(network);
    }
}

/* The formulas in double precision. `beyond` is set when a number exceeds the range of float. `unsure` is set when a number is
 * so close to the largest float that rounding decides, or when a fused product and sum is finite and the product is not. */
static int beyond, unsure;
static double note(double value) {
    double size = fabs(value) / FLT_MAX;
    if (!(size <= 1)) beyond = 1;
    if (size > 0.999 && size < 1.001) unsure = 1;
    return value;
}
static double moved(double w, double rate, double direction) {
    double result = w - rate * direction;
    if (fabs(rate * direction) > FLT_MAX && fabs(result) < FLT_MAX) unsure = 1;
    return note(result);
}

typedef struct {
    double w, m, v;
} parameter;

/* One step with the default options. */
static parameter stepped(int optimizer, parameter p, double g, double rate, double decay, int t) {
    const double b1 = (double)0.9f, b2 = (double)0.999f, epsilon = (double)1e-8f, alpha = (double)0.99f;
    double r = optimizer == ADAM || optimizer == ADAMW ? note(rate / (1 - pow(0.9, t))) : rate;
    if (optimizer == ADAMW) p.w = note(p.w * note(1 - rate * decay));
    else g = note(g + note(decay * p.w));
    switch (optimizer) {
    case SGD: p.w = moved(p.w, rate, g); break;
    case MOMENTUM: p.m = note(b1 * p.m + g), p.w = moved(p.w, rate, p.m); break;
    case NESTEROV: p.m = note(b1 * p.m + g), p.w = moved(p.w, rate, note(g + b1 * p.m)); break;
    case RMSPROP:
        p.v = note(alpha * p.v + (1 - alpha) * note(g * g));
        p.w = moved(p.w, rate, note(g / (sqrt(p.v) + epsilon)));
        break;
    default:
        p.m = note(b1 * p.m + (1 - b1) * g), p.v = note(b2 * p.v + (1 - b2) * note(g * g));
        p.w = moved(p.w, r, note(p.m / (sqrt(p.v) / sqrt(1 - pow(0.999, t)) + epsilon)));
    }
    return p;
}

static void steps_are_refused_only_where_the_formulas_overflow(void) {
    const size_t sizes[] = {1, 1};
    size_t compared = 0, refusals = 0;
    for (int i = 0; i < 30000; i++) {
        bp_network *network = check_network(sizes, 2, 1);
        parameter p[2] = {{0, 0, 0}, {0, 0, 0}};
        float values[2], decay;
        int optimizer, with_decay;
        state = (uint64_t)i;
        optimizer = draw(IRPROP_MINUS), with_decay = draw(4) == 0;
        decay = with_decay ? (float)pow(10, 6 - 8 * uniform()) : 0;
        values[0] = draw(2) ? of_any_size(-3, 3) : of_any_size(20, 38.5), values[1] = of_any_size(-3, 3);
        EXPECT_OK(bp_network_set_activation(network, 1, "identity"));
        EXPECT_OK(bp_network_set_optimizer(network, optimizers[optimizer]));
        EXPECT_OK(bp_network_set_option(network, "weight_decay", (double)decay));
        EXPECT_OK(bp_network_set_option(network, "decay_biases", 1));
        EXPECT_OK(bp_network_set_parameters(network, values, 2));
        for (int k = 0; k < 2; k++) p[k].w = (double)values[k];
        for (int t = 1; t < 4; t++) {
            float gradient[2] = {of_any_size(-5, 38.5), of_any_size(-5, 5)}, rate = fabsf(of_any_size(-8, 38.5));
            parameter next[2];
            int32_t status;
            beyond = unsure = 0;
            for (int k = 0; k < 2; k++) next[k] = stepped(optimizer, p[k], (double)gradient[k], (double)rate, (double)decay, t);
            if (unsure) break;
            status = bp_network_apply_gradient(network, gradient, 2, rate);
            compared++, refusals += beyond != 0;
            if (!EXPECT_STATUS(status, beyond ? BP_ERROR_NOT_FINITE : BP_OK)) {
                printf("#   %d: %s, w %g, g %g, rate %g, decay %g, step %d\n", i, optimizers[optimizer], p[0].w,
                       (double)gradient[0], (double)rate, (double)decay, t);
                break;
            }
            if (beyond) break;
            EXPECT_OK(bp_network_get_parameters(network, values, 2));
            for (int k = 0; k < 2; k++) { /* continue from the library's weights, so that rounding errors do not accumulate */
                p[k] = next[k];
                p[k].w = (double)values[k];
            }
        }
        bp_network_free(network);
    }
    EXPECT(compared > 20000 && refusals > 5000 && compared - refusals > 5000);
}

/* Values whose sums exceed the bounds that prove a step finite. The steps are finite nevertheless. */
static void large_data_are_not_refused(void) {
    enum { ROWS = 40 };
    static float x[ROWS * 2], y[ROWS];
    const size_t sizes[] = {2, 3, 1};
    check_fill(x, ROWS * 2, 1);
    check_fill(y, ROWS, 2);
    for (int i = 0; i < ROWS * 2; i++) x[i] *= 1e17f;
    for (int i = 0; i < ROWS; i++) y[i] *= 1e15f;
    for (int normalized = 0; normalized < 2; normalized++) {
        bp_network *network = check_network(sizes, 3, 1), *twin = NULL;
        EXPECT_OK(bp_network_set_activation(network, 1, "identity"));
        EXPECT_OK(bp_network_set_activation(network, 2, "identity"));
        if (normalized) EXPECT_OK(bp_network_set_batchnorm(network, 1, 1)); /* the variance is 1e34 */
        EXPECT_OK(bp_network_clone(network, &twin));
        EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 1e-38f, NULL));
        EXPECT(!snapshot_equal(network, twin) && all_finite(network));
        bp_network_free(network);
        bp_network_free(twin);
    }
}

int main(void) {
    CLAIM(steps_with_any_magnitude_are_finite_or_refused);
    CLAIM(zero_gradient_at_any_rate_keeps_weights_finite);
    CLAIM(steps_are_refused_only_where_the_formulas_overflow);
    CLAIM(large_data_are_not_refused);
    return check_end();
}
