/* bits.c: trains networks of many kinds with fixed seeds, and prints for each a hash of its parameters, losses and outputs. The
 * lines of two instruction sets that give the same bits are equal. Usage: bits STEPS: steps of a training, fewer for large networks */
#include <backprop.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 128, MOST_NUMBERS = MOST_ROWS * 320 };

static float inputs[MOST_NUMBERS], targets[MOST_NUMBERS], outputs[MOST_NUMBERS], parameters[200000];
static int steps;

static uint64_t hash(uint64_t value, const void *bytes, size_t count) { /* FNV-1a */
    const uint8_t *byte = bytes;
    for (size_t i = 0; i < count; i++) value = (value ^ byte[i]) * 0x100000001b3u;
    return value;
}

static void require(int32_t status) {
    if (status == BP_OK) return;
    printf("%s\n", bp_last_error_message());
    exit(1);
}

static float next(void) { /* multiples of 2^-11 in [-2, 2) */
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (float)((double)(state >> 19) / 2048 - 2);
}

typedef struct {
    size_t sizes[4], layers, rows;
    int part; /* of the steps */
} shape;

static const shape small = {{2, 4, 1}, 3, 4, 1}, one_row = {{64, 32, 10}, 3, 1, 1}, rows = {{20, 17, 9, 7}, 4, 13, 1},
                   odd = {{100, 70, 33, 7}, 4, 37, 10}, large = {{300, 200, 100, 10}, 4, MOST_ROWS, 50};

static bp_network *create(const shape *shape) {
    bp_network *network = NULL;
    require(bp_network_create(shape->sizes, shape->layers, 7, &network));
    return network;
}

/* Trains the network on rows with one target of 1, prints the line and frees the network. Without effect if the settings do
 * not fit together. */
static void train(bp_network *network, const shape *shape, float rate, const char *name, const char *more) {
    size_t columns = 0, count = 0, last = shape->sizes[shape->layers - 1];
    require(bp_network_target_columns(network, &columns));
    require(bp_network_parameter_count(network, &count));
    for (size_t i = 0; i < shape->rows * shape->sizes[0]; i++) inputs[i] = next();
    for (size_t i = 0; i < shape->rows * columns; i++) targets[i] = i % columns == i / columns % columns;
    if (bp_network_check_settings(network, targets, shape->rows) == BP_OK) {
        uint64_t losses = 0xcbf29ce484222325u, final = losses;
        float loss = 0;
        for (int step = 0; step < steps / shape->part; step++) {
            require(bp_network_train_minibatch(network, inputs, targets, shape->rows, rate, &loss));
            losses = hash(losses, &loss, sizeof loss);
        }
        require(bp_network_get_parameters(network, parameters, count));
        require(bp_network_predict(network, inputs, shape->rows, outputs));
        final = hash(hash(final, parameters, count * sizeof(float)), outputs, shape->rows * last * sizeof(float));
        printf("%s %s: losses %016llx, parameters and outputs %016llx, last loss %.9g\n", name, more,
               (unsigned long long)losses, (unsigned long long) final, (double)loss);
    }
    bp_network_free(network);
}

/* Calls body(name) for each name of a list of the library. */
static void for_each(int32_t (*name_at)(size_t, char *, size_t, size_t *), void (*body)(const char *name)) {
    char name[64];
    size_t needed;
    for (size_t i = 0; name_at(i, name, sizeof name, &needed) == BP_OK; i++) body(name);
}

static void train_activation(const char *name) {
    bp_network *network = create(&rows);
    for (size_t layer = 1; layer < 3; layer++) {
        require(bp_network_set_activation(network, layer, name));
        require(bp_network_set_batchnorm(network, layer, 1));
        require(bp_network_set_dropout(network, layer, 0.25));
    }
    require(bp_network_set_optimizer(network, "adam"));
    train(network, &rows, 0.001f, "Adam, batch norm, dropout", name);
}

static const char *loss;
static void train_output(const char *name) {
    bp_network *network = create(&one_row);
    require(bp_network_set_loss(network, loss));
    require(bp_network_set_activation(network, 2, name));
    require(bp_network_set_optimizer(network, "adam"));
    train(network, &one_row, 0.01f, loss, name);
}
static void train_loss(const char *name) {
    loss = name;
    for_each(bp_activation_name, train_output);
}

static void train_optimizer(const char *name) {
    bp_network *network = create(&small);
    require(bp_network_set_activation(network, 1, "tanh"));
    require(bp_network_set_optimizer(network, name));
    train(network, &small, 0.01f, "optimizer", name);
}

/* Layers that are larger than the blocks of the products where the stack is small. */
static void train_wide(const char *activation, const char *optimizer) {
    const size_t row_counts[] = {70, 33, 19, 5, 1};
    for (size_t i = 0; i < sizeof row_counts / sizeof *row_counts; i++) {
        const shape wide = {{7, 100, 144, 3}, 4, row_counts[i], 50};
        bp_network *network = create(&wide);
        for (size_t layer = 1; layer < 3; layer++) require(bp_network_set_activation(network, layer, activation));
        require(bp_network_set_optimizer(network, optimizer));
        train(network, &wide, 0.0078125f, activation, optimizer);
    }
}

int main(int argc, char **argv) {
    if (argc < 2 || (steps = atoi(argv[1])) < 1) return 2;
    fprintf(stderr, "# instruction set %s\n", bp_instruction_set());
    train(create(&small), &small, 0.5f, "shape", "small");
    train(create(&one_row), &one_row, 0.1f, "shape", "one row");
    train(create(&odd), &odd, 0.01f, "shape", "odd");
    train(create(&large), &large, 0.01f, "shape", "large");
    for_each(bp_activation_name, train_activation);
    for_each(bp_loss_name, train_loss);
    for_each(bp_optimizer_name, train_optimizer);
    train_wide("tanh", "sgd");
    train_wide("relu", "adam");
    return 0;
}
