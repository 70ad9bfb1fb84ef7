/* transaction.c: a step is a transaction. Activations fail, write NaN, or call the library, in every layer and direction.
 * Afterwards the network is unchanged, byte for byte, and training continues as if the failed call had not been made. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>

#include "calls.h"
#include "check.h"

/* ---- A custom activation that fails when required, and is softsign, z / (1 + |z|), otherwise */

typedef enum { GOOD, FAIL_FORWARD, FAIL_BACKWARD, POISON_FORWARD, POISON_BACKWARD } behaviour;

typedef struct plugin {
    behaviour does;
    int32_t code;                                      /* the failure code */
    float poison;                                      /* the value to write */
    void (*during)(struct plugin *self, int backward); /* called during each call, if set */
    bp_network *network;
    int forward_calls, backward_calls, mistakes;
    size_t rows, columns; /* the sum of the rows of all calls; the columns of the last call */
    pthread_t thread;
} plugin;

static int overlap(const float *one, const float *other, size_t count) {
    return (uintptr_t)one < (uintptr_t)(other + count) && (uintptr_t)other < (uintptr_t)(one + count);
}

static int32_t forward(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    plugin *self = (plugin *)user_data;
    size_t count = rows * columns;
    self->forward_calls++;
    self->rows += rows, self->columns = columns;
    self->mistakes += overlap(z, a, count) || !pthread_equal(self->thread, pthread_self());
    for (size_t i = 0; i < count; i++) a[i] = self->does == FAIL_FORWARD ? 1e30f : z[i] / (1 + fabsf(z[i]));
    if (self->during) self->during(self, 0);
    if (self->does == POISON_FORWARD) a[count - 1] = self->poison;
    return self->does == FAIL_FORWARD ? self->code : 0;
}

static int32_t backward(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                        void *user_data) {
    plugin *self = (plugin *)user_data;
    size_t count = rows * columns;
    self->backward_calls++;
    self->mistakes += overlap(z, dz, count) || overlap(a, dz, count) || overlap(da, dz, count) ||
        !pthread_equal(self->thread, pthread_self());
    for (size_t i = 0; i < count; i++) {
        float slope = 1 - fabsf(a[i]); /* 1 / (1 + |z|), for a = z / (1 + |z|) */
        dz[i] = self->does == FAIL_BACKWARD ? 1e30f : da[i] * slope * slope;
    }
    if (self->during) self->during(self, 1);
    if (self->does == POISON_BACKWARD) dz[count - 1] = self->poison;
    return self->does == FAIL_BACKWARD ? self->code : 0;
}

/* ---- A network of four layers with batch normalization and one custom activation for each of the three layers with weights.
 * It is trained for a few steps, so that all statistics differ from their initial values. */

enum { ROWS = 6, INPUTS = 3, OUTPUTS = 2, LAYERS = 4 };
static const size_t sizes[LAYERS] = {INPUTS, 5, 4, OUTPUTS};
static const char *const names[LAYERS] = {NULL, "plugin.1", "plugin.2", "plugin.3"};
static plugin plugins[LAYERS];
static float x[ROWS * INPUTS], y[ROWS * OUTPUTS];

static bp_network *begin(void) {
    bp_network *network = check_network(sizes, LAYERS, 3);
    check_fill(x, ROWS * INPUTS, 1);
    check_fill(y, ROWS * OUTPUTS, 2);
    for (size_t l = 1; l < LAYERS; l++) {
        plugin fresh = {GOOD, 4711, NAN, NULL, NULL, 0, 0, 0, 0, 0, pthread_self()};
        plugins[l] = fresh;
        EXPECT_OK(bp_activation_register_vector(names[l], forward, backward, &plugins[l], NULL));
        EXPECT_OK(bp_network_set_activation(network, l, names[l]));
        EXPECT_OK(bp_network_set_batchnorm(network, l, 1));
    }
    for (int step = 0; step < 3; step++) EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.25f, NULL));
    return network;
}

static void end(bp_network *network) {
    bp_network_free(network);
    for (size_t l = 1; l < LAYERS; l++) EXPECT_OK(bp_activation_unregister(names[l]));
}

/* Calls that run activations. From PREDICT on, they run only the forward pass. */
enum { STEP, MINIBATCH, GRADIENT, BACKPROPAGATE, INPUT_GRADIENTS, JACOBIAN, CHECK, PREDICT, EVALUATE, LAYER, LOSSES, KINDS };

static int32_t run(int kind, bp_network *network) {
    static float gradient[256], outputs[ROWS * OUTPUTS], for_inputs[ROWS * INPUTS], jacobian[ROWS * OUTPUTS * INPUTS];
    float loss = 9;
    double worst = 9;
    int32_t status;
    switch (kind) {
    case STEP: status = bp_network_train_step(network, x, y, 0.25f, &loss); break;
    case MINIBATCH: status = bp_network_train_minibatch(network, x, y, ROWS, 0.25f, &loss); break;
    case GRADIENT: status = bp_network_gradient(network, x, y, ROWS, gradient, count_of(network), &loss); break;
    case BACKPROPAGATE: return bp_network_backpropagate(network, x, y, ROWS, gradient, count_of(network), for_inputs);
    case INPUT_GRADIENTS: return bp_network_backpropagate(network, x, y, ROWS, NULL, 0, for_inputs);
    case JACOBIAN: return bp_network_input_jacobian(network, x, ROWS, jacobian);
    case LAYER: return bp_network_predict_layer(network, LAYERS - 1, x, ROWS, outputs);
    case LOSSES: return bp_network_row_losses(network, x, y, ROWS, outputs);
    case CHECK: status = bp_network_check_gradient(network, x, y, ROWS, &worst); break;
    case PREDICT: return bp_network_predict(network, x, ROWS, outputs);
    default: status = bp_network_evaluate(network, x, y, ROWS, &loss); break;
    }
    if (status < 0) EXPECT((kind == CHECK ? worst : (double)loss) == 0);
    return status;
}

/* Makes each call fail in each layer, and compares bytes. Then a successful step must equal the step of a twin without a
 * failure. */
static void expect_undone_everywhere(behaviour does, float poison, int32_t expected) {
    for (size_t layer = 1; layer < LAYERS; layer++)
        for (int kind = 0; kind < KINDS; kind++) {
            bp_network *network = begin(), *twin = NULL;
            snapshot before = snapshot_of(network);
            int32_t wanted = expected;
            int steps_backward = does == FAIL_BACKWARD || does == POISON_BACKWARD;
            if (steps_backward && kind >= PREDICT) wanted = BP_OK;                            /* no backward pass */
            if (does == POISON_FORWARD && (kind == PREDICT || kind == LAYER)) wanted = BP_OK; /* NaN is a valid output */
            EXPECT_OK(bp_network_clone(network, &twin));
            plugins[layer].does = does;
            plugins[layer].poison = poison;
            if (wanted == BP_OK) EXPECT_OK(run(kind, network));
            else EXPECT_ERROR(run(kind, network), wanted);
            if (wanted == BP_ERROR_CALLBACK) EXPECT_MESSAGE("4711"); /* the host's code */
            plugins[layer].does = GOOD;
            if (!EXPECT(snapshot_holds(before, network))) printf("#   layer %d, call %d\n", (int)layer, kind);
            EXPECT_OK(run(MINIBATCH, network));
            EXPECT_OK(run(MINIBATCH, twin));
            EXPECT(snapshot_equal(network, twin));
            EXPECT(!snapshot_holds(before, network)); /* the step changed the network */
            bp_network_free(twin);
            free(before.bytes);
            end(network);
        }
}

static void failing_forward_is_undone(void) { expect_undone_everywhere(FAIL_FORWARD, 0, BP_ERROR_CALLBACK); }
static void failing_backward_is_undone(void) { expect_undone_everywhere(FAIL_BACKWARD, 0, BP_ERROR_CALLBACK); }
static void nan_from_forward_is_undone(void) { expect_undone_everywhere(POISON_FORWARD, NAN, BP_ERROR_NOT_FINITE); }
static void nan_from_backward_is_undone(void) { expect_undone_everywhere(POISON_BACKWARD, NAN, BP_ERROR_NOT_FINITE); }
static void infinity_from_backward_is_undone(void) {
    expect_undone_everywhere(POISON_BACKWARD, INFINITY, BP_ERROR_NOT_FINITE);
    expect_undone_everywhere(POISON_BACKWARD, -INFINITY, BP_ERROR_NOT_FINITE);
}

static void any_code_but_zero_fails(void) {
    const int32_t codes[] = {1, -1, 2, INT32_MAX, INT32_MIN, BP_STOPPED, BP_ERROR_IO};
    bp_network *network = begin();
    plugins[2].does = FAIL_FORWARD;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        char text[16];
        plugins[2].code = codes[i];
        snprintf(text, sizeof text, "%d", (int)codes[i]);
        EXPECT_ERROR(run(MINIBATCH, network), BP_ERROR_CALLBACK);
        EXPECT(strstr(bp_last_error_message(), text) != NULL);
    }
    end(network);
}

/* relu can turn a NaN into 0, so that the loss is finite. The gradient of the weights above still contains 0 times NaN. */
static void nan_hidden_by_relu_is_detected(void) {
    bp_network *network = begin();
    snapshot before;
    EXPECT_OK(bp_network_set_activation(network, 2, "relu"));
    for (size_t l = 1; l < LAYERS; l++) EXPECT_OK(bp_network_set_batchnorm(network, l, 0));
    before = snapshot_of(network);
    plugins[1].does = POISON_FORWARD;
    EXPECT_ERROR(run(STEP, network), BP_ERROR_NOT_FINITE);
    EXPECT_ERROR(run(MINIBATCH, network), BP_ERROR_NOT_FINITE);
    EXPECT_ERROR(run(GRADIENT, network), BP_ERROR_NOT_FINITE);
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
    end(network);
}

/* Scalar functions cannot fail, but they can return NaN: here above 0.75, like log or sqrt below 0. */
static float nan_above(float z, void *user_data) { return z > 0.75f && *(int *)user_data == 1 ? NAN : z; }
static float nan_above_derivative(float z, float a, void *user_data) {
    (void)a;
    return z > 0.75f && *(int *)user_data == 2 ? INFINITY : 1;
}

static void scalar_function_or_derivative_that_is_not_finite_is_undone(void) {
    int mode = 0;
    bp_network *network = begin();
    EXPECT_OK(bp_activation_register_scalar("careless", nan_above, nan_above_derivative, &mode, NULL));
    for (size_t layer = 1; layer < LAYERS; layer++) {
        snapshot before;
        EXPECT_OK(bp_network_set_activation(network, layer, "careless"));
        before = snapshot_of(network);
        for (mode = 1; mode <= 2; mode++) {
            EXPECT_ERROR(run(MINIBATCH, network), BP_ERROR_NOT_FINITE);
            EXPECT_ERROR(run(GRADIENT, network), BP_ERROR_NOT_FINITE);
            EXPECT(snapshot_holds(before, network));
        }
        mode = 0;
        EXPECT_OK(run(MINIBATCH, network));
        free(before.bytes);
        EXPECT_OK(bp_network_set_activation(network, layer, "tanh"));
    }
    EXPECT_OK(bp_activation_unregister("careless"));
    end(network);
}

/* ---- Arguments of callbacks */

/* A refused row leaves nothing in the buffers either: the next minibatch equals that of a twin without the refused row. */
static void refused_row_does_not_affect_later_minibatches(void) {
    static const char *names[] = {"logistic", "tanh", "relu", "identity"};
    static const size_t shapes[][3] = {{2, 20, 3}, {2, 4, 1}, {2, 3, 9}, {2, 33, 1}};
    const float inputs[8] = {0, 0, 0, 1, 1, 0, 1, 1};
    const float bad[] = {INFINITY, -INFINITY, NAN};
    float targets[36] = {0};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes * 4 * 4 * 2; i++) {
        const size_t *shape = shapes[i % 4];
        bp_network *network = NULL, *twin = NULL;
        float input[2] = {1, 0}, target[9] = {0}, one[900], other[900];
        size_t count = 0;
        EXPECT_OK(bp_network_create(shape, 3, 1, &network));
        EXPECT_OK(bp_network_set_activation(network, 1, names[i / 4 % 4]));
        EXPECT_OK(bp_network_set_activation(network, 2, names[i / 16 % 4]));
        EXPECT_OK(bp_network_train_minibatch(network, inputs, targets, 4, 0.1f, NULL));
        EXPECT_OK(bp_network_clone(network, &twin));
        (i / 64 % 2 ? target : input)[0] = bad[i / 16 % 3];
        EXPECT_STATUS(bp_network_train_step(network, input, target, 0.1f, NULL), BP_ERROR_NOT_FINITE);
        EXPECT_OK(bp_network_train_minibatch(network, inputs, targets, 4, 0.1f, NULL));
        EXPECT_OK(bp_network_train_minibatch(twin, inputs, targets, 4, 0.1f, NULL));
        EXPECT_OK(bp_network_parameter_count(network, &count));
        EXPECT(count <= 900);
        EXPECT_OK(bp_network_get_parameters(network, one, count_of(network)));
        EXPECT_OK(bp_network_get_parameters(twin, other, count_of(twin)));
        EXPECT(memcmp(one, other, count * sizeof(float)) == 0);
        bp_network_free(network);
        bp_network_free(twin);
    }
}

static void callbacks_get_whole_matrices_on_the_calling_thread(void) {
    bp_network *network = begin();
    for (int kind = 0; kind < KINDS; kind++) {
        if (kind == CHECK) continue; /* its number of calls is not specified */
        for (size_t l = 1; l < LAYERS; l++) plugins[l].forward_calls = plugins[l].backward_calls = 0, plugins[l].rows = 0;
        EXPECT_OK(run(kind, network));
        for (size_t l = 1; l < LAYERS; l++) {
            EXPECT(plugins[l].rows == (kind == STEP ? 1 : ROWS) && plugins[l].columns == sizes[l]);
            if (kind < PREDICT) EXPECT(plugins[l].forward_calls == 1); /* one call for each layer */
            EXPECT(plugins[l].backward_calls == (kind == JACOBIAN ? OUTPUTS : kind < PREDICT ? 1 : 0));
            EXPECT(plugins[l].mistakes == 0);
        }
    }
    end(network);
}

static void predictions_of_many_rows_reach_the_callback_once_each(void) {
    enum { MANY = 5000 };
    static float inputs[MANY * INPUTS], outputs[MANY * OUTPUTS];
    bp_network *network = begin();
    check_fill(inputs, MANY * INPUTS, 3);
    for (size_t l = 1; l < LAYERS; l++) plugins[l].rows = 0;
    EXPECT_OK(bp_network_predict(network, inputs, MANY, outputs));
    for (size_t l = 1; l < LAYERS; l++) EXPECT(plugins[l].rows == MANY && plugins[l].mistakes == 0);
    end(network);
}

/* ---- Calls back into the library */

static int32_t statuses[NETWORK_CALLS];
static int inside, directions_seen;

static void call_everything(plugin *self, int backward_now) {
    if (inside) return; /* a prediction from here calls this callback again */
    inside = 1;
    directions_seen |= backward_now ? 2 : 1;
    for (size_t i = 0; i < NETWORK_CALLS; i++) {
        int32_t status = network_calls[i].call(self->network);
        if (statuses[i] >= 0) statuses[i] = status; /* keep a refusal */
        if (status < 0 && !check_message()) self->mistakes++;
    }
    inside = 0;
}

/* calls.h has arguments for networks of 2, 2 and 1 units. */
static bp_network *small(void) {
    const size_t small_sizes[] = {2, 2, 1};
    plugin fresh = {GOOD, 0, 0, NULL, NULL, 0, 0, 0, 0, 0, pthread_self()};
    bp_network *network = check_network(small_sizes, 3, 4);
    plugins[1] = fresh;
    EXPECT_OK(bp_activation_register_vector("small", forward, backward, &plugins[1], NULL));
    EXPECT_OK(bp_network_set_activation(network, 1, "small"));
    plugins[1].network = network;
    memset(statuses, 0, sizeof statuses);
    directions_seen = 0;
    calls_left_output = 0;
    return network;
}

static void end_small(bp_network *network) {
    EXPECT(plugins[1].mistakes == 0);
    bp_network_free(network);
    EXPECT_OK(bp_activation_unregister("small"));
    remove("calls.safetensors");
}

static void callback_of_a_changing_call_gets_busy(void) {
    int32_t (*const changing[])(bp_network *) = {calls_train_step, calls_train_minibatch, calls_gradient, calls_check_gradient};
    for (size_t k = 0; k < sizeof changing / sizeof changing[0]; k++) {
        bp_network *network = small(), *twin = NULL;
        EXPECT_OK(bp_network_clone(network, &twin));
        EXPECT_OK(changing[k](twin));
        plugins[1].during = call_everything;
        EXPECT_OK(changing[k](network)); /* the network is still usable */
        plugins[1].during = NULL;
        EXPECT((directions_seen & 1) && (directions_seen == 3 || changing[k] == calls_check_gradient));
        for (size_t i = 0; i < NETWORK_CALLS; i++)
            if (!EXPECT_STATUS(statuses[i], BP_ERROR_BUSY)) printf("#   %s\n", network_calls[i].name);
        EXPECT(!calls_left_output);
        EXPECT(snapshot_equal(network, twin));
        bp_network_free(twin);
        end_small(network);
    }
}

/* Calls on a const network work within a call on a const network. Others are refused. */
static void callback_of_a_reading_call_can_read(void) {
    int32_t (*const reading[])(bp_network *) = {calls_predict, calls_evaluate};
    for (size_t k = 0; k < 2; k++) {
        bp_network *network = small();
        snapshot before = snapshot_of(network);
        plugins[1].during = call_everything;
        EXPECT_OK(reading[k](network));
        plugins[1].during = NULL;
        EXPECT(directions_seen == 1);
        for (size_t i = 0; i < NETWORK_CALLS; i++)
            if (!EXPECT_STATUS(statuses[i], network_calls[i].reads ? BP_OK : BP_ERROR_BUSY))
                printf("#   %s\n", network_calls[i].name);
        EXPECT(snapshot_holds(before, network));
        free(before.bytes);
        end_small(network);
    }
}

static int32_t nested_status;

static void train_the_other(plugin *self, int backward_now) {
    (void)backward_now;
    if (inside) return;
    inside = 1;
    nested_status = run(MINIBATCH, self->network);
    inside = 0;
}

static void callback_can_use_another_network(void) {
    bp_network *network = begin(), *other = NULL, *twin = NULL;
    EXPECT_OK(bp_network_clone(network, &other)); /* with the same activations */
    EXPECT_OK(bp_network_clone(network, &twin));
    plugins[2].during = train_the_other;
    plugins[2].network = other;
    EXPECT_OK(run(MINIBATCH, network)); /* trains the other network twice, in forward and in backward */
    plugins[2].during = NULL;
    EXPECT_OK(nested_status);
    EXPECT_OK(run(MINIBATCH, twin));
    EXPECT(snapshot_equal(network, twin));
    EXPECT_OK(run(MINIBATCH, twin));
    EXPECT(snapshot_equal(other, twin));
    bp_network_free(other);
    bp_network_free(twin);
    end(network);
}

static bp_network *outer, *inner;
static int depth;
static int32_t back_to_the_outer;

static void call_the_inner_network(plugin *self, int backward_now) {
    (void)self;
    if (backward_now || depth == 2) return;
    depth++;
    if (depth == 1) nested_status = run(MINIBATCH, inner);
    else back_to_the_outer = run(MINIBATCH, outer);
    depth--;
}

static void network_is_busy_also_through_a_second_network(void) {
    outer = begin();
    inner = NULL;
    depth = 0;
    EXPECT_OK(bp_network_clone(outer, &inner));
    plugins[1].during = call_the_inner_network;
    EXPECT_OK(run(MINIBATCH, outer));
    plugins[1].during = NULL;
    EXPECT_OK(nested_status);
    EXPECT_STATUS(back_to_the_outer, BP_ERROR_BUSY);
    bp_network_free(inner);
    end(outer);
}

static int32_t registry_statuses[6];

static float twice(float z, void *user_data) {
    (void)user_data;
    return 2 * z;
}

static void use_the_registry(plugin *self, int backward_now) {
    char name[80];
    size_t needed;
    bp_network *made = NULL;
    (void)self;
    if (backward_now) return;
    registry_statuses[0] = bp_activation_register_scalar("inside", twice, NULL, NULL, NULL);
    registry_statuses[1] = bp_activation_name(0, name, sizeof name, &needed);
    registry_statuses[2] = bp_activation_unregister("inside");
    registry_statuses[3] = bp_network_create(sizes, LAYERS, 1, &made);
    registry_statuses[4] = bp_network_set_activation(made, 1, "plugin.1");
    registry_statuses[5] = bp_activation_unregister("plugin.3"); /* the activation that is running */
    bp_network_free(made);
}

static void callback_can_use_the_registry_and_create_networks(void) {
    bp_network *network = begin();
    plugins[3].during = use_the_registry;
    EXPECT_OK(run(MINIBATCH, network));
    plugins[3].during = NULL;
    for (int i = 0; i < 6; i++) EXPECT_OK(registry_statuses[i]);
    EXPECT_OK(bp_activation_register_vector("plugin.3", forward, backward, &plugins[3], NULL)); /* for end() */
    end(network);
}

/* The message of a step that diverges names the layer in which it does. */
static void message_names_the_layer_that_diverged(void) {
    const size_t shape[] = {1, 1, 1, 1};
    for (size_t layer = 1; layer <= 3; layer++) {
        bp_network *network = check_network(shape, 4, 1);
        float parameters[6] = {1, 0, 1, 0, 1, 0}, in = 1e20f, out = 0, loss;
        char name[16];
        for (size_t l = 1; l <= 3; l++) EXPECT_OK(bp_network_set_activation(network, l, "identity"));
        parameters[2 * (layer - 1)] = 1e30f; /* gives 1e50, more than float holds */
        EXPECT_OK(bp_network_set_parameters(network, parameters, count_of(network)));
        EXPECT_ERROR(bp_network_train_minibatch(network, &in, &out, 1, 0.1f, &loss), BP_ERROR_NOT_FINITE);
        sprintf(name, "layer %d", (int)layer);
        EXPECT(strstr(bp_last_error_message(), name) != NULL);
        bp_network_free(network);
    }
}

int main(void) {
    CLAIM(message_names_the_layer_that_diverged);
    CLAIM(failing_forward_is_undone);
    CLAIM(failing_backward_is_undone);
    CLAIM(nan_from_forward_is_undone);
    CLAIM(nan_from_backward_is_undone);
    CLAIM(infinity_from_backward_is_undone);
    CLAIM(any_code_but_zero_fails);
    CLAIM(nan_hidden_by_relu_is_detected);
    CLAIM(scalar_function_or_derivative_that_is_not_finite_is_undone);
    CLAIM(refused_row_does_not_affect_later_minibatches);
    CLAIM(callbacks_get_whole_matrices_on_the_calling_thread);
    CLAIM(predictions_of_many_rows_reach_the_callback_once_each);
    CLAIM(callback_of_a_changing_call_gets_busy);
    CLAIM(callback_of_a_reading_call_can_read);
    CLAIM(callback_can_use_another_network);
    CLAIM(network_is_busy_also_through_a_second_network);
    CLAIM(callback_can_use_the_registry_and_create_networks);
    return check_end();
}
