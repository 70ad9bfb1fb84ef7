/* host.c: trains steps FIRST ... LAST - 1 of a run that host.py and swift/ repeat with the same numbers, and writes
 * OUT.safetensors, OUT.parameters and OUT.predictions (raw float32).
 *
 *     host OUT FIRST LAST [MODEL]
 *     host OUT fit LAST [MODEL]         a fit by a trainer, which ends at step LAST
 *     host OUT stream LAST [MODEL]      a fit from a stream, which ends at step LAST
 *
 * Starts from a new network, or from MODEL, a network after the steps before FIRST. Each of the three hosts generates its own
 * data and registers its own activation, so that they share only the library. */
#include <backprop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUTS = 6, OUTPUTS = 4, ROWS = 60 };

static float inputs[ROWS * INPUTS], targets[ROWS * OUTPUTS];

/* A linear congruential generator of 24 bits: integers are the same in every language, and exact in float. */
static uint32_t random_bits(void) {
    static uint32_t state = 2026;
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

static void make_data(void) {
    for (int row = 0; row < ROWS; row++) {
        for (int i = 0; i < INPUTS; i++)
            inputs[row * INPUTS + i] = (float)((int32_t)random_bits() - 8388608) / 8388608; /* -1 ... 1 */
        targets[row * OUTPUTS + (int)((random_bits() >> 16) % OUTPUTS)] = 1;
    }
}

/* z / (1 + |z|), with every operation in float. */
static float squash(float z, void *user_data) {
    (void)user_data;
    return z / (1 + (z < 0 ? -z : z));
}

static float squash_derivative(float z, float a, void *user_data) {
    float d = 1 + (z < 0 ? -z : z);
    (void)a, (void)user_data;
    return 1 / (d * d);
}

static void check(int32_t status) {
    if (status == BP_OK) return;
    fprintf(stderr, "host: %s\n", bp_last_error_message());
    exit(1);
}

/* The differentiable built-in activations and the one above. The sizes are below, at and above a vector's length. */
static bp_network *new_network(void) {
    static const char *const names[] = {"tanh", "relu",       "squash",   "gelu",     "softplus", "elu",
                                        "silu", "leaky_relu", "logistic", "softsign", "softmax"};
    const size_t sizes[] = {INPUTS, 20, 17, 9, 16, 33, 12, 8, 15, 24, 10, OUTPUTS};
    bp_network *network;
    check(bp_network_create(sizes, 12, 7, &network));
    for (size_t layer = 1; layer < 12; layer++) {
        check(bp_network_set_activation(network, layer, names[layer - 1]));
        check(bp_network_set_batchnorm(network, layer, layer % 2 == 1));
    }
    check(bp_network_set_loss(network, "cross_entropy"));
    check(bp_network_set_option(network, "gradient_reduction", 1));
    return network;
}

/* Every third step has a single row. The others have minibatches of 5 to 13 rows. */
static void train(bp_network *network, int step) {
    int single = step % 3 == 2, rows = single ? 1 : 5 + step % 9, first = step * 11 % (ROWS - rows + 1);
    const float *x = inputs + first * INPUTS, *y = targets + first * OUTPUTS;
    if (single) check(bp_network_train_step(network, x, y, 0.0625f, NULL));
    else check(bp_network_train_minibatch(network, x, y, (size_t)rows, 0.25f, NULL));
}

/* Stops the fit, before its last epoch, at the given step. */
static int32_t stop_at(const bp_progress *progress, void *last) { return progress->step == (uint64_t)*(int *)last; }

static float weight_of(size_t row) { return (float)(row % 4) / 2; }

/* The rows in order, in every epoch. */
static int32_t next(bp_minibatch *minibatch, void *user_data) {
    (void)user_data;
    for (size_t row = (size_t)minibatch->first_row; row < ROWS && minibatch->rows < minibatch->capacity; row++) {
        memcpy(minibatch->inputs + minibatch->rows * INPUTS, inputs + row * INPUTS, INPUTS * sizeof *inputs);
        memcpy(minibatch->targets + minibatch->rows * OUTPUTS, targets + row * OUTPUTS, OUTPUTS * sizeof *targets);
        minibatch->row_weights[minibatch->rows++] = weight_of(row);
    }
    return 0;
}

static void fit(bp_network *network, int is_stream, int last) {
    static const struct {
        const char *name;
        double value;
    } options[] = {{"epochs", 20},
                   {"batch_size", 7},
                   {"learning_rate", 0.0625},
                   {"schedule", 3},
                   {"seed", 11},
                   {"validation_fraction", 0.25}, /* of a fit of arrays */
                   {"steps_per_epoch", 9},        /* of a fit from a stream */
                   {"keep", 1},
                   {"on_divergence", 1},
                   {"resume", 1},
                   {"progress_interval", 1}};
    bp_trainer *trainer;
    float weights[ROWS];
    int32_t status;
    for (size_t row = 0; row < ROWS; row++) weights[row] = weight_of(row);
    check(bp_trainer_create(&trainer));
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        check(bp_trainer_set_option(trainer, options[i].name, options[i].value));
    check(bp_trainer_set_progress(trainer, stop_at, &last));
    if (is_stream) {
        status = bp_trainer_fit_stream(trainer, network, next, NULL, inputs, targets, ROWS / 3, NULL);
    } else {
        check(bp_trainer_set_row_weights(trainer, weights, ROWS));
        status = bp_trainer_fit(trainer, network, inputs, targets, ROWS, NULL, NULL, 0, NULL);
    }
    if (status != BP_STOPPED) {
        fprintf(stderr, "host: %s\n", bp_last_error_message());
        exit(1);
    }
    bp_trainer_free(trainer);
}

static const char *named(const char *out, const char *end) {
    static char path[4096];
    snprintf(path, sizeof path, "%s.%s", out, end);
    return path;
}

static void write_floats(const char *path, const float *values, size_t count) {
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(values, sizeof *values, count, file) != count || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

int main(int argc, char **argv) {
    bp_network *network;
    float *parameters, predictions[ROWS * OUTPUTS];
    size_t count;
    if (argc < 4 || argc > 5) return 2;
    make_data();
    check(bp_activation_register_scalar("squash", squash, squash_derivative, NULL, NULL));
    if (argc == 5) check(bp_network_load(argv[4], &network));
    else network = new_network();
    if (strcmp(argv[2], "fit") == 0 || strcmp(argv[2], "stream") == 0) {
        for (size_t layer = 1; layer < 11; layer++) check(bp_network_set_dropout(network, layer, 0.125));
        if (argc == 4) check(bp_network_set_optimizer(network, "adam"));
        fit(network, argv[2][0] == 's', atoi(argv[3]));
    } else {
        for (int step = atoi(argv[2]); step < atoi(argv[3]); step++) train(network, step);
    }

    check(bp_network_parameter_count(network, &count));
    parameters = (float *)malloc(count * sizeof *parameters);
    if (!parameters) return 1;
    check(bp_network_get_parameters(network, parameters, count));
    check(bp_network_predict(network, inputs, ROWS, predictions));
    check(bp_network_save(network, named(argv[1], "safetensors")));
    write_floats(named(argv[1], "parameters"), parameters, count);
    write_floats(named(argv[1], "predictions"), predictions, ROWS * OUTPUTS);
    free(parameters);
    bp_network_free(network);
    return 0;
}
