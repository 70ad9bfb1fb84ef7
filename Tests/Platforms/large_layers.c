/* Steps and predictions of layers that are larger than the blocks of the products. Prints a hash of the losses, parameters and outputs:
 * the same on every target that computes with "baseline". */
#include <backprop.h>
#include <stdint.h>
#include <stdio.h>

enum { INPUTS = 7, OUTPUTS = 3, MOST_ROWS = 70, PARAMETERS = 7 * 100 + 100 + 100 * 144 + 144 + 144 * 3 + 3 };

static float inputs[MOST_ROWS * INPUTS], targets[MOST_ROWS * OUTPUTS], outputs[MOST_ROWS * OUTPUTS], parameters[PARAMETERS];

static uint32_t hash(uint32_t value, const void *bytes, size_t count) { /* FNV-1a */
    const uint8_t *byte = bytes;
    for (size_t i = 0; i < count; i++) value = (value ^ byte[i]) * 16777619u;
    return value;
}

/* Returns a status of the library. */
static int32_t train(const char *activation, const char *optimizer) {
    const size_t sizes[] = {INPUTS, 100, 144, OUTPUTS}, rows[] = {70, 33, 19, 5, 1};
    uint32_t all = 2166136261u;
    bp_network *network;
    int32_t status = bp_network_create(sizes, 4, 1, &network);
    if (status != BP_OK) return status;
    for (size_t layer = 1; status == BP_OK && layer <= 2; layer++)
        status = bp_network_set_activation(network, layer, activation);
    if (status == BP_OK) status = bp_network_set_optimizer(network, optimizer);
    for (size_t i = 0; status == BP_OK && i < sizeof rows / sizeof *rows; i++) {
        float loss = 0;
        status = bp_network_train_minibatch(network, inputs, targets, rows[i], 0.0078125f, &loss);
        if (status == BP_OK) status = bp_network_predict(network, inputs, rows[i], outputs);
        all = hash(hash(all, &loss, sizeof loss), outputs, rows[i] * OUTPUTS * sizeof *outputs);
    }
    if (status == BP_OK) status = bp_network_get_parameters(network, parameters, PARAMETERS);
    bp_network_free(network);
    if (status == BP_OK)
        printf("%s, %s: hash %08lx\n", activation, optimizer, (unsigned long)hash(all, parameters, sizeof parameters));
    return status;
}

int main(void) {
    for (int i = 0; i < MOST_ROWS * INPUTS; i++) inputs[i] = (float)(i * 7919 % 1024) / 512 - 1; /* exact in float */
    for (int i = 0; i < MOST_ROWS * OUTPUTS; i++) targets[i] = (float)(i * 5 % 8) / 8;
    printf("instruction set %s\n", bp_instruction_set());
    if (train("tanh", "sgd") == BP_OK && train("relu", "adam") == BP_OK) return 0;
    printf("%s\n", bp_last_error_message());
    return 1;
}
